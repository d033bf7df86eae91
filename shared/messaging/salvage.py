"""What can be told of a message whose body cannot: its envelope, as far as it is legible.

For whoever buries it. Its promise: reading never fails, whatever a stranger wrote; what does not
have its form is left out. Only Patron's own messages are believed whom they are about.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from uuid import UUID

from shared.messaging.broker import WireMessage
from shared.messaging.codec import is_ours

_SHORT: Final = 255
_CHANNEL: Final = re.compile(r"[a-z][a-z0-9_-]{0,62}")
_TRACEPARENT: Final = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_LARGEST: Final = 2**31 - 1


@dataclass(frozen=True, slots=True)
class Salvage:
    """What a letter keeps of the envelope; None for what was missing or illegible."""

    routing_key: str
    type: str | None
    schema_version: int | None
    correlation_id: UUID | None
    causation_id: UUID | None
    occurred_at: datetime | None
    channel: str | None
    subject: str | None
    traceparent: str | None
    reply_to: str | None
    reply_id: str | None


def salvage(message: WireMessage) -> Salvage:
    """Return what can be read around the body."""
    headers = message.headers
    channel, subject = _text(headers.get("channel")), _text(headers.get("subject"), 511)
    asks = _text(message.reply_to) if message.reply_to else None
    return Salvage(
        routing_key=legible(message.routing_key),
        type=legible(message.type) or None,
        schema_version=_version(headers.get("schema_version")),
        correlation_id=_uuid(message.correlation_id),
        causation_id=_uuid(headers.get("causation_id")),
        occurred_at=_moment(headers.get("occurred_at")) or message.timestamp,
        channel=channel if channel and _CHANNEL.fullmatch(channel) else None,
        subject=subject if is_ours(message) else None,
        traceparent=_traceparent(headers.get("traceparent")),
        reply_to=asks,
        reply_id=_text(message.correlation_id) if asks else None,
    )


def legible(text: str) -> str:
    """Return a stranger's text as a database can hold it and a line can show it."""
    shown = text if text.isprintable() else text.encode("unicode_escape").decode()
    return shown[: 2 * _SHORT]


def _text(value: object, longest: int = _SHORT) -> str | None:
    is_fit = isinstance(value, str) and 0 < len(value) <= longest and value.isprintable()
    return value if is_fit else None  # type: ignore[return-value]


def _version(value: object) -> int | None:
    is_fit = isinstance(value, int) and not isinstance(value, bool) and 0 < value <= _LARGEST
    return value if is_fit else None  # type: ignore[return-value]


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _moment(value: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else None
        return moment.astimezone(UTC) if moment and moment.tzinfo else None
    except (ValueError, OverflowError):
        return None


def _traceparent(value: object) -> str | None:
    return value if isinstance(value, str) and _TRACEPARENT.fullmatch(value) else None
