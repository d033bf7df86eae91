"""What becomes of a message whose handling failed: tried again, given up, or its channel paused.

One policy for all workers, a pure function of the error, the attempts so far and the time. The
table is read from the top; the first family that fits decides.
"""

import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

from shared.domain.errors import (
    ChannelDown,
    ConfigurationError,
    PatronError,
    PermanentError,
    TransientError,
)

BUG = "bug"
POISON = "poison"


@dataclass(frozen=True, slots=True)
class TryAgain:
    """Handle the message again at `at`; this attempt counts."""

    at: datetime
    reason: str


@dataclass(frozen=True, slots=True)
class GiveUp:
    """Dead-letter the message."""

    reason: str


@dataclass(frozen=True, slots=True)
class PauseChannel:
    """The message's channel waits until `until`; the attempt does not count."""

    until: datetime
    reason: str


Decision = TryAgain | GiveUp | PauseChannel


@dataclass(frozen=True, slots=True)
class Recoverability:
    """The policy's numbers, and its decision.

    `jitter` draws from [0, 1); a test passes a constant.
    """

    max_attempts: int = 12
    max_bug_attempts: int = 3
    first_delay_seconds: float = 5.0
    max_delay_seconds: float = 3600.0
    max_retry_after_seconds: float = 86400.0
    pause_seconds: float = 300.0
    jitter: Callable[[], float] = random.random

    def decide(self, error: BaseException, attempts: int, now: datetime) -> Decision:
        """Say what becomes of a message that failed with `error` after `attempts` failures."""
        for family, rule in _TABLE:
            if isinstance(error, family):
                return rule(self, error, attempts, now)
        return _bug(self, error, attempts, now)

    def backoff_seconds(self, attempts: int) -> float:
        """Return the wait after one more failure: doubling, capped, a random half of it."""
        doubled = self.first_delay_seconds * float(1 << min(attempts, 32))
        ceiling = min(doubled, self.max_delay_seconds)
        return ceiling * (0.5 + 0.5 * self.jitter())


def _permanent(
    policy: Recoverability, error: BaseException, attempts: int, now: datetime
) -> Decision:
    return GiveUp(_reason(error))


def _configuration(
    policy: Recoverability, error: BaseException, attempts: int, now: datetime
) -> Decision:
    return PauseChannel(now + timedelta(seconds=policy.pause_seconds), _reason(error))


def _channel_down(
    policy: Recoverability, error: BaseException, attempts: int, now: datetime
) -> Decision:
    wait_seconds = error.wait_seconds if isinstance(error, ChannelDown) else policy.pause_seconds
    bounded = min(wait_seconds, policy.max_retry_after_seconds)
    return PauseChannel(now + timedelta(seconds=bounded), _reason(error))


def _transient(
    policy: Recoverability, error: BaseException, attempts: int, now: datetime
) -> Decision:
    if attempts + 1 >= policy.max_attempts:
        return GiveUp(_reason(error))
    return TryAgain(now + timedelta(seconds=_wait(policy, error, attempts)), _reason(error))


def _bug(policy: Recoverability, error: BaseException, attempts: int, now: datetime) -> Decision:
    if attempts + 1 >= policy.max_bug_attempts:
        return GiveUp(_reason(error))
    return TryAgain(now + timedelta(seconds=policy.backoff_seconds(attempts)), _reason(error))


def _wait(policy: Recoverability, error: BaseException, attempts: int) -> float:
    """Wait as long as was asked for (and a little, differently each), or else back off."""
    asked = error.retry_after_seconds if isinstance(error, TransientError) else None
    if asked is None:
        return policy.backoff_seconds(attempts)
    spread = policy.first_delay_seconds * policy.jitter()
    return min(max(asked, 0.0), policy.max_retry_after_seconds) + spread


def _reason(error: BaseException) -> str:
    return error.reason if isinstance(error, PatronError) else BUG


_Rule = Callable[[Recoverability, BaseException, int, datetime], Decision]
_TABLE: tuple[tuple[type[BaseException], _Rule], ...] = (
    (PermanentError, _permanent),
    (ConfigurationError, _configuration),
    (ChannelDown, _channel_down),
    (TransientError, _transient),
)
