"""Which store view is read next: the one that is longest due, under a lease.

Any number of importers may run; a lease lets one at a time read a store view, and ends by itself
when its holder dies. One loop for each channel, so a shop that hangs holds up only itself.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from services.importer.pages import StoreViewReader
from services.importer.tasks import Run, Tasks
from services.importer.timetable import Timetable
from shared.domain.errors import ConfigurationError, PatronError, TransientError
from shared.observability.evidence import evidence
from shared.observability.metrics import Metrics
from shared.persistence import enabled_views
from shared.persistence.cursors import Cursors, Lease, LeaseLost
from shared.persistence.failures import DatabaseContended, DatabaseUnavailable
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.loops import Beat
from shared.runtime.recoverability import BUG

_MEASURE_EVERY_SECONDS = 10.0

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Waits:
    """How long a failed view waits: doubling from the first to the longest; set-up errors."""

    first_seconds: float = 5.0
    longest_seconds: float = 900.0
    configuration_seconds: float = 60.0

    def after(self, error: Exception, failures: int) -> timedelta:
        """Return the wait after one more failure."""
        if isinstance(error, ConfigurationError):
            return timedelta(seconds=self.configuration_seconds)
        backoff = min(self.first_seconds * 2 ** min(failures, 16), self.longest_seconds)
        asked = asked_for(error)
        return timedelta(seconds=backoff if asked is None else asked)


def asked_for(error: Exception) -> float | None:
    """Return how many seconds the platform wants to be left alone, if it said so."""
    return error.retry_after_seconds if isinstance(error, TransientError) else None


class ChannelSchedule:
    """Reads the due store views of one channel, one after the other."""

    def __init__(
        self,
        channel: str,
        readers: Mapping[str, StoreViewReader],
        timetables: Mapping[str, Timetable],
        tasks: Tasks,
        *,
        units: UnitsOfWork,
        metrics: Metrics,
        owner: str,
        may_read: Callable[[], bool] = lambda: True,
        waits: Waits | None = None,
        timer: Callable[[], float] = time.monotonic,
    ) -> None:
        self._channel = channel
        self._readers = readers
        self._timetables = timetables
        self._tasks = tasks
        self._units = units
        self._metrics = metrics
        self._owner = owner
        self._may_read = may_read
        self._waits = waits or Waits()
        self._timer = timer
        self._quiet_until = datetime.min.replace(tzinfo=UTC)
        self._may_sweep_at = self._measure_at = float("-inf")

    def prepare(self) -> None:
        """Have a cursor for every store view, due when its timetable says so (C365-2).

        The other views of the channel are switched off, or gone: nothing is read of them.
        """
        with self._units.begin() as work:
            for code, timetable in self._timetables.items():
                enabled_views.enable(work, self._channel, code, timetable.terms(work.now))
            enabled_views.disable(work, self._channel, but=self._timetables.keys())

    def run_next(self, beat: Beat) -> bool:
        """Perform the task that is longest due; return whether there was one."""
        if not self._readers:
            return False
        self._measure()
        if not self._may_read():
            return False
        views = [(self._channel, code) for code in self._readers]
        with self._units.begin() as work:
            if work.now < self._quiet_until:
                return False
            lease = Cursors(work).acquire(
                self._owner,
                self._tasks.lease_seconds,
                among=views,
                may_sweep=self._timer() >= self._may_sweep_at,
            )
        if lease is None:
            return False
        self._perform(Run(lease, timer=self._timer), beat)
        return True

    def _measure(self) -> None:
        """Show how far behind the channel is, now and then, whoever reads it (NEW-14)."""
        if self._timer() < self._measure_at:
            return
        self._measure_at = self._timer() + _MEASURE_EVERY_SECONDS
        with self._units.read() as work:
            lag = enabled_views.lag(work, self._channel)
        self._metrics.import_lag_seconds.labels(self._channel).set(lag)

    def _perform(self, run: Run, beat: Beat) -> None:
        log = _log.bind(
            channel=self._channel, store_view=run.lease.cursor.store_view, task=run.lease.task
        )
        try:
            self._read(run, beat)
        except LeaseLost:
            log.warning("import.lease_lost")
        except (DatabaseUnavailable, DatabaseContended):
            raise
        except PatronError as error:
            self._fail(run.lease, error, error.reason)
            log.warning("import.failed", reason=error.reason, error=str(error), read=run.read)
        except Exception as error:
            # A bug that one shop's data brings out must not end the import of the others.
            self._fail(run.lease, error, BUG)
            log.exception("import.failed", reason=BUG, read=run.read)
        else:
            log.info(
                "import.finished", read=run.read, changed=run.changed, deleted=run.deleted,
                seconds=round(run.seconds, 3),
            )  # fmt: skip

    def _read(self, run: Run, beat: Beat) -> None:
        code = run.lease.cursor.store_view
        reader, timetable = self._readers[code], self._timetables[code]
        is_over = True
        if run.lease.task == "poll":
            self._tasks.poll(run, reader, beat)
        else:
            is_over = self._sweep(run, reader, beat)
        with self._units.begin() as work:
            rhythm = timetable.poll if run.lease.task == "poll" else timetable.sweep
            next_at = rhythm.after(work.now) if is_over else work.now + self._tasks.rest_after(run)
            Cursors(work).succeed(run.lease, next_at=next_at, sweep_is_over=is_over)
        self._metrics.import_last_success_timestamp_seconds.labels(
            self._channel
        ).set_to_current_time()

    def _sweep(self, run: Run, reader: StoreViewReader, beat: Beat) -> bool:
        """Read a slice; after it no view of the channel is swept for a while."""
        try:
            return self._tasks.sweep(run, reader, beat)
        finally:
            self._may_sweep_at = self._timer() + self._tasks.rest_after(run).total_seconds()

    def _fail(self, lease: Lease, error: Exception, reason: str) -> None:
        wait = self._waits.after(error, lease.failures)
        with self._units.begin() as work:
            if asked_for(error) is not None:
                # The shop is asked for all its store views; whoever it sends away stays away.
                self._quiet_until = work.now + wait
            text = f"{reason}: {evidence(error).text}"
            try:
                Cursors(work).fail(lease, text, retry_at=work.now + wait)
            except LeaseLost:
                _log.warning("import.lease_lost", channel=self._channel)
