"""The wire as an independent client sees it: kombu over py-amqp reads ours and writes to us."""

import json
import struct
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

import amqp
import pika
import pytest
from kombu.connection import Connection
from kombu.messaging import Producer

from shared.domain.errors import Undecodable
from shared.domain.messages import ImportAnswered, ImportRequested, parcel
from shared.messaging.broker import Broker, Delivery
from shared.messaging.codec import decode, to_wire
from shared.messaging.provision import declare
from shared.messaging.rabbitmq import RabbitMQBroker
from shared.messaging.topology import EXCHANGE, IMPORTER_QUEUE
from tests.contract.broker_cases import TOPOLOGY, take_all

produce: Any = Producer
NOW = datetime(2026, 11, 22, 10, 30, 15, 123456, tzinfo=UTC)


class RawHeaders(pika.BasicProperties):  # type: ignore[misc]
    """Properties that carry one header as the bytes given: its type, then its value."""

    def __init__(self, field: bytes) -> None:
        super().__init__()
        self._field = field

    def encode(self) -> list[bytes]:
        """Return the flags, a content type and the table of headers."""
        flags = struct.pack(">H", self.FLAG_CONTENT_TYPE | self.FLAG_HEADERS)
        return [flags, b"\x10application/json", table_of(self._field)]


def table_of(field: bytes) -> bytes:
    """Return an AMQP table with one field, named `odd`."""
    return struct.pack(">I", len(field) + 4) + b"\x03odd" + field


def nested(depth: int) -> bytes:
    """Return a field that is a table in a table in a table."""
    field = b"t\x01"
    for _ in range(depth):
        field = b"F" + table_of(field)
    return field


@pytest.fixture
def broker(amqp_vhost: str) -> Iterator[Broker]:
    """Give our broker on a provisioned virtual host."""
    declare(amqp_vhost, TOPOLOGY)
    with closing(RabbitMQBroker(amqp_vhost, name="wire")) as broker:
        yield broker


@pytest.fixture
def stranger(broker: Broker, amqp_vhost: str) -> Iterator[Any]:
    """Give another client's channel on the same virtual host."""
    url = amqp_vhost.replace("amqp://", "pyamqp://")
    connect: Any = Connection
    with connect(url) as connection:
        yield connection.channel()


def received(broker: Broker) -> Delivery:
    """Take one request for an import."""
    with closing(broker.consume(IMPORTER_QUEUE, 10)) as consumption:
        [delivery] = take_all(consumption, 1)
        consumption.settle([delivery])
    return delivery


def test_our_messages_are_plain_amqp(broker: Broker, stranger: Any) -> None:
    """Persistent JSON with its identity in the standard properties, readable by anybody."""
    ours = parcel(ImportRequested(channel="shop"), channel="shop", subject="shop", at=NOW)

    broker.publish([to_wire(ours)])

    message = stranger.basic_get(IMPORTER_QUEUE, no_ack=True)
    assert message.body == '{"channel":"shop"}'
    assert message.properties["delivery_mode"] == 2
    assert message.properties["content_type"] == "application/json"
    assert message.properties["content_encoding"] == "utf-8"
    assert message.properties["message_id"] == str(ours.message_id)
    assert message.properties["correlation_id"] == str(ours.correlation_id)
    assert message.properties["type"] == "import.requested"
    assert message.properties["app_id"] == "patron"
    assert message.delivery_info["exchange"] == EXCHANGE
    headers = message.properties["application_headers"]
    assert {key: value for key, value in headers.items() if not key.startswith("x-")} == {
        "schema_version": 1,
        "channel": "shop",
        "subject": "shop",
        "occurred_at": "2026-11-22T10:30:15.123456+00:00",
    }


def test_a_strangers_message_is_understood(broker: Broker, stranger: Any) -> None:
    """JSON and a routing key are enough: the rest is derived."""
    with produce(stranger) as producer:
        producer.publish(
            {"channel": "shop", "sweep": True},
            exchange=EXCHANGE,
            routing_key="import.requested",
            serializer="json",
        )

    envelope = decode(received(broker).message)

    assert envelope.body == ImportRequested(channel="shop", sweep=True)
    assert envelope.type == "import.requested"
    assert envelope.channel == "shop"
    assert isinstance(envelope.message_id, UUID)
    assert envelope.correlation_id == envelope.message_id


@pytest.mark.parametrize(
    "value",
    [
        True,
        -1,
        2**40,
        -(2**40),
        1.5,
        Decimal("12.34"),
        "text",
        "Zoë",
        b"\xff\x00bytes",
        datetime(2026, 1, 1),  # noqa: DTZ001 - AMQP has no time zones
        [1, "two", {"three": 3}],
        {"nested": {"deeper": [None]}},
        None,
    ],
    ids=repr,
)
def test_any_header_of_a_stranger_is_read(broker: Broker, stranger: Any, value: object) -> None:
    """No type of header that AMQP knows takes the connection down."""
    message = stranger.prepare_message(
        b'{"channel": "shop"}', content_type="application/json", headers={"odd": value}
    )
    stranger.basic_publish(message, EXCHANGE, "import.requested")

    delivery = received(broker)

    assert "odd" in delivery.message.headers
    assert decode(delivery.message).body == ImportRequested(channel="shop")


@pytest.mark.parametrize(
    "field",
    [b"T" + struct.pack(">Q", 2**60), nested(2000)],
    ids=["a date beyond all years", "tables nested too deep"],
)
def test_headers_that_pika_cannot_read_stop_nobody(
    broker: Broker, amqp_vhost: str, field: bytes
) -> None:
    """Such a message is delivered as unreadable, once, and its neighbours as they are."""
    with closing(pika.BlockingConnection(pika.URLParameters(amqp_vhost))) as stranger:
        channel = stranger.channel()
        for each in (b"t\x01", field, b"t\x00"):
            channel.basic_publish(
                EXCHANGE, "import.requested", b'{"channel": "shop"}', RawHeaders(each)
            )

    with closing(broker.consume(IMPORTER_QUEUE, 10)) as consumption:
        good, unreadable, neighbour = take_all(consumption, 3)
        consumption.settle([good, unreadable, neighbour])

        assert consumption.is_active
    assert decode(good.message).body == decode(neighbour.message).body
    assert not unreadable.redelivered
    assert good.message.headers == {"odd": True}
    with pytest.raises(Undecodable, match="content type"):
        decode(unreadable.message)


@pytest.mark.parametrize(
    "properties",
    [
        {"message_id": "order 17", "correlation_id": "Zoë" * 20, "type": ""},
        {"message_id": b"\xff\xfe", "correlation_id": b"\xff\xfe", "reply_to": b"\xff"},
        {"timestamp": 2**60},
        {"priority": 9, "expiration": "60000", "reply_to": "x"},
        {"content_encoding": "", "app_id": "them", "delivery_mode": 1},
    ],
    ids=repr,
)
def test_odd_properties_of_a_stranger_are_survived(
    broker: Broker, stranger: Any, properties: dict[str, object]
) -> None:
    """What does not fit is left out; the message is understood all the same."""
    message = amqp.Message(b'{"channel": "shop"}', content_type="application/json", **properties)
    stranger.basic_publish(message, EXCHANGE, "import.requested")

    assert decode(received(broker).message).body == ImportRequested(channel="shop")


@pytest.mark.parametrize("serializer", ["pickle", "yaml", "msgpack"])
def test_what_is_not_json_is_refused_unread(broker: Broker, stranger: Any, serializer: str) -> None:
    """The content type decides; the bytes are never given to such a decoder."""
    message = stranger.prepare_message(
        b"cos\nsystem\n(S'true'\ntR.", content_type=f"application/x-{serializer}"
    )
    stranger.basic_publish(message, EXCHANGE, "import.requested")

    with pytest.raises(Undecodable, match="content type"):
        decode(received(broker).message)


def test_compressed_messages_are_refused_unread(broker: Broker, stranger: Any) -> None:
    """A bomb stays as small as it was sent (fault 24)."""
    with produce(stranger) as producer:
        producer.publish(
            json.loads('{"channel": "' + "a" * 5_000_000 + '"}'),
            exchange=EXCHANGE,
            routing_key="import.requested",
            serializer="json",
            compression="zlib",
        )

    delivery = received(broker)

    assert len(delivery.message.body) < 20_000
    with pytest.raises(Undecodable, match="compressed"):
        decode(delivery.message)


def test_a_direct_reply_reaches_its_asker(broker: Broker, amqp_vhost: str) -> None:
    """MYOB-4: RabbitMQ's pseudo-queue hands the answer over without a queue; none is missing."""
    connection = pika.BlockingConnection(pika.URLParameters(amqp_vhost))
    channel = connection.channel()
    answers: list[tuple[bytes, str]] = []
    channel.basic_consume(
        "amq.rabbitmq.reply-to",
        lambda _channel, _method, properties, body: answers.append(
            (body, properties.correlation_id)
        ),
        auto_ack=True,
    )
    channel.basic_publish(
        EXCHANGE,
        "import.requested",
        b'{"channel":"shop","external_id":"17"}',
        pika.BasicProperties(reply_to="amq.rabbitmq.reply-to", correlation_id="order 4711"),
    )
    question = decode(received(broker).message)
    body = ImportAnswered(channel="shop", external_id="17", answer="waiting", reason="timeout")

    answer = parcel(
        body,
        channel="shop",
        subject="17",
        at=NOW,
        cause=question,
        reply_to=question.reply_to,
        reply_id=question.reply_id,
    )
    broker.publish([to_wire(answer)])

    connection.process_data_events(time_limit=10)
    connection.close()
    assert answers == [(body.to_json(), "order 4711")]
