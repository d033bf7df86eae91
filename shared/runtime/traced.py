"""A span for each message that is handled, in the trace that the message brought along.

Put around a handler where tracing is on, and nowhere else. A batch is as many spans that begin and
end together; what the handler sends because of a message continues that message's span.
"""

from collections.abc import Sequence
from contextlib import nullcontext
from dataclasses import replace
from typing import Final

from shared.messaging.traced import SYSTEM
from shared.observability.evidence import class_name
from shared.observability.tracing import Span, Tracer
from shared.runtime.patience import Patience
from shared.runtime.received import Handler, Received, Result

_FINE: Final = frozenset({"done", "duplicate", "deferred"})


def traced(handler: Handler, tracer: Tracer) -> Handler:
    """Return `handler`, with spans if there are any."""
    return TracedHandler(handler, tracer) if tracer.is_on else handler


class TracedHandler:
    """Has a handler work in spans."""

    def __init__(self, handler: Handler, tracer: Tracer) -> None:
        self._handler = handler
        self._tracer = tracer

    def handle(self, batch: Sequence[Received], patience: Patience) -> Sequence[Result]:
        """Handle the batch; what became of each message ends its span."""
        spans = [self._begin(received, len(batch)) for received in batch]
        inside = [_within(received, span) for received, span in zip(batch, spans, strict=True)]
        # Several messages are several traces: a thread cannot be in all of them.
        alone = self._tracer.under([spans[0].traceparent]) if len(spans) == 1 else nullcontext()
        try:
            with alone:
                results = self._handler.handle(inside, patience)
        except BaseException as error:
            for span in spans:
                span.end(error=class_name(error))
            raise
        for span, result in zip(spans, results, strict=True):
            trouble = None if result.outcome in _FINE else result.reason or result.outcome
            span.end(error=trouble, attributes={"patron.outcome": result.outcome})
        return results

    def _begin(self, received: Received, together: int) -> Span:
        envelope = received.envelope
        return self._tracer.begin(
            f"process {envelope.type}",
            "consumer",
            parent=envelope.traceparent,
            attributes={
                "messaging.system": SYSTEM,
                "messaging.operation.type": "process",
                "messaging.operation.name": "process",
                "messaging.destination.name": received.delivery.queue,
                "messaging.message.id": str(envelope.message_id),
                "messaging.message.conversation_id": str(envelope.correlation_id),
                "messaging.message.body.size": len(envelope.raw),
                "messaging.batch.message_count": together,
                "patron.channel": envelope.channel,
                "patron.redelivered": received.delivery.redelivered,
            },
        )


def _within(received: Received, span: Span) -> Received:
    """Return the message as one of its span, so that what follows from it does so too."""
    envelope = replace(received.envelope, traceparent=span.traceparent)
    return replace(received, envelope=envelope)
