"""A span for each message that is handed to the broker, whose context the message carries.

Put around a broker where tracing is on, and nowhere else. The message store keeps the context of
what a message follows from; each publication of it, the first as the repeated, is a span under that
and the parent of the handling to which it leads.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Final
from uuid import UUID

from shared.messaging.broker import (
    Broker,
    BrokerUnavailable,
    Consumption,
    PublishFailed,
    WireMessage,
)
from shared.messaging.properties import traceparent
from shared.messaging.topology import EXCHANGE
from shared.observability.evidence import class_name
from shared.observability.tracing import Span, Tracer

# Of OpenTelemetry's names for brokers; whatever transport takes its place, the model is AMQP's.
SYSTEM: Final = "rabbitmq"
_HEADER: Final = "traceparent"
_DIRECT: Final = "amq.default"


def traced(broker: Broker, tracer: Tracer) -> Broker:
    """Return `broker`, with spans if there are any."""
    return TracedBroker(broker, tracer) if tracer.is_on else broker


class TracedBroker:
    """Has a broker publish in spans; otherwise it is that broker."""

    def __init__(self, broker: Broker, tracer: Tracer) -> None:
        self._broker = broker
        self._tracer = tracer

    def publish(self, messages: Sequence[WireMessage]) -> None:
        """Publish; the broker's word on each message ends its span."""
        spans = [self._begin(message) for message in messages]
        failed: Mapping[UUID, str] = {}
        unforeseen: str | None = "not_published"
        try:
            self._broker.publish(
                [_carrying(message, span) for message, span in zip(messages, spans, strict=True)]
            )
            unforeseen = None
        except PublishFailed as error:
            failed, unforeseen = error.failed, None
            raise
        except BrokerUnavailable as error:
            unforeseen = error.reason
            raise
        except BaseException as error:
            unforeseen = class_name(error)
            raise
        finally:
            for message, span in zip(messages, spans, strict=True):
                reason = failed.get(message.message_id) if message.message_id else None
                span.end(error=reason.partition(":")[0] if reason else unforeseen)

    def consume(self, queue: str, prefetch: int) -> Consumption:
        """Subscribe as the broker does."""
        return self._broker.consume(queue, prefetch)

    def depth(self, queue: str) -> int:
        """Return how many messages wait in `queue`."""
        return self._broker.depth(queue)

    @property
    def is_connected(self) -> bool:
        """Whether publishing is possible now."""
        return self._broker.is_connected

    @property
    def is_blocked(self) -> bool:
        """Whether the broker takes nothing for now."""
        return self._broker.is_blocked

    def close(self) -> None:
        """Close every connection."""
        self._broker.close()

    def _begin(self, message: WireMessage) -> Span:
        attributes: dict[str, str | int] = {
            "messaging.system": SYSTEM,
            "messaging.operation.type": "send",
            "messaging.operation.name": "publish",
            "messaging.destination.name": _DIRECT if message.is_direct else EXCHANGE,
            "messaging.message.id": str(message.message_id),
            "messaging.message.body.size": len(message.body),
        }
        if not message.is_direct:  # how an asker calls himself and his question is his affair
            attributes["messaging.rabbitmq.destination.routing_key"] = message.routing_key
            attributes["messaging.message.conversation_id"] = message.correlation_id or ""
        return self._tracer.begin(
            f"publish {message.type}",
            "producer",
            parent=traceparent(message.headers.get(_HEADER)),
            attributes=attributes,
        )


def _carrying(message: WireMessage, span: Span) -> WireMessage:
    return replace(message, headers={**message.headers, _HEADER: span.traceparent})
