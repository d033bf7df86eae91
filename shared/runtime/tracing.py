"""Whether this process traces, and what makes its spans: chosen once, when it is put together.

Without a collector nothing of OpenTelemetry is imported, and nothing else knows of the difference.
"""

from collections.abc import Mapping
from http import HTTPStatus
from importlib.metadata import version
from typing import Final

import structlog

from shared.config.settings import TracingSettings
from shared.connectors.calls import RemoteCall
from shared.domain.errors import ConfigurationError
from shared.observability.tracing import NO_TRACING, Tracer

_PATH: Final = "/v1/traces"
_MISSING: Final = 'OpenTelemetry is not installed: pip install "patron[tracing]"'
_log = structlog.get_logger()


def open_tracer(
    settings: TracingSettings, environment: Mapping[str, str], *, service: str, instance: str
) -> Tracer:
    """Return what makes the spans of `service`, if there is a collector that takes them.

    Raises ConfigurationError where our own configuration wants traces and the extra is missing. The
    standard variables may stand in the environment for others: then that is told, and no more.
    """
    url = collector_url(settings, environment)
    if url is None:
        return NO_TRACING
    try:
        # Late: an optional extra, which takes a tenth of a second to load.
        from shared.observability.otlp import Collector, open_telemetry
    except ModuleNotFoundError as error:
        if not (error.name or "").startswith("opentelemetry"):
            raise
        if settings.endpoint:
            raise ConfigurationError(f"[tracing] has an endpoint, but {_MISSING}") from None
        _log.warning("tracing.not_installed", problem=_MISSING)
        return NO_TRACING
    headers = settings.headers.get_secret_value() if settings.headers else None
    return open_telemetry(
        Collector(url, headers, settings.sample_ratio),
        service=service,
        version=version("patron"),
        instance=instance,
    )


def trace_call(call: RemoteCall, tracer: Tracer) -> None:
    """Add the span of a request to a platform. Its path and its query name customers: no trace."""
    attributes: dict[str, str | int] = {
        "http.request.method": call.method,
        "server.address": call.host,
        "patron.channel": call.channel,
        "patron.platform": call.platform,
    }
    error = None if call.status else call.outcome
    if call.port:
        attributes["server.port"] = call.port
    if call.status:
        attributes["http.response.status_code"] = call.status
        error = str(call.status) if call.status >= HTTPStatus.BAD_REQUEST else None
    tracer.happened(call.method, "client", call.seconds, attributes=attributes, error=error)


def collector_url(settings: TracingSettings, environment: Mapping[str, str]) -> str | None:
    """Return where traces go: as configured, or else as OpenTelemetry's own variables say."""
    if environment.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return None
    if settings.endpoint:
        return _of_traces(settings.endpoint)
    if environment.get("OTEL_TRACES_EXPORTER", "").strip().lower() == "none":
        return None
    if url := environment.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "").strip():
        return url
    base = environment.get("OTEL_EXPORTER_OTLP_ENDPOINT", "").strip()
    return _of_traces(base) if base else None


def _of_traces(base: str) -> str:
    return base if base.endswith(_PATH) else f"{base.rstrip('/')}{_PATH}"
