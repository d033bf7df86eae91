"""Both broker adapters keep the port's promises: RabbitMQ, and kombu's transports."""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from shared.messaging.broker import Broker
from shared.messaging.connect import connect
from shared.messaging.embedded import EmbeddedBroker
from shared.messaging.provision import declare
from shared.messaging.rabbitmq import RabbitMQBroker
from tests.contract.broker_cases import TOPOLOGY, BrokerCases
from tests.services import RabbitManagement


class TestRabbitMQ(BrokerCases):
    """RabbitMQ, by pika."""

    @pytest.fixture
    def broker(self, amqp_vhost: str, rabbit_management: RabbitManagement) -> Iterator[Broker]:
        """Give a broker on a provisioned virtual host of its own."""
        declare(amqp_vhost, TOPOLOGY)
        with closing(connect(amqp_vhost, TOPOLOGY, "contract")) as broker:
            assert isinstance(broker, RabbitMQBroker)
            yield broker


class TestMemory(BrokerCases):
    """kombu's memory transport: the embedded default."""

    @pytest.fixture
    def broker(self) -> Iterator[Broker]:
        """Give a broker of its own."""
        with closing(connect("memory://", TOPOLOGY, "contract")) as broker:
            assert isinstance(broker, EmbeddedBroker)
            yield broker


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning:kombu")
class TestSQLite(BrokerCases):
    """kombu's SQLAlchemy transport, for one that several processes can share."""

    large_batch = 200

    @pytest.fixture
    def broker(self, tmp_path: Path) -> Iterator[Broker]:
        """Give a broker on a database file of its own."""
        url = f"sqla+sqlite:///{tmp_path / 'broker.db'}"
        with closing(connect(url, TOPOLOGY, "contract")) as broker:
            yield broker
