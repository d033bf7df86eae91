"""Messages on real connections, with tracing and without: what they carry, what is told of them."""

import json
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import pytest
import structlog
from opentelemetry.sdk.trace import ReadableSpan
from prometheus_client.exposition import choose_encoder

from shared.domain.messages import Envelope
from shared.messaging.traced import TracedBroker
from shared.persistence.unit_of_work import UnitOfWork
from tests.integration.runtime.rig import Rig, a_parcel, eventually
from tests.unit.observability.test_otel import KEPT, SPAN, TRACE, Recorded, parent_of, trace_of

OTHER: Final = f"00-{'a' * 32}-{'b' * 16}-01"


def nothing(envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
    """Be content with every message."""


def named(recorded: Recorded, name: str) -> list[ReadableSpan]:
    """Return the spans of a name."""
    return [span for span in recorded.spans if span.name == name]


def id_of(span: ReadableSpan) -> str:
    """Return the id of a span."""
    assert span.context
    return f"{span.context.span_id:016x}"


def test_what_follows_from_a_message_continues_its_trace(rig: Rig) -> None:
    """Publish, process, publish, process: each the child of the one before, in one trace."""
    recorded = Recorded()
    rig.outbox = rig.an_outbox(broker=TracedBroker(rig.broker, recorded.tracer))

    def forward(envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
        for each in envelopes:
            if each.subject == "1":
                work.send([a_parcel("2", traceparent=each.traceparent)])

    with rig.consuming(rig.transactional(forward), tracer=recorded.tracer):
        rig.send(a_parcel("1", traceparent=KEPT))
        assert [rig.next_seen(), rig.next_seen()] == [["1"], ["2"]]
        eventually(lambda: rig.settled("done") == 2)

    published, processed = (
        named(recorded, f"{verb} customer.deleted") for verb in ("publish", "process")
    )
    assert {trace_of(span) for span in recorded.spans} == {TRACE}
    assert [parent_of(each) for each in published] == [SPAN, id_of(processed[0])]
    assert [parent_of(each) for each in processed] == [id_of(each) for each in published]


def test_messages_of_one_batch_stay_in_their_own_traces(embedded_rig: Rig) -> None:
    """One span for each message, each in its trace; how many went together is an attribute."""
    recorded = Recorded()
    embedded_rig.owe(a_parcel("1", traceparent=KEPT), a_parcel("2", traceparent=OTHER))

    with embedded_rig.consuming(embedded_rig.transactional(nothing), tracer=recorded.tracer):
        eventually(lambda: embedded_rig.settled("done") == 2)

    spans = named(recorded, "process customer.deleted")
    assert [trace_of(span) for span in spans] == [TRACE, "a" * 32]
    assert [(span.attributes or {})["messaging.batch.message_count"] for span in spans] == [2, 2]


def test_without_tracing_a_context_is_passed_on_untouched(rig: Rig) -> None:
    """What a message brought is what its handler sees, and what follows from it carries."""
    contexts: list[str | None] = []

    def note(envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
        contexts.extend(each.traceparent for each in envelopes)

    with rig.consuming(rig.transactional(note)):
        rig.send(a_parcel("1", traceparent=KEPT), a_parcel("2"))
        eventually(lambda: rig.settled("done") == 2)

    assert sorted(contexts, key=str) == [KEPT, None]


def test_a_dead_letter_keeps_the_trace_and_a_retry_stays_in_it(rig: Rig) -> None:
    """Every attempt is a failed span of the trace; the letter carries it on, to be replayed in."""
    recorded = Recorded()
    rig.outbox = rig.an_outbox(broker=TracedBroker(rig.broker, recorded.tracer))

    def fail(envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
        raise ValueError("petra@example.com")

    with rig.consuming(rig.transactional(fail), tracer=recorded.tracer):
        rig.send(a_parcel("1", traceparent=KEPT))
        eventually(lambda: rig.settled("dead"))

    attempts = named(recorded, "process customer.deleted")
    [letter] = rig.buried()
    assert len(attempts) == 3
    assert {trace_of(span) for span in recorded.spans} == {TRACE}
    assert {(span.attributes or {})["error.type"] for span in attempts} == {"bug"}
    assert [(s.attributes or {})["patron.outcome"] for s in attempts] == ["retried"] * 2 + ["dead"]
    assert letter.traceparent[3:35] == TRACE
    assert not [span for span in recorded.spans if "petra" in span.to_json()]


def test_a_publication_that_fails_is_told_in_its_span(rabbitmq_rig: Rig) -> None:
    """A queue that is not there: the broker's word is the error; the next try is another span."""
    recorded = Recorded()
    outbox = rabbitmq_rig.an_outbox(broker=TracedBroker(rabbitmq_rig.broker, recorded.tracer))
    rabbitmq_rig.outbox = outbox

    with rabbitmq_rig.running():
        rabbitmq_rig.send(a_parcel("1", routing_key="nobody.listens", traceparent=KEPT))
        eventually(lambda: recorded.spans)

    [span, *_] = recorded.spans
    assert (span.attributes or {})["error.type"] == "unroutable"
    assert (trace_of(span), parent_of(span)) == (TRACE, SPAN)


def test_what_is_logged_while_a_message_is_handled_names_it(embedded_rig: Rig) -> None:
    """Inside a message's handling every line has its ids, and the trace where there is one."""
    recorded = Recorded()
    seen: list[dict[str, Any]] = []

    def speak(envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
        seen.append(dict(structlog.contextvars.get_contextvars()))

    parcel = a_parcel("1", traceparent=KEPT)
    with embedded_rig.consuming(embedded_rig.transactional(speak), tracer=recorded.tracer):
        embedded_rig.send(parcel)
        eventually(lambda: embedded_rig.settled("done"))

    [inside] = seen
    assert inside["message_id"] == str(parcel.message_id)
    assert inside["correlation_id"] == str(parcel.correlation_id)
    assert inside["trace_id"] == TRACE


@pytest.mark.parametrize("is_traced", [True, False])
def test_latencies_point_to_traces_where_there_are_any(
    embedded_rig: Rig, *, is_traced: bool
) -> None:
    """OpenMetrics shows the trace of a measurement; without tracing there are no exemplars."""
    changes = {"tracer": Recorded().tracer} if is_traced else {}

    with embedded_rig.consuming(embedded_rig.transactional(nothing), **changes):
        embedded_rig.send(a_parcel("1", traceparent=KEPT))
        eventually(
            lambda: embedded_rig.count("message_end_to_end_seconds_count", worker="processor")
        )

    encode, _content_type = choose_encoder("application/openmetrics-text; version=1.0.0")
    text = encode(embedded_rig.registry).decode()
    measured = [line for line in text.splitlines() if f'# {{trace_id="{TRACE}"}}' in line]
    names = {line.split("{")[0] for line in measured}
    wanted = {
        "patron_message_processing_seconds_bucket",
        "patron_message_end_to_end_seconds_bucket",
    }
    assert names == (wanted if is_traced else set())


_LOADED: Final = """
import json, os, sys
from importlib import import_module
from shared.runtime.foundation import open_foundation
from shared.runtime.installation import load_installation

role = import_module(f"services.{sys.argv[1]}.__main__")
foundation = open_foundation(load_installation(None, os.environ), sys.argv[1])
role.build(foundation)
loaded = sorted(name for name in sys.modules if name.partition(".")[0] == "opentelemetry")
for close in foundation.closers():
    close()
print(json.dumps(loaded))
"""


@pytest.mark.parametrize(
    ("role", "is_traced"),
    [("importer", False), ("processor", False), ("exporter", False), ("processor", True)],
)
def test_a_worker_without_a_collector_loads_nothing_for_it(
    migrated_sqlite_url: str, tmp_path: Path, role: str, *, is_traced: bool
) -> None:
    """OpenTelemetry is in a process that has a collector to send to, and in no other."""
    environment = {"PATRON_DATABASE__URL": migrated_sqlite_url, "PYTHONPATH": str(Path.cwd())}
    if is_traced:
        environment["PATRON_TRACING__ENDPOINT"] = "http://127.0.0.1:1"

    ended = subprocess.run(
        [sys.executable, "-c", _LOADED, role],
        env=environment,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert bool(json.loads(ended.stdout)) is is_traced
