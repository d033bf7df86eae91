"""Faults of every kind at once, for two minutes: the same driver as `python -m benchmarks.soak`."""

from pathlib import Path

import pytest

from benchmarks.soak.drive import Order, soak

pytestmark = [
    pytest.mark.timeout(1200),
    pytest.mark.xdist_group("soak"),
    pytest.mark.amqp,
    pytest.mark.postgres,
]
SHORT = Order(seconds=75, seed=20261122, customers=40, sample_seconds=5, drain_seconds=420)


def test_whatever_goes_wrong_at_once_nothing_is_lost_or_done_twice(tmp_path: Path) -> None:
    """Killed, hung and cut off in one go, and afterwards everybody is right.

    What the dice bring, and in which order, is the same each time; when the servers are back is
    not, so that the verdict is about the end alone.
    """
    outcome = soak(SHORT, tmp_path)

    assert [finding.text for finding in outcome.problems] == []
    kinds = {what.partition(":")[0] for what in outcome.faults}
    assert "shop" in kinds
    assert len(kinds) > 3
