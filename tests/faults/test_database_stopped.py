"""The database goes down at once in the middle of the work and comes back."""

from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from services.sandbox.magento.sandbox import SandboxMagento
from shared.persistence import migrate
from tests.e2e.deployment import ROLES, Deployment
from tests.faults.observation import ask, events, give_ports, is_ready
from tests.faults.oracle import assert_nothing_lost_or_done_twice
from tests.services import PostgresCluster, RabbitManagement

pytestmark = pytest.mark.timeout(240)


@pytest.fixture
def customers() -> int:
    """Have enough customers to be in the middle of."""
    return 500


@pytest.fixture
def deployment(
    tmp_path: Path,
    private_postgres: PostgresCluster,
    amqp_vhost: str,
    rabbit_management: RabbitManagement,
    shop: SandboxMagento,
) -> Iterator[Deployment]:
    """Give a deployment on a database server of its own."""
    database_url = private_postgres.create_database()
    migrate.upgrade(database_url)
    with Deployment(
        tmp_path,
        amqp_url=amqp_vhost,
        management=rabbit_management,
        database_url=database_url,
        shop=shop,
    ) as deployment:
        give_ports(deployment)
        yield deployment


def test_stopped_database_loses_and_repeats_nothing(
    deployment: Deployment, private_postgres: PostgresCluster, rabbit_management: RabbitManagement
) -> None:
    """Immediate stop among 500 customers: 503 without secrets, nothing lost (fault 28)."""
    deployment.start()
    deployment.until(
        lambda: deployment.value("SELECT count(*) FROM links WHERE exported_number <> ''") > 50,
        "some customers are numbered",
    )
    private_postgres.stop(immediate=True)

    deployment.until(lambda: not any(is_ready(deployment, role) for role in ROLES), "all notice")
    said = {role: ask(deployment, role, "/readyz") for role in ROLES}
    alive = {role: ask(deployment, role, "/livez")[0] for role in ROLES}
    private_postgres.start()
    deployment.until(lambda: is_ready(deployment), "the workers are ready again")
    deployment.until_idle(120)

    assert alive == dict.fromkeys(ROLES, 200)
    password = urlsplit(deployment.environment["PATRON_DATABASE__URL"]).password or ""
    for status, text in said.values():
        assert (status, "OperationalError" in text, password in text) == (503, True, False)
    assert_nothing_lost_or_done_twice(deployment)
    for role, worker in deployment.workers.items():
        log = events(deployment, role)
        assert len([e for e in log if e["event"] == "process.started"]) == 1
        assert password not in str(log)
        assert worker.stop() == 0
