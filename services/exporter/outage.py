"""Tells a shop that is down from a customer that the shop fails on.

When the shop is away or throttles us, no export is to blame: the channel waits, nothing is taken
from its queue, and no attempt is used up, however long it lasts. Its promise: only failures of the
platform as a whole are told so, so that what fails by itself is still given up some day.
"""

from collections.abc import Sequence
from typing import Any, Final

import structlog

from services.exporter.effects import ChannelEffects, Exported
from shared.connectors.ports import CustomerSink
from shared.domain.errors import ChannelDown, PatronError, RemoteThrottled, TransientError
from shared.domain.messages import Envelope
from shared.persistence.unit_of_work import UnitOfWork
from shared.runtime.loops import Beat

_MOST_DOUBLINGS: Final = 16
_log = structlog.get_logger()


class Outage:
    """What is known of one shop being down: nothing, or for how many looks it has been."""

    def __init__(
        self,
        channel: str,
        sink: CustomerSink,
        *,
        first_seconds: float,
        longest_seconds: float,
    ) -> None:
        self._channel = channel
        self._sink = sink
        self._first_seconds = first_seconds
        self._longest_seconds = longest_seconds
        self._looks = 0

    def lasts(self) -> ChannelDown | None:
        """Look again at a shop that was down; return why it has to be waited for, if it has."""
        return self.look() if self._looks else None

    def look(self) -> ChannelDown | None:
        """Ask the shop for what it always has; return what follows if it cannot answer."""
        try:
            self._sink.check()
        except TransientError as error:
            return self.began(error)
        except PatronError:
            pass  # it is up, whatever else is wrong
        self.is_over()
        return None

    def began(self, error: TransientError) -> ChannelDown:
        """Wait for the shop: as long as it asks for, or else longer each time."""
        backoff = self._first_seconds * 2.0 ** min(self._looks, _MOST_DOUBLINGS)
        asked = error.retry_after_seconds
        seconds = min(backoff, self._longest_seconds) if asked is None else asked
        self._looks += 1
        _log.warning(
            "channel.down", channel=self._channel, reason=error.reason, wait_seconds=seconds
        )
        wait_seconds = max(seconds, self._first_seconds)
        return ChannelDown(str(error), reason=error.reason, wait_seconds=wait_seconds)

    def is_over(self) -> None:
        """Take it that the shop answers again."""
        if self._looks:
            _log.info("channel.up", channel=self._channel, looks=self._looks)
        self._looks = 0


class OutageAware:
    """A channel's effects, whose failures are the channel's own while the shop is down."""

    def __init__(self, effects: ChannelEffects, outage: Outage) -> None:
        self._effects = effects
        self._outage = outage

    def perform(self, envelopes: Sequence[Envelope[Any]], beat: Beat) -> Sequence[Exported]:
        """Carry out the exports, unless the shop is still down."""
        if down := self._outage.lasts():
            return [Exported(failure=down)] * len(envelopes)
        results = self._effects.perform(envelopes, beat)
        beat()
        return self._judged(results)

    def record(self, outcomes: Sequence[tuple[Envelope[Any], Exported]], work: UnitOfWork) -> None:
        """Note what came of the exports; waiting for the shop is not worth a line each time."""
        self._effects.record(
            [pair for pair in outcomes if not isinstance(pair[1].failure, ChannelDown)], work
        )

    def _judged(self, results: Sequence[Exported]) -> Sequence[Exported]:
        """Return the results with what is the channel's failure told as that."""
        troubles = [r.failure for r in results if isinstance(r.failure, TransientError)]
        throttled = [error for error in troubles if isinstance(error, RemoteThrottled)]
        if throttled:
            # It is about how much we ask, never about whom.
            return _replaced(results, RemoteThrottled, self._outage.began(throttled[-1]))
        if not troubles:
            self._outage.is_over()
        elif len(troubles) == len(results) and (down := self._outage.look()):
            return _replaced(results, TransientError, down)
        return results


def _replaced(
    results: Sequence[Exported], family: type[TransientError], down: ChannelDown
) -> list[Exported]:
    return [Exported(failure=down) if isinstance(r.failure, family) else r for r in results]
