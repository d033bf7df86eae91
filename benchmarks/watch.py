"""Watches workers at work: how far each has come by its own metrics, and how much memory it took.

Looks from outside, over HTTP and in /proc, as an operator's monitoring does. Its promise: a mark
holds each worker's peak at the moment when that worker had done its share, not when another had.
"""

import socket
import threading
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import Final, Self

import httpx2
from prometheus_client.parser import text_string_to_metric_families

from benchmarks.processes import Process, cpu_seconds_of

_LOOK_SECONDS: Final = 0.5
_KIB_PER_MIB: Final = 1024


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True)
class Watched:
    """A worker: its process, where it tells its metrics, and which of them counts its work."""

    process: Process
    port: int
    counter: str
    in_all: int

    def counts(self) -> Counter[str]:
        """Return the counter by the values of its labels; nothing when the worker is gone."""
        try:
            answer = httpx2.get(f"http://127.0.0.1:{self.port}/metrics", timeout=10)
        except httpx2.TransportError:
            return Counter()
        return Counter({
            " ".join(sample.labels.values()): int(sample.value)
            for family in text_string_to_metric_families(answer.text)
            for sample in family.samples
            if sample.name == self.counter
        })  # fmt: skip

    def cpu_seconds(self) -> float:
        """Return the CPU time that the process has used so far."""
        return cpu_seconds_of([self.process.pid])

    def peak_mib(self) -> float:
        """Return the most memory that the process ever had resident."""
        status = Path("/proc", str(self.process.pid), "status").read_text("ascii")
        [line] = [line for line in status.splitlines() if line.startswith("VmHWM:")]
        return int(line.split()[1]) / _KIB_PER_MIB


@dataclass
class Watch:
    """Notes each worker's peak memory when it has done given shares of its work."""

    workers: Mapping[str, Watched]
    shares: Sequence[float]
    peaks: dict[str, dict[str, float]] = field(default_factory=dict)

    def __enter__(self) -> Self:
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._look, name="watch", daemon=True)
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._over.set()
        self._thread.join()

    def mark(self, name: str) -> None:
        """Note the peak of every worker now."""
        for role, worker in self.workers.items():
            self.peaks.setdefault(role, {})[name] = worker.peak_mib()

    def _look(self) -> None:
        ahead = {role: list(self.shares) for role in self.workers}
        while not self._over.wait(_LOOK_SECONDS):
            for role, worker in self.workers.items():
                if not ahead[role]:
                    continue
                done = worker.counts().total() / worker.in_all
                while ahead[role] and done >= ahead[role][0]:
                    share = f"{ahead[role].pop(0):.0%}"
                    self.peaks.setdefault(role, {})[share] = worker.peak_mib()
