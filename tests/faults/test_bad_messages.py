"""Whatever a stranger sends, it is buried once, told without its contents, and stops nobody."""

from typing import Any

import pytest

from tests.e2e.deployment import ROLES, Deployment
from tests.faults.observation import ask, events, is_ready, metric, told
from tests.faults.strangers import SECRET, Message, bad_messages, publish_customer

pytestmark = pytest.mark.timeout(120)
ODD_BUT_GOOD = {
    "first_name": "<script>alert(1)</script>",
    "last_name": "O'Brien\r\n\u202e\x1b[31m; DROP TABLE customers --",
    "notes": "ü" * 4000,
    "custom": {"attributes": {"huge": 1e308, "big": 10**30, "empty": "", "none": None}},
}


def test_bad_messages_are_buried_once_each_and_stop_nobody(
    deployment: Deployment, outsider: Any
) -> None:
    """No retry, no crash, no contents in texts; good ones pass (faults 22, 23, 24, 25, 27)."""
    bad = bad_messages()
    deployment.start("processor")
    deployment.until(lambda: is_ready(deployment, "processor"), "the processor is ready")

    publish_customer(outsider, "1", **ODD_BUT_GOOD)
    for message in bad:
        message.publish(outsider)
    publish_customer(outsider, "2")
    deployment.until(lambda: _are_handled(deployment, len(bad)), "every message is handled")

    letters = deployment.rows("SELECT message_id, reason, worker, attempts FROM dead_letters")
    by_id = {letter[0]: letter[1:] for letter in letters}
    assert {message.name: by_id.get(message.message_id) for message in bad} == {
        message.name: (message.reason, "processor", by_id[message.message_id][2]) for message in bad
    }
    assert len(letters) == len(bad)
    assert _are_in_the_dead_queue(deployment, outsider, "processor", bad)
    assert deployment.value("SELECT count(*) FROM messages WHERE attempts > 0") == 0
    assert metric(deployment, "processor", "patron_retries_total") == 0
    assert metric(deployment, "processor", "patron_dead_letters_total") == len(bad)
    assert ask(deployment, "processor", "/livez")[0] == 200
    assert is_ready(deployment, "processor")
    assert SECRET not in told(deployment)
    dead = [e for e in events(deployment, "processor") if e["event"] == "message.dead"]
    assert len(dead) == len(bad)
    assert deployment.workers["processor"].stop() == 0


def test_every_worker_buries_what_it_cannot_read(deployment: Deployment, outsider: Any) -> None:
    """The importer's and the exporter's queues are as open to strangers as the processor's."""
    keys = {
        "importer": "import.requested",
        "processor": "customer.imported",
        "exporter": "customer.export.shop",
    }
    bad = {
        role: Message(role, "undecodable", f"{role}: {SECRET}".encode(), routing_key=key)
        for role, key in keys.items()
    }
    deployment.start()
    deployment.until(lambda: is_ready(deployment), "the workers are ready")

    for message in bad.values():
        message.publish(outsider)
    deployment.until(
        lambda: deployment.value("SELECT count(*) FROM dead_letters") == len(ROLES),
        "all are buried",
    )

    assert dict(deployment.rows("SELECT worker, reason FROM dead_letters")) == dict.fromkeys(
        ROLES, "undecodable"
    )
    for role in ROLES:
        assert _are_in_the_dead_queue(deployment, outsider, role, [bad[role]])
    deployment.until_idle()
    assert is_ready(deployment)
    assert SECRET not in told(deployment)


def _are_handled(deployment: Deployment, bad: int) -> bool:
    customers = deployment.value("SELECT count(*) FROM customers")
    return bool(customers == 2 and deployment.value("SELECT count(*) FROM dead_letters") >= bad)


def _are_in_the_dead_queue(
    deployment: Deployment, outsider: Any, role: str, bad: list[Message]
) -> bool:
    """Whether the broker's dead letters are these messages, byte for byte."""
    found: list[bytes] = []

    def take() -> bool:
        while message := outsider.basic_get(f"patron.{role}.dead", no_ack=True):
            body = message.body
            found.append(body.encode() if isinstance(body, str) else bytes(body))
        return len(found) >= len(bad)

    deployment.until(take, "the broker has moved the dead letters")
    return sorted(found) == sorted(message.body for message in bad)
