"""The broker dies in the middle of the work and comes back: the workers are still the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from services.sandbox.magento.sandbox import SandboxMagento
from tests.e2e.deployment import ROLES, Deployment
from tests.faults.observation import ask, events, give_ports, is_ready
from tests.faults.oracle import assert_nothing_lost_or_done_twice
from tests.services import RabbitNode

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def customers() -> int:
    """Have enough customers to be in the middle of."""
    return 500


@pytest.fixture
def deployment(
    tmp_path: Path, private_rabbit: RabbitNode, migrated_database_url: str, shop: SandboxMagento
) -> Iterator[Deployment]:
    """Give a deployment on a broker of its own."""
    management = private_rabbit.management
    with (
        management.temporary_vhost() as amqp_url,
        Deployment(
            tmp_path,
            amqp_url=amqp_url,
            management=management,
            database_url=migrated_database_url,
            shop=shop,
        ) as deployment,
    ):
        give_ports(deployment)
        private_rabbit.register_queues()
        yield deployment


def test_killed_broker_loses_and_repeats_nothing(
    deployment: Deployment, private_rabbit: RabbitNode
) -> None:
    """`kill -9` of RabbitMQ among 500 customers: not ready, then on again, all done (fault 1)."""
    numbered = "SELECT count(*) FROM links WHERE exported_number IS NOT NULL"
    deployment.start()
    deployment.until(lambda: deployment.value(numbered) > 50, "some customers are numbered")
    private_rabbit.kill()
    at_the_kill = deployment.value(numbered)

    deployment.until(lambda: not any(is_ready(deployment, role) for role in ROLES), "all notice")
    said = {role: ask(deployment, role, "/readyz")[1] for role in ROLES}
    alive = {role: ask(deployment, role, "/livez")[0] for role in ROLES}
    private_rabbit.start()
    deployment.until_idle(120)
    deployment.until(lambda: is_ready(deployment), "the workers are ready again")

    assert at_the_kill < 500
    assert alive == dict.fromkeys(ROLES, 200)
    assert all("broker not connected" in each for each in said.values()), said
    assert_nothing_lost_or_done_twice(deployment)
    for role, worker in deployment.workers.items():
        started = [e for e in events(deployment, role) if e["event"] == "process.started"]
        assert len(started) == 1
        assert worker.stop() == 0
