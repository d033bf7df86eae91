"""A message about nobody shows that the pipeline lives: real processes, broker and database."""

import re

import pytest

from tests.e2e.deployment import ROLES, Deployment
from tests.e2e.test_health import ask
from tests.services.ports import free_ports

pytestmark = pytest.mark.timeout(180)
SEEN = re.compile(r"^patron_canary_last_seen_timestamp_seconds ([\d.e+]+)$", re.MULTILINE)


def test_a_canary_comes_through_all_three_workers(deployment: Deployment) -> None:
    """It is seen again and again, leaves nothing behind, and stops when a worker is missing."""
    [port] = free_ports(1)
    deployment.environment["PATRON_HEALTH__EXPORTER_PORT"] = str(port)
    deployment.environment["PATRON_CANARY__INTERVAL_SECONDS"] = "0.2"
    for role in ROLES:
        deployment.start(role)

    def seen() -> float:
        found = SEEN.search(ask(port, "/metrics")[1])
        return float(found[1]) if found else 0.0

    deployment.until(lambda: seen() > 0, "a canary was seen")
    first = seen()
    deployment.until(lambda: seen() > first, "another one was seen")
    about_it = "SELECT count(*) FROM history WHERE channel = 'canary'"
    assert deployment.value(about_it) == 0
    assert deployment.workers["processor"].stop() == 0
    deployment.until(
        lambda: deployment.value("SELECT count(*) FROM messages WHERE type = 'canary.sent'") > 2,
        "canaries wait for a processor",
    )
    stopped_at = seen()
    deployment.start("processor")
    deployment.until(lambda: seen() > stopped_at, "they go on where they were held up")
