"""The messages that pass between the workers: an envelope around one of few bodies.

The envelope travels as message properties and headers, the body as the message's JSON. A message
is named in the past tense when it reports, and by its effect when it asks for one.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, Field
from uuid_utils.compat import uuid7

from shared.domain.customer import Customer, FieldWarning, Identifier, Model, Source, Version

Body = TypeVar("Body", bound=Model, covariant=True)

Origin = Literal["poll", "sweep", "request", "push", "operator"]
Effect = Literal["customer_number", "additional_data"]


class Envelope(Model, Generic[Body]):
    """A received message: its body, and what is known about it apart from that.

    `correlation_id` is minted once at import and kept by all that follows; `causation_id` is the
    id of the message that led to this one; `subject` is the customer the message is about; `raw`
    is the body as it was on the wire, to be kept or passed on without writing it anew. What
    `is_foreign` was sent by somebody else, whose customers need not be in canonical form.
    """

    message_id: UUID
    type: Identifier
    schema_version: int = Field(ge=1)
    correlation_id: UUID
    causation_id: UUID | None = None
    occurred_at: AwareDatetime
    channel: Identifier
    subject: Identifier
    traceparent: str | None = None
    body: Body
    raw: bytes = Field(repr=False)
    is_foreign: bool = False


@dataclass(frozen=True, slots=True)
class Parcel:
    """A message ready for the road: the envelope's fields, and the body as bytes."""

    message_id: UUID
    routing_key: str
    type: str
    schema_version: int
    correlation_id: UUID
    causation_id: UUID | None
    occurred_at: datetime
    channel: str
    subject: str
    traceparent: str | None
    body: bytes


class CustomerImported(Model):
    """A customer was read and is new or changed. One that was pushed may be in any form."""

    customer: Customer
    origin: Origin = "push"


class CustomerUnreadable(Model):
    """A record was read that the canonical model cannot hold; `problems` name its fields."""

    source: Source
    problems: tuple[FieldWarning, ...]


class CustomerDeleted(Model):
    """A customer known to us no longer exists in its channel."""

    source: Source


class CustomerExport(Model):
    """Write something about a customer to a channel.

    `customer_number` effects write `customer_number`; `additional_data` effects write `values`,
    keyed by the names that the channel's configuration gives them there.
    """

    effect: Effect
    channel: Identifier
    external_id: Identifier
    store_view: Identifier
    customer_id: UUID
    customer_number: Identifier
    values: dict[str, str] = Field(default_factory=dict)
    version: Version


class ImportRequested(Model):
    """Somebody wants a channel, or one store view of it, imported now (C365-8)."""

    channel: Identifier
    store_view: Identifier | None = None
    sweep: bool = False


class MessageType(NamedTuple):
    """How a body travels: its name on the wire, its schema version, its model."""

    name: str
    schema_version: int
    model: type[Model]


MESSAGE_TYPES: dict[str, MessageType] = {
    kind.name: kind
    for kind in (
        MessageType("customer.imported", 1, CustomerImported),
        MessageType("customer.unreadable", 1, CustomerUnreadable),
        MessageType("customer.deleted", 1, CustomerDeleted),
        MessageType("customer.export", 1, CustomerExport),
        MessageType("import.requested", 1, ImportRequested),
    )
}

_BY_MODEL: dict[type[Model], MessageType] = {kind.model: kind for kind in MESSAGE_TYPES.values()}


def type_of(body: Model) -> MessageType:
    """Return how `body` travels. Raises KeyError for a model that is no message body."""
    return _BY_MODEL[type(body)]


def routing_key(body_type: str, channel: str) -> str:
    """Return the routing key of a message: exports go to their channel's own queue."""
    return f"customer.export.{channel}" if body_type == "customer.export" else body_type


def parcel(
    body: Model,
    *,
    channel: str,
    subject: str,
    at: datetime,
    cause: Envelope[Model] | None = None,
) -> Parcel:
    """Wrap `body` for sending, as the start of a correlation or as what `cause` led to."""
    kind = type_of(body)
    message_id = uuid7()
    return Parcel(
        message_id=message_id,
        routing_key=routing_key(kind.name, channel),
        type=kind.name,
        schema_version=kind.schema_version,
        correlation_id=cause.correlation_id if cause else message_id,
        causation_id=cause.message_id if cause else None,
        occurred_at=at,
        channel=channel,
        subject=subject,
        traceparent=cause.traceparent if cause else None,
        body=body.to_json(),
    )
