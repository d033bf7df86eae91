"""A message's properties as AMQP 0-9-1 carries them, and back.

pika does the same by an object with fourteen attributes for each message; here they are written
and read as bytes, by pika only if they are out of the ordinary. The promises: what is written is
byte for byte what pika would write; reading never fails, whatever properties a stranger sets: what
does not fit our types is left out, and the body is untouched.
"""

import struct
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final

import pika
from pika.data import encode_short_string, encode_value
from pika.exceptions import ShortStringTooLong

from shared.messaging.broker import WireMessage
from shared.messaging.properties import text_of, uuid_or_none

UNREADABLE: Final = "application/x-unreadable-properties"

# The flags of the properties, in the order in which they are written (AMQP 0-9-1, section 4.2.6.1).
_CONTENT_TYPE: Final = 1 << 15
_CONTENT_ENCODING: Final = 1 << 14
_HEADERS: Final = 1 << 13
_DELIVERY_MODE: Final = 1 << 12
_CORRELATION_ID: Final = 1 << 10
_REPLY_TO: Final = 1 << 9
_MESSAGE_ID: Final = 1 << 7
_TIMESTAMP: Final = 1 << 6
_TYPE: Final = 1 << 5
_APP_ID: Final = 1 << 3

_PERSISTENT: Final = b"\x02"
_TEXT: Final = ord("S")
_INTEGER: Final = ord("I")
_LENGTHS: Final = [bytes((length,)) for length in range(256)]

_pack_flags = struct.Struct(">H").pack
_pack_long = struct.Struct(">I").pack
_pack_moment = struct.Struct(">Q").pack
_flags_at = struct.Struct(">H").unpack_from
_long_at = struct.Struct(">I").unpack_from
_integer_at = struct.Struct(">i").unpack_from
_moment_at = struct.Struct(">Q").unpack_from


_Reader = Callable[[bytes, int], tuple[Any, int]] | None
_SHORT: Final = None  # a short text, of which there are too many for a call each


class _Unusual(Exception):
    """The properties are for pika to read."""


def properties_of(message: WireMessage) -> bytes:
    """Return the properties to publish `message` with: always persistent.

    Raises what pika raises if AMQP cannot carry them: an AMQPError or a ValueError.
    """
    content_flags, content = _content(message.content_type, message.content_encoding)
    sender_flags, sender = _sender(message.type, message.app_id)
    flags = content_flags | _HEADERS | _DELIVERY_MODE | sender_flags
    pieces = [b"", content, _table(message.headers), _PERSISTENT]
    if message.correlation_id is not None:
        flags |= _CORRELATION_ID
        pieces.append(_short(message.correlation_id))
    if message.reply_to is not None:
        flags |= _REPLY_TO
        pieces.append(_short(message.reply_to))
    if message.message_id is not None:
        flags |= _MESSAGE_ID
        pieces.append(_short(text_of(message.message_id)))
    if message.timestamp is not None:
        flags |= _TIMESTAMP
        pieces.append(_pack_moment(int(message.timestamp.timestamp())))
    pieces.append(sender)
    pieces[0] = _pack_flags(flags)
    return b"".join(pieces)


def received(properties: bytes, routing_key: str, body: bytes) -> WireMessage:
    """Return the message that came with `properties`, by pika if they are unusual."""
    try:
        return _read(properties, routing_key, body)
    except (_Unusual, IndexError, UnicodeDecodeError, struct.error):
        pass
    try:
        by_pika = pika.BasicProperties().decode(properties)
    except Exception:  # noqa: BLE001 - see `tolerant`: pika raises anything, and not the same each time
        by_pika = pika.BasicProperties(content_type=UNREADABLE)
    return from_properties(by_pika, routing_key, body)


def from_properties(properties: pika.BasicProperties, routing_key: str, body: bytes) -> WireMessage:
    """Return the message that came with what pika has read."""
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


def _short(text: str) -> bytes:
    encoded = text.encode()
    try:
        return _LENGTHS[len(encoded)] + encoded
    except IndexError:
        raise ShortStringTooLong(encoded) from None


# What is the same in most messages, or in all of a batch, is written once.


@lru_cache(maxsize=64)
def _content(content_type: str | None, encoding: str | None) -> tuple[int, bytes]:
    return _optional((_CONTENT_TYPE, content_type), (_CONTENT_ENCODING, encoding))


@lru_cache(maxsize=64)
def _sender(type_: str, app_id: str | None) -> tuple[int, bytes]:
    return _optional((_TYPE, type_ or None), (_APP_ID, app_id))


def _optional(*properties: tuple[int, str | None]) -> tuple[int, bytes]:
    there = [(flag, _short(text)) for flag, text in properties if text is not None]
    return sum(flag for flag, _ in there), b"".join(encoded for _, encoded in there)


def _table(headers: Mapping[str, object]) -> bytes:
    pieces: list[bytes] = []
    for name, value in headers.items():
        # Types that are told apart by their values, and that are mostly the same: 1 equals True.
        is_plain = type(value) is str or type(value) is int
        pieces.append(_plain_field(name, value) if is_plain else _field(name, value))
    fields = b"".join(pieces)
    return _pack_long(len(fields)) + fields


def _field(name: str, value: object) -> bytes:
    pieces: list[bytes] = []
    encode_short_string(pieces, name)
    encode_value(pieces, value)
    return b"".join(pieces)


_plain_field = lru_cache(maxsize=256)(_field)


def _read(properties: bytes, routing_key: str, body: bytes) -> WireMessage:
    """Return the message if its properties are of the usual kinds, and whole."""
    found: dict[int, Any] = {}
    at = 2
    for flag, read in _usual_fields(_flags_at(properties)[0]):
        if read:
            found[flag], at = read(properties, at)
        else:
            start, at = at + 1, at + 1 + properties[at]
            found[flag] = properties[start:at].decode()
    if at != len(properties):
        raise _Unusual
    get = found.get
    return WireMessage(
        routing_key,
        body,
        uuid_or_none(get(_MESSAGE_ID)),
        get(_TYPE, ""),
        get(_CORRELATION_ID),
        _moment(get(_TIMESTAMP)),
        get(_CONTENT_TYPE),
        get(_CONTENT_ENCODING),
        get(_HEADERS) or {},
        get(_APP_ID),
        get(_REPLY_TO),
    )


@lru_cache(maxsize=64)
def _usual_fields(flags: int) -> Sequence[tuple[int, _Reader]]:
    """Return how to read the properties that these flags announce, in their order."""
    if flags & ~sum(_READERS):
        raise _Unusual
    return [(flag, read) for flag, read in _READERS.items() if flags & flag]


def _octet_at(encoded: bytes, at: int) -> tuple[int, int]:
    return encoded[at], at + 1


def _long_long_at(encoded: bytes, at: int) -> tuple[int, int]:
    return _moment_at(encoded, at)[0], at + 8


def _table_at(encoded: bytes, at: int) -> tuple[dict[str, object], int]:
    headers: dict[str, object] = {}
    end = at + 4 + _long_at(encoded, at)[0]
    at += 4
    while at < end:
        start = at + 1 + encoded[at]
        name = encoded[at + 1 : start].decode()
        kind = encoded[start]
        if kind == _TEXT:
            at = start + 5 + _long_at(encoded, start + 1)[0]
            headers[name] = encoded[start + 5 : at].decode()
        elif kind == _INTEGER:
            (headers[name],) = _integer_at(encoded, start + 1)
            at = start + 5
        else:
            raise _Unusual
    return headers, at


_READERS: Final[dict[int, _Reader]] = {
    _CONTENT_TYPE: _SHORT,
    _CONTENT_ENCODING: _SHORT,
    _HEADERS: _table_at,
    _DELIVERY_MODE: _octet_at,
    _CORRELATION_ID: _SHORT,
    _REPLY_TO: _SHORT,
    _MESSAGE_ID: _SHORT,
    _TIMESTAMP: _long_long_at,
    _TYPE: _SHORT,
    _APP_ID: _SHORT,
}


def _text(value: object) -> str | None:
    """Return a property if it is text: pika leaves what is not UTF-8 as bytes."""
    return value if isinstance(value, str) else None


def _moment(seconds: int | None) -> datetime | None:
    try:
        return None if seconds is None else datetime.fromtimestamp(seconds, UTC)
    except (ValueError, OverflowError, OSError):
        return None
