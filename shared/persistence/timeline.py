"""Reading a person's timeline: everything that happened to it, in all workers, in order (NEW-10).

Put together from what the workers keep anyway: when it was read (staging), what was decided and
written (history), what was given up (dead letters), what was asked for (requests), and what
operators did (audit log). Its promise: nothing is changed, and every answer has a limit.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from shared.domain.customer import SourceKey
from shared.persistence.person import Person
from shared.persistence.sets import Found
from shared.persistence.tables import (
    audit_log,
    dead_letters,
    history,
    import_requests,
    messages,
    staging_customers,
)
from shared.persistence.unit_of_work import UnitOfWork

_DESK: Final = "console"


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One thing that happened; `detail` is JSON free of personal data."""

    at: datetime
    worker: str
    event: str
    detail: str | None = None
    channel: str | None = None
    external_id: str | None = None
    customer_id: UUID | None = None
    correlation_id: UUID | None = None
    message_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class OwedLine:
    """A message that is not handled yet, since when, and why its last attempt failed."""

    id: UUID
    routing_key: str
    type: str
    channel: str
    subject: str
    correlation_id: UUID
    attempts: int
    created_at: datetime
    available_at: datetime
    published_at: datetime | None
    last_reason: str | None


@dataclass(frozen=True, slots=True)
class Timeline:
    """What happened, in order, and what is still owed, oldest first."""

    lines: list[TimelineLine]
    owed: list[OwedLine]


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a timeline is about: accounts and their customer, or everything of a correlation."""

    accounts: tuple[SourceKey, ...] = ()
    customer_id: UUID | None = None
    correlation_id: UUID | None = None

    def of(self, table: sa.Table, external_id: str = "external_id") -> sa.ColumnElement[bool]:
        """Return the condition for the rows of a table."""
        if self.correlation_id:
            return table.c.correlation_id == self.correlation_id
        return self.accounts_of(table, external_id)

    def accounts_of(self, table: sa.Table, external_id: str) -> sa.ColumnElement[bool]:
        """Return the condition for what is about the accounts."""
        channel, id_ = table.c.channel, table.c[external_id]
        return sa.or_(
            sa.false(),
            *(sa.and_(channel == each.channel, id_ == each.external_id) for each in self.accounts),
        )


def of_person(work: UnitOfWork, someone: Person, *, limit: int) -> Timeline:
    """Return the last `limit` lines about a person with all its accounts."""
    return _timeline(work, _Scope(someone.accounts, someone.customer_id), limit)


def of_correlation(work: UnitOfWork, correlation_id: UUID, *, limit: int) -> Timeline:
    """Return the last `limit` lines of all that followed from one import or request."""
    return _timeline(work, _Scope(correlation_id=correlation_id), limit)


def _timeline(work: UnitOfWork, scope: _Scope, limit: int) -> Timeline:
    decided = _decided(work, scope, limit)
    owed = _owed(work, scope, limit)
    dead = _rows(work, dead_letters, scope.of(dead_letters, "subject"), limit)
    if scope.correlation_id:
        # Staging is found by account only.
        scope = replace(scope, accounts=_accounts_in(decided, owed, dead))
    staged = _rows(work, staging_customers, _staged(scope), limit)
    asked = _rows(work, import_requests, scope.of(import_requests), limit)
    lines = [
        *(_read(row) for row in staged),
        *(line for row in asked for line in _asked(row)),
        *decided,
        *(_given_up(row) for row in dead),
    ]
    subjects = {str(row.id) for row in (*staged, *dead, *asked)} | {str(each.id) for each in owed}
    lines += _done_at_the_desk(work, subjects | {str(each) for each in scope.accounts}, decided)
    return Timeline(sorted(lines, key=lambda line: line.at)[-limit:], owed)


def _decided(work: UnitOfWork, scope: _Scope, limit: int) -> list[TimelineLine]:
    """Return the lines of history, in their order."""
    condition = scope.of(history)
    if scope.customer_id:
        condition = sa.or_(condition, history.c.customer_id == scope.customer_id)
    columns = (history.c[field.name] for field in fields(TimelineLine))
    query = sa.select(*columns).where(condition).order_by(history.c.id.desc()).limit(limit)
    return [TimelineLine(*row) for row in work.connection.execute(query)][::-1]


def _owed(work: UnitOfWork, scope: _Scope, limit: int) -> list[OwedLine]:
    columns = (messages.c[field.name] for field in fields(OwedLine))
    query = sa.select(*columns).where(scope.of(messages, "subject"))
    query = query.order_by(messages.c.created_at, messages.c.id).limit(limit)
    return [OwedLine(*row) for row in work.connection.execute(query)]


def _staged(scope: _Scope) -> sa.ColumnElement[bool]:
    """Return the condition for staging records: of accounts, and of the correlation if given."""
    condition = scope.accounts_of(staging_customers, "external_id")
    return sa.and_(condition, scope.of(staging_customers)) if scope.correlation_id else condition


def _rows(
    work: UnitOfWork, table: sa.Table, condition: sa.ColumnElement[bool], limit: int
) -> list[Found]:
    """Return the last rows of a table whose ids grow with time, without what is large in them."""
    columns = [column for column in table.c if not isinstance(column.type, sa.LargeBinary)]
    query = sa.select(*columns).where(condition).order_by(table.c.id.desc()).limit(limit)
    return list(work.connection.execute(query))[::-1]


def _accounts_in(
    decided: Iterable[TimelineLine], owed: Iterable[OwedLine], dead: Iterable[Found]
) -> tuple[SourceKey, ...]:
    found = {(line.channel, line.external_id) for line in decided}
    found |= {(line.channel, line.subject) for line in owed}
    found |= {(row.channel, row.subject) for row in dead}
    return tuple(sorted(SourceKey(channel, id_) for channel, id_ in found if channel and id_))


def _read(row: Found) -> TimelineLine:
    """Return that a record was read which was staged then."""
    detail = {"store_view": row.store_view, "changed_at": row.changed_at}
    return TimelineLine(
        row.read_at, "importer", "customer.read", _json(detail), row.channel, row.external_id,
        row.customer_id, row.correlation_id, row.message_id,
    )  # fmt: skip


def _given_up(row: Found) -> TimelineLine:
    """Return that a message was given up."""
    detail = {
        "type": row.type, "reason": row.reason, "attempts": row.attempts, "error": row.error,
        "state": row.state, "dead_letter": row.id,
    }  # fmt: skip
    return TimelineLine(
        row.last_failed_at, row.worker, "message.dead", _json(detail), row.channel, row.subject,
        None, row.correlation_id, row.message_id,
    )  # fmt: skip


def _asked(row: Found) -> Iterable[TimelineLine]:
    """Yield that somebody asked for the customer, and what he was answered."""
    about = (row.channel, row.external_id, None, row.correlation_id)
    wanted = _json({"reply_to": row.reply_to, "answer_by": row.answer_by})
    yield TimelineLine(row.requested_at, "importer", "import.requested", wanted, *about)
    if row.answered_at:
        said = _json({"answer": row.answer, "number": row.customer_number, "reason": row.reason})
        yield TimelineLine(row.answered_at, "processor", "import.answered", said, *about)


def _done_at_the_desk(
    work: UnitOfWork, subjects: Iterable[str], known: Iterable[TimelineLine]
) -> list[TimelineLine]:
    """Return what operators did to these; not twice what is a line of history as well."""
    written = {(line.at, line.event) for line in known}
    return [
        TimelineLine(row.at, _DESK, row.action, _json({"by": row.actor, "reason": row.reason}))
        for row in work.bulk.select(audit_log.c, audit_log.c.subject, subjects)
        if (row.at, row.action) not in written
    ]


def _json(facts: Mapping[str, Any]) -> str:
    return orjson.dumps({k: v for k, v in facts.items() if v is not None}, default=str).decode()
