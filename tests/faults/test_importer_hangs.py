"""An importer hangs with a store view in its hands, and wakes up when another has it."""

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.expectations import effects
from tests.faults.observation import events
from tests.faults.oracle import assert_nothing_lost_or_done_twice

pytestmark = pytest.mark.timeout(120)
CURSORS = (
    "SELECT store_view, watermark_at, watermark_key, last_success_at, last_error, lease_owner"
    " FROM cursors ORDER BY store_view"
)


@pytest.fixture
def customers() -> int:
    """Have more customers in a store view than a page holds."""
    return 60


def test_an_importer_that_wakes_up_late_changes_nothing(deployment: Deployment) -> None:
    """Its lease is over and another has the view: it finds out, and moves nothing (fault 44)."""
    deployment.environment["PATRON_CHANNELS__SHOP__CONNECTOR__PAGE_SIZE"] = "5"
    deployment.environment["PATRON_HEALTH__IMPORTER_PORT"] = "0"
    control = deployment.shop.control
    control.fail_next("held", skip=1, path="customers/search")
    deployment.start("importer")
    assert control.wait_for_fault(timeout_seconds=60)
    # It hangs in a call, and not in a transaction about its messages, where it would hold locks.
    unsent = "SELECT count(*) FROM messages WHERE published_at IS NULL"
    deployment.until(lambda: deployment.value(unsent) == 0, "the first page is sent")
    deployment.workers["importer"].freeze()
    begun = deployment.rows(
        "SELECT store_view, watermark_key FROM cursors WHERE watermark_key > ''"
    )

    deployment.start("importer", name="importer-2")
    deployment.start("processor", "exporter")
    deployment.until_idle(60)
    cursors, done = deployment.rows(CURSORS), effects(deployment)
    control.release()
    deployment.workers["importer"].thaw()
    deployment.until(lambda: _has_noticed(deployment), "the first importer notices", 30)

    assert len(begun) == 1
    assert deployment.rows(CURSORS) == cursors
    assert effects(deployment) == done
    assert deployment.value("SELECT count(*) FROM messages") == 0
    assert_nothing_lost_or_done_twice(deployment)
    assert {worker.stop() for worker in deployment.workers.values()} == {0}


def _has_noticed(deployment: Deployment) -> bool:
    return any(event["event"] == "import.lease_lost" for event in events(deployment, "importer"))
