"""Questions whether a customer is imported, from when they are taken in until they are answered.

An importer fetches who is `wanted`, the processor answers who was `fetched`, and whoever notices
that the time is up answers what it knows. Its promise: a question is answered once, by whoever is
first; a late result changes nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from shared.domain.messages import Answer, ImportAnswered, Parcel, parcel
from shared.persistence.sets import SetStatement
from shared.persistence.tables import Moment, customers, import_requests, links
from shared.persistence.unit_of_work import UnitOfWork

# What an answer may give as its reason, beside those of staging records and ignored customers.
UNKNOWN_IN_SHOP: Final = "unknown_in_shop"
STORE_VIEW_NOT_IMPORTED: Final = "store_view_not_imported"
UNKNOWN_CHANNEL: Final = "unknown_channel"
TIMEOUT: Final = "timeout"
REASONS: Final = frozenset({UNKNOWN_IN_SHOP, STORE_VIEW_NOT_IMPORTED, UNKNOWN_CHANNEL, TIMEOUT})


@dataclass(frozen=True, slots=True)
class ImportRequest:
    """One question; `id` is that of the message that asked it.

    One that `is_hint` came of a shop's webhook: nobody waits for its answer.
    """

    id: UUID
    correlation_id: UUID
    channel: str
    external_id: str
    reply_to: str | None
    reply_id: str | None
    requested_at: datetime
    answer_by: datetime
    due_at: datetime
    state: str = "wanted"
    import_id: UUID | None = None
    answered_at: datetime | None = None
    answer: Answer | None = None
    customer_number: str | None = None
    reason: str | None = None
    is_hint: bool = False

    @property
    def message_id(self) -> UUID:
        """The id of the message that asked."""
        return self.id

    @property
    def traceparent(self) -> None:
        """No trace is kept with a question."""
        return


class Verdict(NamedTuple):
    """The answer to one question."""

    request_id: UUID
    answer: Answer
    customer_number: str | None = None
    reason: str | None = None


def add(work: UnitOfWork, requests: Iterable[ImportRequest]) -> None:
    """Take questions in; one that is known is left as it is."""
    rows = [
        {column.name: getattr(request, column.name) for column in import_requests.columns}
        for request in requests
    ]
    work.bulk.upsert(import_requests, rows, key=("id",), update=())


def get(work: UnitOfWork, request_id: UUID) -> ImportRequest | None:
    """Return one question, or None if it was never taken in."""
    row = work.connection.execute(_REQUESTS.where(_T.id == request_id)).first()
    return ImportRequest(*row) if row else None


def is_due(work: UnitOfWork, channel: str) -> bool:
    """Whether a customer of the channel is to be fetched now."""
    query = sa.select(sa.exists().where(_of(channel), _is_due(work)))
    return bool(work.connection.execute(query).scalar())


def is_late(work: UnitOfWork) -> bool:
    """Whether the time of any question is up."""
    return bool(work.connection.execute(sa.select(sa.exists().where(_is_late(work)))).scalar())


def claim(work: UnitOfWork, channel: str, lease_seconds: float) -> list[ImportRequest]:
    """Lease the questions about one customer that wait for a fetch; the oldest question is first.

    Nobody else gets them until the lease is over, and then they are due again by themselves.
    """
    due = _REQUESTS.where(_of(channel), _is_due(work)).order_by(_T.requested_at, _T.id)
    first = work.connection.execute(due.limit(1).with_for_update(skip_locked=True)).first()
    if first is None:
        return []
    same = due.where(_T.external_id == first.external_id).with_for_update(skip_locked=True)
    requests = [ImportRequest(*row) for row in work.connection.execute(same)]
    until = work.now + timedelta(seconds=lease_seconds)
    _set(work, [request.id for request in requests], due_at=until)
    return requests


def put_off(work: UnitOfWork, requests: Collection[ImportRequest], due_at: datetime) -> None:
    """Have questions wait for their next fetch."""
    _set(work, [request.id for request in requests], due_at=due_at)


def mark_fetched(work: UnitOfWork, requests: Sequence[ImportRequest], import_id: UUID) -> None:
    """Note which message brings the customer: the processor answers when it handles that."""
    _set(work, [request.id for request in requests], state="fetched", import_id=import_id)


def still_wanted(work: UnitOfWork, requests: Sequence[ImportRequest]) -> list[ImportRequest]:
    """Return those that nobody has fetched or answered meanwhile; nobody can now."""
    ids = [request.id for request in requests]
    query = _REQUESTS.where(_T.id.in_(ids), _T.state == "wanted").order_by(_T.requested_at, _T.id)
    return [ImportRequest(*row) for row in work.connection.execute(query.with_for_update())]


def late(work: UnitOfWork, limit: int) -> list[Verdict]:
    """Return what can be said where the time is up: the number, if the customer has one."""
    query = (
        sa.select(_T.id, customers.c.number)
        .select_from(import_requests)
        .outerjoin(
            links, sa.and_(links.c.channel == _T.channel, links.c.external_id == _T.external_id)
        )
        .outerjoin(customers, customers.c.id == links.c.customer_id)
        .where(_is_late(work))
        .limit(limit)
    )
    return [
        Verdict(row.id, "waiting", row.number, TIMEOUT) for row in work.connection.execute(query)
    ]


def answer(work: UnitOfWork, verdicts: Sequence[Verdict]) -> list[ImportRequest]:
    """Answer questions that are open, and send the answer to who named a queue for it.

    Returns those that were answered; the others were before.
    """
    rows = _ANSWER.run(
        work.connection,
        {
            "id": [verdict.request_id for verdict in verdicts],
            "answer": [verdict.answer for verdict in verdicts],
            "customer_number": [verdict.customer_number for verdict in verdicts],
            "reason": [verdict.reason for verdict in verdicts],
        },
        now=work.now,
    )
    answered = [ImportRequest(*row) for row in rows]
    work.send([_reply(request, work.now) for request in answered if request.reply_to])
    return answered


def forget(work: UnitOfWork, answered_before: datetime) -> int:
    """Forget what was answered before then; return how many."""
    gone = sa.delete(import_requests).where(
        _T.state == "answered", _T.answered_at < answered_before
    )
    return work.connection.execute(gone).rowcount


def _reply(request: ImportRequest, at: datetime) -> Parcel:
    said = {"customer_number": request.customer_number, "reason": request.reason}
    body = ImportAnswered(
        channel=request.channel,
        external_id=request.external_id,
        answer=request.answer or "waiting",
        # What there is nothing to say of is left out.
        **{name: value for name, value in said.items() if value is not None},
    )
    return parcel(
        body,
        channel=request.channel,
        subject=request.external_id,
        at=at,
        cause=request,
        reply_to=request.reply_to,
        reply_id=request.reply_id,
    )


def _set(work: UnitOfWork, ids: Collection[UUID], **changes: Any) -> None:
    """Change questions that are still wanted."""
    work.connection.execute(
        sa.update(import_requests).where(_T.id.in_(ids), _T.state == "wanted").values(**changes)
    )


_T = import_requests.c
_COLUMNS = tuple(_T[field.name] for field in fields(ImportRequest))
_REQUESTS = sa.select(*_COLUMNS)

_ANSWER = SetStatement(
    "UPDATE import_requests SET state = 'answered', answered_at = {now}, answer = given.answer,"
    " customer_number = given.customer_number, reason = given.reason FROM {given}"
    " WHERE import_requests.id = given.id AND import_requests.state <> 'answered'"
    f" RETURNING {', '.join(f'import_requests.{column.name}' for column in _COLUMNS)}",
    given={
        "id": sa.Uuid(),
        "answer": sa.Text(),
        "customer_number": sa.Text(),
        "reason": sa.Text(),
    },
    values={"now": Moment()},
    returns=_COLUMNS,
)


def _of(channel: str) -> sa.ColumnElement[bool]:
    return _T.channel == channel


def _is_due(work: UnitOfWork) -> sa.ColumnElement[bool]:
    return sa.and_(_T.state == "wanted", _T.due_at <= work.now, _T.answer_by > work.now)


def _is_late(work: UnitOfWork) -> sa.ColumnElement[bool]:
    return sa.and_(_T.state.in_(("wanted", "fetched")), _T.answer_by <= work.now)
