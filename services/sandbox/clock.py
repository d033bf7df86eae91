"""The clock of a sandbox shop: real time, shifted or stopped at will.

Its promise: whole seconds in UTC, as the shop's database would store them.
"""

import threading
import time
from datetime import UTC, datetime

STAMP = "%Y-%m-%d %H:%M:%S"


class Clock:
    """Tells the shop what time it is; tests move it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._shift = 0
        self._frozen: int | None = None

    def now(self) -> int:
        """Seconds since the epoch, as the shop sees them."""
        with self._lock:
            return self._frozen if self._frozen is not None else int(time.time()) + self._shift

    def stamp(self) -> str:
        """Now, as the shop writes it: `YYYY-MM-DD HH:MM:SS` in UTC."""
        return stamp(self.now())

    def freeze(self, at: datetime | None = None) -> None:
        """Stop the clock, at `at` or where it stands."""
        moment = int(at.timestamp()) if at else self.now()
        with self._lock:
            self._frozen = moment

    def advance(self, seconds: int) -> None:
        """Move the clock by `seconds`; a frozen one stays frozen."""
        with self._lock:
            if self._frozen is not None:
                self._frozen += seconds
            else:
                self._shift += seconds

    def run(self) -> None:
        """Let a frozen clock go on from where it stands."""
        with self._lock:
            if self._frozen is not None:
                self._shift = self._frozen - int(time.time())
                self._frozen = None


def stamp(moment: int) -> str:
    """Write `moment` as the shop does."""
    # time.gmtime and an f-string are several times faster than datetime.strftime,
    # and every seeded customer passes here twice.
    t = time.gmtime(moment)
    return f"{t.tm_year:04}-{t.tm_mon:02}-{t.tm_mday:02} {t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02}"


def moment_of(text: str) -> int:
    """Read what `stamp` wrote; a bare date is its midnight. Raises ValueError for others."""
    pattern = STAMP if len(text) > 10 else "%Y-%m-%d"
    return int(datetime.strptime(text, pattern).replace(tzinfo=UTC).timestamp())
