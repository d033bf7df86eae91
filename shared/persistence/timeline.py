"""Reading history: what happened to a customer, line by line.

For the operator's desk. Its promise: nothing is changed, and every answer has a limit.
"""

from dataclasses import dataclass, fields
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from shared.persistence.tables import history
from shared.persistence.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class TimelineLine:
    """One thing that happened; `detail` is JSON free of personal data."""

    at: datetime
    worker: str
    event: str
    detail: str | None
    channel: str
    external_id: str
    customer_id: UUID | None
    correlation_id: UUID
    message_id: UUID | None


def of_source(
    work: UnitOfWork, channel: str, external_id: str, *, limit: int
) -> list[TimelineLine]:
    """Return the last `limit` lines about a remote record, in the order they happened."""
    query = (
        _LINES.where(history.c.channel == channel, history.c.external_id == external_id)
        .order_by(history.c.id.desc())
        .limit(limit)
    )
    return [TimelineLine(*row) for row in work.connection.execute(query)][::-1]


_LINES: Final = sa.select(*(history.c[field.name] for field in fields(TimelineLine)))
