"""Whether a channel is set up for what is written to it, looked at when the exporter starts.

A missing attribute or right pauses the channel before the first customer meets it. While
something is wrong it is looked at again and again, and the channel goes on as soon as it is
mended; while all is well, now and then.
"""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

import structlog

from shared.connectors.ports import CustomerSink, Finding
from shared.domain.errors import ConfigurationError, TransientError
from shared.persistence import pauses
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.loops import Beat

WELL_SECONDS: Final = 3600.0
REASON: Final = ConfigurationError.reason

_log = structlog.get_logger()


class SetupCheck:
    """Looks at one channel's set-up, and pauses or resumes the channel accordingly."""

    def __init__(
        self,
        channel: str,
        sink: CustomerSink,
        units: UnitsOfWork,
        *,
        pause_seconds: float,
        on_change: Callable[[], None],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Look by `sink`; `on_change` is called when the channel was just paused or resumed."""
        self._channel = channel
        self._sink = sink
        self._units = units
        self._pause = timedelta(seconds=2 * pause_seconds)
        self._on_change = on_change
        self._clock = clock
        self._well_until = float("-inf")

    def look(self, beat: Beat) -> None:
        """Look, unless all was well a short while ago. Called every `pause_seconds`."""
        if self._clock() < self._well_until:
            return
        beat()
        try:
            problems = [finding for finding in self._sink.check() if finding.problem]
        except TransientError as error:
            _log.warning("channel.setup_unknown", channel=self._channel, reason=error.reason)
            return
        if problems:
            self._stop(problems)
        else:
            self._resume()

    def _stop(self, problems: list[Finding]) -> None:
        for finding in problems:
            _log.error(
                "channel.setup_problem",
                channel=self._channel,
                subject=finding.subject,
                problem=finding.problem,
                advice=finding.advice,
            )
        first = problems[0]
        with self._units.begin() as work:
            pauses.pause(
                work,
                self._channel,
                reason=REASON,
                detail=f"{first.subject}: {first.problem}",
                retry_at=work.now + self._pause,
            )
        self._on_change()

    def _resume(self) -> None:
        self._well_until = self._clock() + WELL_SECONDS
        with self._units.begin() as work:
            pause = pauses.active(work).get(self._channel)
            if pause and pause.reason == REASON:
                pauses.lift(work, [self._channel])
        self._on_change()
        _log.info("channel.setup_verified", channel=self._channel)
