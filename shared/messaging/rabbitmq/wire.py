"""A message as AMQP 0-9-1 carries it, and back.

Its promise: reading never fails, whatever properties a stranger sets; what does not fit our types
is left out, and the bytes are untouched.
"""

from datetime import UTC, datetime
from uuid import UUID

import pika

from shared.messaging.broker import WireMessage


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
        app_id=message.app_id,
        reply_to=message.reply_to,
    )


def from_properties(properties: pika.BasicProperties, routing_key: str, body: bytes) -> WireMessage:
    """Return the message that was received."""
    return WireMessage(
        routing_key=routing_key,
        body=body,
        message_id=uuid_or_none(properties.message_id),
        type=_text(properties.type) or "",
        correlation_id=_text(properties.correlation_id),
        timestamp=_moment(properties.timestamp),
        content_type=_text(properties.content_type),
        content_encoding=_text(properties.content_encoding),
        headers=properties.headers or {},
        app_id=_text(properties.app_id),
        reply_to=_text(properties.reply_to),
    )


def uuid_or_none(text: object) -> UUID | None:
    """Return the UUID that `text` spells, if it does."""
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None


def _text(value: object) -> str | None:
    """Return a property if it is text: pika leaves what is not UTF-8 as bytes."""
    return value if isinstance(value, str) else None


def _moment(seconds: int | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
