"""Holds a channel's consumer back while the channel is paused.

A pause is a row of `channel_pauses`: set when a platform refuses our credentials or lacks a field
we write, over when its moment has come, when a message goes through, or when an operator removes
it.
"""

import time
from collections.abc import Callable

import sqlalchemy as sa

from shared.persistence.tables import channel_pauses
from shared.persistence.unit_of_work import UnitsOfWork


class PauseGate:
    """A consumer's `Gate` that is closed while `channel` is paused."""

    def __init__(
        self,
        channel: str,
        units: UnitsOfWork,
        *,
        look_every_seconds: float = 2.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._query = sa.select(channel_pauses.c.retry_at).where(
            channel_pauses.c.channel == channel
        )
        self._units = units
        self._look_every_seconds = look_every_seconds
        self._clock = clock
        self._looked_at = float("-inf")
        self._closed_until = float("-inf")

    def closed_for(self) -> float:
        """Return for how many seconds the channel stays paused; 0 when it does not.

        Raises what the database does; whoever asks again then has it looked at again.
        """
        now = self._clock()
        if now - self._looked_at >= self._look_every_seconds:
            # Before it looks: being told to look again meanwhile must not be forgotten.
            self._looked_at = now
            try:
                self._closed_until = now + self._look()
            except Exception:
                self.look_again()
                raise
        return max(0.0, self._closed_until - now)

    def look_again(self) -> None:
        """Look at the next question, however short a while ago that was done. For any thread."""
        self._looked_at = float("-inf")

    def _look(self) -> float:
        with self._units.read() as work:
            retry_at = work.connection.execute(self._query).scalar()
            return (retry_at - work.now).total_seconds() if retry_at else 0.0
