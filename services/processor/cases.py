"""What each message of a batch asks the processor: which customer, and decided by what.

Its promise: whatever is decided is in canonical form, whoever sent it; and a staged customer is
decided as it was last imported, however old the message is that asks for it.
"""

from collections.abc import Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from services.processor.gather import Inquiry
from shared.domain.customer import SourceKey, read_from, replaced
from shared.domain.decisions import AUTOMATIC, Instruction
from shared.domain.errors import UnknownType
from shared.domain.messages import (
    CustomerDeleted,
    CustomerImported,
    CustomerUnreadable,
    Envelope,
    StagingProcess,
)
from shared.domain.normalise import normalise_customer
from shared.domain.values import value
from shared.persistence.tables import OPEN_STAGING_STATES, staging_customers
from shared.persistence.unit_of_work import UnitOfWork

_INSTRUCTIONS: Final = {
    "normal": AUTOMATIC,
    "link_only": Instruction(links_only=True),
    "repair": Instruction(repairs=True),
}

_START: Final = b'{"customer":'


@value(kw_only=True)
class Case(Inquiry):
    """A message, and the customer that is to be decided, if it is about one that can be.

    `staging_id` is the record that was meant, if it was one of the staging desk.
    """

    message: Envelope[Any]
    staging_id: UUID | None = None


def cases_of(messages: Sequence[Envelope[Any]], work: UnitOfWork) -> list[Case]:
    """Return the case of each message. Raises `UnknownType` for one that is not for us."""
    asked = [m.body.staging_id for m in messages if isinstance(m.body, StagingProcess)]
    staged = _open_records(asked, work)
    return [_case(message, staged) for message in messages]


def _case(message: Envelope[Any], staged: dict[UUID, sa.Row[Any]]) -> Case:
    match message.body:
        case CustomerImported(mode=mode):
            return _imported(message, _INSTRUCTIONS[mode])
        case CustomerUnreadable(source=source) | CustomerDeleted(source=source):
            return Case(source.key, message=message)
        case StagingProcess() as asked:
            return _staged(message, asked, staged.get(asked.staging_id))
    raise UnknownType(f"the processor does not take {message.type}")


def _imported(
    message: Envelope[Any], instruction: Instruction, staging_id: UUID | None = None
) -> Case:
    # A stranger's message that had to be retried comes back as one of ours: still pushed.
    if message.is_foreign or message.body.origin == "push":
        customer = normalise_customer(message.body.customer)
        message = replace(message, body=replaced(message.body, customer=customer))
    elif written := _customer_in(message):
        read_from(message.body.customer, written)
    customer = message.body.customer
    key = customer.source.key
    return Case(key, customer, instruction, message=message, staging_id=staging_id)


def _customer_in(message: Envelope[CustomerImported]) -> bytes | None:
    """Return the customer's JSON out of a message of ours; None if it is not written as we do."""
    raw, end = message.raw, _end(message.body.origin, message.body.mode)
    if raw.startswith(_START) and raw.endswith(end):
        return raw[len(_START) : -len(end)]
    return None


@cache
def _end(origin: str, mode: str) -> bytes:
    return f',"origin":"{origin}","mode":"{mode}"}}'.encode()


def _staged(message: Envelope[Any], asked: StagingProcess, row: sa.Row[Any] | None) -> Case:
    """Return the case of a staged customer as it was imported, in its own correlation.

    Without a customer if the record was closed meanwhile, or holds one that cannot be read.
    """
    source = SourceKey(asked.channel, asked.external_id)
    if row is None or row.reason == "unreadable" or (row.channel, row.external_id) != source:
        return Case(source, message=message, staging_id=asked.staging_id)
    body = CustomerImported.model_validate_json(row.body)
    staged = replace(message, body=body, raw=row.body, correlation_id=row.correlation_id)
    return _imported(staged, _instruction(asked), asked.staging_id)


def _instruction(asked: StagingProcess) -> Instruction:
    if asked.choice == "link_only":
        return Instruction(links_only=True)
    if asked.by == "configuration":
        return AUTOMATIC
    return Instruction(processes=True, creates=asked.choice == "new", customer_id=asked.customer_id)


def _open_records(ids: Sequence[UUID], work: UnitOfWork) -> dict[UUID, sa.Row[Any]]:
    columns = staging_customers.c
    wanted = ("id", "channel", "external_id", "state", "reason", "correlation_id", "body")
    rows = work.bulk.select([columns[name] for name in wanted], columns.id, ids)
    return {row.id: row for row in rows if row.state in OPEN_STAGING_STATES}
