"""The contacts of companies, for the operator's desk: read, and forgotten with the person.

A company's record names persons who are customers of their own or none at all. Its promise: after
a person was forgotten, no stored record of a company names an account of it.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields
from typing import Any, Final, NamedTuple
from uuid import UUID

import orjson
import sqlalchemy as sa

from shared.domain.customer import SourceKey
from shared.persistence.tables import (
    amendments,
    customer_contacts,
    dead_letters,
    links,
    messages,
    raw_payloads,
    staging_customers,
)
from shared.persistence.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class ContactLine:
    """A person who acts for a company, as the company's record names it."""

    channel: str
    record: str
    external_id: str
    account: str | None
    is_main: bool
    first_name: str | None
    last_name: str | None
    email: str | None
    phone: str | None
    role: str | None


def of_customer(work: UnitOfWork, customer_id: UUID) -> list[ContactLine]:
    """Return the contacts of a customer, the main one of each record first."""
    columns = customer_contacts.c
    query = (
        sa.select(*(columns[field.name] for field in fields(ContactLine)))
        .where(columns.customer_id == customer_id)
        .order_by(columns.channel, columns.record, columns.is_main.desc(), columns.external_id)
    )
    return [ContactLine(*row) for row in work.connection.execute(query)]


def companies_of(work: UnitOfWork, accounts: Collection[SourceKey]) -> set[SourceKey]:
    """Return the companies that may name one of `accounts`, by what either side said last."""
    columns = customer_contacts.c
    by_account = (columns.channel, columns.account)
    rows = work.bulk.select((columns.channel, columns.record), by_account, accounts)
    found = {SourceKey(row.channel, row.record) for row in rows}
    for table, body in _SAID:
        key = (table.c.channel, table.c.external_id)
        for row in work.bulk.select((table.c.channel, table.c[body]), key, accounts):
            companies = _customer(_read(row[1])).get("companies")
            found |= {SourceKey(row[0], str(each)) for each in companies or ()}
    return found


def forget(work: UnitOfWork, accounts: Collection[SourceKey], companies: set[SourceKey]) -> int:
    """Strike accounts out of what is stored of these companies; return how many contacts went."""
    columns = customer_contacts.c
    conditions = [
        sa.and_(columns.channel == each.channel, columns.account == each.external_id)
        for each in accounts
    ]
    deletion = sa.delete(customer_contacts).where(sa.or_(sa.false(), *conditions))
    many = work.connection.execute(deletion).rowcount
    for place in _NAMING:
        changed = _strike_out(work, place, accounts, companies)
        if place.table is dead_letters:
            _strike_out_amendments(work, changed)
    of_company = [
        sa.and_(raw_payloads.c.channel == each.channel, raw_payloads.c.external_id == each[1])
        for each in companies
    ]
    work.connection.execute(sa.delete(raw_payloads).where(sa.or_(sa.false(), *of_company)))
    return many


def _strike_out(
    work: UnitOfWork,
    place: "_Place",
    accounts: Collection[SourceKey],
    companies: Iterable[SourceKey],
) -> list[Any]:
    """Rewrite the bodies of a table that are about these companies, without the accounts.

    Returns the first column of their keys.
    """
    table, key, body = place
    changed = []
    its_key = tuple(table.primary_key.columns)
    columns = tuple(dict.fromkeys((*its_key, table.c.channel, table.c[body])))
    for row in work.bulk.select(columns, (table.c.channel, table.c[key]), companies):
        said = _read(row[-1])
        customer = _customer(said)
        named = customer.get("contacts") or ()
        kept = [x for x in named if SourceKey(row.channel, str(x.get("account"))) not in accounts]
        if len(kept) == len(named):
            continue
        customer["contacts"] = kept
        matches = (c == v for c, v in zip(its_key, row, strict=False))
        work.connection.execute(sa.update(table).where(*matches).values({body: orjson.dumps(said)}))
        changed.append(row[0])
    return changed


def _strike_out_amendments(work: UnitOfWork, letters: Collection[UUID]) -> None:
    """Leave of amendments who made them and when: what was there before names persons as well."""
    work.connection.execute(
        sa.update(amendments)
        .where(amendments.c.dead_letter_id.in_(sorted(letters)))
        .values(diff=_REDACTED, original_body=_REDACTED.encode())
    )


def _customer(said: dict[str, Any]) -> dict[str, Any]:
    """Return the customer of a body, which is a message's or the customer's own."""
    inner = said.get("customer", said)
    return inner if isinstance(inner, dict) else {}


def _read(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}


_REDACTED: Final = "(erased)"


class _Place(NamedTuple):
    """Where companies are told of: which columns name the record, and hold what was said."""

    table: sa.Table
    key: str
    body: str


_SAID: Final = ((links, "snapshot"), (staging_customers, "body"))
_NAMING: Final = (
    _Place(links, "external_id", "snapshot"),
    _Place(staging_customers, "external_id", "body"),
    _Place(messages, "subject", "body"),
    _Place(dead_letters, "subject", "body"),
)
