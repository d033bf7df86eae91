"""Reading staging: imported customers on their way, and the archive of those that arrived.

For the operator's desk. Its promise: nothing is changed, and every answer has a limit.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from shared.persistence.tables import OPEN_STAGING_STATES, staging_customers
from shared.persistence.unit_of_work import UnitOfWork

STATES: Final = (*OPEN_STAGING_STATES, "processed", "superseded", "discarded")
OPEN: Final = frozenset(OPEN_STAGING_STATES)


@dataclass(frozen=True, slots=True)
class StagingLine:
    """One record as a list shows it; `customer_number` is None until there is one."""

    id: UUID
    channel: str
    external_id: str
    store_view: str
    state: str
    reason: str | None
    is_existing: bool
    customer_id: UUID | None
    customer_number: str | None
    changed_at: datetime
    created_at: datetime
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class StagingRecord:
    """One record with what was imported (`body`) and why it was decided so (`explanation`)."""

    line: StagingLine
    message_id: UUID
    correlation_id: UUID
    read_at: datetime
    config_version: str
    body: bytes
    explanation: bytes


@dataclass(frozen=True, slots=True)
class Selection:
    """Which records are meant: those that fit everything given; nothing given fits all.

    `created_before` and `created_after` go by when the record was staged first.
    """

    states: frozenset[str] = frozenset()
    reasons: frozenset[str] = frozenset()
    channel: str | None = None
    store_view: str | None = None
    is_existing: bool | None = None
    created_before: datetime | None = None
    created_after: datetime | None = None

    def conditions(self) -> list[sa.ColumnElement[bool]]:
        """Return what a record must fulfil."""
        return list(self._conditions())

    def _conditions(self) -> Iterator[sa.ColumnElement[bool]]:
        columns = staging_customers.c
        if self.states:
            yield columns.state.in_(sorted(self.states))
        if self.reasons:
            yield columns.reason.in_(sorted(self.reasons))
        if self.channel is not None:
            yield columns.channel == self.channel
        if self.store_view is not None:
            yield columns.store_view == self.store_view
        if self.is_existing is not None:
            yield columns.is_existing == self.is_existing
        if self.created_before is not None:
            yield columns.created_at < self.created_before
        if self.created_after is not None:
            yield columns.created_at >= self.created_after


ALL: Final = Selection()


@dataclass(frozen=True, slots=True)
class Found:
    """The newest of the records that were asked for, and how many there are in all."""

    lines: list[StagingLine]
    total: int


@dataclass(frozen=True, slots=True)
class StateCount:
    """How many records are in one state for one reason."""

    state: str
    reason: str | None
    is_existing: bool
    count: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many open records are in one state, and since when the oldest of them waits."""

    state: str
    count: int
    oldest_at: datetime


def find(work: UnitOfWork, selection: Selection = ALL, *, limit: int) -> Found:
    """Return up to `limit` records of a selection, newest first."""
    columns, fitting = staging_customers.c, selection.conditions()
    newest = _LINES.where(*fitting).order_by(columns.created_at.desc(), columns.id.desc())
    lines = [StagingLine(*row) for row in work.connection.execute(newest.limit(limit))]
    return Found(lines, count(work, selection) if len(lines) == limit else len(lines))


def count(work: UnitOfWork, selection: Selection = ALL) -> int:
    """Return how many records a selection has."""
    query = sa.select(sa.func.count()).select_from(staging_customers)
    return work.connection.execute(query.where(*selection.conditions())).scalar_one()


def count_by_state(work: UnitOfWork, selection: Selection = ALL) -> list[StateCount]:
    """Return how many records there are of each state and reason, of new and known customers."""
    columns = staging_customers.c
    kind = (columns.state, columns.reason, columns.is_existing)
    counts = sa.select(*kind, sa.func.count()).where(*selection.conditions())
    rows = work.connection.execute(counts.group_by(*kind).order_by(*kind))
    return [StateCount(*row) for row in rows]


def waiting(work: UnitOfWork) -> list[Waiting]:
    """Return what waits, by state; a state that nobody is in is not there. One look at an index."""
    columns = staging_customers.c
    query = (
        sa.select(columns.state, sa.func.count(), sa.func.min(columns.created_at))
        .where(columns.state.in_(OPEN_STAGING_STATES))
        .group_by(columns.state)
        .order_by(columns.state)
    )
    return [Waiting(*row) for row in work.connection.execute(query)]


def lines(work: UnitOfWork, staging_ids: Iterable[UUID]) -> dict[UUID, StagingLine]:
    """Return those records that exist, as a list shows them."""
    columns = tuple(staging_customers.c[field.name] for field in fields(StagingLine))
    rows = work.bulk.select(columns, staging_customers.c.id, staging_ids)
    return {row.id: StagingLine(*row) for row in rows}


def get(work: UnitOfWork, staging_id: UUID) -> StagingRecord | None:
    """Return one record."""
    return _record(work, staging_customers.c.id == staging_id)


def latest_of(work: UnitOfWork, channel: str, external_id: str) -> StagingRecord | None:
    """Return the record of a remote customer that was decided last."""
    columns = staging_customers.c
    return _record(work, columns.channel == channel, columns.external_id == external_id)


def _record(work: UnitOfWork, *where: sa.ColumnElement[bool]) -> StagingRecord | None:
    columns = staging_customers.c
    row = work.connection.execute(
        sa.select(staging_customers)
        .where(*where)
        .order_by(columns.updated_at.desc(), columns.id.desc())
        .limit(1)
    ).first()
    if row is None:
        return None
    return StagingRecord(
        line=StagingLine(*(getattr(row, field.name) for field in fields(StagingLine))),
        message_id=row.message_id,
        correlation_id=row.correlation_id,
        read_at=row.read_at,
        config_version=row.config_version,
        body=row.body,
        explanation=row.explanation,
    )


_LINES: Final = sa.select(*(staging_customers.c[field.name] for field in fields(StagingLine)))
