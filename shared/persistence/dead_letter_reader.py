"""Reading the dead letters: what was given up, why, and what it was.

For the operator's desk. Its promise: nothing is changed, and every answer has a limit.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from shared.persistence.tables import dead_letters
from shared.persistence.unit_of_work import UnitOfWork


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
    error_class: str | None
    config_version: str | None
    body_size: int
    body_sha256: str
    body: bytes


def find(
    work: UnitOfWork,
    *,
    state: str | None = None,
    worker: str | None = None,
    reason: str | None = None,
    channel: str | None = None,
    limit: int,
) -> list[DeadLetterLine]:
    """Return up to `limit` dead letters that fit everything given, the last failed first."""
    columns = dead_letters.c
    given: list[tuple[sa.Column[Any], str | None]] = [
        (columns.state, state), (columns.worker, worker), (columns.reason, reason),
        (columns.channel, channel),
    ]  # fmt: skip
    query = (
        sa.select(*(columns[field.name] for field in fields(DeadLetterLine)))
        .where(*(column == value for column, value in given if value is not None))
        .order_by(columns.last_failed_at.desc(), columns.id.desc())
        .limit(limit)
    )
    return [DeadLetterLine(*row) for row in work.connection.execute(query)]


def get(work: UnitOfWork, dead_letter_id: UUID) -> DeadLetterRecord | None:
    """Return one dead letter."""
    row = work.connection.execute(
        sa.select(dead_letters).where(dead_letters.c.id == dead_letter_id)
    ).first()
    if row is None:
        return None
    line = DeadLetterLine(*(getattr(row, field.name) for field in fields(DeadLetterLine)))
    return DeadLetterRecord(line, *(getattr(row, name) for name in _REST))


def reasons(work: UnitOfWork, message_ids: Iterable[UUID]) -> dict[UUID, str]:
    """Return which of these messages were given up and nobody has dealt with, and why."""
    columns = dead_letters.c
    rows = work.bulk.select(
        (columns.message_id, columns.reason, columns.state), columns.message_id, message_ids
    )
    return {row.message_id: row.reason for row in rows if row.state == "open"}


_REST: Final = [field.name for field in fields(DeadLetterRecord) if field.name != "line"]
