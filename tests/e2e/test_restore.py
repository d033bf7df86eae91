"""The restore drill: an older backup, a broker that knows more or less, no number given twice."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from services.sandbox.magento.sandbox import SandboxMagento
from shared.persistence import home
from shared.persistence.unit_of_work import UnitsOfWork
from tests.e2e.deployment import ROLES, Deployment
from tests.e2e.expectations import (
    NUMBER,
    PRICE_GROUP,
    assert_each_person_is_one_record,
    assert_every_eligible_customer_is_numbered,
    assert_numbers_have_no_gap_and_no_twin,
    attribute,
    shop_customers,
)
from tests.e2e.shoppers import register
from tests.faults.oracle import assert_each_number_was_written_once
from tests.services import Databases, RabbitManagement

pytestmark = pytest.mark.timeout(300)

CUSTOMERS = 60
WHY = "--because=the disk of the database is lost"


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Give a shop of ordinary customers."""
    with SandboxMagento(customers=CUSTOMERS, seed=31, awkward=False) as shop:
        shop.control.add_attribute(PRICE_GROUP)
        yield shop


@pytest.fixture
def poll_seconds() -> float:
    """Have the store views polled all the time."""
    return 1


@pytest.mark.parametrize("broker", ["that knows more", "that is empty"])
def test_an_old_backup_gives_nobody_another_number(
    deployment: Deployment,
    databases: Databases,
    rabbit_management: RabbitManagement,
    broker: str,
) -> None:
    """A backup from the midst of the work, everything lost since, and what the manual says."""
    backup = deployment.folder / "patron.dump"
    settle(deployment)
    deployment.start()
    deployment.until(lambda: deployment.shop.control.requests("PUT") >= 10, "numbers come")
    databases.dump(url_of(deployment), backup)
    at_the_backup = numbers_in_shop(deployment)
    register(deployment.shop, 6, "Later")
    deployment.until_at_rest()
    leave_the_broker_with_more_than_the_backup_knows(deployment)
    before = numbers_in_shop(deployment)

    with databases.temporary() as url:
        lose_the_database(deployment, databases)
        restore(deployment, databases, backup, url)
        if broker == "that is empty":
            empty_the_broker(deployment, rabbit_management)
        counts = bring_back(deployment)["counts"]
        register(deployment.shop, 4, "New")
        go_on(deployment)
        deployment.until_at_rest()

        assert len(at_the_backup) < len(before)
        assert counts["created"] > 0
        assert counts["created"] + counts["linked"] + counts["known"] == len(before)
        assert before.items() <= numbers_in_shop(deployment).items()
        assert_all_is_right(deployment)
        assert [deployment.workers[role].stop() for role in ROLES] == [0, 0, 0]


def settle(deployment: Deployment) -> None:
    """Have the database, a copy of the tests' template, know where it is, as after a migration."""
    with UnitsOfWork(deployment.engine).begin() as work:
        home.settle(work)


def url_of(deployment: Deployment) -> str:
    """Return where the deployment's database is."""
    return deployment.environment["PATRON_DATABASE__URL"]


def numbers_in_shop(deployment: Deployment) -> dict[int, str]:
    """Return the numbers that the shop shows, by its own ids."""
    return {
        int(customer["id"]): number
        for customer in shop_customers(deployment)
        if (number := attribute(customer, NUMBER))
    }


def leave_the_broker_with_more_than_the_backup_knows(deployment: Deployment) -> None:
    """Have numbers drawn that no shop is told, and end as in a disaster."""
    deployment.workers["exporter"].kill()
    register(deployment.shop, 3, "Untold")
    owed = "SELECT count(*) FROM messages WHERE type = 'customer.export'"
    deployment.until(lambda: deployment.value(owed) >= 3, "exports wait in the broker")
    for role in ("importer", "processor"):
        deployment.workers[role].kill()


def lose_the_database(deployment: Deployment, databases: Databases) -> None:
    """Drop it, with everything that came after the backup."""
    deployment.engine.dispose()
    databases.drop(url_of(deployment))


def empty_the_broker(deployment: Deployment, management: RabbitManagement) -> None:
    """Lose the broker as well: virtual host, queues, policies and rights."""
    vhost = deployment.amqp_url.rpartition("/")[2]
    management.delete_vhost(vhost)
    management.add_vhost(vhost)
    deployment.admit_workers()


def restore(deployment: Deployment, databases: Databases, backup: Path, url: str) -> None:
    """Read the backup into an empty database, on which no worker then starts."""
    databases.restore(backup, url)
    deployment.move_to(url)
    deployment.start("processor")
    assert deployment.workers["processor"].wait() == 2
    log = (deployment.folder / "processor.log").read_text("utf-8").splitlines()
    assert json.loads(log[-1])["reason"] == "database_restored"


def bring_back(deployment: Deployment) -> Any:
    """Do what the manual says before workers are started; return what was recovered."""
    done = [
        deployment.run("db", "upgrade"),
        deployment.run("directory", "recover", "shop", "--output", "json"),
        deployment.run("db", "accept-restore", WHY),
        deployment.run_as_administrator("broker", "provision"),
        deployment.run("broker", "republish", WHY),
    ]
    assert [each.returncode for each in done] == [0] * len(done), [each.stderr for each in done]
    noted = {row[0] for row in deployment.rows("SELECT action FROM audit_log")}
    assert {
        "directory.recovered", "database.restore_accepted", "messages.published_again",
    } <= noted  # fmt: skip
    return json.loads(done[1].stdout)


def go_on(deployment: Deployment) -> None:
    """Start the workers, and have everything swept, as the manual says."""
    done = deployment.run("import", "shop", "--sweep")
    assert done.returncode == 0, done.stderr
    deployment.start()


def assert_all_is_right(deployment: Deployment) -> None:
    """Check that everybody has one number, their own, written once."""
    assert deployment.value("SELECT count(*) FROM dead_letters") == 0
    assert_every_eligible_customer_is_numbered(deployment)
    assert_numbers_have_no_gap_and_no_twin(deployment)
    assert_each_person_is_one_record(deployment)
    assert_each_number_was_written_once(deployment)
    assert deployment.shop.control.stats()["identical_updates"] == 0
