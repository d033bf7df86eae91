"""Shows how many dead letters wait for somebody, and since when: the same from every process."""

from shared.observability.metrics import Metrics
from shared.persistence import dead_letter_groups
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from shared.runtime.loops import Beat

EVERY_SECONDS = 10.0


class DeadLetterGauges:
    """Keeps the gauges; a worker and reason of which no letter is open any more goes to 0."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics
        self._shown: set[tuple[str, str]] = set()

    def measure(self, work: UnitOfWork) -> None:
        """Show what is open."""
        waiting = {(each.worker, each.reason): each for each in dead_letter_groups.waiting(work)}
        self._shown |= waiting.keys()
        for labels in self._shown:
            found = waiting.get(labels)
            age = (work.now - found.oldest_at).total_seconds() if found else 0.0
            self._metrics.dead_letters_open.labels(*labels).set(found.count if found else 0)
            self._metrics.dead_letter_oldest_seconds.labels(*labels).set(max(0.0, age))


class Measuring:
    """Measures now and then, for a process without an outbox."""

    def __init__(self, units: UnitsOfWork, metrics: Metrics) -> None:
        self._units = units
        self._gauges = DeadLetterGauges(metrics)

    def look(self, _beat: Beat) -> None:
        """Measure once."""
        with self._units.read() as work:
            self._gauges.measure(work)
