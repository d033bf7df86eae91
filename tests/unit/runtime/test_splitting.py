"""One bad item does not stop its neighbours."""

from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.runtime.patience import Stopping
from shared.runtime.splitting import in_halves


class Bad(Exception):
    """What a bad item fails with."""


@given(batch=st.lists(st.tuples(st.integers(), st.booleans()), min_size=1, max_size=60))
def test_every_item_is_done_or_failed_exactly_once(batch: list[tuple[int, bool]]) -> None:
    """Whatever is bad, each good item is committed once, each bad one failed once, in order."""
    committed: list[tuple[int, bool]] = []

    def attempt(part: Sequence[tuple[int, bool]]) -> list[str]:
        if any(is_bad for _, is_bad in part):
            raise Bad
        committed.extend(part)
        return ["done"] * len(part)

    results = in_halves(batch, attempt, lambda item, error: "failed")

    assert results == ["failed" if is_bad else "done" for _, is_bad in batch]
    assert committed == [item for item in batch if not item[1]]


def test_a_single_bad_item_costs_few_attempts() -> None:
    """Finding one bad item of 128 takes a logarithmic number of attempts."""
    sizes: list[int] = []

    def attempt(part: Sequence[int]) -> list[str]:
        sizes.append(len(part))
        if 77 in part:
            raise Bad
        return ["done"] * len(part)

    in_halves(range(128), attempt, lambda item, error: "failed")

    assert len(sizes) == 2 * 7 + 1


def test_the_failure_is_told_with_the_item() -> None:
    """`fail` gets the item at fault and its own error."""

    def attempt(part: Sequence[int]) -> list[str]:
        raise ValueError(max(part))

    assert in_halves([1, 2], attempt, lambda item, error: f"{item}: {error}") == ["1: 1", "2: 2"]


def test_stopping_is_no_failure() -> None:
    """A process that stops does not blame the batch in hand."""

    def attempt(part: Sequence[int]) -> list[str]:
        raise Stopping

    with pytest.raises(Stopping):
        in_halves([1, 2], attempt, lambda item, error: "failed")
