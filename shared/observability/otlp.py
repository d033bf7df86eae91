"""Sending spans to a collector, by OTLP over HTTP.

Imported only where a collector is configured: it is an optional extra. Its promise: spans are sent
by a thread of their own and dropped rather than waited for, so that a collector which hangs or is
away never holds up a worker.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

import structlog
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.environment_variables import OTEL_BSP_MAX_QUEUE_SIZE
from opentelemetry.sdk.resources import OTELResourceDetector, Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.sampling import ParentBasedTraceIdRatio
from opentelemetry.util.re import parse_env_headers

from shared.observability.otel import Spans

_MOST_WAITING: Final = 8192
_WHOLE: Final = "patron"  # also the name of a process that runs every worker
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Collector:
    """Where spans go, and which: `sample_ratio` None leaves that to `OTEL_TRACES_SAMPLER`.

    `headers` are written as in `OTEL_EXPORTER_OTLP_HEADERS`, whose place they take.
    """

    url: str
    headers: str | None = field(default=None, repr=False)
    sample_ratio: float | None = None


def open_telemetry(collector: Collector, *, service: str, version: str, instance: str) -> Spans:
    """Return what makes spans and sends them to `collector`. Nothing is sent yet."""
    headers = None
    if collector.headers:
        headers = parse_env_headers(collector.headers, liberal=True)
    ratio = collector.sample_ratio
    own = {
        "service.namespace": _WHOLE,
        "service.name": service if service == _WHOLE else f"{_WHOLE}-{service}",
        "service.version": version,
        "service.instance.id": instance,
    }
    provider = TracerProvider(
        sampler=None if ratio is None else ParentBasedTraceIdRatio(ratio),
        # Whoever deploys us has the last word: OTEL_SERVICE_NAME, OTEL_RESOURCE_ATTRIBUTES.
        resource=Resource.create(own).merge(OTELResourceDetector().detect()),
        shutdown_on_exit=False,
    )
    exporter = Told(OTLPSpanExporter(collector.url, headers=headers))
    # A batch of customers ends at once; more spans may wait than a page of them makes.
    waiting = None if OTEL_BSP_MAX_QUEUE_SIZE in os.environ else _MOST_WAITING
    provider.add_span_processor(BatchSpanProcessor(exporter, waiting))
    return Spans(provider, exporter.shutdown)


class Told(SpanExporter):
    """Exports, and says in the log when that begins to fail and when it goes well again."""

    def __init__(self, exporter: SpanExporter) -> None:
        self._exporter = exporter
        self._failed = 0
        self._is_over = False

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        """Send spans; those that cannot be sent are gone."""
        result = self._exporter.export(spans)
        if self._is_over:
            return result
        if result is not SpanExportResult.SUCCESS:
            if not self._failed:
                _log.warning("tracing.export_failed", spans=len(spans))
            self._failed += len(spans)
        elif self._failed:
            _log.info("tracing.export_resumed", lost_spans=self._failed)
            self._failed = 0
        return result

    def shutdown(self) -> None:
        """Send no more, from whatever thread this is called first."""
        if not self._is_over:
            self._is_over = True
            self._exporter.shutdown()

    def force_flush(self, timeout_millis: int = 30_000) -> bool:
        """Return whether nothing is left to be sent."""
        return self._exporter.force_flush(timeout_millis)
