"""Database work is repeated through conflicts and outages, within bounds."""

import threading
from collections.abc import Callable, Iterable

import pytest

from shared.persistence.failures import DatabaseContended, DatabaseUnavailable
from shared.runtime.patience import CONFLICT_TRIES, Patience, Stopping


class CountedWaits(threading.Event):
    """An event whose waits take no time and are noted."""

    def __init__(self) -> None:
        super().__init__()
        self.waits: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        """Note the wait and return at once."""
        self.waits.append(timeout or 0.0)
        return self.is_set()


def failing(errors: Iterable[Exception]) -> Callable[[], str]:
    """Return an action that raises each of `errors` in turn and then works."""
    remaining = iter(errors)

    def act() -> str:
        for error in remaining:
            raise error
        return "done"

    return act


def test_conflicts_are_retried_at_once_with_growing_waits() -> None:
    """A few conflicts in a row cost milliseconds and no attempt of the message."""
    stop = CountedWaits()
    conflicts = [DatabaseContended("x")] * (CONFLICT_TRIES - 1)

    assert Patience(stop, jitter=lambda: 1.0).through(failing(conflicts)) == "done"
    assert stop.waits == [0.02, 0.04, 0.08, 0.16]


def test_endless_conflicts_are_a_failure() -> None:
    """After five conflicts recoverability decides (fault 30)."""
    with pytest.raises(DatabaseContended):
        Patience(CountedWaits()).through(failing([DatabaseContended("x")] * CONFLICT_TRIES))


def test_an_outage_is_waited_for_however_long() -> None:
    """While the database is away the action is tried again, slower and slower, ticking."""
    stop = CountedWaits()
    beats: list[int] = []
    troubles: list[str] = []
    patience = Patience(
        stop,
        beat=lambda: beats.append(1),
        on_trouble=troubles.append,
        jitter=lambda: 1.0,
        first_wait_seconds=1,
        longest_wait_seconds=15,
    )

    assert patience.through(failing([DatabaseUnavailable("x")] * 7)) == "done"
    assert stop.waits == [1, 2, 4, 8, 15, 15, 15]
    assert len(beats) >= 7
    assert troubles == ["database_unavailable"] * 7


def test_stopping_ends_the_wait() -> None:
    """A process that is told to stop during an outage does not wait for its end."""
    stop = CountedWaits()
    stop.set()

    with pytest.raises(Stopping):
        Patience(stop).through(failing([DatabaseUnavailable("x")]))


def test_other_errors_are_not_repeated() -> None:
    """A mistake is a mistake at the first time."""
    stop = CountedWaits()

    with pytest.raises(KeyError):
        Patience(stop).through(failing([KeyError("x")]))
    assert stop.waits == []
