"""What a soak costs over time: memory of each worker, messages owed, queue depths.

Looks from outside, in /proc, the tables and the broker's books. Its promise: what could not be
looked at, because the server was down, is a gap and never a zero.
"""

import threading
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import linear_regression
from typing import Final

import httpx2
import sqlalchemy as sa

from benchmarks.soak.faults import Journal
from benchmarks.soak.site import Site

OWED: Final = "messages owed"
_KIB_PER_MIB: Final = 1024
_BARS: Final = "▁▂▃▄▅▆▇█"
_WIDEST: Final = 60


@dataclass(frozen=True, slots=True)
class Sample:
    """One look; what could not be seen is missing."""

    seconds: float
    values: dict[str, float]


class Curves:
    """Takes a sample every few seconds until told to stop."""

    def __init__(
        self, site: Site, journal: Journal, stop: threading.Event, *, every_seconds: float
    ) -> None:
        self._site = site
        self._journal = journal
        self._stop = stop
        self._every_seconds = every_seconds
        self.samples: list[Sample] = []

    def run(self) -> None:
        """Look, and again."""
        while not self._stop.wait(self._every_seconds):
            self.look()

    def look(self) -> None:
        """Take one sample."""
        values: dict[str, float] = {}
        for name, worker in sorted(self._site.workers.items()):
            with suppress(OSError, ValueError):
                values[memory_of(name)] = _resident_mib(worker.pid)
        with suppress(sa.exc.DBAPIError):
            values[OWED] = self._site.deployment.value("SELECT count(*) FROM messages")
        with suppress(httpx2.HTTPError):
            values |= self._site.depths()
        self.samples.append(Sample(self._journal.seconds, values))

    def series(self, name: str, *, after_seconds: float = 0.0) -> list[tuple[float, float]]:
        """Return one curve as pairs of seconds and value."""
        return [
            (sample.seconds, sample.values[name])
            for sample in self.samples
            if name in sample.values and sample.seconds >= after_seconds
        ]

    @property
    def names(self) -> list[str]:
        """The names of all curves, memory first."""
        found = dict.fromkeys(name for sample in self.samples for name in sample.values)
        return sorted(found, key=lambda name: (not name.startswith("memory"), name))


def memory_of(worker: str) -> str:
    """Return the name of a worker's memory curve."""
    return f"memory of {worker} [MiB]"


def mib_per_minute(series: Sequence[tuple[float, float]]) -> float:
    """Return the slope of a curve; 0 for too few points."""
    if len(series) < 3:
        return 0.0
    seconds, values = zip(*series, strict=True)
    return linear_regression(seconds, values).slope * 60


def sparkline(values: Sequence[float]) -> str:
    """Draw a curve in one line, from zero to its highest."""
    if not values:
        return ""
    step = max(1, -(-len(values) // _WIDEST))
    peaks = [max(values[place : place + step]) for place in range(0, len(values), step)]
    top = max(peaks) or 1.0
    return "".join(_BARS[round(value / top * (len(_BARS) - 1))] for value in peaks)


def _resident_mib(pid: int) -> float:
    """Return a process's resident memory. Raises OSError or ValueError when it is gone."""
    status = Path("/proc", str(pid), "status").read_text("ascii")
    [line] = [line for line in status.splitlines() if line.startswith("VmRSS:")]
    return int(line.split()[1]) / _KIB_PER_MIB
