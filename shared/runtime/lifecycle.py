"""A process's life: start the workers, answer for their health, drain them in order, exit.

`run` is what every `__main__` comes to. Its promise: the first SIGTERM or SIGINT stops taking
work, finishes what is in hand, drains what is to be sent, lets go of every connection and exits
with 0; a second signal ends the process at once; a loop that dies ends it loudly with 1. The same
orderly end comes of a SIGHUP, if whoever is asked about the new configuration accepts it.
"""

import queue
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from dataclasses import dataclass, field

import structlog

from shared.domain.errors import ConfigurationError
from shared.messaging.broker import BrokerUnavailable
from shared.observability.evidence import class_name
from shared.observability.pulse import felt_by
from shared.persistence.failures import DatabaseContended, DatabaseUnavailable
from shared.runtime.loops import Loop
from shared.runtime.signals import Orders, signals_heard

EXIT_DONE = 0
EXIT_FAILED = 1

_OUTAGES = (BrokerUnavailable, DatabaseUnavailable, DatabaseContended, ConfigurationError)

_WAKE_SECONDS = 0.5

Report = Callable[[str, BaseException], None]
_log = structlog.get_logger()


class _Running:
    """A loop in its thread: run again after an outage, reported when it dies."""

    def __init__(self, worker: str, loop: Loop, report: Report) -> None:
        self.name = f"{worker}.{loop.name}"
        self._loop = loop
        self._report = report
        self._stopped = threading.Event()
        self._ticked = time.monotonic()
        self._thread = threading.Thread(target=self._live, name=self.name, daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()
        self._loop.stop()

    def join(self, until: float) -> bool:
        """Wait for the end, and say whether it came before the moment `until`."""
        self._thread.join(max(0.0, until - time.monotonic()))
        return not self._thread.is_alive()

    def silence_seconds(self) -> float:
        """Return how long ago the loop ticked; a loop that was stopped owes no ticks."""
        return 0.0 if self._stopped.is_set() else time.monotonic() - self._ticked

    def _beat(self) -> None:
        self._ticked = time.monotonic()

    def _live(self) -> None:
        outages = 0
        while True:
            began = time.monotonic()
            try:
                with felt_by(self._beat):
                    self._loop.run(self._beat)
            except Exception as error:  # noqa: BLE001 - told apart and reported here
                if not isinstance(error, _OUTAGES):
                    self._report(self.name, error)
                    return
                outages = 1 if time.monotonic() - began > 60.0 else outages + 1  # noqa: PLR2004
                _log.warning("loop.interrupted", loop=self.name, tries=outages, exc_info=error)
            else:
                if not self._stopped.is_set():
                    self._report(self.name, RuntimeError("the loop ended by itself"))
                return
            if self._wait(min(0.25 * 2**outages, 15.0)):
                return

    def _wait(self, seconds: float) -> bool:
        self._beat()
        is_stopped = self._stopped.wait(seconds)
        self._beat()
        return is_stopped


class Worker:
    """One role's loops. Intake loops stop first; the background ones drain after them."""

    def __init__(self, name: str, loops: Sequence[Loop], background: Sequence[Loop] = ()) -> None:
        self.name = name
        self._loops = loops
        self._background = background
        self._stages: tuple[list[_Running], list[_Running]] = ([], [])

    def start(self, report: Report) -> None:
        """Start every loop; `report` hears of one that dies, from its thread."""
        self._stages = (
            [_Running(self.name, loop, report) for loop in self._loops],
            [_Running(self.name, loop, report) for loop in self._background],
        )
        for running in (*self._stages[1], *self._stages[0]):
            running.start()

    def stop_intake(self) -> None:
        """Ask the intake loops to end after what they have in hand. Returns at once."""
        for running in self._stages[0]:
            running.stop()

    def wait(self, until: float) -> bool:
        """Wait for the intake, then stop the background; say whether all ended by `until`."""
        ended = [running.join(until) for running in self._stages[0]]
        for running in self._stages[1]:
            running.stop()
        ended += [running.join(until) for running in self._stages[1]]
        return all(ended)

    def silent(self, longest_seconds: float) -> list[str]:
        """Name the loops that have not ticked for longer than `longest_seconds`."""
        stages = (*self._stages[0], *self._stages[1])
        return [each.name for each in stages if each.silence_seconds() > longest_seconds]


@dataclass
class Process:
    """What the health checks know of the process as a whole."""

    workers: Sequence[Worker]
    longest_silence_seconds: float = 60.0
    is_draining: bool = field(default=False, init=False)
    is_started: bool = field(default=False, init=False)

    def startup(self) -> str | None:
        """Say whether the workers are not started yet."""
        return None if self.is_started else "starting"

    def liveness(self) -> str | None:
        """Name loops that stopped ticking."""
        silent = [n for worker in self.workers for n in worker.silent(self.longest_silence_seconds)]
        return f"no tick from {', '.join(silent)}" if silent else None

    def readiness(self) -> str | None:
        """Say whether the process takes no work because it is ending or not yet begun."""
        return "draining" if self.is_draining else self.startup()


def run(
    process: Process,
    *,
    grace_seconds: float = 25.0,
    close: Sequence[Callable[[], None]] = (),
    orders: Orders | None = None,
    is_to_start_anew: Callable[[], bool] = lambda: False,
) -> int:
    """Run the workers until a signal or a death; return the exit code.

    `close` is called in order once the workers have ended: broker, engine, health server. `orders`
    are those of a caller that hears the signals itself. `is_to_start_anew` is asked at a SIGHUP,
    while the work goes on, whether that is to end. To be called by the main thread.
    """
    news: queue.SimpleQueue[BaseException | None] = queue.SimpleQueue()

    def report(name: str, error: BaseException) -> None:
        _log.critical("loop.died", loop=name, exc_info=error)
        news.put(error)

    with nullcontext(orders) if orders else signals_heard() as heard:
        heard.wake_by(lambda: news.put(None))
        for worker in process.workers:
            worker.start(report)
        process.is_started = True
        _log.info("process.started", workers=[worker.name for worker in process.workers])
        death = _until_the_end(news, heard, is_to_start_anew)
        is_drained = _drain(process, grace_seconds)
        is_closed = _close(close)
    code = EXIT_DONE if death is None and is_drained and is_closed else EXIT_FAILED
    _log.info("process.stopped", exit_code=code)
    return code


def _until_the_end(
    news: queue.SimpleQueue[BaseException | None],
    orders: Orders,
    is_to_start_anew: Callable[[], bool],
) -> BaseException | None:
    """Wait for a death, or for an order to end; return the death.

    Wakes up now and then: Python calls a signal's handler between two steps of the main thread. A
    signal that comes just before the wait, or that another thread was given, would not be heard
    until it is over.
    """
    death: BaseException | None = None
    while not (death or orders.is_end_asked):
        if orders.take_reload() and is_to_start_anew():
            break
        try:
            death = news.get(timeout=_WAKE_SECONDS)
        except queue.Empty:
            continue
    return death


def _drain(process: Process, grace_seconds: float) -> bool:
    process.is_draining = True
    _log.info("process.draining", grace_seconds=grace_seconds)
    until = time.monotonic() + grace_seconds
    for worker in process.workers:
        worker.stop_intake()
    ended = [worker.wait(until) for worker in process.workers]
    if not all(ended):
        _log.error("process.grace_exceeded", grace_seconds=grace_seconds)
    return all(ended)


def _close(close: Sequence[Callable[[], None]]) -> bool:
    """Call every closer, whatever the others do."""
    is_clean = True
    for closer in close:
        try:
            closer()
        except Exception as error:  # noqa: BLE001 - the others must be closed all the same
            is_clean = False
            _log.error("process.close_failed", error_class=class_name(error))
    return is_clean
