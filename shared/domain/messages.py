"""The messages that pass between the workers: an envelope around one of few bodies.

The envelope travels as message properties and headers, the body as the message's JSON. A message
is named in the past tense when it reports, and by its effect when it asks for one.
"""

from dataclasses import field
from datetime import datetime
from typing import Generic, Literal, NamedTuple, Protocol, TypeVar
from uuid import UUID

from pydantic import Field

from shared.domain.customer import (
    Customer,
    FieldWarning,
    Identifier,
    Model,
    Moment,
    Source,
    Version,
)
from shared.domain.ids import new_id
from shared.domain.values import value

Body = TypeVar("Body", bound=Model, covariant=True)

Origin = Literal["poll", "sweep", "request", "push", "operator"]
Effect = Literal["customer_number", "additional_data"]
Mode = Literal["normal", "link_only", "repair"]
Choice = Literal["rules", "customer", "new", "link_only"]
Answer = Literal["customer", "waiting", "refused"]


@value(kw_only=True)
class Envelope(Generic[Body]):
    """A received message: its body, and what is known about it apart from that.

    `correlation_id` is minted once at import and kept by all that follows; `causation_id` is the
    id of the message that led to this one; `subject` is the customer the message is about; `raw`
    is the body as it was on the wire, to be kept or passed on without writing it anew. What
    `is_foreign` was sent by somebody else, whose customers need not be in canonical form. Whoever
    wants an answer named a queue in `reply_to`; `reply_id` is what he calls his question.
    """

    message_id: UUID
    type: str
    schema_version: int
    correlation_id: UUID
    causation_id: UUID | None = None
    occurred_at: datetime
    channel: str
    subject: str
    traceparent: str | None = None
    body: Body = field(repr=False)
    raw: bytes = field(repr=False)
    is_foreign: bool = False
    reply_to: str | None = None
    reply_id: str | None = None


class Cause(Protocol):
    """What a message follows from, such as the envelope of the one that led to it."""

    @property
    def message_id(self) -> UUID:
        """Its id."""
        ...

    @property
    def correlation_id(self) -> UUID:
        """What it belongs to."""
        ...

    @property
    def traceparent(self) -> str | None:
        """Its trace context, where there is one."""
        ...


@value
class Parcel:
    """A message ready for the road: the envelope's fields, and the body as bytes.

    A reply goes to the queue `reply_to`, under the asker's own `reply_id`; a question that was
    put off keeps what it came with.
    """

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
    reply_to: str | None = None
    reply_id: str | None = None

    @property
    def is_reply(self) -> bool:
        """Whether this goes to one asker and not to the workers."""
        return self.type in REPLIES


class CustomerImported(Model):
    """A customer was read and is new or changed. One that was pushed may be in any form.

    In the mode `link_only` a customer who is not linked yet is linked to one that is known, or
    else left to an operator; `repair` brings the directory back to what the shop says.
    """

    customer: Customer
    origin: Origin = "push"
    mode: Mode = "normal"


class CustomerUnreadable(Model):
    """A record was read that the canonical model cannot hold; `problems` name its fields."""

    source: Source
    problems: tuple[FieldWarning, ...]


class CustomerDeleted(Model):
    """A customer known to us no longer exists in its channel."""

    source: Source


class CustomerExport(Model):
    """Write something about a customer to a channel.

    `customer_number` effects write `customer_number`, and the numbers of `locations`, keyed by
    the remote ids of their addresses; `additional_data` effects write `values`, keyed by the names
    that the channel's configuration gives them there.
    """

    effect: Effect
    channel: Identifier
    external_id: Identifier
    store_view: Identifier
    customer_id: UUID
    customer_number: Identifier
    locations: dict[Identifier, Identifier] = Field(default_factory=dict)
    values: dict[str, str] = Field(default_factory=dict)
    version: Version


class ImportRequested(Model):
    """Somebody wants a channel, a store view or one customer of it imported now (C365-8, MYOB-4).

    With `external_id` it is about that customer: whoever named a queue in `reply_to` is answered
    with an `ImportAnswered` within `answer_within_seconds`. `since` reads again what changed from
    then on. `link_only` sweeps, links what is known and creates nothing (ASK-8).
    """

    channel: Identifier
    store_view: Identifier | None = None
    sweep: bool = False
    external_id: Identifier | None = None
    since: Moment | None = None
    link_only: bool = False
    answer_within_seconds: float = Field(default=60.0, gt=0, le=3600)


class ImportAnswered(Model):
    """What came of the request for one customer.

    `customer`: here is the number. `waiting`: it is imported and waits, for `reason` (a staging
    state and reason), or the answer was not known in time (`timeout`). `refused`: it cannot be
    imported, for `reason`.
    """

    channel: Identifier
    external_id: Identifier
    answer: Answer
    customer_number: Identifier | None = None
    reason: Identifier | None = None


class StagingProcess(Model):
    """Decide a staged customer now, whatever the processing method of its store view (C365-11).

    `choice` says by what: the `rules`, as an operator asks or because the configuration changed;
    the `customer` named by `customer_id` (NEW-3); as a `new` customer, whoever it resembles; or
    `link_only`: link it if the rules find a customer, and create nothing.
    """

    channel: Identifier
    external_id: Identifier
    staging_id: UUID
    choice: Choice = "rules"
    customer_id: UUID | None = None
    by: Literal["operator", "configuration"] = "operator"


class CanarySent(Model):
    """A message about nobody, to see whether messages pass; the processor hands it on."""

    sent_at: Moment


class CanaryPassed(Model):
    """A canary that has come as far as the exporter, which notes the time it took."""

    sent_at: Moment


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
        MessageType("import.answered", 1, ImportAnswered),
        MessageType("staging.process", 1, StagingProcess),
        MessageType("canary.sent", 1, CanarySent),
        MessageType("canary.passed", 1, CanaryPassed),
    )
}

CANARY = "canary"
"""The channel and the subject of messages about nobody; no shop may be called so."""

REPLIES = frozenset({"import.answered"})

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
    cause: Cause | None = None,
    traceparent: str | None = None,
    reply_to: str | None = None,
    reply_id: str | None = None,
) -> Parcel:
    """Wrap `body` for sending, as the start of a correlation or as what `cause` led to.

    It belongs to the trace of `traceparent`, or else to that of its cause.
    """
    return enclose(
        type_of(body),
        body.to_json(),
        channel=channel,
        subject=subject,
        at=at,
        cause=cause,
        traceparent=traceparent,
        reply_to=reply_to,
        reply_id=reply_id,
    )


def enclose(
    kind: MessageType,
    body: bytes,
    *,
    channel: str,
    subject: str,
    at: datetime,
    cause: Cause | None = None,
    traceparent: str | None = None,
    reply_to: str | None = None,
    reply_id: str | None = None,
) -> Parcel:
    """Wrap a body of this kind that was written already, as `parcel` does."""
    message_id = new_id()
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
        traceparent=traceparent or (cause.traceparent if cause else None),
        body=body,
        reply_to=reply_to,
        reply_id=reply_id,
    )
