"""Whether a process traces is decided once, and costs nothing where it does not."""

import sys
from typing import Any

import pytest
from pydantic import SecretStr, ValidationError
from structlog.testing import capture_logs

from shared.config.settings import TracingSettings
from shared.connectors.calls import RemoteCall
from shared.domain.errors import ConfigurationError
from shared.messaging import traced as traced_broker
from shared.observability.otel import Spans
from shared.observability.tracing import NO_TRACING, Tracer
from shared.runtime import traced as traced_handler
from shared.runtime.tracing import collector_url, open_tracer, trace_call
from tests.unit.observability.test_otel import KEPT, Recorded

NOWHERE = "http://127.0.0.1:1"


def opened(endpoint: str | None = None, **environment: str) -> Tracer:
    """Return the tracer of a processor."""
    settings = TracingSettings(endpoint=endpoint)
    return open_tracer(settings, environment, service="processor", instance="one")


@pytest.mark.parametrize(
    ("endpoint", "environment", "url"),
    [
        (None, {}, None),
        ("http://c:4318", {}, "http://c:4318/v1/traces"),
        ("http://c:4318/", {}, "http://c:4318/v1/traces"),
        ("http://c/v1/traces", {}, "http://c/v1/traces"),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://e:4318"}, "http://e:4318/v1/traces"),
        ("http://c", {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://e"}, "http://c/v1/traces"),
        (None, {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://e/t"}, "http://e/t"),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://e", "OTEL_TRACES_EXPORTER": "none"}, None),
        ("http://c", {"OTEL_SDK_DISABLED": "true"}, None),
        (None, {"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, None),
    ],
)
def test_where_traces_go(
    endpoint: str | None, environment: dict[str, str], url: str | None
) -> None:
    """As configured, or else as OpenTelemetry's own variables say; they may also forbid it."""
    assert collector_url(TracingSettings(endpoint=endpoint), environment) == url


def test_without_a_collector_nothing_is_put_around_anything() -> None:
    """Handlers and brokers are themselves: no frame, no check, no span on their way."""
    tracer = opened()
    handler: Any = object()
    broker: Any = object()

    assert tracer is NO_TRACING
    assert traced_handler.traced(handler, tracer) is handler
    assert traced_broker.traced(broker, tracer) is broker


def test_with_a_collector_there_are_spans() -> None:
    """The extra is loaded, and closes in time though nobody listens."""
    tracer = opened(NOWHERE)

    tracer.close(0.1)

    assert isinstance(tracer, Spans)


@pytest.fixture
def _without_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have an installation without OpenTelemetry."""
    for name in ("otel", "otlp"):
        monkeypatch.delitem(sys.modules, f"shared.observability.{name}", raising=False)
    for name in [name for name in sys.modules if name.startswith("opentelemetry")]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)


@pytest.mark.usefixtures("_without_the_extra")
def test_a_missing_extra_is_named() -> None:
    """Whoever configured a collector is told what to install."""
    with pytest.raises(ConfigurationError, match=r'pip install "patron\[tracing\]"'):
        opened(NOWHERE)


@pytest.mark.usefixtures("_without_the_extra")
def test_variables_that_are_meant_for_others_stop_nobody() -> None:
    """With the standard variables alone it is told, and the worker starts."""
    with capture_logs() as told:
        tracer = opened(OTEL_EXPORTER_OTLP_ENDPOINT=NOWHERE)

    assert tracer is NO_TRACING
    assert [line["event"] for line in told] == ["tracing.not_installed"]


@pytest.mark.parametrize("wrong", [{"endpoint": "collector:4318"}, {"sample_ratio": 1.1}])
def test_a_collector_that_cannot_be_is_refused(wrong: dict[str, Any]) -> None:
    """An address is one of the web, a share at the most everything."""
    with pytest.raises(ValidationError):
        TracingSettings(**wrong)


def test_headers_are_a_secret() -> None:
    """What a collector is paid by is not shown."""
    settings = TracingSettings(headers=SecretStr("api-key=s3cret"))

    assert "s3cret" not in repr(settings)


@pytest.mark.parametrize(
    ("status", "outcome", "error"),
    [(200, "2xx", None), (404, "4xx", "404"), (503, "5xx", "503"), (None, "timeout", "timeout")],
)
def test_a_request_is_told_by_method_host_and_status(
    status: int | None, outcome: str, error: str | None
) -> None:
    """Nothing else of it: paths and queries name customers."""
    recorded = Recorded()
    call = RemoteCall("magento", "shop", outcome, 0.1, None, "PUT", "shop.example", 8443, status)

    with recorded.tracer.under([KEPT]):
        trace_call(call, recorded.tracer)

    [span] = recorded.spans
    told = {
        "http.request.method": "PUT",
        "server.address": "shop.example",
        "server.port": 8443,
        "patron.channel": "shop",
        "patron.platform": "magento",
        "http.response.status_code": status,
        "error.type": error,
    }
    assert span.name == "PUT"
    assert span.attributes == {name: value for name, value in told.items() if value is not None}
