"""The shop lacks a field that is written: the channel waits, says so, and goes on by itself."""

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.expectations import NUMBER
from tests.faults.observation import metric
from tests.faults.oracle import assert_nothing_lost_or_done_twice
from tests.faults.people import register

pytestmark = pytest.mark.timeout(120)
PAUSED = "patron_channel_paused"


def test_a_missing_attribute_pauses_the_channel_until_it_is_there(deployment: Deployment) -> None:
    """At the start and in the middle: no attempt is used up, nothing is given up, no restart."""
    deployment.environment["PATRON_RECOVERY__PAUSE_SECONDS"] = "3"
    control = deployment.shop.control
    control.remove_attribute(NUMBER)
    deployment.start("exporter")
    deployment.until(lambda: _paused_for(deployment) == "configuration", "the check finds it")
    deployment.start("importer", "processor")
    deployment.until(lambda: _shown(deployment) == 1, "the metric says so")
    exports = 2 * control.customer_count()
    deployment.until(lambda: _waiting(deployment) == (exports, 0), "all exports wait")
    assert control.requests("PUT") == 0

    control.add_attribute(NUMBER)
    deployment.until_idle(60)
    deployment.until(lambda: _shown(deployment) == 0, "the metric says that it is over")
    assert_nothing_lost_or_done_twice(deployment)

    control.remove_attribute(NUMBER)
    control.add_attribute(NUMBER + "_old")
    register(deployment.shop, 1)
    deployment.request_import()
    deployment.until(lambda: _paused_for(deployment) == "attribute_missing", "a write meets it")
    [(detail,)] = deployment.rows("SELECT detail FROM channel_pauses")
    assert NUMBER in detail
    assert _waiting(deployment)[1] == 0
    control.add_attribute(NUMBER)
    deployment.until_idle(60)

    assert deployment.rows("SELECT * FROM channel_pauses") == []
    assert deployment.value("SELECT count(*) FROM dead_letters") == 0
    newest = str(control.customer_count())
    assert deployment.rows(
        "SELECT 1 FROM links WHERE external_id = :id AND exported_number <> ''", id=newest
    )


def _paused_for(deployment: Deployment) -> str | None:
    rows = deployment.rows("SELECT reason FROM channel_pauses WHERE channel = 'shop'")
    return rows[0][0] if rows else None


def _shown(deployment: Deployment) -> float:
    return metric(deployment, "exporter", PAUSED, channel="shop")


def _waiting(deployment: Deployment) -> tuple[int, int]:
    """Return how many exports wait, and how many attempts were used up by all of them."""
    [(waiting, attempts)] = deployment.rows(
        "SELECT count(*), coalesce(sum(attempts), 0) FROM messages WHERE type = 'customer.export'"
    )
    return waiting, int(attempts)
