"""Deployments to be attacked: small, tidy shops, and workers that answer for their health."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from kombu.connection import Connection

from services.sandbox.magento.sandbox import SandboxMagento
from tests.e2e.deployment import Deployment
from tests.e2e.expectations import PRICE_GROUP
from tests.faults.observation import give_ports
from tests.services import RabbitManagement

_FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as starting real worker processes."""
    for item in items:
        if _FOLDER in item.path.parents:
            item.add_marker("e2e")


@pytest.fixture
def customers() -> int:
    """Say how many customers the shop has; a module that wants another number overrides it."""
    return 20


@pytest.fixture
def shop(customers: int) -> Iterator[SandboxMagento]:
    """Give a shop of ordinary customers that has every attribute we write."""
    with SandboxMagento(customers=customers, seed=5, awkward=False) as shop:
        shop.control.add_attribute(PRICE_GROUP)
        yield shop


@pytest.fixture
def deployment(
    tmp_path: Path,
    amqp_vhost: str,
    rabbit_management: RabbitManagement,
    migrated_database_url: str,
    shop: SandboxMagento,
) -> Iterator[Deployment]:
    """Give a deployment on the shared servers whose workers are not started yet."""
    with Deployment(
        tmp_path,
        amqp_url=amqp_vhost,
        management=rabbit_management,
        database_url=migrated_database_url,
        shop=shop,
    ) as deployment:
        give_ports(deployment)
        yield deployment


@pytest.fixture
def outsider(deployment: Deployment) -> Iterator[Any]:
    """Give a channel of kombu over py-amqp with confirms: another team's program."""
    url = deployment.amqp_url.replace("amqp://", "pyamqp://")
    connect: Any = Connection
    with connect(url, transport_options={"confirm_publish": True}) as connection:
        yield connection.channel()
