"""What RabbitMQ notes on a message that it dead-letters, for the keeper of the dead letters.

Its promise: reading never fails. A note of an unknown form is no note; the message counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from shared.messaging.broker import WireMessage


@dataclass(frozen=True, slots=True)
class Death:
    """Why a message left its queue, and how it had come there."""

    queue: str
    reason: str
    count: int
    routing_key: str | None
    died_at: datetime | None


def last_death(message: WireMessage) -> Death | None:
    """Return the newest of the message's deaths; RabbitMQ keeps that first."""
    record = message.headers.get("x-death")
    newest = record[0] if isinstance(record, list) and record else None
    if not isinstance(newest, Mapping):
        return None
    queue, reason, count = (newest.get(key) for key in ("queue", "reason", "count"))
    if not isinstance(queue, str) or not isinstance(reason, str):
        return None
    died_at = newest.get("time")
    return Death(
        queue=queue,
        reason=reason,
        count=count if isinstance(count, int) else 1,
        routing_key=_first_text(newest.get("routing-keys")),
        died_at=died_at if isinstance(died_at, datetime) else None,
    )


def as_it_was_sent(message: WireMessage) -> WireMessage:
    """Return a dead letter with the routing key it was published with and its own headers only."""
    death = last_death(message)
    own = {key: value for key, value in message.headers.items() if not key.startswith("x-")}
    key = death.routing_key if death and death.routing_key else message.routing_key
    return replace(message, routing_key=key, headers=own)


def _first_text(values: object) -> str | None:
    first = values[0] if isinstance(values, list) and values else None
    return first if isinstance(first, str) else None
