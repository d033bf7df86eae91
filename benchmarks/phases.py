"""Where a processor's time goes: `python -m benchmarks.phases REPORT` is one that takes notes.

It puts timers around public functions of the processor and what it runs on, then runs it as
`python -m services.processor` does; production code knows nothing of it. Times are exclusive: what
a timed function spends in another timed one counts for that. They begin with the first delivery
and end with the last acknowledgement.
"""

import functools
import json
import sys
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from services.processor import __main__ as processor
from services.processor import worker
from services.processor.plan import Plan
from shared.messaging.rabbitmq.consumption import RabbitMQConsumption
from shared.runtime import consumer, transactional
from shared.runtime.main import main_of
from shared.runtime.outbox import Outbox
from shared.runtime.tally import Tally

Function = Callable[..., Any]


@dataclass
class _Frame:
    phase: str
    wall_inside: float = 0.0
    cpu_inside: float = 0.0


@dataclass
class _Spent:
    wall: float = 0.0
    cpu: float = 0.0


@dataclass
class Notes:
    """What was measured; only the thread that consumes is split into phases."""

    began: tuple[float, float] | None = None
    thread: int = 0
    spent: defaultdict[str, _Spent] = field(default_factory=lambda: defaultdict(_Spent))
    stack: list[_Frame] = field(default_factory=list)
    threads_before: dict[str, float] = field(default_factory=dict)
    report: dict[str, Any] = field(default_factory=dict)

    def timed(self, phase: str, function: Function) -> Function:
        """Return `function` with a timer around it; a phase ending in "/" is its caller's."""

        @functools.wraps(function)
        def run(*args: Any, **kwargs: Any) -> Any:
            if threading.get_ident() != self.thread:
                return function(*args, **kwargs)
            name = phase
            if phase.startswith("/"):
                name = (self.stack[-1].phase if self.stack else "other") + phase
            frame = _Frame(name)
            self.stack.append(frame)
            wall, cpu = time.perf_counter(), time.thread_time()
            try:
                return function(*args, **kwargs)
            finally:
                wall, cpu = time.perf_counter() - wall, time.thread_time() - cpu
                self.stack.pop()
                spent = self.spent[name]
                spent.wall += wall - frame.wall_inside
                spent.cpu += cpu - frame.cpu_inside
                if self.stack:
                    self.stack[-1].wall_inside += wall
                    self.stack[-1].cpu_inside += cpu

        return run

    def begin(self, take: Function) -> Function:
        """Return `take` so that measuring starts when it first returns something."""
        timed = self.timed("wait and take", take)

        @functools.wraps(take)
        def run(*args: Any, **kwargs: Any) -> Any:
            deliveries = timed(*args, **kwargs)
            if deliveries and self.began is None:
                self.thread = threading.get_ident()
                self.began = time.perf_counter(), time.thread_time()
                self.threads_before = _thread_times()
            return deliveries

        return run

    def end(self, measure: Function) -> Function:
        """Return `measure`, the last thing done for a batch, so that notes are taken after it."""
        timed = self.timed("metrics", measure)

        @functools.wraps(measure)
        def run(*args: Any, **kwargs: Any) -> Any:
            timed(*args, **kwargs)
            self._take_note()

        return run

    def _take_note(self) -> None:
        if self.began is None:
            return
        before = self.threads_before
        self.report = {
            "wall": time.perf_counter() - self.began[0],
            "cpu": time.thread_time() - self.began[1],
            "phases": {name: vars(spent).copy() for name, spent in self.spent.items()},
            "threads": {n: t - before.get(n, 0.0) for n, t in _thread_times().items()},
        }


def main(report: Path) -> int:
    """Run a processor with timers, and write the report when it ends."""
    notes = Notes()
    _put_timers(notes)
    code = main_of(processor.NAME, processor.build)
    report.write_text(json.dumps(notes.report))
    return code


def _put_timers(notes: Notes) -> None:
    for owner, name, phase in _TIMED:
        setattr(owner, name, notes.timed(phase, getattr(owner, name)))
    setattr(RabbitMQConsumption, "take", notes.begin(RabbitMQConsumption.take))  # noqa: B010
    setattr(Tally, "measure", notes.end(Tally.measure))  # noqa: B010


_TIMED: tuple[tuple[Any, str, str], ...] = (
    (consumer, "decode", "decode"),
    (transactional, "claim", "claim"),
    (worker, "gather", "gather"),
    (worker, "decide", "decide"),
    (Plan, "add", "plan"),
    (worker, "apply", "apply"),
    (psycopg.Cursor, "execute", "/sql"),
    (psycopg.Connection, "commit", "commit"),
    (Outbox, "offer", "offer for publishing"),
    (RabbitMQConsumption, "settle", "acknowledge"),
    (Tally, "count", "metrics"),
)


def _thread_times() -> dict[str, float]:
    """Return the CPU time of every thread of this process."""
    times: defaultdict[str, float] = defaultdict(float)
    for thread in threading.enumerate():
        if thread.ident:
            with suppress(OSError):
                clock = time.pthread_getcpuclockid(thread.ident)
                times[thread.name] += time.clock_gettime(clock)
    return dict(times)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
