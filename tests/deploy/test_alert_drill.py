"""Alert drill: something is broken on purpose, and the alert for it fires, and no other.

The rules are those that are deployed, on real scrapes of real processes, sixty times as fast: in
every duration (`for`, `[10m]`, `offset 10m`) a minute is a second, and ages compared with `>` are
divided by sixty. Nothing else is changed: what is counted, joined and left out is what fires at
night.
"""

import copy
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Final

import pika
import pytest

from shared.messaging.provision import provision
from shared.messaging.topology import CANARY_QUEUE, EXCHANGE, IMPORTER_QUEUE, dead_queue
from tests.deploy.test_alerts import ALERTS
from tests.deploy.watched import PROCESSES, Watched, rules, watched
from tests.docs.pages import DOCS, headings
from tests.faults.people import register
from tests.services import Databases

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(300), pytest.mark.xdist_group("alert_drill")]
FASTER: Final = 60
SECONDS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
FOREVER: Final = 1_000_000
MANY: Final = 30
UNKNOWN: Final = '{"message":"The consumer isn\'t authorized to access %resources."}'
REFUSED: Final = '{"message":"\\"Gender\\" is a required value."}'
BUT_SEARCHES: Final = r"^(?!.*customers/search)"
"""Reading goes on, so that there is something to write."""


def faster(deployed: dict[str, Any]) -> dict[str, Any]:
    """Return the rules with a second for every minute."""
    made = copy.deepcopy(deployed)
    for rule in (rule for group in made["groups"] for rule in group["rules"]):
        rule["expr"] = _shorter(rule["expr"])
        if "for" in rule:
            rule["for"] = _duration(rule["for"])
        if "_seconds" in rule["expr"]:
            rule["expr"] = re.sub(r"> (\d+)\b", _less, rule["expr"])
    return made


def _shorter(expression: str) -> str:
    spans = r"(?<=\[)\d+[smhd](?=\])|(?<=offset )\d+[smhd]"
    return re.sub(spans, lambda found: _duration(found[0]), expression)


def _duration(text: str) -> str:
    return f"{int(text[:-1]) * SECONDS[text[-1]] * 1000 // FASTER}ms"


def _less(found: re.Match[str]) -> str:
    return f"> {int(found[1]) / FASTER:g}"


def test_a_minute_is_a_second() -> None:
    """Durations and ages are shortened; counts, shares and labels are not."""
    made = {
        rule.get("alert", ""): rule
        for group in faster(rules())["groups"]
        for rule in group["rules"]
    }

    assert made["PatronWorkerDown"]["for"] == "3000ms"
    assert made["PatronStuckPipeline"]["expr"].endswith("_seconds[60000ms]) > 0) > 10")
    assert "[10000ms]" in made["PatronSlowPipeline"]["expr"]
    assert made["PatronManyDeadLetters"]["expr"].count("> 20") == 1
    assert made["PatronBreakerOpen"]["expr"] == ALERTS["PatronBreakerOpen"]["expr"]


@pytest.fixture(scope="module")
def at_work(
    tmp_path_factory: pytest.TempPathFactory, databases: Databases, postgres_template: str
) -> Iterator[Watched]:
    """Give a deployment at work that is polled and sends canaries all the time."""
    folder = tmp_path_factory.mktemp("drill")
    with watched(
        folder, databases, postgres_template, faster(rules()), poll_seconds=2, customers=5
    ) as scene:
        scene.deployment.environment |= {
            "PATRON_CANARY__INTERVAL_SECONDS": "1",
            "PATRON_RECOVERY__PAUSE_SECONDS": "1",
            "PATRON_RECOVERY__FIRST_DELAY_SECONDS": "1",
        }
        scene.deployment.start()
        scene.start_keeper()
        yield scene


@pytest.fixture
def scene(at_work: Watched) -> Watched:
    """Give it when everything is scraped, canaries come through, and nothing fires."""
    seen = "sum(patron_canary_last_seen_timestamp_seconds > bool 0)"
    at_work.until(lambda: at_work.value("sum(up)") == len(PROCESSES) + 2, "all are scraped")
    at_work.until(lambda: at_work.value(seen) > 0, "a canary came through")
    at_work.until(at_work.prometheus.is_calm, "nothing fires, or soon will")
    return at_work


@contextmanager
def drill(scene: Watched, *expected: str) -> Iterator[None]:
    """Wait, after what is done in the block, until these alerts have fired, and no other has."""
    assert set(expected) <= set(headings(DOCS / "alerts.md"))
    fired: set[str] = set()

    def have_fired() -> bool:
        fired.update(scene.prometheus.firing())
        assert fired <= set(expected), scene.prometheus.firing()
        return fired == set(expected)

    yield
    scene.until(have_fired, f"{expected} fire")


def test_a_shop_that_fails(scene: Watched) -> None:
    """Its channel is away; nothing else is said of what waits for it."""
    control = scene.shop.control
    with drill(scene, "PatronBreakerOpen"):
        control.fail_next("server_error", FOREVER, path=BUT_SEARCHES)
        register(scene.shop, 1)

    control.clear_faults()


def test_credentials_that_are_taken_away(scene: Watched) -> None:
    """The set-up is wrong, which time does not mend: another alert than that of an outage."""
    control = scene.shop.control
    with drill(scene, "PatronChannelMisconfigured"):
        control.fail_next("status", FOREVER, path=BUT_SEARCHES, status=401, body=UNKNOWN)
        register(scene.shop, 2)

    control.clear_faults()


def test_a_queue_that_is_deleted(scene: Watched) -> None:
    """Nobody reads it any more, and the worker says which; the others go on."""
    with drill(scene, "PatronNoConsumer"):
        scene.node.management.call("DELETE", "queues", _vhost(scene), IMPORTER_QUEUE)

    (fires,) = scene.prometheus.firing()["PatronNoConsumer"]
    assert fires["queue"] == IMPORTER_QUEUE
    _provision(scene)


def test_a_binding_that_is_removed(scene: Watched) -> None:
    """Consumers are there, and messages find no way."""
    with drill(scene, "PatronUnroutable"):
        binding = ("e", EXCHANGE, "q", CANARY_QUEUE, "canary.passed")
        scene.node.management.call("DELETE", "bindings", _vhost(scene), *binding)

    _provision(scene)


def test_a_message_that_is_given_up(scene: Watched) -> None:
    """One dead letter is a ticket, and no page."""
    control = scene.shop.control
    with drill(scene, "PatronDeadLetters"):
        control.fail_next("status", 1, method="PUT", status=400, body=REFUSED)
        register(scene.shop, 3)

    (fires,) = scene.prometheus.firing()["PatronDeadLetters"]
    assert (fires["severity"], fires["worker"]) == ("ticket", "exporter")


def test_a_dead_queue_that_fills_while_the_keeper_is_gone(scene: Watched) -> None:
    """Its process is missed, and that nobody drains the dead queues; their depth says no more.

    When it is back it finds what the broker alone had, which is a page: so many at once.
    """
    with drill(scene, "PatronWorkerDown", "PatronKeeperMissing"):
        scene.deployment.workers["keeper"].kill()
        fill(scene, dead_queue("processor"))

    ready = f'sum(rabbitmq_queue_messages_ready{{queue="{dead_queue("processor")}"}})'
    scene.until(lambda: scene.value(ready) == MANY, "the broker tells how many there are")
    scene.start_keeper()
    expected = {"PatronDeadLetters", "PatronManyDeadLetters"}
    scene.until(lambda: scene.prometheus.firing().keys() == expected, f"{expected} fire")
    (fires,) = scene.prometheus.firing()["PatronManyDeadLetters"]
    assert (fires["severity"], fires["worker"]) == ("page", "processor")


def test_a_broker_that_is_killed(scene: Watched) -> None:
    """Every worker says so, and only that; when it is back, all is well by itself."""

    def named() -> set[str]:
        fires = scene.prometheus.firing().get("PatronBrokerAway", [])
        return {labels["worker"] for labels in fires}

    scene.node.register_queues()
    with drill(scene, "PatronBrokerAway"):
        scene.node.kill()

    scene.until(lambda: named() == set(PROCESSES), "every worker is named")
    scene.node.start()
    scene.until(lambda: not scene.prometheus.firing(), "nothing fires any more")


def fill(scene: Watched, queue: str) -> None:
    """Put messages into a queue that nobody can read, as a stranger does."""
    with pika.BlockingConnection(pika.URLParameters(scene.deployment.amqp_url)) as connection:
        channel = connection.channel()
        channel.confirm_delivery()
        for number in range(MANY):
            body = f"no message of ours, number {number}".encode()
            channel.basic_publish("", queue, body, mandatory=True)


def _vhost(scene: Watched) -> str:
    return scene.deployment.amqp_url.rpartition("/")[2]


def _provision(scene: Watched) -> None:
    deployment = scene.deployment
    url = scene.node.management_url
    provision(deployment.amqp_url, deployment.topology, management_url=url)
