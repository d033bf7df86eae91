"""The frames of AMQP 0-9-1 that a message consists of: a method, a content header, a body.

For the publisher and the connection. pika makes and reads each by an object with a method for each
step; the ordinary message, which passes a thousand times a second, is written and read here in one
go. The promises: what is written is byte for byte what pika would write; of deliveries, only those
are read that are here as a whole, with a body of at most one frame: all others are left to pika.
"""

import struct
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

import pika
from pika.spec import Basic

from shared.messaging.broker import WireMessage
from shared.messaging.rabbitmq.wire import from_properties, properties_of, received

_METHOD: Final = 1
_HEADER: Final = 2
_BODY: Final = 3
_END: Final = 0xCE
_END_BYTE: Final = b"\xce"
_AROUND: Final = 8  # a frame's type, channel, size, and end
_CLASS: Final = 60
_DELIVER: Final = (_CLASS << 16) + 60
_HEADER_FIELDS: Final = 12  # class, weight, size of the body

_pack_header = struct.Struct(">BHIHHQ").pack
_pack_body = struct.Struct(">BHI").pack
_method_at = struct.Struct(">BHII").unpack_from
_header_at = struct.Struct(">BHIHHQ").unpack_from
_body_at = struct.Struct(">BHI").unpack_from
_tag_at = struct.Struct(">QB").unpack_from


class RawDelivery(NamedTuple):
    """A delivery as it came over a channel, its properties not yet read."""

    tag: int
    redelivered: bool
    routing_key: str
    properties: bytes | pika.BasicProperties
    body: bytes


def message_of(delivery: RawDelivery) -> WireMessage:
    """Return the message that was delivered."""
    _tag, _redelivered, routing_key, properties, body = delivery
    read = received if isinstance(properties, bytes) else from_properties
    return read(properties, routing_key, body)


class Road(NamedTuple):
    """Where messages go: a channel, by its number, an exchange, the largest frame allowed."""

    channel: int
    exchange: str
    frame_max: int


def frames_of(message: WireMessage, road: Road, *, mandatory: bool) -> bytes:
    """Return what publishes `message`. Raises as `properties_of` does."""
    body, properties = message.body, properties_of(message)
    pieces = [
        _publish(road.channel, road.exchange, message.routing_key, mandatory),
        _pack_header(_HEADER, road.channel, _HEADER_FIELDS + len(properties), _CLASS, 0, len(body)),
        properties,
        _END_BYTE,
    ]
    for part in _parts(body, road.frame_max - _AROUND):
        pieces += (_pack_body(_BODY, road.channel, len(part)), part, _END_BYTE)
    return b"".join(pieces)


@lru_cache(maxsize=256)
def _publish(channel: int, exchange: str, routing_key: str, mandatory: bool) -> bytes:  # noqa: FBT001
    method = Basic.Publish(exchange=exchange, routing_key=routing_key, mandatory=mandatory)
    marshaled: bytes = pika.frame.Method(channel, method).marshal()
    return marshaled


def _parts(body: bytes, largest: int) -> Iterable[bytes]:
    if 0 < len(body) <= largest:
        return (body,)
    return (body[start : start + largest] for start in range(0, len(body), largest))


def deliveries_in(buffer: bytes, channel: int) -> tuple[list[RawDelivery], int]:
    """Return the deliveries over `channel` at the start of `buffer`, and where they end."""
    found: list[RawDelivery] = []
    at = 0
    try:
        while delivery := _delivery_at(buffer, at, channel):
            found.append(delivery[0])
            at = delivery[1]
    except (struct.error, IndexError):
        pass  # the rest of the delivery is still to come
    return found, at


def _delivery_at(buffer: bytes, at: int, channel: int) -> tuple[RawDelivery, int] | None:
    """Return the delivery and where it ends, or None if this is something else.

    Raises struct.error or IndexError if it is not here as a whole.
    """
    kind, over, size, method = _method_at(buffer, at)
    if kind != _METHOD or over != channel or method != _DELIVER:
        return None
    header = at + size + _AROUND
    kind, over, size, _class, _weight, body_size = _header_at(buffer, header)
    end = header + size + _AROUND
    if kind != _HEADER or over != channel or buffer[header - 1] != _END or buffer[end - 1] != _END:
        return None
    properties = buffer[header + 7 + _HEADER_FIELDS : end - 1]
    body = b""
    if body_size:
        kind, over, size = _body_at(buffer, end)
        start, end = end + 7, end + size + _AROUND
        if kind != _BODY or over != channel or size != body_size or buffer[end - 1] != _END:
            return None
        body = buffer[start : end - 1]
    tag_at = at + 12 + buffer[at + 11]  # behind the consumer tag
    tag, bits = _tag_at(buffer, tag_at)
    key_at = tag_at + 10 + buffer[tag_at + 9]  # behind the exchange
    routing_key = buffer[key_at + 1 : key_at + 1 + buffer[key_at]].decode(errors="backslashreplace")
    return RawDelivery(tag, bool(bits & 1), routing_key, properties, body), end
