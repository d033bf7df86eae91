"""The bucket of points: what fits, and when, with other processes drawing from it too."""

import heapq
import itertools
import math
import random
from dataclasses import dataclass, field

import pytest

from shared.connectors.shopify.cost import Bucket, Cost, cost_of
from shared.connectors.shopify.throttle import CostThrottle
from shared.domain.errors import RemoteThrottled
from tests.unit.connectors.shopify.builders import costing


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        """Tell the time."""
        return self.now


def test_a_bucket_fills_up_to_its_size() -> None:
    """By its rate, and never beyond."""
    bucket = Bucket(maximum=2000, available=100, restore_rate=100, at=10)

    assert bucket.expected(10) == 100
    assert bucket.expected(15) == 600
    assert bucket.expected(1000) == 2000
    assert bucket.expected(9) == 100


def test_a_query_waits_until_it_fits_with_something_left() -> None:
    """A quarter stays for others; what is under way counts as gone."""
    bucket = Bucket(maximum=2000, available=600, restore_rate=100, at=0)

    assert bucket.seconds_until(100, reserved=0, now=0) == 0
    assert bucket.seconds_until(300, reserved=0, now=0) == 2
    assert bucket.seconds_until(100, reserved=200, now=0) == 2


def test_a_query_as_large_as_the_bucket_goes_when_it_is_full() -> None:
    """There is nothing that could be left over."""
    bucket = Bucket(maximum=1000, available=0, restore_rate=50, at=0)

    assert bucket.seconds_until(1000, reserved=0, now=0) == 20


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"extensions": None},
        {"extensions": {"cost": []}},
        {"extensions": {"cost": {"throttleStatus": {"maximumAvailable": "x"}}}},
        {"extensions": {"cost": {"throttleStatus": {"maximumAvailable": 0, "restoreRate": 0}}}},
    ],
)
def test_an_answer_that_does_not_tell_its_cost_teaches_nothing(body: dict[str, object]) -> None:
    """And a query that it refuses waits a second."""
    cost = cost_of(body, 0)

    assert cost == Cost(None, None)
    assert cost.wait_seconds == 1


def test_a_refused_query_waits_as_long_as_the_shop_needs() -> None:
    """What is missing, by the rate at which it comes back."""
    cost = cost_of({"extensions": {"cost": costing(requested=540, available=40)}}, 0)

    assert cost.wait_seconds == 5


def test_the_first_query_goes_alone_and_brings_news() -> None:
    """Nothing is known of the shop yet."""
    throttle = CostThrottle(clock=Clock())

    seconds, points = throttle.try_take("a")
    others, _ = throttle.try_take("b")
    throttle.answered("a", points, Cost(20, Bucket(2000, 1980, 100, 0)))

    assert seconds == 0
    assert others > 0
    assert throttle.try_take("b")[0] == 0


def test_old_news_is_not_relied_upon() -> None:
    """Others may have emptied the bucket since: one goes, the rest wait for what it tells."""
    clock = Clock()
    throttle = CostThrottle(clock=clock)
    _, points = throttle.try_take("a")
    throttle.answered("a", points, Cost(20, Bucket(2000, 2000, 100, 0)))
    clock.now = 60

    assert throttle.try_take("a") == (0, 20)
    assert throttle.try_take("a")[0] > 0


def test_who_waits_too_long_is_sent_away() -> None:
    """A bucket that others keep empty must not hold a thread for ever."""
    clock = Clock()
    throttle = CostThrottle(clock=clock)
    with throttle.turn("a") as turn:
        turn.cost = Cost(500, Bucket(2000, 0, 0.001, 0))
        clock.now = 1.0

    class Late(Clock):
        def __call__(self) -> float:
            self.now += 30
            return self.now

    throttle._clock = Late()

    with pytest.raises(RemoteThrottled) as caught, throttle.turn("a"):
        pass

    assert caught.value.retry_after_seconds


@dataclass
class Shop:
    """A shop's bucket as it really is."""

    clock: Clock
    maximum: float = 2000.0
    rate: float = 100.0
    available: float = 2000.0
    at: float = 0.0
    refused: int = 0
    answered: int = 0
    used: float = 0.0

    def ask(self, requested: float, actual: float) -> Cost:
        """Answer a query, or refuse it."""
        now = self.clock.now
        self.available = min(self.maximum, self.available + self.rate * (now - self.at))
        self.at = now
        if self.available < requested:
            self.refused += 1
        else:
            self.available -= actual
            self.used += actual
            self.answered += 1
        return Cost(requested, Bucket(self.maximum, self.available, self.rate, now))


@dataclass
class Worker:
    """A thread of a process: sends queries one after the other."""

    throttle: CostThrottle
    requested: float
    share: float
    number: int = field(default_factory=itertools.count().__next__)


def run(processes: int, threads: int, queries: list[tuple[float, float]], seconds: float) -> Shop:
    """Let threads of several processes send as much as they can, by a clock of our own."""
    clock = Clock()
    shop = Shop(clock)
    dice = random.Random(7)
    turns: list[tuple[float, int, str, Worker, float]] = []
    ticket = itertools.count()
    for _ in range(processes):
        throttle = CostThrottle(clock=clock)
        for thread in range(threads):
            worker = Worker(throttle, *queries[thread % len(queries)])
            heapq.heappush(turns, (dice.random(), next(ticket), "take", worker, 0.0))
    while turns and turns[0][0] < seconds:
        clock.now, _, step, worker, points = heapq.heappop(turns)
        if step == "take":
            wait, points = worker.throttle.try_take(worker.requested)
            then = "reach" if wait <= 0 else "take"
            later = clock.now + (dice.uniform(0.02, 0.1) if wait <= 0 else min(wait, 1.0))
        elif step == "reach":
            cost = shop.ask(worker.requested, worker.requested * worker.share)
            worker.throttle.answered(worker.requested, points, cost)
            then, later = "take", clock.now + dice.uniform(0.02, 0.1)
        heapq.heappush(turns, (later, next(ticket), then, worker, points))
    return shop


@pytest.mark.parametrize("processes", [1, 2, 3])
@pytest.mark.parametrize(
    "queries",
    [[(10.0, 1.0)], [(300.0, 0.5)], [(300.0, 0.4), (10.0, 1.0), (60.0, 0.8)]],
    ids=["writes", "pages", "both"],
)
def test_the_shop_is_used_well_and_hardly_ever_refuses(
    processes: int, queries: list[tuple[float, float]]
) -> None:
    """Over four fifths of what comes back is used; under one query in a hundred is refused."""
    shop = run(processes, threads=8, queries=queries, seconds=120)

    assert shop.refused < 0.01 * shop.answered
    assert shop.used > 0.8 * 120 * shop.rate


def test_what_is_left_is_told_as_it_comes_back() -> None:
    """Unknown before the first answer; afterwards the shop's word, and what was restored since."""
    clock = Clock()
    throttle = CostThrottle(clock=clock)
    before = throttle.available()

    with throttle.turn("ping") as turn:
        turn.cost = cost_of({"extensions": {"cost": costing(available=600, rate=100)}}, clock())
    clock.now = 5

    assert math.isnan(before)
    assert throttle.available() == 1100
