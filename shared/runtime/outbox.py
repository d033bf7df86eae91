"""The outbox: whatever was committed to be sent reaches the broker, however often we crash.

One loop for each process. `offer` takes what a transaction has just committed and publishes it at
once, all that is waiting in one pipelined batch. Behind that road stand two guards that read the
store: the relay publishes what is due and not published (a sender that crashed, a broker that was
away, a retry whose delay is over), and the reconciler publishes again what was published long ago,
is unfinished and waits in no queue (one that was purged or deleted, a broker that was lost).

Its promise: a row is marked published only after the broker confirmed it.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa
import structlog

from shared.domain.errors import ConfigurationError
from shared.domain.messages import Parcel
from shared.messaging.broker import Broker, BrokerUnavailable
from shared.observability.metrics import Metrics
from shared.persistence.failures import DatabaseContended, DatabaseUnavailable
from shared.persistence.tables import messages
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.failures import FailureRecorder
from shared.runtime.loops import Beat
from shared.runtime.publisher import Publisher
from shared.runtime.state_gauges import StateGauges

_OUTAGES = (BrokerUnavailable, DatabaseUnavailable, DatabaseContended, ConfigurationError)
_FOREIGN_KEPT = timedelta(days=90)
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class OutboxSettings:
    """How eager the guards are.

    `restores` is True in the one process that starts an embedded broker: such a broker comes up
    empty, so everything unfinished is published again.
    """

    batch_size: int = 500
    relay_every_seconds: float = 1.0
    measure_every_seconds: float = 10.0
    reconcile_every_seconds: float = 60.0
    unfinished_after_seconds: float = 900.0
    most_waiting: int = 20_000
    restores: bool = False


class Outbox:
    """Publishes what was committed, watches over what was not, until stopped. A `Loop`."""

    name = "outbox"

    def __init__(
        self,
        broker: Broker,
        units: UnitsOfWork,
        failures: FailureRecorder,
        metrics: Metrics,
        *,
        worker: str,
        queues_for: Callable[[str], Sequence[str]],
        gauges: StateGauges,
        settings: OutboxSettings | None = None,
    ) -> None:
        self._broker = broker
        self._units = units
        self._queues_for = queues_for
        self._settings = settings or OutboxSettings()
        self._publisher = Publisher(broker, failures, metrics)
        self._beat: Beat = lambda: None
        self._waiting: deque[Parcel] = deque()
        self._gauges = gauges
        self._something_to_do = threading.Event()
        self._stopped = threading.Event()
        self._relay_at = self._measure_at = self._reconcile_at = time.monotonic()
        self._troubles = 0
        self._is_restored = not self._settings.restores
        metrics.broker_connected.labels(worker).set_function(lambda: float(broker.is_connected))
        metrics.broker_blocked.labels(worker).set_function(lambda: float(broker.is_blocked))

    def offer(self, parcels: Sequence[Parcel]) -> None:
        """Publish what a transaction has committed, soon. Returns at once; any thread."""
        if not parcels:
            return
        # What does not fit, or arrives during an outage, is in the store: the relay has it.
        if not self._troubles and len(self._waiting) < self._settings.most_waiting:
            self._waiting.extend(parcels)
            self._something_to_do.set()

    def wake(self) -> None:
        """Look into the store now, as when something there has just become due."""
        self._relay_at = 0.0
        self._something_to_do.set()

    def stop(self) -> None:
        """End after publishing what was offered."""
        self._stopped.set()
        self._something_to_do.set()

    def run(self, beat: Beat) -> None:
        """Publish until stopped, then once more."""
        self._beat = beat
        while not self._stopped.is_set():
            beat()
            self._something_to_do.wait(max(0.0, self._relay_at - time.monotonic()))
            self._something_to_do.clear()
            self._despite_outages(self._turn)
        self._despite_outages(self._publish_waiting)

    def _turn(self) -> None:
        # Measured first: the backlog matters most while publishing fails.
        if time.monotonic() >= self._measure_at:
            self._measure_at = time.monotonic() + self._settings.measure_every_seconds
            self._measure()
        if not self._is_restored:
            self._restore()
        self._publish_waiting()
        now = time.monotonic()
        if now >= self._relay_at:
            self._relay_at = now + self._settings.relay_every_seconds
            self._relay()
        if now >= self._reconcile_at:
            self._reconcile_at = now + self._settings.reconcile_every_seconds
            self._reconcile()
            self._forget()

    def _despite_outages(self, work: Callable[[], None]) -> None:
        """Do `work`; when broker or database are away, leave all to the relay and slow down."""
        try:
            work()
        except _OUTAGES as error:
            self._troubles += 1
            self._waiting.clear()
            pause = min(self._settings.relay_every_seconds * 2.0 ** min(self._troubles, 8), 15.0)
            self._relay_at = time.monotonic() + pause
            _log.warning("outbox.held_up", reason=error.reason, tries=self._troubles)
        else:
            if self._troubles:
                _log.info("outbox.resumed", tries=self._troubles)
            self._troubles = 0

    def _publish_waiting(self) -> None:
        while parcels := self._take():
            publication = self._publisher.publish(parcels)
            with self._units.begin() as work:
                self._publisher.record(publication, work)

    def _take(self) -> list[Parcel]:
        many = min(len(self._waiting), self._settings.batch_size)
        return [self._waiting.popleft() for _ in range(many)]

    def _relay(self) -> None:
        """Publish what is due; another process's relay gets other rows."""
        is_more = True
        while is_more and not self._stopped.is_set():
            self._beat()
            with self._units.begin() as work:
                parcels = work.store.due(self._settings.batch_size)
                publication = self._publisher.publish(parcels)
                self._publisher.record(publication, work)
                self._publisher.put_off(publication, work)
            is_more = len(parcels) == self._settings.batch_size

    def _restore(self) -> None:
        """Publish everything unfinished: the broker has started empty, and nobody else is there.

        Leases are those of a process that died.
        """
        with self._units.begin() as work:
            work.connection.execute(
                sa.update(messages)
                .where(messages.c.lease_owner.is_not(None))
                .values(lease_owner=None, leased_until=None)
            )
        self._republish(timedelta(0), lambda parcel: True)
        self._is_restored = True

    def _reconcile(self) -> None:
        """Publish again what should have been handled long ago and waits in no queue."""
        depths: dict[str, int] = {}

        def is_lost(parcel: Parcel) -> bool:
            queues = self._queues_for(parcel.routing_key)
            for queue in queues:
                if queue not in depths:
                    depths[queue] = self._depth(queue)
            return not any(depths[queue] for queue in queues)

        self._republish(timedelta(seconds=self._settings.unfinished_after_seconds), is_lost)

    def _depth(self, queue: str) -> int:
        try:
            return self._broker.depth(queue)
        except ConfigurationError:
            return 0  # no such queue: whatever was in it is lost

    def _republish(self, age: timedelta, is_lost: Callable[[Parcel], bool]) -> None:
        before: datetime | None = None
        is_more = True
        while is_more and not self._stopped.is_set():
            self._beat()
            with self._units.begin() as work:
                before = before or work.now - age
                parcels = work.store.stale(before, self._settings.batch_size)
                lost = [parcel for parcel in parcels if is_lost(parcel)]
                publication = self._publisher.publish(lost, again=True)
                self._publisher.record(publication, work)
                self._publisher.put_off(publication, work)
                # What is seen to wait in its queue is as good as published now.
                found = {p.message_id for p in parcels} - {p.message_id for p in lost}
                work.store.mark_published(found)
            if lost:
                _log.warning("outbox.republished", messages=len(lost))
            is_more = len(parcels) == self._settings.batch_size

    def _forget(self) -> None:
        """Forget messages from outside that are too old to come again."""
        with self._units.begin() as work:
            work.store.forget_foreign(work.now - _FOREIGN_KEPT)

    def _measure(self) -> None:
        with self._units.read() as work:
            self._gauges.measure(work)
