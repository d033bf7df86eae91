"""One trace over three workers and two queues, as a collector receives it."""

import json
import socket
import time
from collections.abc import Iterator
from typing import Any

import pytest

from services.sandbox.magento.sandbox import SandboxMagento
from tests.e2e.collector import Collector, Span
from tests.e2e.deployment import ROLES, Deployment
from tests.e2e.expectations import (
    PRICE_GROUP,
    assert_every_eligible_customer_is_numbered,
)

pytestmark = pytest.mark.timeout(120)
CUSTOMERS = 5
WAY = [
    ("patron-importer", "internal", "poll shop"),
    ("patron-importer", "producer", "publish customer.imported"),
    ("patron-processor", "consumer", "process customer.imported"),
    ("patron-processor", "producer", "publish customer.export"),
    ("patron-exporter", "consumer", "process customer.export"),
    ("patron-exporter", "client", "PUT"),
]


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Give a small shop of ordinary customers that has every attribute we write."""
    with SandboxMagento(customers=CUSTOMERS, seed=3, awkward=False) as shop:
        shop.control.add_attribute(PRICE_GROUP)
        yield shop


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Give a collector that listens."""
    with Collector() as collector:
        yield collector


def trace_to(deployment: Deployment, url: str) -> None:
    """Have the workers trace by OpenTelemetry's own variables, and hand over soon."""
    deployment.environment["OTEL_EXPORTER_OTLP_ENDPOINT"] = url
    deployment.environment["OTEL_BSP_SCHEDULE_DELAY"] = "200"


def personal_data(deployment: Deployment) -> set[str]:
    """Return what the customers of the shop are known by to people."""
    rows = deployment.rows(
        "SELECT c.email, c.last_name, c.phone, a.city, a.postcode FROM customers c"
        " JOIN customer_addresses a ON a.customer_id = c.id"
    )
    return {str(value) for row in rows for value in row if value and len(str(value)) > 3}


def steps(way: list[Span]) -> list[tuple[str, str, str]]:
    """Return which service did what, without which store view it was."""
    short = [" ".join(span.name.split()[:2]) for span in way]
    return [(span.service, span.kind, name) for span, name in zip(way, short, strict=True)]


def events(deployment: Deployment, role: str) -> list[dict[str, Any]]:
    """Return what a worker logged."""
    lines = (deployment.folder / f"{role}.log").read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def test_a_customer_is_one_trace_from_the_poll_to_the_number_in_the_shop(
    deployment: Deployment, collector: Collector
) -> None:
    """Poll, publish, process, publish, process, PUT: each the parent of the next; no person."""
    trace_to(deployment, collector.url)
    deployment.start()
    deployment.until_idle()
    codes = [deployment.workers[role].stop() for role in ROLES]

    puts = collector.spans("PUT")
    ways = [collector.way_to(put) for put in puts]

    assert codes == [0, 0, 0]
    assert_every_eligible_customer_is_numbered(deployment)
    assert [steps(way) for way in ways] == [WAY] * len(puts)
    assert all(len({span.trace_id for span in way}) == 1 for way in ways)
    assert len({way[2].attributes["messaging.message.id"] for way in ways}) == CUSTOMERS
    _put_tells_where_and_nobody(puts[0])
    _handling_follows_the_conventions(ways[0][2])
    sent = b"".join(collector.bodies)
    assert [each for each in personal_data(deployment) if each.encode() in sent] == []
    assert b"searchCriteria" not in sent


def _put_tells_where_and_nobody(put: Span) -> None:
    assert put.attributes.keys() == {
        "http.request.method", "http.response.status_code", "server.address", "server.port",
        "patron.channel", "patron.platform",
    }  # fmt: skip
    assert put.attributes["http.response.status_code"] == 200


def _handling_follows_the_conventions(handling: Span) -> None:
    assert handling.attributes["messaging.system"] == "rabbitmq"
    assert handling.attributes["messaging.operation.type"] == "process"
    assert handling.attributes["messaging.destination.name"] == "patron.processor"
    assert handling.attributes["patron.outcome"] == "done"
    assert not handling.is_error


def test_a_collector_that_hangs_holds_up_nobody(deployment: Deployment) -> None:
    """Customers are numbered all the same, and the workers end in time, with 0."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()  # connections are made by the system, and nobody answers
        trace_to(deployment, f"http://127.0.0.1:{silent.getsockname()[1]}")
        deployment.start()
        deployment.until_idle(60)
        began = time.monotonic()
        for role in ROLES:
            deployment.workers[role].ask_to_stop()
        codes = [deployment.workers[role].wait() for role in ROLES]

    assert codes == [0, 0, 0]
    assert time.monotonic() - began < 15
    assert_every_eligible_customer_is_numbered(deployment)
    assert "tracing.spans_lost" in {each["event"] for each in events(deployment, "exporter")}
