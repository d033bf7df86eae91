"""Tracing by OpenTelemetry: spans, and where each thread stands among them.

Imported only where a collector is configured: it is an optional extra. Its promise: no span holds
the text of an exception.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from types import TracebackType
from typing import Final, Generic

import structlog
from opentelemetry.context import Context
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.trace import (
    Link,
    NonRecordingSpan,
    SpanContext,
    SpanKind,
    StatusCode,
    TraceFlags,
    set_span_in_context,
)
from opentelemetry.trace import Span as OtelSpan
from opentelemetry.trace import Tracer as OtelTracer

from shared.observability.evidence import class_name
from shared.observability.tracing import Attributes, Item, Kind, Span

_KINDS: Final = {
    "internal": SpanKind.INTERNAL,
    "server": SpanKind.SERVER,
    "client": SpanKind.CLIENT,
    "producer": SpanKind.PRODUCER,
    "consumer": SpanKind.CONSUMER,
}
_NOTHING: Final[Attributes] = {}
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a thread is: under which span, and with what that is linked."""

    context: SpanContext
    links: tuple[Link, ...] = ()


_PLACE: ContextVar[_Place | None] = ContextVar("place", default=None)


class Spans:
    """A `Tracer` whose spans go to a provider of OpenTelemetry's SDK."""

    is_on: Final = True

    def __init__(
        self, provider: TracerProvider, give_up: Callable[[], None] = lambda: None
    ) -> None:
        """`give_up` ends what the provider is still sending when it is closed."""
        self._give_up = give_up
        self._provider = provider
        self._tracer: OtelTracer = provider.get_tracer("patron")

    @property
    def traceparent(self) -> str | None:
        """The context in which this thread works now."""
        place = _PLACE.get()
        return _written(place.context) if place else None

    def begin(
        self,
        name: str,
        kind: Kind,
        *,
        parent: str | None = None,
        attributes: Attributes = _NOTHING,
    ) -> Span:
        """Begin a span under `parent`, or where this thread is, or else a trace of its own."""
        return _Span(self._start(name, kind, _read(parent) or _PLACE.get(), attributes))

    @contextmanager
    def within(
        self,
        name: str,
        kind: Kind = "internal",
        *,
        parent: str | None = None,
        attributes: Attributes = _NOTHING,
    ) -> Iterator[None]:
        """Have this thread work in a span; an exception ends it as failed, by its class."""
        span = self._start(name, kind, _read(parent) or _PLACE.get(), attributes)
        try:
            with _at(_Place(span.get_span_context())):
                yield
        except BaseException as error:
            _end(span, class_name(error))
            raise
        _end(span)

    def each(
        self, name: str, items: Iterable[Item], *, attributes: Attributes = _NOTHING
    ) -> AbstractContextManager[Iterable[Item]]:
        """Have a trace of its own for each of `items`: fetching it, and what the loop does."""
        return _Each(lambda: self._start(name, "internal", None, attributes), items)

    @contextmanager
    def under(self, traceparents: Iterable[str | None]) -> Iterator[None]:
        """Have this thread work in the first of these contexts, linked with the others."""
        places = [place for each in traceparents if (place := _read(each))]
        if not places:
            yield
            return
        links = tuple(Link(place.context) for place in places[1:])
        with _at(_Place(places[0].context, links)):
            yield

    def happened(
        self,
        name: str,
        kind: Kind,
        seconds: float,
        *,
        attributes: Attributes = _NOTHING,
        error: str | None = None,
    ) -> None:
        """Add a span of what is just over to the trace this thread works in, if it is in one."""
        if not (place := _PLACE.get()):
            return
        began = time.time_ns() - int(seconds * 1e9)
        _end(self._start(name, kind, place, attributes, began), error)

    def close(self, seconds: float) -> None:
        """Hand over what is not handed over yet, for so long at the most."""
        # The SDK would wait for half a minute, and offers no other way to say how long.
        closing = threading.Thread(target=self._provider.shutdown, name="tracing", daemon=True)
        closing.start()
        closing.join(seconds)
        if closing.is_alive():
            _log.warning("tracing.spans_lost", waited_seconds=seconds)
            self._give_up()

    def _start(
        self,
        name: str,
        kind: Kind,
        place: _Place | None,
        attributes: Attributes,
        began: int | None = None,
    ) -> OtelSpan:
        context = Context()
        if place:
            context = set_span_in_context(NonRecordingSpan(place.context), context)
        return self._tracer.start_span(
            name,
            context,
            _KINDS[kind],
            attributes,
            place.links if place else None,
            began,
            record_exception=False,
            set_status_on_exception=False,
        )


class _Span:
    """One of OpenTelemetry's spans."""

    def __init__(self, span: OtelSpan) -> None:
        self._span = span

    @property
    def traceparent(self) -> str:
        """The context in which what follows from this work stands."""
        return _written(self._span.get_span_context())

    def end(self, *, error: str | None = None, attributes: Attributes = _NOTHING) -> None:
        """Note that the work is over."""
        if attributes:
            self._span.set_attributes(attributes)
        _end(self._span, error)


class _Each(Generic[Item]):
    """Goes through items; from one to the next this thread works in a span of its own.

    What is begun for an item that does not come is forgotten: a page that there is not.
    """

    def __init__(self, start: Callable[[], OtelSpan], items: Iterable[Item]) -> None:
        self._start = start
        self._items = items
        self._open: tuple[OtelSpan, AbstractContextManager[None]] | None = None

    def __enter__(self) -> Iterable[Item]:
        return self._spanned()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._leave(class_name(error) if error else None)

    def _spanned(self) -> Iterator[Item]:
        items = iter(self._items)
        while True:
            span = self._start()
            place = _at(_Place(span.get_span_context()))
            place.__enter__()
            self._open = span, place
            try:
                item = next(items)
            except StopIteration:
                self._open = None
                place.__exit__(None, None, None)
                return
            yield item
            self._leave()

    def _leave(self, error: str | None = None) -> None:
        if self._open:
            (span, place), self._open = self._open, None
            place.__exit__(None, None, None)
            _end(span, error)


@contextmanager
def _at(place: _Place) -> Iterator[None]:
    """Have this thread be at a place, and its log say so."""
    context = place.context
    before = _PLACE.set(place)
    try:
        with structlog.contextvars.bound_contextvars(
            trace_id=f"{context.trace_id:032x}", span_id=f"{context.span_id:016x}"
        ):
            yield
    finally:
        _PLACE.reset(before)


def _end(span: OtelSpan, error: str | None = None) -> None:
    if error:
        span.set_attribute("error.type", error)
        span.set_status(StatusCode.ERROR)
    span.end()


def _read(traceparent: str | None) -> _Place | None:
    """Return where a message comes from; its form was checked when it was decoded."""
    if not traceparent:
        return None
    _version, trace_id, span_id, flags = traceparent.split("-")
    context = SpanContext(
        int(trace_id, 16), int(span_id, 16), is_remote=True, trace_flags=TraceFlags(int(flags, 16))
    )
    return _Place(context) if context.is_valid else None


def _written(context: SpanContext) -> str:
    return f"00-{context.trace_id:032x}-{context.span_id:016x}-{context.trace_flags:02x}"
