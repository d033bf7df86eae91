"""Lets queries go when the shop's bucket of points can pay for them.

One for each channel, shared by its threads. What a query costs is known from the last one like it,
what the bucket holds from the last answer, which tells of other processes' queries as well. Its
promise: hardly a query is refused, and the bucket hardly ever stands full while somebody waits.
"""

import math
import threading
import time
from collections.abc import Callable, Hashable, Iterator
from contextlib import contextmanager

from shared.connectors.shopify.cost import Bucket, Cost
from shared.domain.errors import RemoteThrottled
from shared.observability.pulse import pulse

LONGEST_WAIT_SECONDS = 60.0
_FIRST_GUESS = 50.0
_STALE_SECONDS = 3.0
_LOOK_AGAIN_SECONDS = 1.0


class Turn:
    """A query on its way: tell it what the answer says of its cost."""

    def __init__(self) -> None:
        self.cost = Cost(None, None)


class CostThrottle:
    """Gives turns; threads share it."""

    def __init__(self, *, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._changed = threading.Condition()
        self._bucket: Bucket | None = None
        self._costs: dict[Hashable, float] = {}
        self._reserved: list[float] = []

    @property
    def clock(self) -> Callable[[], float]:
        """What times are counted by."""
        return self._clock

    def available(self) -> float:
        """Return how many points there should be now; NaN before the shop's first answer."""
        with self._changed:
            return self._bucket.expected(self._clock()) if self._bucket else math.nan

    @contextmanager
    def turn(self, query: Hashable) -> Iterator[Turn]:
        """Wait until a query like `query` fits, and hold its points until it is answered.

        Raises `RemoteThrottled` where that would take too long.
        """
        points = self._wait(query)
        turn = Turn()
        try:
            yield turn
        finally:
            self.answered(query, points, turn.cost)

    def try_take(self, query: Hashable) -> tuple[float, float]:
        """Take the points of a query if they are there.

        Returns how many seconds to wait before trying again (0: taken), and the points.
        """
        with self._changed:
            points = self._points(query)
            seconds = self._seconds_until(points)
            if seconds <= 0:
                self._reserved.append(points)
            return seconds, points

    def answered(self, query: Hashable, points: float, cost: Cost) -> None:
        """Give back what was held for a query, and learn from its answer."""
        with self._changed:
            self._reserved.remove(points)
            if cost.requested is not None:
                self._costs[query] = cost.requested
            if cost.bucket is not None:
                self._bucket = cost.bucket
            self._changed.notify_all()

    def _wait(self, query: Hashable) -> float:
        give_up_at = self._clock() + LONGEST_WAIT_SECONDS
        while True:
            seconds, points = self.try_take(query)
            if seconds <= 0:
                return points
            now = self._clock()
            if now >= give_up_at:
                text = f"no {points:.0f} points to be had in {LONGEST_WAIT_SECONDS:.0f} seconds"
                raise RemoteThrottled(text, retry_after_seconds=seconds)
            pulse()
            with self._changed:
                self._changed.wait(min(seconds, _LOOK_AGAIN_SECONDS, give_up_at - now))

    def _points(self, query: Hashable) -> float:
        points = self._costs.get(query, _FIRST_GUESS)
        return points if self._bucket is None else min(points, self._bucket.maximum)

    def _seconds_until(self, points: float) -> float:
        now = self._clock()
        if self._reserved and (self._bucket is None or now - self._bucket.at > _STALE_SECONDS):
            # What is known is old, or nothing is: one goes first and brings news.
            return _LOOK_AGAIN_SECONDS
        if self._bucket is None:
            return 0.0
        return self._bucket.seconds_until(points, sum(self._reserved), now)
