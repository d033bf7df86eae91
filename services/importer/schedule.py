"""Which store view is read next: the one that is longest due, under a lease.

Any number of importers may run; a lease lets one at a time read a store view, and ends by itself
when its holder dies. One loop for each channel, so a shop that hangs holds up only itself.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import structlog

from services.importer.pages import StoreViewReader
from services.importer.tasks import Run, Tasks
from shared.domain.errors import ConfigurationError, PatronError, TransientError
from shared.observability.evidence import evidence
from shared.observability.metrics import Metrics
from shared.persistence.cursors import Cursors, Lease, LeaseLost
from shared.persistence.failures import DatabaseContended, DatabaseUnavailable
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.loops import Beat
from shared.runtime.recoverability import BUG

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Interval:
    """How often a store view is polled and swept, in seconds."""

    poll_seconds: float
    sweep_seconds: float


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
        intervals: Mapping[str, Interval],
        tasks: Tasks,
        *,
        units: UnitsOfWork,
        metrics: Metrics,
        owner: str,
        may_read: Callable[[], bool] = lambda: True,
        waits: Waits | None = None,
    ) -> None:
        self._channel = channel
        self._readers = readers
        self._intervals = intervals
        self._tasks = tasks
        self._units = units
        self._metrics = metrics
        self._owner = owner
        self._may_read = may_read
        self._waits = waits or Waits()
        self._quiet_until = datetime.min.replace(tzinfo=UTC)

    def prepare(self) -> None:
        """Have a cursor for every store view; the first sweep comes an interval later."""
        with self._units.begin() as work:
            for code, interval in self._intervals.items():
                first_sweep = work.now + timedelta(seconds=interval.sweep_seconds)
                Cursors(work).ensure([(self._channel, code)], sweep_due_at=first_sweep)

    def run_next(self, beat: Beat) -> bool:
        """Perform the task that is longest due; return whether there was one."""
        if not self._readers or not self._may_read():
            return False
        views = [(self._channel, code) for code in self._readers]
        with self._units.begin() as work:
            if work.now < self._quiet_until:
                return False
            lease = Cursors(work).acquire(self._owner, self._tasks.lease_seconds, among=views)
        if lease is None:
            return False
        self._perform(Run(lease), beat)
        return True

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
        reader, interval = self._readers[code], self._intervals[code]
        if run.lease.task == "poll":
            self._tasks.poll(run, reader, beat)
            is_over, seconds = True, interval.poll_seconds
        else:
            is_over = self._tasks.sweep(run, reader, beat)
            seconds = interval.sweep_seconds if is_over else 0.0
        with self._units.begin() as work:
            next_at = work.now + timedelta(seconds=seconds)
            Cursors(work).succeed(run.lease, next_at=next_at, sweep_is_over=is_over)
        self._metrics.import_last_success_timestamp_seconds.labels(
            self._channel
        ).set_to_current_time()

    def _fail(self, lease: Lease, error: Exception, reason: str) -> None:
        wait = self._waits.after(error, lease.cursor.failures)
        with self._units.begin() as work:
            if asked_for(error) is not None:
                # The shop is asked for all its store views; whoever it sends away stays away.
                self._quiet_until = work.now + wait
            text = f"{reason}: {evidence(error).text}"
            try:
                Cursors(work).fail(lease, text, retry_at=work.now + wait)
            except LeaseLost:
                _log.warning("import.lease_lost", channel=self._channel)
