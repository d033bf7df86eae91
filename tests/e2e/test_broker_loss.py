"""The broker's disk is lost in the middle of the work: everything owed stands in the database."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.sandbox.magento.sandbox import SandboxMagento
from tests.e2e.deployment import ROLES, Deployment
from tests.e2e.expectations import PRICE_GROUP
from tests.e2e.shoppers import register
from tests.faults.oracle import assert_nothing_lost_or_done_twice
from tests.services import RabbitNode

pytestmark = pytest.mark.timeout(300)

CUSTOMERS = 200


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Give a shop with enough customers to be in the middle of."""
    with SandboxMagento(customers=CUSTOMERS, seed=37, awkward=False) as shop:
        shop.control.add_attribute(PRICE_GROUP)
        yield shop


@pytest.fixture
def deployment(
    tmp_path: Path, private_rabbit: RabbitNode, migrated_database_url: str, shop: SandboxMagento
) -> Iterator[Deployment]:
    """Give a deployment on a broker of its own."""
    management = private_rabbit.management
    management.add_vhost("patron")
    with Deployment(
        tmp_path,
        amqp_url=management.url(vhost="patron"),
        management=management,
        database_url=migrated_database_url,
        shop=shop,
        poll_seconds=5,
    ) as deployment:
        yield deployment


def test_a_broker_without_its_disk_is_provisioned_and_nothing_is_lost(
    deployment: Deployment, private_rabbit: RabbitNode
) -> None:
    """Queues, users and rights are gone; the same workers go on as the manual says (fault 13)."""
    deployment.start()
    deployment.until(lambda: deployment.shop.control.requests("PUT") >= 10, "numbers come")
    private_rabbit.lose_its_disk()
    owed = deployment.value("SELECT count(*) FROM messages WHERE published_at IS NOT NULL")
    before = deployment.shop.control.requests("PUT")
    register(deployment.shop, 5, "Meanwhile")

    private_rabbit.start()
    private_rabbit.management.add_vhost("patron")
    deployment.admit_workers()
    provisioned = deployment.run_as_administrator("broker", "provision")
    republished = deployment.run("broker", "republish", "--because", "the broker's disk is lost")
    deployment.until(
        lambda: deployment.value(
            "SELECT count(*) FROM links WHERE exported_number IS NOT NULL"
        ) >= CUSTOMERS + 5 - waiting(deployment),
        "everybody is numbered",
        120,
    )  # fmt: skip
    deployment.until_idle()

    assert (provisioned.returncode, republished.returncode) == (0, 0)
    assert owed > 0
    assert before < CUSTOMERS
    assert_nothing_lost_or_done_twice(deployment)
    assert [deployment.workers[role].stop() for role in ROLES] == [0, 0, 0]


def waiting(deployment: Deployment) -> int:
    """Return how many customers wait for an operator."""
    query = "SELECT count(*) FROM staging_customers WHERE state IN ('held', 'ambiguous')"
    return int(deployment.value(query))
