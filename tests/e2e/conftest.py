"""A deployment of three workers for one shop; a module that wants another shop overrides it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.sandbox.magento.sandbox import SandboxMagento
from tests.e2e.deployment import Deployment
from tests.e2e.expectations import PRICE_GROUP
from tests.services import RabbitManagement

_FOLDER = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark everything here as starting real worker processes."""
    for item in items:
        if _FOLDER in item.path.parents:
            item.add_marker("e2e")


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Give a small shop of ordinary customers that has every attribute we write."""
    with SandboxMagento(customers=5, seed=3, awkward=False) as shop:
        shop.control.add_attribute(PRICE_GROUP)
        yield shop


@pytest.fixture
def poll_seconds() -> float:
    """Say how often store views are polled: once, and then not while a test lasts."""
    return 3600


@pytest.fixture
def deployment(
    tmp_path: Path,
    amqp_vhost: str,
    rabbit_management: RabbitManagement,
    migrated_database_url: str,
    shop: SandboxMagento,
    *,
    poll_seconds: float,
) -> Iterator[Deployment]:
    """Give a deployment whose workers are not started yet."""
    with Deployment(
        tmp_path,
        amqp_url=amqp_vhost,
        management=rabbit_management,
        database_url=migrated_database_url,
        shop=shop,
        poll_seconds=poll_seconds,
    ) as deployment:
        yield deployment
