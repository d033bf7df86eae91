"""Counts and logs what became of messages.

What went well is only counted; what went wrong is also told, with ids and without contents.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime

import structlog

from shared.observability.evidence import evidence
from shared.observability.metrics import Metrics, observe_all
from shared.observability.tracing import exemplar_of, trace_id_of
from shared.runtime.received import Received, Result

_log = structlog.get_logger()


class Tally:
    """Keeps the message metrics of one worker, tied to their traces where there are any."""

    def __init__(
        self,
        worker: str,
        metrics: Metrics,
        clock: Callable[[], datetime],
        *,
        is_traced: bool = False,
    ) -> None:
        self._is_traced = is_traced
        self._worker = worker
        self._metrics = metrics
        self._clock = clock

    def count(self, results: Sequence[Result]) -> None:
        """Count what was settled."""
        for (outcome, reason), many in Counter((r.outcome, r.reason) for r in results).items():
            self._metrics.messages.labels(self._worker, outcome).inc(many)
            if outcome in {"retried", "paused"}:
                self._metrics.retries.labels(self._worker, reason).inc(many)
            elif outcome == "dead":
                self._metrics.dead_letters.labels(self._worker, reason).inc(many)

    def count_trouble(self, reason: str) -> None:
        """Count a failure of the database."""
        self._metrics.database_errors.labels(self._worker, reason).inc()

    def measure(self, batch: Sequence[Received], results: Sequence[Result], seconds: float) -> None:
        """Note how long the batch took, how old its messages have become, and what failed."""
        now = self._clock()
        processing = self._metrics.message_processing_seconds.labels(self._worker)
        end_to_end = self._metrics.message_end_to_end_seconds.labels(self._worker)
        ages = []
        for received, result in zip(batch, results, strict=True):
            tell(result, received)
            if result.outcome != "done":
                continue
            age = max(0.0, (now - received.envelope.occurred_at).total_seconds())
            trace = exemplar_of(received.envelope.traceparent) if self._is_traced else None
            if trace:
                processing.observe(seconds, trace)
                end_to_end.observe(age, trace)
            else:
                ages.append(age)
        observe_all(processing, [seconds] * len(ages))
        observe_all(end_to_end, ages)


def tell(result: Result, received: Received | None = None, **facts: object) -> None:
    """Log a result, unless all went well."""
    if result.error is None and result.outcome != "dead":
        return
    if received:
        envelope = received.envelope
        facts |= {
            "message_id": str(envelope.message_id),
            "correlation_id": str(envelope.correlation_id),
            "type": envelope.type,
            "channel": envelope.channel,
        }
        if trace_id := trace_id_of(envelope.traceparent):
            facts["trace_id"] = trace_id
    if result.error:
        facts["error_class"], facts["error"], _frame = evidence(result.error)
    log = _log.error if result.outcome == "dead" else _log.warning
    log(f"message.{result.outcome}", reason=result.reason, **facts)
