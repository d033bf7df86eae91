"""Contacts of companies: written as the company's record names them, and woken when it arrives.

Its promise: nobody who was erased is written down again because a company still names him.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from services.processor.cases import Case
from services.processor.rows import Row
from shared.domain.contacts import names_any, without_contacts
from shared.domain.customer import Contact, Customer, Entity, SourceKey, replaced
from shared.domain.decisions import Create, Decision, Update
from shared.domain.directory import phone_text
from shared.persistence import staging_desk
from shared.persistence.sets import SetStatement
from shared.persistence.tables import customer_contacts
from shared.persistence.unit_of_work import UnitOfWork

COMPANY_UNKNOWN: Final = "company_unknown"

_FORGET: Final = SetStatement(
    "DELETE FROM customer_contacts WHERE record {is_given} AND EXISTS (SELECT 1 FROM {given}"
    " WHERE given.record = customer_contacts.record"
    " AND given.channel = customer_contacts.channel)",
    given={"record": sa.Text(), "channel": sa.Text()},
)


def contact_rows(customer: Customer, customer_id: UUID, now: datetime) -> list[Row]:
    """Return the rows of a company's contacts, each once."""
    source = customer.source
    contacts = {contact.external_id: contact for contact in customer.contacts}
    return [
        {
            "channel": source.channel,
            "record": source.external_id,
            "external_id": contact.external_id,
            "customer_id": customer_id,
            "account": contact.account,
            "is_main": contact.is_main,
            "first_name": contact.first_name,
            "last_name": contact.last_name,
            "email": contact.email,
            "phone": phone_text(contact.phone),
            "role": contact.role,
            "updated_at": now,
        }
        for contact in contacts.values()
    ]


def write_contacts(contacts: Mapping[SourceKey, Sequence[Row]], work: UnitOfWork) -> None:
    """Replace the contacts of these companies."""
    given = {
        "record": [company.external_id for company in contacts],
        "channel": [company.channel for company in contacts],
    }
    _FORGET.run(work.connection, given)
    work.bulk.insert(customer_contacts, [row for rows in contacts.values() for row in rows])


def contacts_of(decision: Decision) -> tuple[Contact, ...] | None:
    """Return the contacts that a decision writes down, or None where it leaves them alone."""
    match decision:
        case Create(customer=customer) if customer.entity is Entity.COMPANY:
            return customer.contacts or None
        case Update(contacts=contacts):
            return contacts
    return None


def wake(accounts: Collection[SourceKey], work: UnitOfWork) -> None:
    """Have accounts decided that waited for a company which has just arrived."""
    if accounts:
        staging_desk.ask_waiting(work, sorted(accounts), COMPANY_UNKNOWN)


def without_erased(case: Case, erased: frozenset[SourceKey]) -> Case:
    """Return the case without the contacts who were erased, in its message as well."""
    customer = case.customer
    if customer is None or not names_any(customer, erased):
        return case
    kept = without_contacts(customer, erased)
    body = replaced(case.message.body, customer=kept)
    message = replace(case.message, body=body, raw=body.to_json())
    return replace(case, customer=kept, message=message)
