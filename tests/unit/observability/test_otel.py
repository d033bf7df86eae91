"""Spans by OpenTelemetry: whose child each is, what it tells, and that a collector may be away."""

import io
import json
import logging
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from shared.observability.logs import configure
from shared.observability.otel import Spans
from shared.observability.otlp import Collector, open_telemetry
from shared.observability.tracing import exemplar_of
from tests.e2e.collector import Collector as ListeningCollector

TRACE, SPAN = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
KEPT, DROPPED = f"00-{TRACE}-{SPAN}-01", f"00-{TRACE}-{SPAN}-00"
OTHER = f"00-{'a' * 32}-{'b' * 16}-01"


class Recorded:
    """A tracer whose spans can be looked at."""

    def __init__(self) -> None:
        self._memory = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self._memory))
        self.tracer = Spans(provider)

    @property
    def spans(self) -> list[ReadableSpan]:
        """What is over, in the order in which it ended."""
        return list(self._memory.get_finished_spans())

    @property
    def names(self) -> list[str]:
        """What is over, by name."""
        return [span.name for span in self.spans]


@pytest.fixture
def recorded() -> Recorded:
    """Give a tracer whose spans can be looked at."""
    return Recorded()


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    """Give the log's lines, there when the test is over with what it does."""
    stream, read = io.StringIO(), LazyLines()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    configure("json", "INFO", service="processor", stream=stream)
    read.stream = stream
    yield read
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()


class LazyLines(list[dict[str, Any]]):
    """The lines of a stream, read when they are asked for."""

    stream: io.StringIO

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Read the stream."""
        return (json.loads(line) for line in self.stream.getvalue().splitlines())


def trace_of(span: ReadableSpan) -> str:
    """Return the trace of a span as contexts write it."""
    assert span.context
    return f"{span.context.trace_id:032x}"


def parent_of(span: ReadableSpan) -> str | None:
    """Return the parent of a span as contexts write it."""
    return f"{span.parent.span_id:016x}" if span.parent else None


def test_a_message_continues_the_trace_that_it_brings(recorded: Recorded) -> None:
    """The span is a child of the message's context; what it hands on is its own."""
    span = recorded.tracer.begin("process customer.imported", "consumer", parent=KEPT)
    span.end(attributes={"patron.outcome": "done"})

    [over] = recorded.spans
    assert (trace_of(over), parent_of(over)) == (TRACE, SPAN)
    assert over.context
    assert span.traceparent == f"00-{TRACE}-{over.context.span_id:016x}-01"
    assert dict(over.attributes or {}) == {"patron.outcome": "done"}


@pytest.mark.parametrize("nonsense", [None, "", f"00-{'0' * 32}-{'0' * 16}-01"])
def test_without_a_context_a_trace_begins(recorded: Recorded, nonsense: str | None) -> None:
    """Neither nothing nor zeros are a parent."""
    recorded.tracer.begin("publish canary.sent", "producer", parent=nonsense).end()

    assert [parent_of(span) for span in recorded.spans] == [None]


def test_each_page_is_a_trace_of_its_own(recorded: Recorded) -> None:
    """Fetching a page and what is done with it belong together; what never came leaves nothing."""
    tracer = recorded.tracer

    def pages() -> Iterator[int]:
        for number in (1, 2):
            tracer.happened("GET", "client", 0.1, attributes={"page": number})
            yield number

    with tracer.each("poll shop de", pages()) as each:
        inside = [tracer.traceparent for _page in each]

    assert recorded.names == ["GET", "poll shop de", "GET", "poll shop de"]
    traces = [trace_of(span) for span in recorded.spans]
    assert traces[0] == traces[1] != traces[2] == traces[3]
    assert [(context or "")[3:35] for context in inside] == traces[::2]
    assert tracer.traceparent is None


@pytest.mark.parametrize("where", ["fetching", "handling"])
def test_a_page_that_fails_ends_its_span_by_the_class_of_the_error(
    recorded: Recorded, where: str
) -> None:
    """The text of an exception may quote a customer, and stays out."""

    def pages() -> Iterator[int]:
        if where == "fetching":
            raise ValueError("petra@example.com")
        yield 1

    def read() -> None:
        with recorded.tracer.each("poll", pages()) as each:
            for _page in each:
                raise ValueError("petra@example.com")

    with pytest.raises(ValueError, match="petra"):
        read()

    [span] = recorded.spans
    assert span.attributes == {"error.type": "ValueError"}
    assert not span.status.is_ok
    assert "petra" not in span.to_json()
    assert recorded.tracer.traceparent is None


def test_a_call_for_several_messages_is_linked_with_all_of_them(recorded: Recorded) -> None:
    """One request may write two customers: child of the first, linked with the second."""
    with recorded.tracer.under([KEPT, None, OTHER]):
        recorded.tracer.happened("PUT", "client", 0.25, error="503")

    [call] = recorded.spans
    assert (trace_of(call), parent_of(call)) == (TRACE, SPAN)
    assert [f"{link.context.trace_id:032x}" for link in call.links] == ["a" * 32]
    assert call.start_time is not None
    assert call.end_time is not None
    assert call.end_time - call.start_time >= 250_000_000


def test_a_call_outside_of_any_trace_makes_none(recorded: Recorded) -> None:
    """Looking at a shop's set-up each minute is nobody's trace."""
    with recorded.tracer.under([None]):
        recorded.tracer.happened("GET", "client", 0.1)

    assert recorded.spans == []


def test_what_is_logged_in_a_span_names_its_trace(
    recorded: Recorded, lines: list[dict[str, Any]]
) -> None:
    """Inside there are trace_id and span_id; afterwards there are none."""
    log = structlog.get_logger()

    with recorded.tracer.within("fetch shop", parent=KEPT):
        log.info("import.fetched")
    log.info("process.stopped")

    inside, outside = lines
    assert inside["trace_id"] == TRACE
    assert len(inside["span_id"]) == 16
    assert not {"trace_id", "span_id"} & outside.keys()


def test_a_trace_that_is_not_kept_stays_so_all_the_way() -> None:
    """A sender's decision holds; with a share of nothing none of ours is kept, but passed on."""
    with opened(sample_ratio=0.0) as (tracer, collector):
        ours = tracer.begin("poll", "internal")
        theirs = tracer.begin("process", "consumer", parent=DROPPED)
        kept = tracer.begin("process", "consumer", parent=KEPT)
        for span in (ours, theirs, kept):
            span.end()

    exemplars = [exemplar_of(span.traceparent) for span in (ours, theirs, kept)]
    assert exemplars == [None, None, {"trace_id": TRACE}]
    assert theirs.traceparent[3:35] == TRACE
    assert [span.trace_id for span in collector.spans()] == [TRACE]


def test_a_collector_is_told_who_sends_and_given_its_headers(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Service and version are ours unless the deployment names them; a secret is sent along."""
    monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")

    with opened(headers="api-key=s3cret,x-team=shops") as (tracer, collector):
        tracer.begin("poll", "internal").end()

    assert [span.service for span in collector.spans()] == ["patron-processor"]
    assert collector.headers[0]["api-key"] == "s3cret"
    assert collector.headers[0]["x-team"] == "shops"
    assert b"deployment.environment.name" in collector.bodies[0]
    assert "s3cret" not in repr(Collector("http://x", "api-key=s3cret"))


@pytest.mark.parametrize("behaviour", ["refuses", "hangs"])
def test_a_collector_that_is_away_keeps_nobody_waiting(
    behaviour: str, lines: list[dict[str, Any]]
) -> None:
    """Ten thousand spans are made at once; the end waits no longer than it may, and is told."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if behaviour == "hangs":
            silent.listen()
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1/traces"
        tracer = open_telemetry(Collector(url), service="x", version="1", instance="x")

        slowest = 0.0
        for _ in range(10_000):
            began = time.monotonic()
            tracer.begin("process", "consumer").end()
            slowest = max(slowest, time.monotonic() - began)
        began = time.monotonic()
        tracer.close(0.2)
        took = time.monotonic() - began
        senders = [each for each in threading.enumerate() if each.name.startswith("OtelBatch")]
    for sender in senders:
        sender.join(20)

    assert not [sender for sender in senders if sender.is_alive()]
    assert slowest < 2
    assert took < 2
    assert "tracing.spans_lost" in {line["event"] for line in lines}
    assert len(list(lines)) < 5


@contextmanager
def opened(**given: Any) -> Iterator[tuple[Spans, ListeningCollector]]:
    """Give a tracer and the collector that it sends to; afterwards everything has arrived."""
    with ListeningCollector() as collector:
        tracer = open_telemetry(
            Collector(f"{collector.url}/v1/traces", **given),
            service="processor",
            version="1",
            instance="one",
        )
        yield tracer, collector
        tracer.close(10.0)
