"""A customer's timeline: what happened to it, line by line, by correlation id. Append-only."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from shared.persistence.bulk import Bulk
from shared.persistence.tables import history


def line(
    *,
    at: datetime,
    correlation_id: UUID,
    channel: str,
    external_id: str,
    worker: str,
    event: str,
    message_id: UUID | None = None,
    customer_id: UUID | None = None,
    detail: str | None = None,
) -> dict[str, Any]:
    """Return one line; `detail` is JSON free of personal data."""
    return {
        "at": at,
        "correlation_id": correlation_id,
        "message_id": message_id,
        "channel": channel,
        "external_id": external_id,
        "customer_id": customer_id,
        "worker": worker,
        "event": event,
        "detail": detail,
    }


def append(connection: sa.Connection, lines: Sequence[Mapping[str, Any]]) -> None:
    """Add `lines`, which have all columns but the id; they are read in the order given."""
    Bulk(connection).insert(history, lines)
