"""What passes between the consumer loop and a handler: messages in, one result for each out."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol
from uuid import UUID

from shared.domain.customer import Model
from shared.domain.messages import Envelope, Parcel
from shared.domain.values import value
from shared.messaging.broker import Delivery
from shared.runtime.patience import Patience

Outcome = Literal["done", "duplicate", "retried", "paused", "deferred", "dead"]


@value
class Received:
    """A decoded message and the delivery it came with.

    `is_foreign` is True for a message from outside, which has no row in the message store;
    `is_counted` when this attempt was counted before it began.
    """

    envelope: Envelope[Model]
    delivery: Delivery
    is_foreign: bool = False
    is_counted: bool = False

    @property
    def message_id(self) -> UUID:
        """The message's id."""
        return self.envelope.message_id


@dataclass(frozen=True, slots=True)
class Result:
    """What became of a message. Everything it implies is committed already."""

    outcome: Outcome
    reason: str | None = None
    error: BaseException | None = None


DONE = Result("done")
DUPLICATE = Result("duplicate")
DEFERRED = Result("deferred")


class Handler(Protocol):
    """Handles batches for a consumer and says what became of every message."""

    def handle(self, batch: Sequence[Received], patience: Patience) -> Sequence[Result]:
        """Handle the batch; return one result for each message, in order.

        Failures of messages are results, not exceptions. Database work goes through `patience`.
        """
        ...


def parcel_of(received: Received) -> Parcel:
    """Return the parcel that would bring this message again, byte for byte."""
    envelope = received.envelope
    return Parcel(
        message_id=envelope.message_id,
        routing_key=received.delivery.message.routing_key,
        type=envelope.type,
        schema_version=envelope.schema_version,
        correlation_id=envelope.correlation_id,
        causation_id=envelope.causation_id,
        occurred_at=envelope.occurred_at,
        channel=envelope.channel,
        subject=envelope.subject,
        traceparent=envelope.traceparent,
        body=envelope.raw,
        reply_to=envelope.reply_to,
        reply_id=envelope.reply_id,
    )
