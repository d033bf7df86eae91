"""Whom an operator means: a customer of the directory with every account, or one that is not there.

A customer is named by its number, or by one of its accounts as `CHANNEL/EXTERNAL_ID`; the one
leads to the other, whichever is known (C365-14). Its promise: nothing is changed.
"""

from dataclasses import dataclass
from typing import Final
from uuid import UUID

import sqlalchemy as sa

from shared.domain.customer import SourceKey
from shared.persistence.sets import Found
from shared.persistence.tables import (
    OPEN_STAGING_STATES,
    customers,
    dead_letters,
    history,
    import_requests,
    links,
    messages,
    raw_payloads,
    source_records,
    staging_customers,
)
from shared.persistence.tombstones import ERASED_ID
from shared.persistence.unit_of_work import UnitOfWork

ERASED: Final = "erased"
_COLLECTED: Final = "collected"
_REMOVED: Final = "removed"


@dataclass(frozen=True, slots=True)
class Person:
    """A customer of the directory, or an account that belongs to none yet.

    `accounts` are the remote records that are this person: those linked, and those that wait and
    were recognised as it. The customer that all guests share is none of them: `guests` says how
    many there are of those, each a person of its own. So are those who act for a company and are
    tied to its customer: `buyers` says how many.
    """

    customer_id: UUID | None
    number: str | None
    state: str | None
    accounts: tuple[SourceKey, ...]
    guests: int = 0
    buyers: int = 0

    @property
    def name(self) -> str:
        """What operators call it: the number, or else an account."""
        return self.number or (str(self.accounts[0]) if self.accounts else str(self.customer_id))

    @property
    def is_erased(self) -> bool:
        """Whether nothing but the number is left of it."""
        return self.state == ERASED


def account_named(name: str) -> SourceKey | None:
    """Read `CHANNEL/EXTERNAL_ID`; the id may hold further slashes."""
    channel, _, external_id = name.partition("/")
    return SourceKey(channel, external_id) if channel and external_id else None


def find(work: UnitOfWork, name: str) -> Person | None:
    """Return who is called so: by number, else by account. None if nothing is known."""
    row = work.connection.execute(_CUSTOMER.where(customers.c.number == name)).first()
    if row is not None:
        return _of_row(work, row)
    account = account_named(name)
    return of_account(work, account) if account else None


def of_account(work: UnitOfWork, account: SourceKey) -> Person | None:
    """Return whose account this is; None if nothing is known of it."""
    link = (
        links.c.channel == account.channel,
        links.c.external_id == account.external_id,
        links.c.status != _COLLECTED,
        ~links.c.is_contact,
    )
    row = work.connection.execute(
        _CUSTOMER.join(links, links.c.customer_id == customers.c.id).where(*link)
    ).first()
    if row is not None:
        return _of_row(work, row)
    return Person(None, None, None, (account,)) if _is_known(work, account) else None


def of_customer(work: UnitOfWork, customer_id: UUID) -> Person | None:
    """Return a customer of the directory with its accounts."""
    row = work.connection.execute(_CUSTOMER.where(customers.c.id == customer_id)).first()
    return _of_row(work, row) if row is not None else None


def once_taken_for(work: UnitOfWork, someone: Person) -> list[SourceKey]:
    """Return the accounts that were this customer once, or thought to be, and are not now.

    Those who act for it never were.
    """
    columns = history.c
    query = (
        sa.select(columns.channel, columns.external_id)
        .where(columns.customer_id == someone.customer_id, columns.external_id != ERASED_ID)
        .distinct()
    )
    found = {SourceKey(*row) for row in work.connection.execute(query)}
    acting = sa.select(links.c.channel, links.c.external_id).where(
        links.c.customer_id == someone.customer_id, links.c.is_contact
    )
    buyers = {SourceKey(*row) for row in work.connection.execute(acting)}
    return sorted(found - buyers - set(someone.accounts)) if someone.customer_id else []


def _of_row(work: UnitOfWork, row: Found) -> Person:
    is_its = links.c.customer_id == row.id
    is_guest = links.c.status == _COLLECTED
    linked = sa.select(links.c.channel, links.c.external_id).where(
        is_its, ~is_guest, ~links.c.is_contact
    )
    accounts = {SourceKey(*each) for each in work.connection.execute(linked)}
    guests = _many(work, is_its, is_guest)
    if not guests:
        accounts |= _recognised(work, row.id)
    buyers = _many(work, is_its, links.c.is_contact, links.c.status != _REMOVED)
    return Person(row.id, row.number, row.state, tuple(sorted(accounts)), guests, buyers)


def _many(work: UnitOfWork, *conditions: sa.ColumnElement[bool]) -> int:
    counting = sa.select(sa.func.count()).select_from(links).where(*conditions)
    return int(work.connection.execute(counting).scalar_one())


def _recognised(work: UnitOfWork, customer_id: UUID) -> set[SourceKey]:
    """Return the accounts that wait, belong to nobody, and were recognised as this customer."""
    columns = staging_customers.c
    is_linked = sa.exists().where(
        links.c.channel == columns.channel, links.c.external_id == columns.external_id
    )
    waiting = sa.select(columns.channel, columns.external_id).where(
        columns.state.in_(OPEN_STAGING_STATES), columns.customer_id == customer_id, ~is_linked
    )
    return {SourceKey(*row) for row in work.connection.execute(waiting)}


def _is_known(work: UnitOfWork, account: SourceKey) -> bool:
    traces = (
        sa.exists().where(channel == account.channel, external_id == account.external_id)
        for channel, external_id in _TRACES
    )
    return bool(work.connection.execute(sa.select(sa.or_(*traces))).scalar())


_CUSTOMER: Final = sa.select(customers.c.id, customers.c.number, customers.c.state)

# Where an account leaves a trace before it is linked.
_TRACES: Final = (
    (staging_customers.c.channel, staging_customers.c.external_id),
    (links.c.channel, links.c.external_id),
    (source_records.c.channel, source_records.c.external_id),
    (history.c.channel, history.c.external_id),
    (raw_payloads.c.channel, raw_payloads.c.external_id),
    (import_requests.c.channel, import_requests.c.external_id),
    (messages.c.channel, messages.c.subject),
    (dead_letters.c.channel, dead_letters.c.subject),
)
