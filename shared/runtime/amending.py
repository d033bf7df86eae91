"""Changing what a dead letter says: only within its schema, and never whom it is about (NEW-4).

For the operator's desk. Its promise: whatever is stored can be read by the worker that gave the
message up, and is the same message about the same record as before; nothing is written here
unless it was checked.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

import orjson

from shared.domain.customer import Model
from shared.domain.errors import PatronError
from shared.domain.messages import Envelope as Read
from shared.domain.pointers import Change, changes, find, with_value
from shared.messaging.broker import WireMessage
from shared.messaging.codec import decode
from shared.persistence import dead_letter_desk
from shared.persistence.dead_letter_desk import Envelope
from shared.persistence.dead_letter_reader import DeadLetterRecord
from shared.persistence.dead_letters import OPEN
from shared.persistence.unit_of_work import UnitOfWork

# What says whom a message is about. Whoever else is meant is another message.
_IDENTITY: Final = {
    "customer.imported": ("/customer/source/channel", "/customer/source/external_id"),
    "customer.unreadable": ("/source/channel", "/source/external_id"),
    "customer.deleted": ("/source/channel", "/source/external_id"),
    "customer.export": ("/channel", "/external_id", "/customer_id", "/customer_number"),
    "import.requested": ("/channel", "/external_id"),
    "import.answered": ("/channel", "/external_id"),
    "canary.sent": (),
    "canary.passed": (),
    "staging.process": ("/channel", "/external_id", "/staging_id"),
}


class NotAmended(Exception):
    """The letter stays as it is; the text says why, without a value of the message."""


@dataclass(frozen=True, slots=True)
class Amendment:
    """A change that was checked and may be stored."""

    letter: DeadLetterRecord
    body: bytes
    diff: tuple[Change, ...]
    envelope: Envelope


def amended_text(letter: DeadLetterRecord, text: bytes) -> Amendment:
    """Return the change to what `text` says, which is JSON. Raises NotAmended."""
    return _checked(letter, _parsed(text))


def amended_values(letter: DeadLetterRecord, values: Iterable[tuple[str, Any]]) -> Amendment:
    """Return the change that sets values by JSON pointers. Raises NotAmended or PointerInvalid."""
    document = readable(letter)
    if document is None:
        raise NotAmended("the message is no JSON; give the whole of it")
    for pointer, value in values:
        document = with_value(document, pointer, value)
    return _checked(letter, document)


def readable(letter: DeadLetterRecord) -> Any:
    """Return what the letter says, or None if it is no JSON."""
    try:
        return orjson.loads(letter.body)
    except orjson.JSONDecodeError:
        return None


def amend(work: UnitOfWork, amendment: Amendment, *, actor: str, reason: str) -> None:
    """Store a change. Raises NotAmended if the letter has changed since."""
    letter = amendment.letter
    is_stored = dead_letter_desk.amend(
        work,
        letter.line.id,
        amendment.body,
        amendment.diff,
        amendment.envelope,
        seen_sha256=letter.body_sha256,
        actor=actor,
        reason=reason,
    )
    if not is_stored:
        raise NotAmended("the letter has changed meanwhile: look at it again")


def check_open(letter: DeadLetterRecord) -> None:
    """Raise NotAmended if nothing about the letter can be changed now."""
    if letter.line.state != OPEN:
        raise NotAmended(f"the letter is {letter.line.state}; only open ones can be changed")
    if not letter.is_whole:
        raise NotAmended("the message was too large to be kept, so there is nothing to change")


def _checked(letter: DeadLetterRecord, document: Any) -> Amendment:
    check_open(letter)
    before = readable(letter)
    diff = tuple(changes(before, document))
    if not diff:
        raise NotAmended("nothing is changed")
    body = orjson.dumps(document)
    read = _read(letter, body)
    _refuse_another(letter, read, before, document)
    known = Envelope(
        type=read.type,
        schema_version=read.schema_version,
        correlation_id=read.correlation_id,
        occurred_at=read.occurred_at,
        channel=read.channel,
        subject=read.subject,
    )
    return Amendment(letter, body, diff, known)


def _parsed(text: bytes) -> Any:
    try:
        return orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise NotAmended(f"that is no JSON: line {error.lineno}, column {error.colno}") from None


def _read(letter: DeadLetterRecord, body: bytes) -> Read[Model]:
    try:
        return decode(on_wire(letter, body))
    except PatronError as error:
        raise NotAmended(f"no worker could read that: {error}") from None


def on_wire(letter: DeadLetterRecord, body: bytes) -> WireMessage:
    """Return the message as it would be sent with this body."""
    said: dict[str, object] = {
        "schema_version": letter.schema_version,
        "channel": letter.line.channel,
        "subject": letter.line.subject,
    }
    return WireMessage(
        routing_key=letter.routing_key or "",
        body=body,
        message_id=letter.message_id,
        type=letter.line.type or "",
        correlation_id=str(letter.correlation_id) if letter.correlation_id else None,
        timestamp=letter.occurred_at,
        content_type=None,
        headers={name: value for name, value in said.items() if value is not None},
    )


def _refuse_another(letter: DeadLetterRecord, read: Read[Model], before: Any, after: Any) -> None:
    """Raise NotAmended where the change makes it a message about somebody else."""
    for pointer in _IDENTITY[read.type]:
        was, now = find(before, pointer), find(after, pointer)
        if was == now:
            continue
        if was is None:
            was = _said_by_envelope(letter, pointer)
        if was is not None and was != now:
            raise NotAmended(f"{pointer} says whom the message is about and cannot be changed")


def _said_by_envelope(letter: DeadLetterRecord, pointer: str) -> Any:
    """Return who it is about by the envelope, where the body as it was does not say."""
    name = pointer.rpartition("/")[2]
    return {"channel": letter.line.channel, "external_id": letter.line.subject}.get(name)
