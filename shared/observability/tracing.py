"""Tracing as the workers see it: spans of one trace, from a page that is read to what is written.

A trace context is passed on as the text that messages carry, W3C's `traceparent`; nobody but the
adapter (`shared.observability.otel`) knows what makes spans of it. Its promise: where tracing is
off there are no spans, nothing is imported for them, and asking costs next to nothing.
"""

from collections.abc import Iterable, Mapping
from contextlib import AbstractContextManager, nullcontext
from typing import Final, Literal, Protocol, TypeVar

Kind = Literal["internal", "server", "client", "producer", "consumer"]
Attributes = Mapping[str, str | int | float | bool]
Item = TypeVar("Item")

_NOTHING: Final[Attributes] = {}
_SAMPLED: Final = 0x01


class Span(Protocol):
    """A piece of work that is going on."""

    @property
    def traceparent(self) -> str:
        """The context in which what follows from this work stands."""
        ...

    def end(self, *, error: str | None = None, attributes: Attributes = _NOTHING) -> None:
        """Note that the work is over. `error` is a reason code or a class, never a text."""
        ...


class Tracer(Protocol):
    """Makes spans. Any thread may; where a thread stands in its trace is its own affair.

    Names and attributes hold nothing about a customer: channels, types, ids of messages, codes.
    """

    @property
    def is_on(self) -> bool:
        """Whether there are spans at all: what has much to prepare for them need not."""
        ...

    @property
    def traceparent(self) -> str | None:
        """The context in which this thread works now."""
        ...

    def begin(
        self,
        name: str,
        kind: Kind,
        *,
        parent: str | None = None,
        attributes: Attributes = _NOTHING,
    ) -> Span:
        """Begin a span under `parent`, or where this thread is, or else a trace of its own."""
        ...

    def within(
        self,
        name: str,
        kind: Kind = "internal",
        *,
        parent: str | None = None,
        attributes: Attributes = _NOTHING,
    ) -> AbstractContextManager[None]:
        """Have this thread work in a span; an exception ends it as failed, by its class."""
        ...

    def each(
        self, name: str, items: Iterable[Item], *, attributes: Attributes = _NOTHING
    ) -> AbstractContextManager[Iterable[Item]]:
        """Have a trace of its own for each of `items`: fetching it, and what the loop does."""
        ...

    def under(self, traceparents: Iterable[str | None]) -> AbstractContextManager[None]:
        """Have this thread work in the first of these contexts, linked with the others."""
        ...

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
        ...

    def close(self, seconds: float) -> None:
        """Hand over what is not handed over yet, for so long at the most."""
        ...


class NoSpan:
    """No span: it stands in the context that it was given."""

    __slots__ = ("traceparent",)

    def __init__(self, traceparent: str = "") -> None:
        self.traceparent = traceparent

    def end(self, *, error: str | None = None, attributes: Attributes = _NOTHING) -> None:
        """Do nothing."""


class NoTracing:
    """Makes no spans."""

    __slots__ = ()
    is_on: Final = False
    traceparent: Final = None

    def begin(
        self,
        name: str,
        kind: Kind,
        *,
        parent: str | None = None,
        attributes: Attributes = _NOTHING,
    ) -> Span:
        """Return what is no span."""
        return NoSpan(parent or "")

    def within(
        self,
        name: str,
        kind: Kind = "internal",
        *,
        parent: str | None = None,
        attributes: Attributes = _NOTHING,
    ) -> AbstractContextManager[None]:
        """Change nothing."""
        return _NO_CONTEXT

    def each(
        self, name: str, items: Iterable[Item], *, attributes: Attributes = _NOTHING
    ) -> AbstractContextManager[Iterable[Item]]:
        """Give the items as they are."""
        return nullcontext(items)

    def under(self, traceparents: Iterable[str | None]) -> AbstractContextManager[None]:
        """Change nothing."""
        return _NO_CONTEXT

    def happened(
        self,
        name: str,
        kind: Kind,
        seconds: float,
        *,
        attributes: Attributes = _NOTHING,
        error: str | None = None,
    ) -> None:
        """Do nothing."""

    def close(self, seconds: float) -> None:
        """Do nothing."""


_NO_CONTEXT: Final = nullcontext()
NO_TRACING: Final = NoTracing()


def trace_id_of(traceparent: str | None) -> str | None:
    """Return the trace that a context belongs to."""
    return traceparent[3:35] if traceparent else None


def exemplar_of(traceparent: str | None) -> dict[str, str] | None:
    """Return what ties a measurement to its trace, if that trace is one that is kept."""
    if not traceparent or not int(traceparent[53:55], 16) & _SAMPLED:
        return None
    return {"trace_id": traceparent[3:35]}
