"""How many requests the store takes: a quota per window, and few PUTs at the same time.

The window is a parameter, so that a benchmark can run the platform's clock faster. Its promise:
never more than the quota in one window, and a refused request costs nothing.
"""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass

Headers = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Standing:
    """How a store stood when a request came."""

    is_allowed: bool
    quota: int
    left: int
    window_ms: int
    reset_ms: int

    def headers(self) -> Headers:
        """Return what the platform tells with every answer."""
        told = (
            ("X-Rate-Limit-Time-Window-Ms", str(self.window_ms)),
            ("X-Rate-Limit-Time-Reset-Ms", str(self.reset_ms)),
            ("X-Rate-Limit-Requests-Quota", str(self.quota)),
            ("X-Rate-Limit-Requests-Left", str(self.left)),
        )
        # Whole seconds, rounded down: on a fast clock a rounded-up second would be most of the
        # window, and whoever waits for the longer of both is told the truth by the other.
        seconds = self.reset_ms // 1000
        if self.is_allowed or not seconds:
            return told
        return (*told, ("X-Retry-After", str(seconds)))


class Window:
    """Counts requests in windows of fixed length; one begins with the first request in it."""

    def __init__(
        self, quota: int, seconds: float, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._lock = threading.Lock()
        self._clock = clock
        self._quota = quota
        self._seconds = seconds
        self._began = -seconds
        self._taken = 0

    def take(self) -> Standing:
        """Count one request, or refuse it."""
        with self._lock:
            now = self._clock()
            if now - self._began >= self._seconds:
                self._began, self._taken = now, 0
            is_allowed = self._taken < self._quota
            self._taken += is_allowed
            left = self._quota - self._taken
            reset_seconds = self._began + self._seconds - now
            return Standing(
                is_allowed,
                self._quota,
                left,
                round(self._seconds * 1000),
                max(1, round(reset_seconds * 1000)),
            )

    def change(self, quota: int, seconds: float | None = None) -> None:
        """Grant another quota, from a fresh window on."""
        with self._lock:
            self._quota = quota
            self._seconds = seconds or self._seconds
            self._began = self._clock() - self._seconds


class Slots:
    """Lets only so many requests of one kind be under way."""

    def __init__(self, most: int) -> None:
        self._free = threading.Semaphore(most)

    def take(self) -> bool:
        """Take a slot if one is free."""
        return self._free.acquire(blocking=False)

    def give_back(self) -> None:
        """Free the slot again."""
        self._free.release()
