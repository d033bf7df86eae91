"""An update under way: two processes of each worker, replaced one by one by the next version."""

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Final
from urllib.parse import unquote, urlsplit, urlunsplit

import pytest

from services.sandbox.magento.sandbox import SandboxMagento
from tests.e2e.deployment import Deployment, Worker
from tests.e2e.expectations import (
    NUMBER,
    PRICE_GROUP,
    assert_each_person_is_one_record,
    assert_every_eligible_customer_is_numbered,
    assert_numbers_have_no_gap_and_no_twin,
    attribute,
    shop_customers,
)
from tests.services import RabbitManagement

pytestmark = pytest.mark.timeout(600)

NEXT: Final = Path(__file__).with_name("next_version.py")
# Who reads before who writes: messages go from the importer by the processor to the exporter.
READERS_FIRST: Final = ("keeper", "exporter", "processor", "importer")
CUSTOMERS: Final = 80
NEWCOMERS: Final = 5
ADDRESS: Final = {
    "firstname": "Ann",
    "lastname": "Neu",
    "street": ["Lindenweg 4"],
    "postcode": "10115",
    "city": "Berlin",
    "country_id": "DE",
    "telephone": "030 5550142",
    "default_billing": True,
}


class Fleet:
    """Two processes of each worker, and what replaces one of them by the next version."""

    def __init__(self, deployment: Deployment, keeper_url: str) -> None:
        self.deployment = deployment
        self._keeper_url = keeper_url
        self._registered = 0

    def start(self, role: str, replica: str, *, version: str) -> Worker:
        """Start a process of this role, of this version or the next."""
        module = "services.console.keeper" if role == "keeper" else f"services.{role}"
        environment = dict(self.deployment.environment)
        if role == "keeper":
            environment["PATRON_BROKER__URL"] = self._keeper_url
        name = f"{role}-{replica}-{version}"
        worker = NextWorker if version == "next" else Worker
        started = worker(
            module.removeprefix("services."), environment, self.deployment.folder / f"{name}.log"
        )
        self.deployment.workers[name] = started
        return started

    def replace(self, role: str, replica: str) -> None:
        """Start the new process, then end the old one, while customers come in."""
        self.let_customers_register()
        new = self.start(role, replica, version="next")
        self.deployment.until(lambda: new.is_at_work, f"a new {role} works", 120)
        old = self.deployment.workers[f"{role}-{replica}-this"]
        assert old.stop() == 0

    def let_customers_register(self) -> None:
        """Let some more customers into the shop."""
        control = self.deployment.shop.control
        for _ in range(NEWCOMERS):
            self._registered += 1
            name = {"firstname": "Ann", "lastname": f"Neu {self._registered}"}
            email = f"ann.neu.{self._registered}@example.com"
            customer = control.register({"email": email, **name}, store_id=1)
            phone = {"telephone": f"030 55502{self._registered:03d}"}
            control.add_address(customer["id"], **{**ADDRESS, **name, **phone})


class NextWorker(Worker):
    """A process of the next version."""

    command = (sys.executable, str(NEXT))


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Give a shop of ordinary customers."""
    with SandboxMagento(customers=CUSTOMERS, seed=29, awkward=False) as shop:
        shop.control.add_attribute(PRICE_GROUP)
        yield shop


@pytest.fixture
def poll_seconds() -> float:
    """Have the store views polled all the time."""
    return 1


@pytest.fixture
def fleet(deployment: Deployment, rabbit_management: RabbitManagement) -> Iterator[Fleet]:
    """Give a fleet that is not started yet, with a RabbitMQ user for its keepers."""
    parts = urlsplit(deployment.amqp_url)
    vhost = unquote(parts.path[1:])
    user, host = f"{vhost}-keeper", parts.netloc.rpartition("@")[2]
    rabbit_management.add_user(user, "sesame")
    rabbit_management.set_permissions(
        user, vhost=vhost, configure="^$", write="^$", read=r"^patron[.][a-z]+[.]dead$"
    )
    yield Fleet(deployment, urlunsplit(parts._replace(netloc=f"{user}:sesame@{host}")))
    rabbit_management.delete_user(user)


def test_nothing_is_lost_or_doubled_while_workers_are_replaced(fleet: Fleet) -> None:
    """Readers before writers: not one message fails, and every customer is numbered once."""
    deployment = fleet.deployment
    for role in READERS_FIRST:
        for replica in ("1", "2"):
            fleet.start(role, replica, version="this")
    deployment.until(lambda: deployment.shop.control.requests("PUT") >= 10, "numbers come", 120)

    for role in READERS_FIRST:
        for replica in ("1", "2"):
            fleet.replace(role, replica)
    deployment.until_at_rest()

    assert deployment.value("SELECT count(*) FROM dead_letters") == 0
    assert_all_are_numbered_once(deployment, CUSTOMERS + 8 * NEWCOMERS)
    assert stopped(deployment) == {0}


def test_what_the_old_version_refuses_waits_for_the_new_one(fleet: Fleet) -> None:
    """Writers before readers: what is too new is kept, and nothing is lost once it is replayed."""
    deployment = fleet.deployment
    for role in ("keeper", "processor", "exporter"):
        fleet.start(role, "1", version="this")
    fleet.start("importer", "1", version="next")
    deployment.until(
        lambda: deployment.value("SELECT count(*) FROM dead_letters") == CUSTOMERS,
        "the old processor has refused them all",
    )

    for role in ("processor", "exporter", "keeper"):
        fleet.replace(role, "1")
    done = run_next(
        deployment, "dead-letters", "replay", "--reason", "schema_too_new", "--rate", "1000/s",
        "--because", "updated", "--yes",
    )  # fmt: skip
    deployment.until_at_rest()

    assert done.returncode == 0, done.stdout + done.stderr
    assert deployment.rows("SELECT DISTINCT reason, state FROM dead_letters") == [
        ("schema_too_new", "resolved")
    ]
    assert_all_are_numbered_once(deployment, CUSTOMERS + 3 * NEWCOMERS)
    assert stopped(deployment) == {0}


def assert_all_are_numbered_once(deployment: Deployment, expected: int) -> None:
    """Check directory and shop: everybody once, without gaps, each number written once."""
    parked = deployment.value("SELECT count(*) FROM staging_customers WHERE state = 'ambiguous'")
    assert deployment.shop.control.customer_count() == expected
    assert deployment.value("SELECT count(*) FROM links") == expected - parked
    assert_each_person_is_one_record(deployment)
    assert_numbers_have_no_gap_and_no_twin(deployment)
    assert_every_eligible_customer_is_numbered(deployment)
    for record in shop_customers(deployment):
        writes = [w for w in deployment.shop.control.writes(record["id"]) if w.origin == "api"]
        assert not any(write.is_identical for write in writes)
        numbers = [number for write in writes if (number := attribute(write.given, NUMBER))]
        assert numbers == [number for number in [attribute(record, NUMBER)] if number]


def stopped(deployment: Deployment) -> set[int]:
    """End what still runs, and return the exit codes."""
    running = [worker for worker in deployment.workers.values() if worker.is_running]
    return {worker.stop() for worker in running}


def run_next(deployment: Deployment, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the `patron` command of the next version."""
    return subprocess.run(
        [sys.executable, NEXT, "services.console.cli", *arguments],
        env=deployment.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
