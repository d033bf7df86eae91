"""Doing database work in spite of the database: again after a conflict, later after an outage.

For the consumer and its handlers. What is passed in must be repeatable: one transaction, begun
and ended inside. Its promise: no hot loop, a sign of life while waiting, and an end when the
process stops.
"""

import random
import threading
from collections.abc import Callable
from typing import TypeVar

import structlog

from shared.persistence.failures import DatabaseContended, DatabaseUnavailable

T = TypeVar("T")

CONFLICT_TRIES = 5
_log = structlog.get_logger()


class Stopping(Exception):
    """The process stops; what was being waited for is left to the next one."""


class Patience:
    """Repeats database work until it is done, fails for good, or the process stops."""

    def __init__(
        self,
        stop: threading.Event,
        *,
        beat: Callable[[], None] = lambda: None,
        on_trouble: Callable[[str], None] = lambda reason: None,
        jitter: Callable[[], float] = random.random,
        first_wait_seconds: float = 0.5,
        longest_wait_seconds: float = 15.0,
    ) -> None:
        self._stop = stop
        self.beat = beat
        self._on_trouble = on_trouble
        self._jitter = jitter
        self._first_wait_seconds = first_wait_seconds
        self._longest_wait_seconds = longest_wait_seconds

    def through(self, action: Callable[[], T]) -> T:
        """Return what `action` returns.

        Raises `DatabaseContended` after too many conflicts, `Stopping` when told to stop during
        an outage, and at once whatever else `action` raises.
        """
        outages = conflicts = 0
        while True:
            try:
                return action()
            except DatabaseContended as error:
                self._on_trouble(error.reason)
                conflicts += 1
                if conflicts >= CONFLICT_TRIES:
                    raise
                wait_seconds = 0.01 * 2**conflicts
            except DatabaseUnavailable as error:
                self._on_trouble(error.reason)
                outages += 1
                _log.warning("database.unavailable", tries=outages, error=str(error))
                wait_seconds = self._backoff(outages)
            self._wait(wait_seconds)

    def _backoff(self, outages: int) -> float:
        doubled = self._first_wait_seconds * float(1 << min(outages - 1, 10))
        return min(doubled, self._longest_wait_seconds)

    def _wait(self, seconds: float) -> None:
        self.beat()
        if self._stop.wait(seconds * (0.5 + 0.5 * self._jitter())):
            raise Stopping
        self.beat()
