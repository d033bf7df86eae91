"""The pairs of broker and database that the keeper is tested on, as the runtime is."""

from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

import pytest

from shared.messaging.provision import provision
from tests.integration.keeper.vault import Vault
from tests.integration.runtime.conftest import (  # noqa: F401 - fixtures
    embedded_rig,
    rabbitmq_rig,
    rig,
)
from tests.integration.runtime.rig import TOPOLOGY, Rig
from tests.services import RabbitManagement


@pytest.fixture
def vault(rig: Rig) -> Vault:  # noqa: F811 - the fixture above
    """Give a keeper on the embedded broker and SQLite, and one on RabbitMQ and PostgreSQL."""
    return Vault(rig)


@pytest.fixture
def rabbit_vault(rabbitmq_rig: Rig, amqp_vhost: str) -> Vault:  # noqa: F811 - the fixture above
    """Give a keeper on RabbitMQ and PostgreSQL, for what only a real broker does."""
    return Vault(rabbitmq_rig, amqp_vhost)


@pytest.fixture
def impatient_vault(
    rabbit_vault: Vault, rabbit_management: RabbitManagement, amqp_vhost: str
) -> Vault:
    """Give a keeper of a broker that gives a message up after two deliveries too many."""
    (policy,) = (each for each in TOPOLOGY.policies if each.name == "patron-processor")
    vhost = unquote(urlsplit(amqp_vhost).path[1:])
    rabbit_management.set_policy(
        policy.name,
        vhost=vhost,
        pattern=policy.pattern,
        definition={**policy.definition, "delivery-limit": 2},
    )
    return rabbit_vault


@pytest.fixture
def keeper_user(
    amqp_vhost: str, rabbit_management: RabbitManagement
) -> Iterator[tuple[str, RabbitManagement, str]]:
    """Give a user without any right yet: its URL, the management, its name."""
    provision(amqp_vhost, TOPOLOGY, management_url=rabbit_management.api_url)
    vhost = unquote(urlsplit(amqp_vhost).path[1:])
    user = f"{vhost}-keeper"
    rabbit_management.add_user(user, "sesame")
    yield rabbit_management.url(vhost=vhost, user=user, password="sesame"), rabbit_management, user
    rabbit_management.delete_user(user)
