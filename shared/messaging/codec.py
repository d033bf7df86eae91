"""The wire format: parcels to messages, messages to envelopes.

For the consumer loop and the relay. Its promise: whatever the bytes are, `decode` returns a
checked envelope or raises one of the permanent errors, quickly, and without repeating a value of
the message in its text. Nothing but JSON is ever decoded: no pickle, no compression.

A message from outside needs a JSON body and a type (or the routing key that implies it); what
else is missing is derived from the body.
"""

import re
from collections.abc import Mapping

from pydantic import ValidationError

from shared.domain.customer import Model
from shared.domain.errors import SchemaTooNew, Undecodable, UnknownType, WrongSchema
from shared.domain.messages import (
    CANARY,
    MESSAGE_TYPES,
    CanaryPassed,
    CanarySent,
    CustomerDeleted,
    CustomerExport,
    CustomerImported,
    CustomerUnreadable,
    Envelope,
    ImportAnswered,
    ImportRequested,
    MessageType,
    Parcel,
    StagingProcess,
)
from shared.messaging.broker import APP_ID, WireMessage
from shared.messaging.properties import (
    CONTROL,
    SHORT,
    correlation_id,
    occurred_at,
    reply,
    stand_in_id,
    text_of,
    traceparent,
    uuid_or_none,
)
from shared.messaging.strict import (
    CONTENT_ENCODING,
    CONTENT_TYPE,
    MAX_BODY_BYTES,
    check_json,
    check_no_duplicate_keys,
    check_properties,
    check_size,
)

__all__ = ["MAX_BODY_BYTES", "decode", "is_ours", "to_wire"]

_FIELD_NAME = re.compile(r"[a-z][a-z0-9_]{0,62}")
_TYPE_NAME = re.compile(r"[a-z][a-z0-9_.-]{0,62}")


def to_wire(parcel: Parcel) -> WireMessage:
    """Return the message that carries `parcel`. Raises Oversized."""
    check_size(parcel.body)
    is_reply = parcel.is_reply
    headers: dict[str, object] = {
        "schema_version": parcel.schema_version,
        "channel": parcel.channel,
        "subject": parcel.subject,
        "occurred_at": text_of(parcel.occurred_at),
    }
    if parcel.causation_id is not None:
        headers["causation_id"] = text_of(parcel.causation_id)
    if parcel.traceparent is not None:
        headers["traceparent"] = parcel.traceparent
    return WireMessage(
        routing_key=parcel.reply_to or "" if is_reply else parcel.routing_key,
        body=parcel.body,
        message_id=parcel.message_id,
        type=parcel.type,
        # The asker's own text, to which `decode` finds our correlation again.
        correlation_id=parcel.reply_id or text_of(parcel.correlation_id),
        timestamp=parcel.occurred_at,
        content_type=CONTENT_TYPE,
        content_encoding=CONTENT_ENCODING,
        headers=headers,
        app_id=APP_ID,
        reply_to=None if is_reply else parcel.reply_to,
        is_direct=is_reply,
    )


def is_ours(message: WireMessage) -> bool:
    """Whether Patron itself sent the message, which then has, or had, a row in the store."""
    return message.app_id == APP_ID


def decode(message: WireMessage) -> Envelope[Model]:
    """Return what `message` says, its bytes kept in `raw`.

    Raises Oversized, Undecodable, UnknownType, SchemaTooNew or WrongSchema.
    """
    check_size(message.body)
    check_properties(message)
    kind = _kind(message)
    version = _schema_version(message.headers, kind)
    check_json(message.body)
    if not is_ours(message):
        check_no_duplicate_keys(message.body)
    body = _body(message.body, kind)
    return _envelope(message, kind, version, body)


def _kind(message: WireMessage) -> MessageType:
    name = message.type or _type_of_key(message.routing_key)
    try:
        return MESSAGE_TYPES[name]
    except KeyError:
        shown = name if _TYPE_NAME.fullmatch(name) else "?"
        raise UnknownType(f"no message type {shown}") from None


def _type_of_key(routing_key: str) -> str:
    return "customer.export" if routing_key.startswith("customer.export.") else routing_key


def _schema_version(headers: Mapping[str, object], kind: MessageType) -> int:
    """Return the version the sender wrote; one who names none speaks the first."""
    version = headers.get("schema_version", 1)
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise WrongSchema("schema_version: not a positive integer")
    if version > kind.schema_version:
        raise SchemaTooNew(
            f"{kind.name} has schema version {version}, newest known is {kind.schema_version}"
        )
    return version


def _body(body: bytes, kind: MessageType) -> Model:
    try:
        return kind.model.model_validate_json(body)
    except ValidationError as error:
        raise _refusal(error) from None


def _refusal(error: ValidationError) -> Undecodable | WrongSchema:
    """Say which fields are wrong and how, never what stood in them."""
    problems = error.errors(include_url=False, include_context=False, include_input=False)
    if any(problem["type"] == "json_invalid" for problem in problems):
        return Undecodable("not JSON")
    named = (f"{_field(problem['loc'])}: {problem['type']}" for problem in problems[:10])
    return WrongSchema(", ".join(named))


def _field(location: tuple[int | str, ...]) -> str:
    return ".".join(
        str(step) if isinstance(step, int) or _FIELD_NAME.fullmatch(step) else "?"
        for step in location
    )


def _envelope(
    message: WireMessage, kind: MessageType, version: int, body: Model
) -> Envelope[Model]:
    headers = message.headers
    message_id = message.message_id or stand_in_id(message, kind.name)
    channel, subject = _about(headers, body)
    reply_to, reply_id = reply(message) if message.reply_to else (None, None)
    return Envelope(
        message_id=message_id,
        type=kind.name,
        schema_version=version,
        correlation_id=correlation_id(message.correlation_id, message_id),
        causation_id=uuid_or_none(headers.get("causation_id")),
        occurred_at=occurred_at(message),
        channel=channel,
        subject=subject,
        traceparent=traceparent(headers.get("traceparent")),
        body=body,
        raw=message.body,
        is_foreign=not is_ours(message),
        reply_to=reply_to,
        reply_id=reply_id,
    )


def _about(headers: Mapping[str, object], body: Model) -> tuple[str, str]:
    """Return channel and subject as the headers name them, or else as the body does."""
    channel, subject = headers.get("channel"), headers.get("subject")
    if channel is None or subject is None:
        own_channel, own_subject = _about_body(body)
        channel = own_channel if channel is None else channel
        subject = own_subject if subject is None else subject
    return _identifier("channel", channel), _identifier("subject", subject)


def _about_body(body: Model) -> tuple[str, str]:
    match body:
        case CustomerImported(customer=customer):
            return customer.source.channel, customer.source.external_id
        case CustomerUnreadable(source=source) | CustomerDeleted(source=source):
            return source.channel, source.external_id
        case (
            CustomerExport(channel=channel, external_id=external_id)
            | ImportAnswered(channel=channel, external_id=external_id)
            | StagingProcess(channel=channel, external_id=external_id)
        ):
            return channel, external_id
        case ImportRequested(channel=channel, external_id=external_id):
            return channel, external_id or channel
        case CanarySent() | CanaryPassed():
            return CANARY, CANARY
    raise WrongSchema("channel, subject: missing")


def _identifier(name: str, value: object) -> str:
    longest = SHORT if name == "channel" else 511
    if isinstance(value, str) and 0 < len(value) <= longest and not CONTROL.search(value):
        return value
    raise WrongSchema(f"{name}: not a short text")
