"""Workers on RabbitMQ and PostgreSQL are given another configuration while they are at work."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from services.sandbox.magento.sandbox import SandboxMagento
from services.sandbox.magento.stores import STORE_VIEWS
from shared.messaging.provision import provision
from shared.messaging.topology import topology_for
from tests.e2e.deployment import ROLES, Deployment
from tests.e2e.expectations import (
    PRICE_GROUP,
    assert_every_eligible_customer_is_numbered,
    assert_numbers_have_no_gap_and_no_twin,
)
from tests.services import RabbitManagement

VIEW = "[[channels.shop.store_views]]"
pytestmark = pytest.mark.timeout(300)


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Give a shop that takes a while to be imported."""
    with SandboxMagento(customers=300, seed=3, awkward=False) as shop:
        shop.control.add_attribute(PRICE_GROUP)
        yield shop


def events(deployment: Deployment, role: str, *names: str) -> list[dict[str, Any]]:
    """Return a worker's events of these names."""
    lines = (deployment.folder / f"{role}.log").read_text("utf-8").splitlines()
    read: list[dict[str, Any]] = [json.loads(line) for line in lines]
    return [line for line in read if line["event"] in names]


def told(deployment: Deployment, role: str, event: str, many: int = 1) -> dict[str, Any]:
    """Wait until a worker has told of an event so many times; return the last."""
    deployment.until(lambda: len(events(deployment, role, event)) >= many, f"{role} tells {event}")
    return events(deployment, role, event)[-1]


def replace(deployment: Deployment, before: str, after: str) -> None:
    """Change the configuration of the workers."""
    path = deployment.folder / "patron.toml"
    text = path.read_text("utf-8")
    assert before in text
    path.write_text(text.replace(before, after), encoding="utf-8")


def add_channel(deployment: Deployment) -> None:
    """Configure the shop once more, as another channel."""
    path = deployment.folder / "patron.toml"
    text = path.read_text("utf-8")
    shop = text[text.index("[channels.shop]") :]
    path.write_text(text + shop.replace("channels.shop", "channels.outlet"), encoding="utf-8")


def test_workers_take_up_another_configuration_in_the_middle_of_the_work(
    deployment: Deployment,
) -> None:
    """All three start anew in their processes; nothing is lost or done twice (C365-21)."""
    replace(deployment, f"{VIEW}\n", f"{VIEW}\nimport = false\n")
    deployment.start()
    for role in ROLES:
        told(deployment, role, "process.started")

    replace(deployment, "import = false\n", "")
    replace(deployment, "total_seconds = 10", "total_seconds = 10, connect_seconds = 1")
    for many in (1, 2, 3):
        for role in ROLES:
            deployment.workers[role].ask_to_reload()
            told(deployment, role, "configuration.reloaded", many)
            told(deployment, role, "process.started", 1 + many)
        replace(deployment, f"connect_seconds = {many}", f"connect_seconds = {many + 1}")
    deployment.until_idle()

    assert_every_eligible_customer_is_numbered(deployment)
    assert_numbers_have_no_gap_and_no_twin(deployment)
    assert deployment.shop.control.stats()["identical_updates"] == 0
    assert deployment.value("SELECT count(*) FROM cursors") == len(STORE_VIEWS)
    assert [deployment.workers[role].stop() for role in ROLES] == [0, 0, 0]


def test_a_new_channel_without_its_queues_is_refused_until_they_are_there(
    deployment: Deployment, rabbit_management: RabbitManagement
) -> None:
    """The exporter names what is missing and works on; provisioned, it takes the channel up."""
    deployment.start("exporter")
    told(deployment, "exporter", "process.started")
    add_channel(deployment)

    deployment.workers["exporter"].ask_to_reload()
    refused = told(deployment, "exporter", "configuration.refused")
    started_before = events(deployment, "exporter", "process.started")
    topology = topology_for(["shop", "outlet"])
    provision(deployment.amqp_url, topology, management_url=rabbit_management.api_url)
    deployment.workers["exporter"].ask_to_reload()
    told(deployment, "exporter", "configuration.reloaded")
    told(deployment, "exporter", "process.started", 2)

    [problem] = refused["problems"]
    assert "patron.exporter.outlet" in problem
    assert "patron broker provision" in problem
    assert len(started_before) == 1
    assert deployment.workers["exporter"].stop() == 0
