"""Where traces begin: with a page, a fetch on request, a push."""

import structlog

from services.importer.on_demand import OnDemand
from services.importer.pages import StoreViewReader
from services.importer.requests import take_requests
from tests.integration.importer.intake.gate import ANN, Gate
from tests.integration.importer.shelf import a_shelf
from tests.integration.importer.station import CHANNEL, LEASE_SECONDS, Station, no_beat
from tests.integration.importer.test_on_demand import a_question
from tests.unit.observability.test_otel import KEPT, TRACE, Recorded, trace_of


def traces_of(recorded: Recorded, name: str) -> list[str]:
    """Return the traces of the spans of a name."""
    return [trace_of(span) for span in recorded.spans if span.name == name]


def test_the_messages_of_a_page_are_of_its_trace(station: Station) -> None:
    """A poll that reads a page is one trace, and each of its messages goes on with it."""
    recorded = Recorded()
    schedule = station.schedule(a_shelf(1, 2), tasks={"tracer": recorded.tracer})

    station.run_due(schedule)

    pages = {*traces_of(recorded, "poll shop de"), *traces_of(recorded, "sweep shop de")}
    messages = station.messages()
    assert [message.subject for message in messages] == ["1", "2"]
    assert {(message.traceparent or "")[3:35] for message in messages} <= pages


def test_a_fetch_on_request_is_a_trace_and_its_log_names_the_request(station: Station) -> None:
    """The message goes on with it; what is logged meanwhile names the question."""
    recorded, shelf, question = Recorded(), a_shelf(1), a_question()
    importer = OnDemand(
        CHANNEL,
        shelf,
        {"de": StoreViewReader(CHANNEL, "de", shelf)},
        units=station.units,
        offer=station.sent.extend,
        metrics=station.metrics,
        lease_seconds=LEASE_SECONDS,
        tracer=recorded.tracer,
    )
    with station.units.begin() as work:
        take_requests([question], work, {CHANNEL})

    with structlog.testing.capture_logs([structlog.contextvars.merge_contextvars]) as told:
        importer.run_next(no_beat)

    [trace] = traces_of(recorded, "fetch shop")
    [message] = station.messages()
    [line] = [line for line in told if line["event"] == "import.fetched"]
    assert (message.traceparent or "")[3:35] == trace
    assert line["correlation_id"] == str(question.correlation_id)
    assert line["message_id"] == str(question.message_id)
    assert line["trace_id"] == trace


def test_a_push_goes_on_with_the_trace_of_the_pusher(station: Station) -> None:
    """Its header is heard once it is known who pushes; without one a trace begins."""
    recorded = Recorded()
    gate = Gate(station, tracer=recorded.tracer)

    with gate.open() as client:
        client.push(ANN, traceparent=KEPT)
        client.push({**ANN, "external_id": "2", "email": "b@example.com"})

    first, second = traces_of(recorded, "push crm")
    assert first == TRACE != second
    assert [(m.traceparent or "")[3:35] for m in gate.imported_messages()] == [first, second]


def test_a_webhook_is_a_trace_of_its_own(station: Station) -> None:
    """Of a stranger who has not shown his key no header is heard."""
    recorded = Recorded()
    gate = Gate(station, tracer=recorded.tracer)

    with gate.open() as client:
        client.http.headers["traceparent"] = KEPT
        client.hook("e1", "1")

    [trace] = traces_of(recorded, "webhook shop")
    assert trace != TRACE
