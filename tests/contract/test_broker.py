"""Both broker adapters keep the port's promises: RabbitMQ, and kombu's transports."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pika
import pytest
from kombu.connection import Connection

from shared.messaging.broker import Broker
from shared.messaging.connect import connect
from shared.messaging.embedded import EmbeddedBroker
from shared.messaging.provision import declare
from shared.messaging.rabbitmq import RabbitMQBroker
from tests.contract.broker_cases import TOPOLOGY, Asker, BrokerCases, KnowingBrokerCases
from tests.services import RabbitManagement


class PikaAsker:
    """A program with an exclusive queue on RabbitMQ."""

    def __init__(self, url: str) -> None:
        self._connection = pika.BlockingConnection(pika.URLParameters(url))
        self._channel = self._connection.channel()
        self.queue: str = self._channel.queue_declare("", exclusive=True).method.queue

    def answer(self) -> tuple[bytes, str] | None:
        """Return the next answer, if there is one."""
        method, properties, body = self._channel.basic_get(self.queue, auto_ack=True)
        return None if method is None else (body, properties.correlation_id)

    def leave(self) -> None:
        """Close the connection: an exclusive queue ends with it."""
        if self._connection.is_open:
            self._connection.close()


class KombuAsker:
    """A program, or another part of this one, with a queue on one of kombu's transports."""

    queue = "answers"

    def __init__(self, channel: Any) -> None:
        self._channel = channel
        channel.queue_declare(self.queue)

    def answer(self) -> tuple[bytes, str] | None:
        """Return the next answer, if there is one."""
        message = self._channel.basic_get(self.queue, no_ack=True)
        if message is None:
            return None
        body = message.body.encode() if isinstance(message.body, str) else bytes(message.body)
        return body, message.properties["correlation_id"]

    def leave(self) -> None:
        """Delete the queue; kombu deletes nothing that was never bound."""
        self._channel._delete(self.queue)


class TestRabbitMQ(KnowingBrokerCases):
    """RabbitMQ, by pika."""

    @pytest.fixture
    def broker(self, amqp_vhost: str, rabbit_management: RabbitManagement) -> Iterator[Broker]:
        """Give a broker on a provisioned virtual host of its own."""
        declare(amqp_vhost, TOPOLOGY)
        with closing(connect(amqp_vhost, TOPOLOGY, "contract")) as broker:
            assert isinstance(broker, RabbitMQBroker)
            yield broker

    @pytest.fixture
    def asker(self, broker: Broker, amqp_vhost: str) -> Iterator[Asker]:
        """Give another program on the same virtual host."""
        asker = PikaAsker(amqp_vhost)
        yield asker
        asker.leave()


class TestMemory(KnowingBrokerCases):
    """kombu's memory transport: the embedded default."""

    @pytest.fixture
    def broker(self) -> Iterator[Broker]:
        """Give a broker of its own."""
        with closing(connect("memory://", TOPOLOGY, "contract")) as broker:
            assert isinstance(broker, EmbeddedBroker)
            yield broker

    @pytest.fixture
    def asker(self, broker: Broker) -> Asker:
        """Give another part of this process: nobody else can reach the queues."""
        assert isinstance(broker, EmbeddedBroker)
        with broker.changed, broker.using_channel() as channel:
            return KombuAsker(channel)


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning:kombu")
class TestSQLite(BrokerCases):
    """kombu's SQLAlchemy transport, for one that several processes can share."""

    large_batch = 200

    @pytest.fixture
    def url(self, tmp_path: Path) -> str:
        """Give the URL of a database file of its own."""
        return f"sqla+sqlite:///{tmp_path / 'broker.db'}"

    @pytest.fixture
    def broker(self, url: str) -> Iterator[Broker]:
        """Give a broker on that file."""
        with closing(connect(url, TOPOLOGY, "contract")) as broker:
            yield broker

    @pytest.fixture
    def asker(self, broker: Broker, url: str) -> Iterator[Asker]:
        """Give another program that opens the same file."""
        connect_to: Any = Connection
        with connect_to(url) as connection:
            yield KombuAsker(connection.channel())
