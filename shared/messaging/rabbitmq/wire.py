"""A message as AMQP 0-9-1 carries it, and back.

Its promise: reading never fails, whatever properties a stranger sets; what does not fit our types
is left out, and the bytes are untouched.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from uuid import UUID

import pika

from shared.messaging.broker import WireMessage

APP_ID = "patron"


def to_properties(message: WireMessage) -> pika.BasicProperties:
    """Return the properties to publish `message` with: always persistent."""
    return pika.BasicProperties(
        content_type=message.content_type,
        content_encoding=message.content_encoding,
        headers=dict(message.headers),
        delivery_mode=pika.DeliveryMode.Persistent,
        correlation_id=message.correlation_id,
        message_id=None if message.message_id is None else str(message.message_id),
        timestamp=None if message.timestamp is None else int(message.timestamp.timestamp()),
        type=message.type or None,
        app_id=APP_ID,
    )


def from_properties(properties: pika.BasicProperties, routing_key: str, body: bytes) -> WireMessage:
    """Return the message that was received."""
    return WireMessage(
        routing_key=routing_key,
        body=body,
        message_id=uuid_or_none(properties.message_id),
        type=properties.type or "",
        correlation_id=properties.correlation_id,
        timestamp=_moment(properties.timestamp),
        content_type=properties.content_type,
        content_encoding=properties.content_encoding,
        headers=_headers(properties.headers),
    )


def uuid_or_none(text: str | None) -> UUID | None:
    """Return the UUID that `text` spells, if it does."""
    try:
        return UUID(text) if text else None
    except ValueError:
        return None


def _moment(seconds: int | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _headers(headers: Mapping[str, object] | None) -> Mapping[str, object]:
    return headers or {}
