"""SIGTERM in the middle of the work: what was begun is finished, the rest is the next one's."""

import time

import pytest

from tests.e2e.deployment import ROLES, Deployment
from tests.e2e.expectations import NUMBER, attribute, shop_customers
from tests.faults.observation import events
from tests.faults.oracle import assert_nothing_lost_or_done_twice

pytestmark = pytest.mark.timeout(120)
GRACE_SECONDS = 20.0


@pytest.fixture
def customers() -> int:
    """Have enough customers to be in the middle of."""
    return 300


def test_workers_told_to_stop_finish_what_they_began(deployment: Deployment) -> None:
    """Exit code 0 within the grace, every write recorded; fresh ones do the rest (fault 56)."""
    control = deployment.shop.control
    deployment.start()
    # Two exports for each, which come together or one after the other.
    assert control.wait_until(lambda: control.requests("PUT") > 60, timeout_seconds=60)
    control.fail_next("held", method="PUT")
    assert control.wait_for_fault(timeout_seconds=30)

    began = time.monotonic()
    for worker in deployment.workers.values():
        worker.ask_to_stop()
    deployment.until(
        lambda: any(each["event"] == "process.draining" for each in events(deployment, "exporter")),
        "the exporter drains",
    )
    control.release()
    codes = {role: deployment.workers[role].wait() for role in ROLES}
    took_seconds = time.monotonic() - began

    assert codes == dict.fromkeys(ROLES, 0)
    assert took_seconds < GRACE_SECONDS
    written = {str(c["id"]) for c in shop_customers(deployment) if attribute(c, NUMBER)}
    recorded = {
        row[0]
        for row in deployment.rows("SELECT external_id FROM links WHERE exported_number <> ''")
    }
    assert written == recorded
    assert 30 <= len(written) < control.customer_count()
    deployment.start()
    deployment.until_idle(60)

    assert_nothing_lost_or_done_twice(deployment)
    assert control.stats()["identical_updates"] == 0
