"""Our bytes and pika's: what is written is the same, what is read means the same."""

import struct
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import pika
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from pika.exceptions import AMQPError

from shared.messaging.broker import WireMessage
from shared.messaging.rabbitmq.frames import Road, deliveries_in, frames_of, message_of
from shared.messaging.rabbitmq.wire import UNREADABLE, properties_of, received
from tests.amqp import CHANNEL, delivered, encoded, published, read_by_pika, to_properties

NOW = datetime(2026, 11, 22, 10, 30, 15, tzinfo=UTC)
NOT_SENT = (AMQPError, ValueError, TypeError, struct.error)

texts = st.text(max_size=300)
moments = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
plain = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**63), 2**63 - 1),
    st.text(max_size=40),
    st.binary(max_size=20),
    st.decimals(-1000, 1000, places=2),
    moments.map(lambda moment: moment.replace(microsecond=0)),
)
values = st.recursive(
    plain, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3)
)
headers = st.dictionaries(st.text(max_size=20), values, max_size=5)
messages = st.builds(
    WireMessage,
    routing_key=st.text(max_size=60),
    body=st.binary(max_size=100),
    message_id=st.none() | st.uuids(),
    type=texts,
    correlation_id=st.none() | texts,
    timestamp=st.none() | moments,
    content_type=st.none() | texts,
    content_encoding=st.none() | texts,
    headers=headers,
    app_id=st.none() | texts,
    reply_to=st.none() | texts,
)
strange = st.builds(
    pika.BasicProperties,
    **{
        name: st.none() | texts | st.binary(max_size=20)
        for name in (
            *("content_type", "content_encoding", "correlation_id", "reply_to", "expiration"),
            *("message_id", "type", "user_id", "app_id", "cluster_id"),
        )
    },
    headers=st.none() | headers,
    delivery_mode=st.none() | st.integers(0, 255),
    priority=st.none() | st.integers(0, 255),
    timestamp=st.none() | st.integers(0, 2**64 - 1),
)


def a_message(body: bytes = b"{}", **changes: Any) -> WireMessage:
    """Return a message as we send it."""
    given: dict[str, Any] = {
        "routing_key": "customer.imported",
        "body": body,
        "message_id": UUID(int=17),
        "type": "customer.imported",
        "correlation_id": str(UUID(int=18)),
        "timestamp": NOW,
        "content_type": "application/json",
        "content_encoding": "utf-8",
        "headers": {"schema_version": 1, "channel": "shop", "subject": "Zoë"},
        "app_id": "patron",
    }
    return WireMessage(**(given | changes))


def outcome(work: Any) -> Any:
    """Return what `work` returns, or the kind of its failure."""
    try:
        return work()
    except NOT_SENT as error:
        return type(error)


@given(messages, st.booleans(), st.integers(40, 60))
@example(a_message(), True, 4096)
@example(a_message(b""), False, 4096)
@example(a_message(b"x" * 100), True, 58)
@example(a_message(headers={"odd": -(2**31), "odder": 2**31, "oddest": Decimal("12.34")}), True, 99)
def test_what_we_publish_is_what_pika_would(
    message: WireMessage, mandatory: bool, frame_max: int
) -> None:
    """Byte for byte, bodies in several frames included; and what pika refuses, so do we."""
    ours = outcome(
        lambda: frames_of(message, Road(CHANNEL, "patron", frame_max), mandatory=mandatory)
    )

    assert ours == outcome(
        lambda: published(message, "patron", mandatory=mandatory, frame_max=frame_max)
    )


@given(messages)
@example(a_message())
def test_what_was_published_is_received(message: WireMessage) -> None:
    """Reading is the reverse of writing, as far as pika's is."""
    if isinstance(properties := outcome(lambda: properties_of(message)), bytes):
        assert received(properties, "key", b"{}") == read_by_pika(properties, "key", b"{}")


def equal(properties: bytes) -> bool:
    """Whether we read `properties` as pika does, or as unreadable if it cannot."""
    ours = received(properties, "key", b"{}")
    try:
        return ours == read_by_pika(properties, "key", b"{}")
    except Exception:  # noqa: BLE001 - pika raises anything
        return ours.content_type == UNREADABLE and ours.message_id is None and not ours.headers


@given(strange)
def test_strangers_properties_are_read_as_pika_reads_them(properties: pika.BasicProperties) -> None:
    """All fourteen of them, texts that are not UTF-8, headers of every type."""
    if isinstance(there := outcome(lambda: encoded(properties)), bytes):
        assert equal(there)


@given(messages, st.data())
def test_broken_properties_are_read_as_pika_reads_them(
    message: WireMessage, data: st.DataObject
) -> None:
    """Cut off or changed anywhere: never a failure, and never another meaning."""
    properties = outcome(lambda: properties_of(message))
    if not isinstance(properties, bytes):
        return
    at = data.draw(st.integers(0, len(properties)))
    inserted = data.draw(st.binary(max_size=3))
    rest = data.draw(st.integers(at, len(properties)))

    assert equal(properties[:at] + inserted + properties[rest:])


def test_deliveries_that_are_there_are_read_at_once() -> None:
    """As many as are whole; what is still to come is left in the buffer."""
    sent = [a_message(b"%d" % tag, routing_key=f"customer.{tag}") for tag in range(1, 4)]
    frames = [delivered(each, tag, redelivered=tag == 2) for tag, each in enumerate(sent, start=1)]
    buffer = b"".join(frames)

    for end in range(len(frames[0]) + len(frames[1]), len(buffer)):
        found, read = deliveries_in(buffer[:end], CHANNEL)
        assert [message_of(each) for each in found] == sent[:2]
        assert read == len(frames[0]) + len(frames[1])
    found, read = deliveries_in(buffer, CHANNEL)
    assert [message_of(each) for each in found] == sent
    assert [each.tag for each in found] == [1, 2, 3]
    assert [each.redelivered for each in found] == [False, True, False]
    assert read == len(buffer)


@pytest.mark.parametrize(
    "frames",
    [
        pika.frame.Heartbeat().marshal(),
        pika.frame.Method(CHANNEL, pika.spec.Basic.CancelOk("ctag1.a")).marshal(),
        pika.frame.Method(CHANNEL, pika.spec.Basic.Ack(1)).marshal(),
        delivered(a_message(b"x" * 100), 2, frame_max=58),
        delivered(a_message(), 2).replace(b"\xce", b"\xcd", 1),
        delivered(a_message(), 2)[:-1] + b"\xcd",
        b"AMQP\x00\x00\x09\x01",
        b"",
    ],
    ids=[
        "heartbeat",
        "other method",
        "confirm",
        "body of several frames",
        "broken end of the method",
        "broken end of the body",
        "protocol header",
        "nothing",
    ],
)
def test_all_else_is_left_to_pika(frames: bytes) -> None:
    """The deliveries before it are read, and the rest begins where it does."""
    before = delivered(a_message(), 1)
    found, read = deliveries_in(before + frames + delivered(a_message(), 3), CHANNEL)

    assert [each.tag for each in found] == ([1] if frames else [1, 3])
    assert read == (len(before) if frames else len(before) * 2)


def test_deliveries_over_another_channel_are_left_to_pika() -> None:
    """One channel of a connection is read in this way."""
    assert deliveries_in(delivered(a_message(), 1), CHANNEL + 1) == ([], 0)


def test_an_empty_body_has_no_frame() -> None:
    """The next delivery follows upon the header."""
    buffer = delivered(a_message(b""), 1) + delivered(a_message(b"{}"), 2)

    found, _read = deliveries_in(buffer, CHANNEL)

    assert [each.body for each in found] == [b"", b"{}"]


def test_a_routing_key_that_is_no_text_can_be_shown() -> None:
    """RabbitMQ takes any bytes for one; nobody need know it to bury the message."""
    buffer = delivered(a_message(routing_key="key!"), 1).replace(b"key!", b"k\xff\xfe!")

    [found], _read = deliveries_in(buffer, CHANNEL)

    assert found.routing_key == "k\\xff\\xfe!"


def test_pika_reads_what_we_write() -> None:
    """The frames of one message, by pika's own reader."""
    message = a_message()
    buffer = frames_of(message, Road(CHANNEL, "patron", 4096), mandatory=True)

    frames = []
    while buffer:
        consumed, frame = pika.frame.decode_frame(buffer)
        frames.append(frame)
        buffer = buffer[consumed:]

    method, header, body = frames
    assert (method.method.exchange, method.method.routing_key) == ("patron", "customer.imported")
    assert method.method.mandatory
    assert header.properties == to_properties(message)
    assert body.fragment == message.body
