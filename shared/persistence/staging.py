"""Reading staging: imported customers on their way, and the archive of those that arrived.

For the operator's desk. Its promise: nothing is changed, and every answer has a limit.
"""

from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from shared.persistence.tables import OPEN_STAGING_STATES, staging_customers
from shared.persistence.unit_of_work import UnitOfWork

STATES: Final = (*OPEN_STAGING_STATES, "processed", "superseded", "discarded")


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


def find(
    work: UnitOfWork,
    *,
    states: Collection[str] = (),
    reason: str | None = None,
    channel: str | None = None,
    store_view: str | None = None,
    limit: int,
) -> Found:
    """Return up to `limit` records that fit everything given, newest first."""
    columns = staging_customers.c
    fitting = [column == value for column, value in (
        (columns.reason, reason), (columns.channel, channel), (columns.store_view, store_view),
    ) if value is not None]  # fmt: skip
    if states:
        fitting.append(columns.state.in_(sorted(states)))
    newest = _LINES.where(*fitting).order_by(columns.created_at.desc(), columns.id.desc())
    lines = [StagingLine(*row) for row in work.connection.execute(newest.limit(limit))]
    count = sa.select(sa.func.count()).select_from(staging_customers).where(*fitting)
    total = work.connection.execute(count).scalar_one() if len(lines) == limit else len(lines)
    return Found(lines, total)


def count_by_state(work: UnitOfWork) -> list[StateCount]:
    """Return how many records there are of each state and reason, of new and known customers."""
    columns = staging_customers.c
    kind = (columns.state, columns.reason, columns.is_existing)
    counts = sa.select(*kind, sa.func.count()).group_by(*kind).order_by(*kind)
    return [StateCount(*row) for row in work.connection.execute(counts)]


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
