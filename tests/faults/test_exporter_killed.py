"""The worst moment for the exporter: the shop has committed, and nobody has written it down."""

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.expectations import NUMBER, attribute
from tests.faults.oracle import assert_nothing_lost_or_done_twice

pytestmark = pytest.mark.timeout(120)
STALLED, LOST, FOREVER = 3, 20, 1_000_000
# Number and additional data are two exports, which mostly go out together.
MOST_WRITES = 2


def test_a_write_is_not_lost_or_repeated_by_a_kill(deployment: Deployment) -> None:
    """`kill -9` after the shop's commit: one number, at most one more PUT each (fault 57)."""
    control = deployment.shop.control
    control.fail_next("stalled", STALLED, method="PUT")
    control.fail_next("lost", STALLED, method="PUT")
    # Nor is any further write answered, so that no batch comes to its end.
    control.fail_next("held", FOREVER, method="PUT")
    deployment.start()
    assert control.wait_for_fault(2 * STALLED, timeout_seconds=60)

    deployment.workers["exporter"].kill()
    numbered = [_number(deployment, customer) for customer in _ids(deployment)]
    assert sum(map(bool, numbered)) >= STALLED
    recorded = "SELECT count(*) FROM links WHERE exported_number IS NOT NULL"
    assert deployment.value(recorded) == 0
    control.clear_faults()
    deployment.start("exporter")
    deployment.until_idle(60)

    assert_nothing_lost_or_done_twice(deployment)
    after = [_number(deployment, customer) for customer in _ids(deployment)]
    assert [now for was, now in zip(numbered, after, strict=True) if was and was != now] == []
    assert control.stats()["identical_updates"] == 0
    assert all(len(control.writes(customer)) <= MOST_WRITES for customer in _ids(deployment))


def test_a_write_whose_answer_is_lost_is_not_repeated(deployment: Deployment) -> None:
    """The next attempt finds the number there: a success, without a PUT (fault 46)."""
    control = deployment.shop.control
    control.fail_next("lost", LOST, method="PUT")

    deployment.start()
    deployment.until_idle(60)

    assert_nothing_lost_or_done_twice(deployment)
    assert control.stats()["faults_struck"] == LOST
    assert control.stats()["identical_updates"] == 0


def _ids(deployment: Deployment) -> range:
    return range(1, deployment.shop.control.customer_count() + 1)


def _number(deployment: Deployment, customer_id: int) -> str | None:
    return attribute(deployment.shop.control.customer(customer_id), NUMBER)
