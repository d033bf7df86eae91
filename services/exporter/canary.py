"""Notes canaries that have come all the way: when, and how long it took them."""

from collections.abc import Sequence
from typing import Any

from shared.domain.errors import UnknownType
from shared.domain.messages import CanaryPassed, Envelope
from shared.observability.metrics import Metrics
from shared.persistence.unit_of_work import UnitOfWork


class CanaryWatch:
    """The end of the way."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def note(self, messages: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
        """Show the latest of these canaries. Raises `UnknownType` for anything else."""
        if any(not isinstance(each.body, CanaryPassed) for each in messages):
            raise UnknownType("this queue is for canaries")
        sent_at = max(each.body.sent_at for each in messages)
        self._metrics.canary_last_seen_timestamp_seconds.set(work.now.timestamp())
        self._metrics.canary_seconds.set(max(0.0, (work.now - sent_at).total_seconds()))
