"""What a dead letter keeps of a message that could not be handled.

Its promise: enough to understand, group and replay it, and no more than the store can bear: the
body of an oversized message is represented by its size and hash.
"""

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from shared.domain.ids import new_id
from shared.domain.messages import Parcel

BODY_CAP_BYTES = 1024 * 1024

OPEN: Final = "open"
REPLAYING: Final = "replaying"
RESOLVED: Final = "resolved"
DISCARDED: Final = "discarded"
STATES: Final = (OPEN, REPLAYING, RESOLVED, DISCARDED)
"""Waits for somebody; is being sent again; was handled after all; was given up for good."""

BY_WORKER: Final = "worker"
BY_BROKER: Final = "broker"

_GROUP_KEY_DIGITS: Final = 12

# What a further failure changes about a dead letter that was replayed.
REOPENED_COLUMNS = (
    "state",
    "worker",
    "queue",
    "reason",
    "error_class",
    "error",
    "attempts",
    "last_failed_at",
    "config_version",
    "frame",
    "platform",
    "group_key",
    "origin",
    "broker_reason",
    "resolved_at",
    "resolution",
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
    data in it; `frame` is our function nearest to it. `platform` is that of the channel.
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
    reply_to: str | None = None
    reply_id: str | None = None
    frame: str | None = None
    platform: str | None = None
    origin: str = BY_WORKER
    broker_reason: str | None = None

    @property
    def group_key(self) -> str:
        """The group of letters that probably have the same cause."""
        return group_key(self.reason, self.error_class, self.frame, self.platform, self.channel)


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
        reply_to=parcel.reply_to,
        reply_id=parcel.reply_id,
        body=parcel.body,
        **evidence,
    )


def dead_letter_row(letter: DeadLetter, failed: Failed, now: datetime) -> dict[str, Any]:
    """Return the row of `letter` in `dead_letters`."""
    return {
        "id": new_id(),
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
        "state": OPEN,
        "reply_to": letter.reply_to,
        "reply_id": letter.reply_id,
        "frame": letter.frame,
        "platform": letter.platform,
        "group_key": letter.group_key,
        "origin": letter.origin,
        "broker_reason": letter.broker_reason,
        "resolved_at": None,
        "resolution": None,
    }


def group_key(
    reason: str,
    error_class: str | None,
    frame: str | None,
    platform: str | None,
    channel: str | None,
) -> str:
    """Return a short digest of what letters with the same cause have in common."""
    parts = (reason, error_class, frame, platform, channel)
    # No part can hold the separator: they are codes, names and identifiers.
    text = "\x1f".join(part or "" for part in parts)
    return sha256(text.encode()).hexdigest()[:_GROUP_KEY_DIGITS]
