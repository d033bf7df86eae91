"""The messages that pass between the workers: an envelope around one of few bodies.

The envelope travels as message properties and headers, the body as the message's JSON. A message
is named in the past tense when it reports, and by its effect when it asks for one.
"""

from typing import Generic, Literal, NamedTuple, TypeVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.domain.customer import Customer, FieldWarning, Identifier, Model, Source, Version

Body = TypeVar("Body", bound=Model, covariant=True)

Origin = Literal["poll", "sweep", "request", "push", "operator"]
Effect = Literal["customer_number", "additional_data"]


class Envelope(Model, Generic[Body]):
    """What is known about a message apart from its body.

    `correlation_id` is minted once at import and kept by all that follows; `causation_id` is the
    id of the message that led to this one; `subject` is the customer the message is about.
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


class CustomerImported(Model):
    """A customer was read and is new or changed."""

    customer: Customer
    origin: Origin = "poll"


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
