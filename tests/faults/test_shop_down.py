"""The shop is down, overloaded or broken for a while: exports wait for it, and nothing is lost."""

from collections.abc import Callable

import pytest

from services.sandbox.magento.control import Control
from tests.e2e.deployment import Deployment
from tests.faults.observation import events, is_ready, metric
from tests.faults.oracle import (
    assert_dead_letters_are_told,
    assert_nothing_lost_or_done_twice,
)

pytestmark = pytest.mark.timeout(180)
Fault = Callable[[Control], None]
FOREVER = 1_000_000
DEAD = ("exporter", "remote_unavailable")


def _down(control: Control) -> None:
    control.fail_next("server_error", FOREVER)


def _throttling(control: Control) -> None:
    control.fail_next("too_many_requests", FOREVER, retry_after="1")


@pytest.mark.parametrize("fault", [_down, _throttling])
def test_exports_wait_for_the_shop_however_long(deployment: Deployment, fault: Fault) -> None:
    """More looks at the shop than an export has attempts: none is given up (faults 36, 37).

    All are ready meanwhile: starting anew would help nobody.
    """
    deployment.environment |= {
        "PATRON_RECOVERY__ATTEMPTS": "2",
        "PATRON_RECOVERY__PAUSE_SECONDS": "1",
    }
    control = deployment.shop.control
    deployment.start("importer", "processor")
    exports = 2 * control.customer_count()
    deployment.until(lambda: _owed(deployment) == (exports, 0), "every export is owed")
    fault(control)
    deployment.start("exporter")
    looked = "patron_messages_total"
    deployment.until(
        lambda: metric(deployment, "exporter", looked, outcome="paused") >= 2 * exports,
        "the exporter has tried often enough",
    )

    owed, ready = _owed(deployment), is_ready(deployment)
    letters = deployment.value("SELECT count(*) FROM dead_letters")
    paused = deployment.rows("SELECT channel, reason FROM channel_pauses")
    control.clear_faults()
    deployment.until_idle(60)

    assert (owed, ready) == ((exports, 0), True)
    assert letters == 0
    assert paused in ([("shop", "remote_unavailable")], [("shop", "remote_throttled")])
    assert deployment.rows("SELECT 1 FROM channel_pauses") == []
    assert_nothing_lost_or_done_twice(deployment)


def test_a_customer_that_the_shop_fails_on_is_given_up(deployment: Deployment) -> None:
    """A shop that works for others: the configured attempts, then a dead letter (fault 50)."""
    deployment.environment["PATRON_RECOVERY__ATTEMPTS"] = "3"
    control = deployment.shop.control
    control.fail_next("server_error", FOREVER, method="PUT", path="customers/5$")
    # The first read of one store view fails, in each of the three tries within the call.
    control.fail_next("server_error", 3, path="value%5D=2&")

    deployment.start()
    deployment.until_idle(60)

    def views(event: str) -> list[str]:
        log = events(deployment, "importer")
        return [each["store_view"] for each in log if each["event"] == event]

    deployment.until(lambda: len(views("import.finished")) == 5, "it is logged")
    assert views("import.failed") == ["fr"]
    assert views("import.finished") == ["de", "nl", "uk", "us", "fr"]
    letters = deployment.rows("SELECT subject, reason, attempts FROM dead_letters")
    assert set(letters) == {("5", "remote_unavailable", 3)}
    assert_dead_letters_are_told(
        [DEAD] * len(letters),
        {DEAD: metric(deployment, "exporter", "patron_dead_letters_total")},
        events(deployment, "exporter"),
    )
    numbered = deployment.value("SELECT count(*) FROM links WHERE exported_number <> ''")
    assert numbered == control.customer_count() - 1


def _owed(deployment: Deployment) -> tuple[int, int]:
    """Return how many exports are owed, and how many attempts were used up by all of them."""
    [(owed, attempts)] = deployment.rows(
        "SELECT count(*), coalesce(sum(attempts), 0) FROM messages WHERE type = 'customer.export'"
    )
    return owed, int(attempts)
