"""Requests that pushed customers: each taken once, and answered from here when it is made again.

Its promise: of several requests with one idempotency key or one signature, one is taken; and in a
channel whose customers are known by their e-mail, an address belongs to one of them.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson
import sqlalchemy as sa

from shared.domain.customer import SourceKey
from shared.persistence.sets import SetStatement
from shared.persistence.tables import push_emails, push_items, push_requests
from shared.persistence.unit_of_work import UnitOfWork

ACCEPTED: Final = "accepted"
PARKED: Final = "parked"
REFUSED: Final = "refused"


@dataclass(frozen=True, slots=True)
class PushRequest:
    """One request; by its `idempotency_key` or its `signature` it is known when it comes again."""

    id: UUID
    channel: str
    idempotency_key: str | None
    signature: str | None
    body_sha256: str
    received_at: datetime


class Item(NamedTuple):
    """What became of one customer of a request; each fault is (pointer, what is allowed)."""

    position: int
    external_id: str | None
    outcome: str
    faults: Sequence[tuple[str, str]] = ()


def claim(work: UnitOfWork, request: PushRequest) -> PushRequest:
    """Take a request that is new; return it, or the one that it repeats."""
    row = {name: getattr(request, name) for name in _COLUMNS}
    if _CLAIM.run(work.connection, {"id": [request.id]}, **{k: row[k] for k in row if k != "id"}):
        return request
    same = [
        column == value
        for column, value in (
            (push_requests.c.idempotency_key, request.idempotency_key),
            (push_requests.c.signature, request.signature),
        )
        if value is not None
    ]
    query = _REQUESTS.where(push_requests.c.channel == request.channel, sa.or_(*same))
    # By its key first, where key and signature are those of two requests.
    found = work.connection.execute(query.order_by(push_requests.c.idempotency_key.is_(None)))
    return PushRequest(*found.first() or ())


def get(work: UnitOfWork, channel: str, request_id: UUID) -> PushRequest | None:
    """Return a request of the channel, or None."""
    row = work.connection.execute(
        _REQUESTS.where(push_requests.c.id == request_id, push_requests.c.channel == channel)
    ).first()
    return PushRequest(*row) if row else None


def keep_items(work: UnitOfWork, request: PushRequest, items: Sequence[Item]) -> None:
    """Note what became of each customer of a request."""
    rows = [
        {
            "request_id": request.id,
            "position": item.position,
            "channel": request.channel,
            "external_id": item.external_id,
            "outcome": item.outcome,
            "faults": _dumped(item.faults),
        }
        for item in items
    ]
    work.bulk.insert(push_items, rows)


def items(work: UnitOfWork, request_id: UUID) -> list[Item]:
    """Return what became of the customers of a request, in their order."""
    columns = push_items.c
    query = sa.select(columns.position, columns.external_id, columns.outcome, columns.faults)
    rows = work.connection.execute(
        query.where(columns.request_id == request_id).order_by(columns.position)
    )
    return [
        Item(row.position, row.external_id, row.outcome, [*map(tuple, _loaded(row.faults))])
        for row in rows
    ]


def email_owners(work: UnitOfWork, channel: str, emails: Sequence[str]) -> dict[str, str]:
    """Return whose each of these e-mail keys is, where it is anybody's."""
    columns = push_emails.c
    rows = work.bulk.select(
        (columns.email_key, columns.external_id),
        (columns.channel, columns.email_key),
        ((channel, email) for email in emails),
    )
    return {row.email_key: row.external_id for row in rows}


def claim_emails(work: UnitOfWork, channel: str, owners: Mapping[str, str]) -> dict[str, str]:
    """Give each free e-mail key to its customer; return whose each of them is now."""
    rows = [
        {"channel": channel, "email_key": email, "external_id": owner}
        for email, owner in sorted(owners.items())
    ]
    work.bulk.upsert(push_emails, rows, key=("channel", "email_key"), update=())
    return email_owners(work, channel, sorted(owners))


def release_emails(work: UnitOfWork, channel: str, kept: Mapping[str, str]) -> None:
    """Free the addresses that these customers had before the ones they keep, by external id."""
    pairs = sorted(kept.items())
    _RELEASE.run(
        work.connection,
        {"external_id": [one for one, _ in pairs], "email_key": [email for _, email in pairs]},
        channel=channel,
    )


def accounts_by_email(work: UnitOfWork, accounts: Collection[SourceKey]) -> list[SourceKey]:
    """Return the accounts that the e-mail addresses of these would make."""
    columns = push_emails.c
    rows = work.bulk.select(
        (columns.channel, columns.email_key), (columns.channel, columns.external_id), accounts
    )
    return [SourceKey(row.channel, row.email_key) for row in rows]


def _dumped(faults: Sequence[tuple[str, str]]) -> str | None:
    return (
        orjson.dumps([[pointer, detail] for pointer, detail in faults]).decode() if faults else None
    )


def _loaded(faults: str | None) -> list[Any]:
    loaded: list[Any] = orjson.loads(faults) if faults else []
    return loaded


_COLUMNS: Final = tuple(column.name for column in push_requests.columns)
_REQUESTS: Final = sa.select(*push_requests.columns)
_CLAIM: Final = SetStatement(
    "INSERT INTO push_requests"
    " (id, channel, idempotency_key, signature, body_sha256, received_at)"
    " SELECT given.id, {channel}, {idempotency_key}, {signature}, {body_sha256}, {received_at}"
    " FROM {given} WHERE true ON CONFLICT DO NOTHING RETURNING id",
    given={"id": sa.Uuid()},
    values={
        name: push_requests.c[name].type
        for name in ("channel", "idempotency_key", "signature", "body_sha256", "received_at")
    },
    returns=(push_requests.c.id,),
)
_RELEASE: Final = SetStatement(
    "DELETE FROM push_emails WHERE push_emails.channel = {channel}"
    " AND push_emails.external_id {is_given}"
    " AND EXISTS (SELECT 1 FROM {given} WHERE given.external_id = push_emails.external_id"
    " AND given.email_key <> push_emails.email_key)",
    given={"external_id": sa.Text(), "email_key": sa.Text()},
    values={"channel": sa.Text()},
)
