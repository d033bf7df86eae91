"""Without tracing there is nothing in the way; a context tells its trace and whether it is kept."""

import pytest

from shared.observability.tracing import NO_TRACING, Tracer, exemplar_of, trace_id_of

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
KEPT, DROPPED = f"00-{TRACE}-00f067aa0ba902b7-01", f"00-{TRACE}-00f067aa0ba902b7-00"


def test_without_tracing_a_context_is_passed_on_as_it_came() -> None:
    """What stands for a span hands its parent on; nothing else happens."""
    tracer: Tracer = NO_TRACING

    with tracer.within("poll shop de"), tracer.under([KEPT]), tracer.each("poll", [1, 2]) as items:
        seen = list(items)
        span = tracer.begin("process customer.imported", "consumer", parent=KEPT)
        span.end(error="bug")
        tracer.happened("PUT", "client", 0.1)
    tracer.close(1.0)

    assert seen == [1, 2]
    assert span.traceparent == KEPT
    assert (tracer.is_on, tracer.traceparent) == (False, None)


@pytest.mark.parametrize(
    ("traceparent", "trace_id", "exemplar"),
    [(KEPT, TRACE, {"trace_id": TRACE}), (DROPPED, TRACE, None), (None, None, None)],
)
def test_a_measurement_points_to_a_trace_that_is_kept(
    traceparent: str | None, trace_id: str | None, exemplar: dict[str, str] | None
) -> None:
    """The trace of a context is known; only one that is sampled can be looked at."""
    assert trace_id_of(traceparent) == trace_id
    assert exemplar_of(traceparent) == exemplar
