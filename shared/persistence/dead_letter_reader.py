"""Reading the dead letters: what was given up, why, and what it was.

For the operator's desk. Its promise: nothing is changed, and every answer has a limit or comes
in slices.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from shared.domain.causes import SETUP
from shared.persistence.sets import Found
from shared.persistence.tables import amendments, dead_letters, replay_items, replay_jobs
from shared.persistence.unit_of_work import UnitOfWork

_SLICE: Final = 500


@dataclass(frozen=True, slots=True)
class Selection:
    """Which dead letters are meant: those that fit everything given.

    `failed_before` and `failed_after` go by the last failure. `cured_by` is a version of the
    configuration: meant are those whose reason points to the set-up, and that failed under another
    one (NEW-5).
    """

    states: tuple[str, ...] = ()
    ids: tuple[UUID, ...] = ()
    group: str | None = None
    reason: str | None = None
    worker: str | None = None
    channel: str | None = None
    customer: str | None = None
    type: str | None = None
    failed_before: datetime | None = None
    failed_after: datetime | None = None
    cured_by: str | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Return the selection as SQL."""
        columns = dead_letters.c
        exact = (
            (columns.group_key, self.group), (columns.reason, self.reason),
            (columns.worker, self.worker), (columns.channel, self.channel),
            (columns.subject, self.customer), (columns.type, self.type),
        )  # fmt: skip
        found = [column == value for column, value in exact if value is not None]
        if self.states:
            found.append(columns.state.in_(self.states))
        if self.ids:
            found.append(columns.id.in_(self.ids))
        if self.failed_before:
            found.append(columns.last_failed_at < self.failed_before)
        if self.failed_after:
            found.append(columns.last_failed_at >= self.failed_after)
        if self.cured_by is not None:
            found.append(columns.reason.in_(sorted(SETUP)))
            found.append(columns.config_version.is_distinct_from(self.cured_by))
        return found


ALL: Final = Selection()


@dataclass(frozen=True, slots=True)
class DeadLetterLine:
    """A dead letter as a list shows it."""

    id: UUID
    worker: str
    reason: str
    error: str | None
    type: str | None
    channel: str | None
    subject: str | None
    attempts: int
    first_failed_at: datetime
    last_failed_at: datetime
    state: str
    group_key: str
    replays: int


@dataclass(frozen=True, slots=True)
class DeadLetterRecord:
    """A dead letter with everything that was kept of it."""

    line: DeadLetterLine
    message_id: UUID | None
    queue: str
    routing_key: str | None
    schema_version: int | None
    correlation_id: UUID | None
    causation_id: UUID | None
    occurred_at: datetime | None
    traceparent: str | None
    reply_to: str | None
    reply_id: str | None
    error_class: str | None
    frame: str | None
    platform: str | None
    config_version: str | None
    origin: str
    broker_reason: str | None
    resolved_at: datetime | None
    resolution: str | None
    body_size: int
    body_sha256: str
    body: bytes = field(repr=False)

    @property
    def is_whole(self) -> bool:
        """Whether the body was kept; one that was too large is not, and cannot be sent again."""
        return len(self.body) == self.body_size


@dataclass(frozen=True, slots=True)
class Amendment:
    """What an operator changed about a letter; `original_body` is the body before that."""

    id: UUID
    at: datetime
    author: str
    reason: str
    diff: str = field(repr=False)
    original_body: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Replay:
    """That a letter was sent again, by whose order, and what came of it."""

    job_id: UUID
    created_at: datetime
    author: str
    reason: str
    state: str
    at: datetime | None


def find(work: UnitOfWork, selection: Selection = ALL, *, limit: int) -> list[DeadLetterLine]:
    """Return up to `limit` dead letters, the last failed first."""
    columns = dead_letters.c
    query = (
        sa.select(*(columns[name] for name in _LINE))
        .where(*selection.conditions())
        .order_by(columns.last_failed_at.desc(), columns.id.desc())
        .limit(limit)
    )
    return [DeadLetterLine(*row) for row in work.connection.execute(query)]


def count(work: UnitOfWork, selection: Selection = ALL) -> int:
    """Return how many dead letters are meant."""
    query = sa.select(sa.func.count()).select_from(dead_letters).where(*selection.conditions())
    return work.connection.execute(query).scalar_one()


def ids(work: UnitOfWork, selection: Selection = ALL) -> list[UUID]:
    """Return the ids of all that are meant, oldest first."""
    query = sa.select(dead_letters.c.id).where(*selection.conditions()).order_by(dead_letters.c.id)
    return list(work.connection.execute(query).scalars())


def get(work: UnitOfWork, dead_letter_id: UUID) -> DeadLetterRecord | None:
    """Return one dead letter."""
    row = work.connection.execute(
        sa.select(dead_letters).where(dead_letters.c.id == dead_letter_id)
    ).first()
    return None if row is None else _record(row)


def stream(work: UnitOfWork, selection: Selection = ALL) -> Iterator[DeadLetterRecord]:
    """Yield all that are meant with everything about them, oldest first, a few at a time."""
    columns = dead_letters.c
    query = sa.select(dead_letters).where(*selection.conditions()).order_by(columns.id)
    query = query.limit(_SLICE)
    rows = work.connection.execute(query).all()
    while rows:
        yield from map(_record, rows)
        rows = work.connection.execute(query.where(columns.id > rows[-1].id)).all()


def amendments_of(work: UnitOfWork, dead_letter_ids: Iterable[UUID]) -> list[Amendment]:
    """Return what was changed about these letters, oldest first."""
    columns = [amendments.c[each.name] for each in fields(Amendment)]
    rows = work.bulk.select(columns, amendments.c.dead_letter_id, dead_letter_ids)
    return [Amendment(*row) for row in sorted(rows, key=lambda row: (row.at, row.id))]


def replays_of(work: UnitOfWork, dead_letter_id: UUID) -> list[Replay]:
    """Return how often a letter was sent again, oldest first."""
    jobs, items = replay_jobs.c, replay_items.c
    query = (
        sa.select(jobs.id, jobs.created_at, jobs.author, jobs.reason, items.state, items.at)
        .join(replay_items, items.job_id == jobs.id)
        .where(items.dead_letter_id == dead_letter_id)
        .order_by(jobs.created_at, jobs.id)
    )
    return [Replay(*row) for row in work.connection.execute(query)]


def reasons(work: UnitOfWork, message_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return which of these messages were given up and nobody has dealt with, and why."""
    columns = dead_letters.c
    rows = work.bulk.select(
        (columns.message_id, columns.reason, columns.state), columns.message_id, message_ids
    )
    return {row.message_id: row.reason for row in rows if row.state == "open"}


def _record(row: Found) -> DeadLetterRecord:
    line = DeadLetterLine(*(getattr(row, name) for name in _LINE))
    return DeadLetterRecord(line, *(getattr(row, name) for name in _REST))


_LINE: Final = [each.name for each in fields(DeadLetterLine)]
_REST: Final = [each.name for each in fields(DeadLetterRecord) if each.name != "line"]
