"""Shows what the database knows of the state of things: what waits, since when, and for whom.

The same from every process, so that any one of them is enough to see it. Its promise: one
statement for each kind of thing, however much there is of it; what is gone is shown as 0.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final, TypeVar

from prometheus_client import Gauge

from shared.observability.metrics import Metrics
from shared.persistence import dead_letter_groups, number_series, owed, pauses, staging
from shared.persistence.cursors import Cursors
from shared.persistence.tables import OPEN_STAGING_STATES
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from shared.runtime.loops import Beat

EVERY_SECONDS: Final = 10.0
OUTAGES: Final = frozenset({"remote_unavailable", "remote_throttled"})
"""The pauses that end by themselves when the shop answers again: the open circuit breaker."""

Labels = tuple[str, ...]
Key = TypeVar("Key", bound=Labels)


class StateGauges:
    """Keeps the gauges. `capacities` says how many numbers each series has in all."""

    def __init__(self, metrics: Metrics, capacities: Mapping[str, int]) -> None:
        self._metrics = metrics
        self._capacities = capacities
        self._shown: dict[Gauge, set[Labels]] = {}

    def measure(self, work: UnitOfWork) -> None:
        """Look at everything once and show it."""
        self._dead_letters(work)
        self._outbox(work)
        self._owed(work)
        self._staging(work)
        self._pauses(work)
        self._cursors(work)
        self._series(work)

    def _dead_letters(self, work: UnitOfWork) -> None:
        waiting = {(each.worker, each.reason): each for each in dead_letter_groups.waiting(work)}
        self._show(
            self._metrics.dead_letters_open, {key: each.count for key, each in waiting.items()}
        )
        ages = {key: _age(each.oldest_at, work.now) for key, each in waiting.items()}
        self._show(self._metrics.dead_letter_oldest_seconds, ages)

    def _outbox(self, work: UnitOfWork) -> None:
        backlog = work.store.backlog()
        self._metrics.outbox_pending.set(backlog.due)
        self._metrics.outbox_oldest_seconds.set(_age(backlog.oldest_due_at, work.now))

    def _owed(self, work: UnitOfWork) -> None:
        roads: dict[Labels, tuple[int, datetime]] = {}
        for each in owed.by_road(work):
            count, oldest_at = roads.get((each.routing_key,), (0, each.oldest_at))
            roads[each.routing_key,] = count + each.count, min(oldest_at, each.oldest_at)
        self._show(self._metrics.messages_owed, {key: count for key, (count, _) in roads.items()})
        ages = {key: _age(oldest_at, work.now) for key, (_, oldest_at) in roads.items()}
        self._show(self._metrics.message_owed_oldest_seconds, ages)

    def _staging(self, work: UnitOfWork) -> None:
        waiting = {each.state: each for each in staging.waiting(work)}
        for state in OPEN_STAGING_STATES:
            found = waiting.get(state)
            self._metrics.staging_open.labels(state).set(found.count if found else 0)
            age = _age(found.oldest_at if found else None, work.now)
            self._metrics.staging_oldest_seconds.labels(state).set(age)

    def _pauses(self, work: UnitOfWork) -> None:
        paused = pauses.active(work)
        self._show(self._metrics.channel_paused, {(channel,): 1 for channel in paused})
        out = {(pause.channel,): 1 for pause in paused.values() if pause.reason in OUTAGES}
        self._show(self._metrics.breaker_open, out)

    def _cursors(self, work: UnitOfWork) -> None:
        ages = {
            (each.channel, each.store_view): _age(each.last_success_at or each.enabled_at, work.now)
            for each in Cursors(work).all()
            if each.enabled_at
        }
        self._show(self._metrics.import_cursor_age_seconds, ages)

    def _series(self, work: UnitOfWork) -> None:
        next_values = number_series.next_values(work)
        for name, capacity in self._capacities.items():
            left = capacity - next_values.get(name, 0)
            self._metrics.number_series_left.labels(name).set(max(0, left))

    def _show(self, gauge: Gauge, values: Mapping[Key, float]) -> None:
        """Set a gauge's children; those of which nothing is known any more go to 0."""
        shown = self._shown.setdefault(gauge, set())
        for gone in shown - values.keys():
            gauge.labels(*gone).set(0)
        for labels, value in values.items():
            shown.add(labels)
            gauge.labels(*labels).set(value)


class Measuring:
    """Measures now and then, for a process without an outbox."""

    def __init__(self, units: UnitsOfWork, gauges: StateGauges) -> None:
        self._units = units
        self._gauges = gauges

    def look(self, _beat: Beat) -> None:
        """Measure once."""
        with self._units.read() as work:
            self._gauges.measure(work)


def _age(since: datetime | None, now: datetime) -> float:
    return max(0.0, (now - since).total_seconds()) if since else 0.0
