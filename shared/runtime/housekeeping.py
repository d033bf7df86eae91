"""Housekeeping: deletes what was kept long enough, a slice at a time, now and then.

Runs beside the processor, in any number of processes. Its promise: no transaction of it is longer
than a slice, so that nobody who works has to wait for it.
"""

from collections.abc import Sequence
from typing import Final

import structlog

from shared.config.settings import RetentionSettings
from shared.observability.metrics import Metrics
from shared.persistence import retention
from shared.persistence.retention import Kind
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.loops import Beat, Periodic

EVERY_SECONDS: Final = 3600.0
# Then others get their turn, and the loop a chance to be stopped.
_SLICES_AT_ONCE: Final = 20

_log = structlog.get_logger()


class Housekeeping:
    """Deletes the kinds of rows that are not kept for ever."""

    def __init__(self, units: UnitsOfWork, kinds: Sequence[Kind], metrics: Metrics) -> None:
        self._units = units
        self._kinds = kinds
        self._metrics = metrics

    def run(self, beat: Beat) -> bool:
        """Delete some slices of each kind; return whether there is more to delete."""
        unfinished = [kind for kind in self._kinds if self._tidy(kind, beat)]
        return bool(unfinished)

    def _tidy(self, kind: Kind, beat: Beat) -> bool:
        deleted = 0
        is_more = True
        for _ in range(_SLICES_AT_ONCE):
            beat()
            with self._units.begin() as work:
                gone = retention.delete(work, kind)
            deleted += gone
            is_more = gone == retention.SLICE
            if not is_more:
                break
        if deleted:
            self._metrics.retention_deleted.labels(kind.name).inc(deleted)
            _log.info("retention.deleted", kind=kind.name, rows=deleted)
        return is_more


def housekeeping(units: UnitsOfWork, settings: RetentionSettings, metrics: Metrics) -> Periodic:
    """Return the loop."""
    keeper = Housekeeping(units, retention.kinds(settings), metrics)
    return Periodic("housekeeping", keeper.run, EVERY_SECONDS)
