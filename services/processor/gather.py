"""Gather what a batch's decisions need: one set-based query per table, into a `Known` value."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from services.processor.rows import to_address, to_customer, to_link, to_open_staging
from shared.domain.customer import Customer, SourceKey
from shared.domain.decisions import AUTOMATIC, Instruction
from shared.domain.directory import DirectoryAddress, DirectoryCustomer
from shared.domain.entities import may_act_for_company
from shared.domain.evidence import Clues, clues_of
from shared.domain.known import Account, Known, Link, OpenStaging
from shared.domain.match_rules import DirectoryKey, MatchBy
from shared.domain.normalise import place_of
from shared.domain.policy import Policy
from shared.domain.templates import numbers_spoken_of
from shared.domain.values import value
from shared.persistence.array_literal import array_literal
from shared.persistence.sets import SetStatement
from shared.persistence.tables import (
    customer_addresses,
    customer_contacts,
    customers,
    links,
    staging_customers,
)
from shared.persistence.unit_of_work import UnitOfWork


@value
class Inquiry:
    """What will be decided: a remote record, the customer in it if there is one, and how."""

    source: SourceKey
    customer: Customer | None = None
    instruction: Instruction = AUTOMATIC


class Wanted:
    """What is looked up: customers by ids and the values of each key, and companies acted for."""

    def __init__(self, inquiries: Iterable[Inquiry], policy: Policy) -> None:
        self._policy = policy
        self.ids: set[UUID] = set()
        self.values: dict[DirectoryKey, set[str]] = {key: set() for key in DirectoryKey}
        self.places: set[str] = set()
        self.companies: set[SourceKey] = set()
        self.silent: set[SourceKey] = set()
        self.clues: list[tuple[Customer, Clues]] = []
        for inquiry in inquiries:
            if inquiry.instruction.customer_id:
                self.ids.add(inquiry.instruction.customer_id)
            if inquiry.customer:
                self._add(inquiry.customer)

    def identities(self) -> set[str]:
        """Return what two processors must not decide about at the same time."""
        return (
            {f"{key}:{value}" for key, values in self.values.items() for value in values}
            | {f"place:{place}" for place in self.places}
            | set(map(str, self.companies))
        )

    def _add(self, customer: Customer) -> None:
        if may_act_for_company(customer, self._policy):
            self._add_companies(customer)
        clues = clues_of(customer, self._policy)
        self.clues.append((customer, clues))
        for identity, own in zip(_IDENTITIES, clues.keys, strict=False):
            if own:
                self.values[identity].add(own)
        for rule, given in clues.evidence:
            if given and rule.by is MatchBy.SIMILAR:
                self.places.add(place_of(given))
            elif given:
                self.values[rule.looked_up_as].add(given)
        self.values[DirectoryKey.CUSTOMER_NUMBER].update(numbers_spoken_of(customer, self._policy))

    def _add_companies(self, customer: Customer) -> None:
        """Note which companies an account says it acts for; where it is silent they may say it."""
        if customer.said("companies"):
            channel = customer.source.channel
            self.companies.update(SourceKey(channel, each) for each in customer.companies)
        else:
            self.silent.add(customer.source.key)


def gather(
    inquiries: Sequence[Inquiry], work: UnitOfWork, policy: Policy, *, locks: bool = True
) -> Known:
    """Lock the identities that the batch touches, then read all that is known about them.

    The locks make two processors that meet one person at the same time take turns; they are held
    until the unit of work ends (ASK-5). Without them, for a look that changes nothing, others are
    neither kept out nor waited for.
    """
    sources = {inquiry.source for inquiry in inquiries}
    wanted = Wanted(inquiries, policy)
    if locks:
        work.lock_identities({str(source) for source in sources} | wanted.identities())
    acting = _acting(wanted.silent, work)
    named = {SourceKey(key.channel, each) for key, ids in acting.items() for each in ids}
    own_links = _links(sources | wanted.companies | named, work)
    wanted.ids.update(link.customer_id for link in own_links)
    found, retired = _customers(wanted, work, locks=locks)
    return Known(
        links=own_links,
        customers=found,
        staging=_open_staging(sources, work),
        accounts=_accounts(found, work),
        retired=retired,
        acting=acting,
        clues=wanted.clues,
    )


def _acting(accounts: Iterable[SourceKey], work: UnitOfWork) -> dict[SourceKey, list[str]]:
    """Return the companies that name these accounts among their contacts."""
    found: dict[SourceKey, list[str]] = {account: [] for account in accounts}
    for row in sorted(_ACTING.run(work.connection, {"account": [key[1] for key in found]})):
        if (key := SourceKey(row.channel, row.account)) in found:
            found[key].append(row.record)
    return found


def _links(sources: Iterable[SourceKey], work: UnitOfWork) -> list[Link]:
    columns = links.c
    return [
        to_link(row)
        for row in work.bulk.select(links.c, (columns.channel, columns.external_id), sources)
    ]


def _open_staging(sources: Iterable[SourceKey], work: UnitOfWork) -> list[OpenStaging]:
    keys = list(sources)
    given = {
        "channel": [key.channel for key in keys],
        "external_id": [key.external_id for key in keys],
    }
    return [to_open_staging(row) for row in _OPEN_STAGING.run(work.connection, given)]


def _customers(
    wanted: Wanted, work: UnitOfWork, *, locks: bool
) -> tuple[list[DirectoryCustomer], set[str]]:
    """Read, and lock, every customer that a link or a key leads to.

    Of those who were erased only the number is returned: it is nobody's, and taken.
    """
    values: dict[str, list[Any]] = {
        "id": list(wanted.ids),
        **{column: list(wanted.values[key]) for key, column in _COLUMNS.items()},
    }
    having_any = _rows(values, work, locks=locks)
    rows = [row for row in having_any if row.state != _ERASED]
    if wanted.places:
        seen = {row.id for row in rows}
        rows = [*rows, *(row for row in _living_at(wanted.places, work) if row.id not in seen)]
    addresses = _addresses({row.id for row in rows}, work)
    retired = {row.number for row in having_any if row.state == _ERASED and row.number}
    return [to_customer(row, addresses.get(row.id, ())) for row in rows], retired


def _addresses(ids: set[UUID], work: UnitOfWork) -> dict[UUID, list[DirectoryAddress]]:
    found: defaultdict[UUID, list[DirectoryAddress]] = defaultdict(list)
    for row in work.bulk.select(customer_addresses.c, customer_addresses.c.customer_id, ids):
        found[row.customer_id].append(to_address(row))
    return found


def _accounts(found: Iterable[DirectoryCustomer], work: UnitOfWork) -> list[Account]:
    """Return the accounts of these customers that still exist."""
    columns = ("channel", "external_id", "customer_id", "status", "store_view")
    rows = work.bulk.select(
        [links.c[name] for name in columns],
        links.c.customer_id,
        [customer.id for customer in found],
    )
    return [
        Account(SourceKey(row.channel, row.external_id), row.customer_id, row.store_view)
        for row in rows
        if row.status != "removed"
    ]


def _rows(
    wanted: Mapping[str, list[Any]], work: UnitOfWork, *, locks: bool
) -> Sequence[sa.Row[Any]]:
    """Return the rows that have one of the wanted values in any column, oldest first."""
    if not any(wanted.values()):
        return ()
    if work.connection.dialect.name == "postgresql":
        arrays = {name: array_literal(values) for name, values in wanted.items()}
        return work.connection.execute(_HAVING_ANY[locks], arrays).all()
    having_any = sa.or_(*(customers.c[name].in_(values) for name, values in wanted.items()))
    oldest_first = sa.select(customers).where(having_any).order_by(customers.c.id)
    return work.connection.execute(oldest_first).all()


def _having_any(names: Sequence[str], locking: str) -> sa.TextualSelect:
    """Return the query for PostgreSQL, with a parameter of many values for each column.

    OFFSET keeps the inner queries from being merged, so that each value is looked up by index even
    before there are statistics: when a first import is filling the table.
    """
    ids = " UNION ".join(
        f"SELECT found.id FROM unnest(CAST(:{name} AS {_array_type(name)})) AS given(value)"
        f" CROSS JOIN LATERAL"
        f" (SELECT id FROM customers WHERE {name} = given.value OFFSET 0) AS found"
        for name in names
    )
    columns = ", ".join(column.name for column in customers.c)
    query = f"SELECT {columns} FROM customers WHERE id = ANY(ARRAY({ids})) ORDER BY id {locking}"
    return sa.text(query).columns(*customers.c)


def _array_type(name: str) -> str:
    return "uuid[]" if isinstance(customers.c[name].type, sa.Uuid) else "text[]"


def _living_at(places: Iterable[str], work: UnitOfWork) -> Sequence[sa.Row[Any]]:
    """Return the customers whose name key begins with one of `places`, oldest first."""
    key = customers.c.name_key
    # Compared by bytes: all that begin with a place stand between it and it with the last byte.
    begins = [sa.and_(key >= place, key < place + _LAST) for place in sorted(places)]
    query = sa.select(customers).where(sa.or_(*begins)).order_by(customers.c.id)
    return work.connection.execute(query).all()


_ERASED: Final = "erased"
_LAST: Final = "\U0010ffff"
_COLUMNS: Final[Mapping[DirectoryKey, str]] = MappingProxyType(
    {
        DirectoryKey.CUSTOMER_NUMBER: "number",
        DirectoryKey.EMAIL: "email_key",
        DirectoryKey.PHONE: "phone_key",
        DirectoryKey.TAX_ID: "tax_id_key",
        DirectoryKey.NAME: "name_key",
    }
)
# All keys but the last. Names are no identity by themselves: they are locked and looked up only
# where a rule says so.
_IDENTITIES: Final = tuple(key for key in DirectoryKey if key is not DirectoryKey.NAME)
_HAVING_ANY: Final = {
    locks: _having_any(("id", *_COLUMNS.values()), "FOR UPDATE" if locks else "")
    for locks in (True, False)
}

_ACTING: Final = SetStatement(
    "SELECT channel, account, record FROM customer_contacts WHERE account {is_given}",
    given={"account": sa.Text()},
    returns=(
        customer_contacts.c.channel,
        customer_contacts.c.account,
        customer_contacts.c.record,
    ),
)
_OPEN_STAGING: Final = SetStatement(
    """
    SELECT s.id, s.channel, s.external_id, s.changed_at, s.read_at
    FROM {given} JOIN staging_customers AS s
      ON s.channel = given.channel AND s.external_id = given.external_id
    WHERE s.state IN ('held', 'staged', 'ambiguous', 'processing')
    """,
    given={"channel": sa.Text(), "external_id": sa.Text()},
    returns=(
        staging_customers.c.id,
        staging_customers.c.channel,
        staging_customers.c.external_id,
        staging_customers.c.changed_at,
        staging_customers.c.read_at,
    ),
)
