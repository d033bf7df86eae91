"""The broker goes away in every manner it has, and comes back: the same processes go on."""

import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import httpx2
import pytest
import structlog

from services.sandbox.magento.sandbox import SandboxMagento
from shared.domain.messages import Envelope
from shared.messaging.provision import provision
from shared.messaging.topology import PROCESSOR_QUEUE, topology_for
from tests.e2e.deployment import Deployment
from tests.faults.books import Books, after, effect, open_books
from tests.faults.observation import ask, events, give_ports, is_ready
from tests.faults.oracle import assert_books_balance
from tests.integration.runtime.rig import PATIENCE_SECONDS, TOPOLOGY, eventually
from tests.services import RabbitNode
from tests.services.ports import free_ports

pytestmark = [pytest.mark.timeout(240), pytest.mark.xdist_group("broker_away")]
BACK_SECONDS = 30.0
MANY = 300
ALARM, NO_ALARM = "0.0000001", "0.4"
API_KEY = {"Authorization": "Bearer an-api-key-of-the-crm-0123456789abcdef"}
ANN = {
    "external_id": "1",
    "first_name": "Ann",
    "last_name": "Example",
    "email": "ann@example.com",
    "addresses": [
        {"lines": ["Lindenweg 4"], "postcode": "10115", "city": "Berlin", "country": "DE"}
    ],
}
PUSHED = """
[channels.crm]
platform = "push"
store_views = [{ code = "crm" }]

[channels.crm.connector]
api_keys = ["an-api-key-of-the-crm-0123456789abcdef"]
"""
CALM = 50
"""More attempts than this to connect in one absence are a hot loop."""


@pytest.fixture(scope="module")
def node() -> Iterator[RabbitNode]:
    """Give a node of this module's own: its tests hurt it, and leave it running."""
    with RabbitNode() as node:
        yield node


@pytest.fixture
def broker_url(node: RabbitNode) -> Iterator[str]:
    """Give a provisioned virtual host on it, whose queues survive a `kill`."""
    with node.management.temporary_vhost() as url:
        provision(url, TOPOLOGY, management_url=node.management_url)
        node.register_queues()
        yield url


@pytest.fixture
def books(broker_url: str, migrated_database_url: str) -> Iterator[Books]:
    """Give books on that broker."""
    with open_books(broker_url, migrated_database_url) as books:
        yield books


@pytest.fixture
def log() -> Iterator[list[Any]]:
    """Give what is logged."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@pytest.fixture
def deployment(
    tmp_path: Path, node: RabbitNode, migrated_database_url: str, shop: SandboxMagento
) -> Iterator[Deployment]:
    """Give a deployment on that broker."""
    with (
        node.management.temporary_vhost() as url,
        Deployment(
            tmp_path,
            amqp_url=url,
            management=node.management,
            database_url=migrated_database_url,
            shop=shop,
        ) as deployment,
    ):
        give_ports(deployment)
        node.register_queues()
        yield deployment


def test_a_broker_restarted_in_good_order_is_consumed_from_again(
    books: Books, node: RabbitNode, log: list[Any]
) -> None:
    """Messages are sent all the while; within 30 s of its return all goes on (fault 2)."""
    is_over = threading.Event()

    def keep_sending() -> None:
        while not is_over.wait(0.05):
            books.accept(5)

    sender = threading.Thread(target=keep_sending)
    with books.consuming(books.transactional(effect)) as consumer:
        sender.start()
        eventually(lambda: books.settled("done") > 20)
        node.stop()
        eventually(lambda: consumer.readiness() is not None)
        node.start()
        eventually(lambda: consumer.readiness() is None, BACK_SECONDS)
        is_over.set()
        sender.join()
        eventually(lambda: len(books.effects()) == len(books.accepted), BACK_SECONDS)
        eventually(lambda: books.owed() == {})

    assert_books_balance(books, log)


def test_a_broker_killed_among_delays_that_end_loses_none(
    books: Books, node: RabbitNode, log: list[Any]
) -> None:
    """Delays are rows: the relay publishes what is due, to whichever broker (faults 1, 20)."""
    is_killed = threading.Event()

    def be_in_the_midst(_envelopes: Sequence[Envelope[Any]]) -> None:
        if books.settled("done") > MANY // 10:
            is_killed.wait(PATIENCE_SECONDS)

    books.accept_owed(MANY)
    handler = books.transactional(after(be_in_the_midst))
    with books.consuming(handler, batch_size=5, prefetch=10):
        eventually(lambda: books.settled("done") > MANY // 10)
        node.kill()
        at_the_kill = len(books.effects())
        is_killed.set()
        node.start()
        eventually(lambda: len(books.effects()) == MANY, BACK_SECONDS)
        eventually(lambda: books.owed() == {})

    assert at_the_kill < MANY
    assert_books_balance(books, log)


def test_a_broker_short_of_memory_is_drained_and_waited_for(
    books: Books, node: RabbitNode, log: list[Any]
) -> None:
    """Under alarm it is read from; what is to be sent waits in its rows (fault 15)."""
    parcels = books.accept_published(10)
    books.arrive(parcels)
    node.ctl("set_vm_memory_high_watermark", ALARM)
    try:
        with books.consuming(books.transactional(effect)):
            eventually(lambda: books.settled("done") == len(parcels))
            books.accept(10)
            connected = "broker_connected"
            eventually(lambda: books.count(connected, worker="processor") == 0)
            owed = len(books.owed())
            node.ctl("set_vm_memory_high_watermark", NO_ALARM)
            eventually(lambda: len(books.effects()) == len(books.accepted), BACK_SECONDS)
            eventually(lambda: books.owed() == {})
    finally:
        node.ctl("set_vm_memory_high_watermark", NO_ALARM)

    assert owed == len(parcels)
    assert_books_balance(books, log)


def test_a_worker_started_before_its_broker_waits_for_it(
    deployment: Deployment, node: RabbitNode
) -> None:
    """Alive, not ready, saying what it lacks, no crash loop; then at work (fault 3).

    An intake is open all the same, at its own port and to whoever asks its importer: what comes in
    is stored, and goes out when the broker is there.
    """
    intake = with_an_intake(deployment, node)
    node.stop()
    try:
        deployment.start("importer", "processor")
        deployment.until(lambda: ask(deployment, "processor", "/livez")[0] == 200, "it is alive")
        status, said = ask(deployment, "processor", "/readyz")
        patience = events(deployment, "processor")
        deployment.until(lambda: is_ready(deployment, "importer"), "the intake is open")
        importers = ask(deployment, "importer", "/readyz")[1]
        door = httpx2.get(f"{intake}/readyz")
        pushed = httpx2.post(f"{intake}/v1/customers", json=ANN, headers=API_KEY)
    finally:
        node.start()
    deployment.until(lambda: is_ready(deployment, "processor"), "it is ready", BACK_SECONDS)
    linked = "SELECT count(*) FROM links WHERE channel = 'crm'"
    deployment.until(lambda: deployment.value(linked) == 1, "who was pushed is known", BACK_SECONDS)

    assert status == 503
    assert "broker not connected" in said
    assert f"not consuming {PROCESSOR_QUEUE}" in said
    assert importers.startswith("ok\nbesides: broker not connected\n")
    assert (door.status_code, door.text, pushed.status_code) == (200, "ok\n", 202)
    assert "broker.unavailable_at_start" in {each["event"] for each in patience}
    log = events(deployment, "processor")
    assert len([each for each in log if each["event"] == "process.started"]) == 1
    assert len([each for each in log if each["event"] == "broker.connection_lost"]) < CALM
    assert {worker.stop() for worker in deployment.workers.values()} == {0}


def with_an_intake(deployment: Deployment, node: RabbitNode) -> str:
    """Add a channel that is pushed, and its queue; return the intake's address."""
    file = deployment.folder / "patron.toml"
    file.write_text(file.read_text("utf-8") + PUSHED, "utf-8")
    topology = topology_for(["shop", "crm"])
    provision(deployment.amqp_url, topology, management_url=node.management_url)
    node.register_queues()
    port = str(free_ports(1)[0])
    deployment.environment |= {"PATRON_INTAKE__ENABLED": "true", "PATRON_INTAKE__PORT": port}
    return f"http://127.0.0.1:{port}"
