"""What a dead letter keeps of a message that could not be handled.

Its promise: enough to understand, group and replay it, and no more than the store can bear: the
body of an oversized message is represented by its size and hash.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.domain.messages import Parcel

BODY_CAP_BYTES = 1024 * 1024

# What a further failure changes about a dead letter that was replayed.
REOPENED_COLUMNS = (
    "state",
    "worker",
    "queue",
    "reason",
    "error_class",
    "error",
    "last_failed_at",
    "config_version",
    "body",
    "body_size",
    "body_sha256",
    "schema_version",
)


@dataclass(frozen=True, slots=True)
class DeadLetter:
    """A message to be buried, by the worker that gave it up or the keeper that found it dead.

    `is_ours` says that the message had a row in the store; None as `message_id` means that it
    carried none at all. `attempts` None means as many as were counted. `error` has no personal
    data in it.
    """

    worker: str
    queue: str
    reason: str
    body: bytes
    message_id: UUID | None = None
    is_ours: bool = True
    attempts: int | None = None
    error_class: str | None = None
    error: str | None = None
    config_version: str | None = None
    routing_key: str | None = None
    type: str | None = None
    schema_version: int | None = None
    correlation_id: UUID | None = None
    causation_id: UUID | None = None
    occurred_at: datetime | None = None
    channel: str | None = None
    subject: str | None = None
    traceparent: str | None = None


@dataclass(frozen=True, slots=True)
class Failed:
    """What the store knew of a message's failures."""

    attempts: int
    first_failed_at: datetime | None = None


def of_parcel(parcel: Parcel, **evidence: Any) -> DeadLetter:
    """Return the dead letter of a message that could be read; `evidence` are the other fields."""
    return DeadLetter(
        message_id=parcel.message_id,
        routing_key=parcel.routing_key,
        type=parcel.type,
        schema_version=parcel.schema_version,
        correlation_id=parcel.correlation_id,
        causation_id=parcel.causation_id,
        occurred_at=parcel.occurred_at,
        channel=parcel.channel,
        subject=parcel.subject,
        traceparent=parcel.traceparent,
        body=parcel.body,
        **evidence,
    )


def dead_letter_row(letter: DeadLetter, failed: Failed, now: datetime) -> dict[str, Any]:
    """Return the row of `letter` in `dead_letters`."""
    return {
        "id": uuid7(),
        "message_id": letter.message_id,
        "worker": letter.worker,
        "queue": letter.queue,
        "routing_key": letter.routing_key,
        "type": letter.type,
        "schema_version": letter.schema_version,
        "correlation_id": letter.correlation_id,
        "causation_id": letter.causation_id,
        "occurred_at": letter.occurred_at,
        "channel": letter.channel,
        "subject": letter.subject,
        "traceparent": letter.traceparent,
        "body": letter.body if len(letter.body) <= BODY_CAP_BYTES else b"",
        "body_size": len(letter.body),
        "body_sha256": sha256(letter.body).hexdigest(),
        "reason": letter.reason,
        "error_class": letter.error_class,
        "error": letter.error,
        "attempts": failed.attempts if letter.attempts is None else letter.attempts,
        "first_failed_at": failed.first_failed_at or now,
        "last_failed_at": now,
        "config_version": letter.config_version,
        "state": "open",
    }
