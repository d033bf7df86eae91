"""The workers do their work under the least rights: from the shop to the number, dead and back."""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from services.sandbox.magento.sandbox import SandboxMagento
from shared.domain.messages import CustomerImported, parcel
from shared.messaging.codec import to_wire
from shared.messaging.rabbitmq import RabbitMQBroker
from shared.messaging.topology import dead_queue
from shared.persistence.unit_of_work import utc_now
from tests.builders import a_customer
from tests.e2e.deployment import Deployment, Worker
from tests.e2e.expectations import PRICE_GROUP, assert_every_eligible_customer_is_numbered
from tests.integration.privileges.house import House
from tests.services import RabbitManagement

pytestmark = [pytest.mark.timeout(300), pytest.mark.e2e]
CUSTOMERS = 5
ROLES = ("importer", "processor", "exporter", "keeper")


class Staff:
    """The workers of a house, each under its own role and user, and the people at its desk."""

    def __init__(self, house: House, deployment: Deployment) -> None:
        self.house = house
        self.deployment = deployment

    def environment(self, role: str, user: str) -> dict[str, str]:
        """Return the environment of a process."""
        return {
            **self.deployment.environment,
            "PATRON_DATABASE__URL": self.house.database_url(role),
            "PATRON_BROKER__URL": self.house.broker_url(user),
        }

    def start(self, role: str) -> None:
        """Start a worker."""
        module = "console.keeper" if role == "keeper" else role
        log = self.deployment.folder / f"{role}.log"
        self.deployment.workers[role] = Worker(module, self.environment(role, role), log)

    def run(self, role: str, user: str, *arguments: str) -> str:
        """Run the `patron` command, and return what it printed."""
        done = subprocess.run(
            [sys.executable, "-m", "services.console.cli", *arguments],
            env=self.environment(role, user),
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout

    def complaints(self) -> set[tuple[str, str]]:
        """Return what the workers have logged as worse than news, by worker and event."""
        lines = [
            (role, json.loads(line))
            for role in ROLES
            for line in (self.deployment.folder / f"{role}.log").read_text("utf-8").splitlines()
        ]
        return {(role, line["event"]) for role, line in lines if line["level"] != "info"}


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Give a small shop."""
    with SandboxMagento(customers=CUSTOMERS, seed=3, awkward=False) as shop:
        shop.control.add_attribute(PRICE_GROUP)
        yield shop


@pytest.fixture
def staff(
    tmp_path: Path, house: House, rabbit_management: RabbitManagement, shop: SandboxMagento
) -> Iterator[Staff]:
    """Give the staff, not at work yet, of a house whose queues the provisioner has made."""
    deployment = Deployment(
        tmp_path,
        amqp_url=house.admin_amqp_url,
        management=rabbit_management,
        database_url=house.admin_database_url,
        shop=shop,
    )
    staff = Staff(house, deployment)
    management = {"PATRON_BROKER__MANAGEMENT_URL": rabbit_management.api_url}
    deployment.environment |= management
    assert "policies set by management" in staff.run("reader", "provisioner", "broker", "provision")
    with deployment:
        yield staff


def test_a_customer_goes_from_the_shop_to_the_number_and_a_dead_letter_back(staff: Staff) -> None:
    """No worker lacks a right, the keeper drains, operators replay, readers look."""
    deployment = staff.deployment
    for role in ROLES:
        staff.start(role)
    deployment.until(
        _counts(deployment, CUSTOMERS, "links WHERE exported_number IS NOT NULL"),
        "every number is written",
    )
    assert_every_eligible_customer_is_numbered(deployment)

    publish_what_nobody_understands(staff.house)
    with closing(RabbitMQBroker(staff.house.broker_url("watcher"), name="watcher")) as watcher:
        deployment.until(
            _counts(deployment, 1, "dead_letters WHERE broker_reason IS NOT NULL"),
            "the keeper has seen it",
        )
        deployment.until(lambda: watcher.depth(dead_queue("processor")) == 0, "it is drained")
    letter = deployment.value("SELECT id FROM dead_letters")
    because = ("--because", "corrected")
    staff.run("operator", "watcher", "dead-letters", "edit", str(letter), *because,
              "--set", "/customer/addresses=[]")  # fmt: skip
    staff.run("operator", "watcher", "dead-letters", "replay", str(letter), *because, "--yes")

    assert deployment.rows("SELECT state, resolution FROM dead_letters") == [
        ("resolved", "replayed")
    ]
    assert deployment.value("SELECT count(*) FROM staging_customers WHERE external_id='4711'") == 1
    for words in (["queues"], ["staging", "list"], ["dead-letters", "groups"], ["cursor", "list"]):
        staff.run("reader", "watcher", *words)
    for words in (["queues"], ["dead-letters", "groups"]):
        staff.run("keeper", "keeper", *words)
    assert {worker.stop() for worker in deployment.workers.values()} == {0}
    assert staff.complaints() <= {("processor", "message.dead")}


def publish_what_nobody_understands(house: House) -> None:
    """Publish a customer as another team's program does that has not read our page."""
    body = CustomerImported(customer=a_customer("4711"))
    wire = to_wire(parcel(body, channel="shop", subject="4711", at=utc_now()))
    said = json.loads(wire.body)
    said["customer"]["addresses"] = "none"
    with closing(RabbitMQBroker(house.broker_url("publisher"), name="crm")) as broker:
        broker.publish([replace(wire, body=json.dumps(said).encode(), app_id=None)])


def _counts(deployment: Deployment, many: int, what: str) -> Callable[[], bool]:
    return lambda: bool(deployment.value(f"SELECT count(*) = {many} FROM {what}"))
