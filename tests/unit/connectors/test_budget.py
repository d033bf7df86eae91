"""The rate budget of a channel: down at once, up slowly, and never to a standstill."""

import threading
from collections.abc import Sequence
from itertools import pairwise

import pytest

from shared.connectors.budget import Allowance, RateBudget
from shared.domain.errors import RemoteThrottled


class Clock:
    """A clock that goes on when it is told to, or when somebody sleeps by it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now

    def go_on(self, seconds: float) -> None:
        """Let time pass."""
        self.now += seconds


@pytest.fixture
def clock() -> Clock:
    """Give a clock that stands still."""
    return Clock()


def a_budget(clock: Clock, ceiling: float | None = None) -> RateBudget:
    """Return a budget that lives by `clock`."""
    return RateBudget(ceiling, clock=clock, sleep=lambda _, seconds: clock.go_on(seconds))


def ask(budget: RateBudget, clock: Clock, times: int, every_seconds: float) -> None:
    """Send requests at a steady pace."""
    for _ in range(times):
        budget.take_turn()
        clock.go_on(every_seconds)


def test_nothing_is_held_back_without_ceiling_and_complaint(clock: Clock) -> None:
    """A shop that never complained is asked as fast as we can."""
    budget = a_budget(clock)

    waits = [budget.take_turn() for _ in range(1000)]

    assert (set(waits), budget.rate) == ({0.0}, None)


@pytest.mark.parametrize(
    ("ceiling", "waits"),
    [
        (1.0, [0, 0, 1, 2, 3]),
        (2.0, [0, 0, 0, 0.5, 1.0]),
        (0.5, [0, 1, 3, 5, 7]),
    ],
)
def test_turns_keep_to_the_ceiling(clock: Clock, ceiling: float, waits: Sequence[float]) -> None:
    """After a second's worth at once each turn comes one interval after the other."""
    budget = a_budget(clock, ceiling)

    assert [round(budget.take_turn(), 3) for _ in waits] == waits


@pytest.mark.parametrize(
    ("ceiling", "paces", "rates"),
    [
        # The pace so far is what is halved when there is no ceiling.
        (None, [20], [10]),
        (None, [20, 10], [10, 5]),
        (8.0, [8], [4]),
        (8.0, [8, 4, 2, 1, 1], [4, 2, 1, 1, 1]),
        (0.5, [0.5], [0.5]),
    ],
)
def test_refusals_halve_the_rate(
    clock: Clock, ceiling: float | None, paces: Sequence[float], rates: Sequence[float]
) -> None:
    """Each burst of refusals halves the rate once, down to the lowest."""
    budget = a_budget(clock, ceiling)
    seen = []

    for pace in paces:
        ask(budget, clock, times=100, every_seconds=1 / pace)
        for _ in range(20):
            budget.refused()
        seen.append(round(budget.rate or 0.0, 1))

    assert seen == rates


def test_the_rate_comes_back_little_by_little(clock: Clock) -> None:
    """Half a request a second more in each second of answers, up to the ceiling, no further."""
    budget = a_budget(clock, 10.0)
    budget.refused()
    clock.go_on(1)
    rates = []

    for _ in range(12):
        began = clock.now
        while clock.now < began + 1:
            budget.wait_turn()
            budget.answered()
        rates.append(budget.rate or 0.0)

    gains = [after - before for before, after in pairwise(rates)]
    assert rates[0] < 6.5
    assert max(gains) < 0.7
    assert rates[-1] == 10.0


def test_rest_proves_nothing(clock: Clock) -> None:
    """A channel that was paused for an hour goes on as slowly as it was told to."""
    budget = a_budget(clock, 10.0)
    budget.refused()

    clock.go_on(3600)

    assert budget.rate == 5.0


def test_without_ceiling_nothing_is_held_back_again_in_the_end(clock: Clock) -> None:
    """At twice the pace that was too much once, the shop is trusted as in the beginning."""
    budget = a_budget(clock)
    ask(budget, clock, times=50, every_seconds=0.1)
    budget.refused()
    clock.go_on(1)

    for _ in range(2000):
        budget.wait_turn()
        budget.answered()

    assert budget.rate is None


@pytest.mark.parametrize(
    ("ceiling", "allowance", "waits"),
    [
        # 5 left in 10 seconds: one every two, whatever the ceiling allows.
        (None, Allowance(5, 10.0), [0, 1, 3]),
        (100.0, Allowance(5, 10.0), [0, 1, 3]),
        # A platform that allows more than we do changes nothing.
        (0.5, Allowance(1000, 10.0), [0, 1, 3]),
        # Nothing left: not before it counts anew.
        (None, Allowance(0, 10.0), [10, 10, 10]),
        (None, Allowance(0, 86_400.0), [60, 60, 60]),
    ],
)
def test_the_platforms_own_words_are_kept_to(
    clock: Clock, ceiling: float | None, allowance: Allowance, waits: Sequence[float]
) -> None:
    """What headers say of the requests left is spread over the time until they count anew."""
    budget = a_budget(clock, ceiling)

    budget.answered(allowance)

    assert [round(budget.take_turn(), 3) for _ in waits] == waits


def test_an_allowance_ends_with_its_window(clock: Clock) -> None:
    """When the platform counts anew, what it said before holds no longer."""
    budget = a_budget(clock)
    budget.answered(Allowance(1, 10.0))

    clock.go_on(10.1)

    assert [budget.take_turn() for _ in range(5)] == [0.0] * 5


def test_threads_share_the_turns(clock: Clock) -> None:
    """No turn is given twice, however many ask at once."""
    budget = a_budget(clock, 10.0)
    turns: list[float] = []
    threads = [
        threading.Thread(target=lambda: turns.extend(budget.take_turn() for _ in range(50)))
        for _ in range(4)
    ]

    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    waiting = [turn for turn in (round(turn, 4) for turn in turns) if turn > 0]
    assert sorted(waiting) == [round(n / 10, 4) for n in range(1, 190)]


def test_those_who_wait_are_sent_away_by_a_refusal() -> None:
    """A refusal of one is an answer to all: nobody waits for a turn to be refused."""
    waiting = threading.Semaphore(0)
    asked: list[float | None] = []

    def sleep(refused: threading.Event, seconds: float) -> None:
        waiting.release()
        refused.wait(30)

    budget = RateBudget(0.5, sleep=sleep)

    def wait() -> None:
        with pytest.raises(RemoteThrottled) as caught:
            budget.wait_turn()
        asked.append(caught.value.retry_after_seconds)

    budget.take_turn()
    budget.take_turn()
    threads = [threading.Thread(target=wait) for _ in range(4)]
    for thread in threads:
        thread.start()
    assert all(waiting.acquire(timeout=20) for _ in threads)
    budget.refused(17.0)
    for thread in threads:
        thread.join()

    assert asked == [17.0] * 4
