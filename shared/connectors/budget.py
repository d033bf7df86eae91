"""How often a channel may be asked: a rate that gives way at once and comes back slowly.

All calls of a channel in one process share a budget. Each takes a turn and waits for it; a shop
that says "too many" halves the rate and sends everybody away who waits, and what it answers
afterwards brings the rate back, little by little, up to the configured ceiling. Without one nothing
is held back until a shop complains. Its promise: one burst of refusals counts once, the rate never
falls so low that nothing goes, and nobody waits for a turn only to be refused.
"""

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import structlog

from shared.domain.errors import RemoteThrottled
from shared.observability.pulse import pulse

LOWEST_RATE: Final = 1.0
"""Requests a second: still enough to see that the shop answers again."""

_CUT: Final = 0.5
_GAIN_PER_SECOND: Final = 0.5
_SAME_BURST_SECONDS: Final = 1.0
_BURST_SECONDS: Final = 1.0
_MEASURED_SECONDS: Final = 5.0
_LONGEST_RESET_SECONDS: Final = 60.0
_LOOK_UP_SECONDS: Final = 10.0
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Allowance:
    """What a platform's own headers say: requests left, and seconds until it counts anew."""

    remaining: int
    reset_seconds: float


@dataclass
class _Refusal:
    """What those who wait for a turn look out for."""

    came: threading.Event = field(default_factory=threading.Event)
    retry_after_seconds: float | None = None


class RateBudget:
    """Gives turns; threads share it."""

    def __init__(
        self,
        ceiling: float | None = None,
        *,
        channel: str = "",
        clock: Callable[[], float] = time.monotonic,
        sleep: Callable[[threading.Event, float], object] = threading.Event.wait,
    ) -> None:
        self._ceiling = ceiling
        self._channel = channel
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._rate = ceiling
        self._complained_at_rate = 0.0
        self._slowed_at = self._next_turn = float("-inf")
        self._refusal = _Refusal()
        self._allowed: tuple[float, float] | None = None  # a rate, and until when it holds
        self._turns: deque[float] = deque()

    @property
    def rate(self) -> float | None:
        """Requests a second at present; None while nothing is held back."""
        return self._rate

    def wait_turn(self) -> None:
        """Wait until one more request may be sent.

        Raises `RemoteThrottled` if the platform refuses another meanwhile.
        """
        refusal, seconds = self._refusal, self.take_turn()
        pulse()
        while seconds > 0:
            self._sleep(refusal.came, min(seconds, _LOOK_UP_SECONDS))
            pulse()
            if refusal.came.is_set():
                text = "another request was refused"
                raise RemoteThrottled(text, retry_after_seconds=refusal.retry_after_seconds)
            seconds -= _LOOK_UP_SECONDS

    def take_turn(self) -> float:
        """Take the next turn and return in how many seconds it comes; 0 for now."""
        with self._lock:
            now = self._clock()
            self._measure(now)
            rate = self._rate_at(now)
            if rate is None:
                return max(0.0, self._next_turn - now)
            # What was not used for a while may be caught up, a second's worth of it.
            turn = max(self._next_turn, now - _BURST_SECONDS)
            self._next_turn = turn + 1 / rate
            return max(0.0, turn - now)

    def refused(self, retry_after_seconds: float | None = None) -> None:
        """Take it that the platform asked for fewer requests: halve the rate, send all away."""
        with self._lock:
            now = self._clock()
            self._refusal.retry_after_seconds = retry_after_seconds
            self._refusal.came.set()
            self._refusal = _Refusal()
            # Those who waited are gone, so that their turns are free again.
            self._next_turn = now
            if now - self._slowed_at < _SAME_BURST_SECONDS:
                return
            before = self._rate
            pace = self._measured(now) if self._rate is None else self._rate
            self._complained_at_rate = max(self._complained_at_rate, pace)
            lowest = min(LOWEST_RATE, self._ceiling or LOWEST_RATE)
            self._rate = max(pace * _CUT, lowest)
            self._slowed_at = now
            rate = self._rate
        if rate != before:
            each = {"channel": self._channel, "requests_per_second": round(rate, 2)}
            _log.warning("channel.slowed", **each)

    def answered(self, allowance: Allowance | None = None) -> None:
        """Take it that a request was answered: come back a little, and keep to `allowance`."""
        with self._lock:
            now = self._clock()
            is_free = self._come_back(now)
            if allowance:
                self._keep_to(allowance, now)
        if is_free:
            _log.info("channel.at_full_speed", channel=self._channel)

    def _come_back(self, now: float) -> bool:
        """Raise the rate; say whether it has just reached what it was before."""
        if self._rate is None or self._rate == self._ceiling:
            return False
        if now - self._slowed_at < _SAME_BURST_SECONDS:
            return False
        # By the answer, not by the clock: a channel that rests has proved nothing.
        self._rate += _GAIN_PER_SECOND / self._rate
        full = self._ceiling or 2 * self._complained_at_rate
        if self._rate < full:
            return False
        self._rate, self._complained_at_rate = self._ceiling, 0.0
        return True

    def _keep_to(self, allowance: Allowance, now: float) -> None:
        seconds = min(max(allowance.reset_seconds, 0.001), _LONGEST_RESET_SECONDS)
        if allowance.remaining > 0:
            self._allowed = (allowance.remaining / seconds, now + seconds)
        else:
            self._next_turn = max(self._next_turn, now + seconds)

    def _rate_at(self, now: float) -> float | None:
        if self._allowed and now < self._allowed[1]:
            return min(self._allowed[0], self._rate or self._allowed[0])
        return self._rate

    def _measure(self, now: float) -> None:
        self._turns.append(now)
        while self._turns[0] < now - _MEASURED_SECONDS:
            self._turns.popleft()

    def _measured(self, now: float) -> float:
        """Return how many requests a second were sent lately."""
        recent = [turn for turn in self._turns if turn >= now - _MEASURED_SECONDS]
        return len(recent) / max(now - recent[0], 1.0) if recent else LOWEST_RATE
