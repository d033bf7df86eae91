"""Reading the directory: customers, their addresses, and the remote records linked to them.

For the operator's desk. Its promise: nothing is changed, one statement for each question.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from shared.domain.locations import location_number
from shared.persistence import contacts
from shared.persistence.contacts import ContactLine
from shared.persistence.tables import customer_addresses, customers, links
from shared.persistence.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class LinkLine:
    """A remote record that is a customer of the directory."""

    channel: str
    external_id: str
    customer_id: UUID
    status: str
    store_view: str
    customer_group: str | None
    changed_at: datetime
    exported_number: str | None
    is_contact: bool = False


@dataclass(frozen=True, slots=True)
class Linked:
    """A link, and its customer's number, template and defaults."""

    link: LinkLine
    number: str | None
    template: str | None
    defaults: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class CustomerCard:
    """A customer with addresses, contacts and links, field by field as the directory keeps them.

    An address that is a location has its full number as `location`.
    """

    id: UUID
    number: str | None
    fields: Mapping[str, Any]
    addresses: tuple[Mapping[str, Any], ...]
    links: tuple[LinkLine, ...]
    contacts: tuple[ContactLine, ...] = ()


@dataclass(frozen=True, slots=True)
class VisitingCard:
    """Enough of a customer to recognise it: who, where, and which remote records it is."""

    id: UUID
    number: str | None
    kind: str
    name: str
    company_name: str | None
    email: str | None
    phone: str | None
    place: str
    accounts: tuple[str, ...]


def visiting_cards(work: UnitOfWork, customer_ids: Collection[UUID]) -> dict[UUID, VisitingCard]:
    """Return the cards of those customers that exist."""
    ids = list(dict.fromkeys(customer_ids))
    places: dict[UUID, str] = {}
    columns = customer_addresses.c
    wanted = (columns.customer_id, columns.is_default_billing, columns.id, columns.postcode,
              columns.city, columns.country)  # fmt: skip
    rows = work.bulk.select(wanted, columns.customer_id, ids)
    for row in sorted(rows, key=lambda row: (not row.is_default_billing, row.id)):
        places.setdefault(
            row.customer_id, _joined(_joined(row.postcode, row.city), row.country, by=", ")
        )
    accounts = _accounts(work, ids)
    found = work.bulk.select(tuple(customers.c[name] for name in _CARD), customers.c.id, ids)
    return {
        row.id: VisitingCard(
            id=row.id,
            number=row.number,
            kind=row.kind,
            name=_joined(row.prefix, row.first_name, row.middle_name, row.last_name, row.suffix),
            company_name=row.company_name,
            email=row.email,
            phone=row.phone,
            place=places.get(row.id, ""),
            accounts=tuple(accounts.get(row.id, ())),
        )
        for row in found
    }


def by_number(work: UnitOfWork, number: str) -> UUID | None:
    """Return the customer that has exactly this number."""
    query = sa.select(customers.c.id).where(customers.c.number == number)
    found: UUID | None = work.connection.execute(query).scalar_one_or_none()
    return found


def numbers(work: UnitOfWork, customer_ids: Collection[UUID]) -> dict[UUID, str | None]:
    """Return the customer numbers of those that exist."""
    rows = work.bulk.select((customers.c.id, customers.c.number), customers.c.id, customer_ids)
    return {row.id: row.number for row in rows}


def link_of(work: UnitOfWork, channel: str, external_id: str) -> LinkLine | None:
    """Return the link of a remote record."""
    where = (links.c.channel == channel, links.c.external_id == external_id)
    row = work.connection.execute(_LINKS.where(*where)).first()
    return LinkLine(*row) if row else None


def linked(work: UnitOfWork, channel: str, *, limit: int) -> list[Linked]:
    """Return up to `limit` links of a channel, each with what its customer got in the directory."""
    query = (
        _LINKS.add_columns(customers.c.number, customers.c.template, customers.c.defaults)
        .join(customers, customers.c.id == links.c.customer_id)
        .where(links.c.channel == channel)
        .order_by(links.c.external_id)
        .limit(limit)
    )
    return [
        Linked(LinkLine(*row[:-3]), row.number, row.template, orjson.loads(row.defaults))
        for row in work.connection.execute(query)
    ]


def card(work: UnitOfWork, customer_id: UUID) -> CustomerCard | None:
    """Return a customer with all that belongs to it."""
    row = work.connection.execute(sa.select(customers).where(customers.c.id == customer_id)).first()
    if row is None:
        return None
    addresses = work.connection.execute(
        sa.select(customer_addresses)
        .where(customer_addresses.c.customer_id == customer_id)
        .order_by(customer_addresses.c.id)
    )
    linked = work.connection.execute(
        _LINKS.where(links.c.customer_id == customer_id)
        .order_by(links.c.channel, links.c.external_id)
    )  # fmt: skip
    return CustomerCard(
        id=row.id,
        number=row.number,
        fields=_without(row, "id", "number", "defaults", "locations"),
        addresses=tuple(_address(each, row.number) for each in addresses),
        links=tuple(LinkLine(*each) for each in linked),
        contacts=tuple(contacts.of_customer(work, customer_id)),
    )


def _address(row: sa.Row[Any], number: str | None) -> dict[str, Any]:
    """Return an address; a location with its full number and its defaults."""
    is_location = number is not None and row.location_number is not None
    return {
        **_without(row, "id", "customer_id", "location_number", "defaults"),
        "location": location_number(number or "", row.location_number) if is_location else None,
        "defaults": orjson.loads(row.defaults) if row.defaults else {},
    }


def _accounts(work: UnitOfWork, ids: Collection[UUID]) -> dict[UUID, list[str]]:
    """Return the remote records that still exist and are linked to these customers."""
    columns = (links.c.customer_id, links.c.channel, links.c.external_id, links.c.status)
    found: dict[UUID, list[str]] = {}
    for row in sorted(work.bulk.select(columns, links.c.customer_id, ids)):
        if row.status != "removed":
            found.setdefault(row.customer_id, []).append(f"{row.channel}/{row.external_id}")
    return found


def _joined(*parts: str | None, by: str = " ") -> str:
    return by.join(part for part in parts if part)


def _without(row: sa.Row[Any], *names: str) -> dict[str, Any]:
    values = row._mapping  # noqa: SLF001 - the documented way to read by name
    return {name: value for name, value in values.items() if name not in names}


_LINKS: Final = sa.select(*(links.c[field.name] for field in fields(LinkLine)))
_CARD: Final = (
    "id", "number", "kind", "prefix", "first_name", "middle_name", "last_name", "suffix",
    "company_name", "email", "phone",
)  # fmt: skip
