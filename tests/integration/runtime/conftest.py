"""The pairs of broker and database that the runtime is tested on."""

from collections.abc import Iterator

import pytest

from shared.messaging.connect import connect
from shared.messaging.provision import provision
from shared.persistence.engine import create_engine
from tests.integration.runtime.rig import TOPOLOGY, Rig
from tests.services import RabbitManagement

EMBEDDED = "embedded"
RABBITMQ = pytest.param("rabbitmq", marks=[pytest.mark.amqp, pytest.mark.postgres])


@pytest.fixture(params=[EMBEDDED, RABBITMQ])
def rig(request: pytest.FixtureRequest) -> Rig:
    """Give a rig on the embedded broker and SQLite, and one on RabbitMQ and PostgreSQL."""
    name = "embedded_rig" if request.param == EMBEDDED else "rabbitmq_rig"
    rig: Rig = request.getfixturevalue(name)
    return rig


@pytest.fixture
def embedded_rig(migrated_sqlite_url: str) -> Iterator[Rig]:
    """Give a rig on the embedded broker and SQLite, for what no broker has a say in."""
    yield from _rig("memory://", migrated_sqlite_url)


@pytest.fixture
def rabbitmq_rig(
    amqp_vhost: str, rabbit_management: RabbitManagement, migrated_database_url: str
) -> Iterator[Rig]:
    """Give a rig on RabbitMQ and PostgreSQL, for what only a real broker does."""
    provision(amqp_vhost, TOPOLOGY, management_url=rabbit_management._url)
    yield from _rig(amqp_vhost, migrated_database_url)


def _rig(broker_url: str, database_url: str) -> Iterator[Rig]:
    broker = connect(broker_url, TOPOLOGY, "test")
    engine = create_engine(database_url)
    yield Rig(engine, broker, TOPOLOGY)
    broker.close()
    engine.dispose()
