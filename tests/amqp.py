"""Messages as pika writes and reads them: what ours must be equal to."""

import pika

from shared.messaging.broker import WireMessage
from shared.messaging.rabbitmq.wire import from_properties

CHANNEL = 1


def to_properties(message: WireMessage) -> pika.BasicProperties:
    """Return the properties to publish `message` with, as pika's own."""
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


def encoded(properties: pika.BasicProperties) -> bytes:
    """Return the bytes of properties."""
    return b"".join(properties.encode())


def read_by_pika(properties: bytes, routing_key: str, body: bytes) -> WireMessage:
    """Return the message that came with `properties`. Raises what pika raises."""
    return from_properties(pika.BasicProperties().decode(properties), routing_key, body)


def content(body: bytes, properties: pika.BasicProperties, frame_max: int) -> bytes:
    """Return a message's header and body as frames."""
    parts = [body[at : at + frame_max - 8] for at in range(0, len(body), frame_max - 8)]
    frames = [
        pika.frame.Header(CHANNEL, len(body), properties),
        *(pika.frame.Body(CHANNEL, part) for part in parts),
    ]
    return b"".join(frame.marshal() for frame in frames)


def published(message: WireMessage, exchange: str, *, mandatory: bool, frame_max: int) -> bytes:
    """Return the frames with which pika publishes `message`."""
    method = pika.spec.Basic.Publish(
        exchange=exchange, routing_key=message.routing_key, mandatory=mandatory
    )
    frame: bytes = pika.frame.Method(CHANNEL, method).marshal()
    return frame + content(message.body, to_properties(message), frame_max)


def delivered(
    message: WireMessage, tag: int, *, redelivered: bool = False, frame_max: int = 131072
) -> bytes:
    """Return the frames with which a broker delivers `message`."""
    method = pika.spec.Basic.Deliver("ctag1.a", tag, redelivered, "patron", message.routing_key)
    frame: bytes = pika.frame.Method(CHANNEL, method).marshal()
    return frame + content(message.body, to_properties(message), frame_max)
