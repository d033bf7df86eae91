"""Gather what a batch's decisions need: one set-based query per table, into a `Known` value."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.dialects.postgresql import ARRAY

from services.processor.rows import to_address, to_customer, to_link, to_open_staging
from shared.domain.customer import SourceKey
from shared.domain.directory import DirectoryAddress, DirectoryCustomer
from shared.domain.known import Known, Link, OpenStaging
from shared.domain.messages import CustomerImported, Envelope
from shared.domain.normalise import MatchKeys, match_keys
from shared.persistence.sets import SetStatement
from shared.persistence.tables import customer_addresses, customers, links, staging_customers
from shared.persistence.unit_of_work import UnitOfWork


def gather(messages: Sequence[Envelope[Any]], work: UnitOfWork) -> Known:
    """Lock the identities that the batch touches, then read all that is known about them.

    The locks make two processors that meet one person at the same time take turns; they are held
    until the unit of work ends (ASK-5).
    """
    sources = {_source(message) for message in messages}
    evidence = [
        match_keys(message.body.customer)
        for message in messages
        if isinstance(message.body, CustomerImported)
    ]
    work.lock_identities(_identities(sources, evidence))
    own_links = _links(sources, work)
    found = _customers(evidence, own_links, work)
    return Known(
        links=own_links,
        customers=found,
        staging=_open_staging(sources, work),
        linked=_linked(found, work),
    )


def _source(message: Envelope[Any]) -> SourceKey:
    body = message.body
    key: SourceKey = (
        body.customer.source.key if isinstance(body, CustomerImported) else body.source.key
    )
    return key


def _identities(sources: Iterable[SourceKey], evidence: Iterable[MatchKeys]) -> set[str]:
    keys = {str(source) for source in sources}
    for person in evidence:
        keys.update(f"{name}:{key}" for name, key in person._asdict().items() if key)
    return keys


def _links(sources: Iterable[SourceKey], work: UnitOfWork) -> list[Link]:
    columns = links.c
    return [
        to_link(row)
        for row in work.bulk.select(links.c, (columns.channel, columns.external_id), sources)
    ]


def _open_staging(sources: Iterable[SourceKey], work: UnitOfWork) -> list[OpenStaging]:
    channels, external_ids = zip(*sources, strict=True)
    given = {"channel": channels, "external_id": external_ids}
    return [to_open_staging(row) for row in _OPEN_STAGING.run(work.connection, given)]


def _customers(
    evidence: Iterable[MatchKeys], own_links: Iterable[Link], work: UnitOfWork
) -> list[DirectoryCustomer]:
    """Read and lock every customer that a link or a key leads to."""
    people = list(evidence)
    wanted: dict[str, set[Any]] = {
        "id": {link.customer_id for link in own_links},
        "number": {keys.customer_number for keys in people},
        "email_key": {keys.email for keys in people},
        "phone_key": {keys.phone for keys in people},
        "tax_id_key": {keys.tax_id for keys in people},
    }
    rows = _rows({name: list(values - {None}) for name, values in wanted.items()}, work)
    addresses = _addresses({row.id for row in rows}, work)
    return [to_customer(row, addresses.get(row.id, ())) for row in rows]


def _addresses(ids: set[UUID], work: UnitOfWork) -> dict[UUID, list[DirectoryAddress]]:
    found: defaultdict[UUID, list[DirectoryAddress]] = defaultdict(list)
    for row in work.bulk.select(customer_addresses.c, customer_addresses.c.customer_id, ids):
        found[row.customer_id].append(to_address(row))
    return found


def _linked(found: Iterable[DirectoryCustomer], work: UnitOfWork) -> list[tuple[SourceKey, UUID]]:
    """Return the accounts of these customers that still exist."""
    columns = (links.c.channel, links.c.external_id, links.c.customer_id, links.c.status)
    rows = work.bulk.select(columns, links.c.customer_id, [customer.id for customer in found])
    return [
        (SourceKey(row.channel, row.external_id), row.customer_id)
        for row in rows
        if row.status != "removed"
    ]


def _rows(wanted: Mapping[str, list[Any]], work: UnitOfWork) -> Sequence[sa.Row[Any]]:
    """Return the rows that have one of the wanted values in any column, oldest first, locked."""
    if not any(wanted.values()):
        return ()
    if work.connection.dialect.name == "postgresql":
        return work.connection.execute(_HAVING_ANY, wanted).all()
    having_any = sa.or_(*(customers.c[name].in_(values) for name, values in wanted.items()))
    oldest_first = sa.select(customers).where(having_any).order_by(customers.c.id)
    return work.connection.execute(oldest_first).all()


def _having_any(names: Sequence[str]) -> sa.TextualSelect:
    """Return the query for PostgreSQL, with a parameter of many values for each column.

    OFFSET keeps the inner queries from being merged, so that each value is looked up by index even
    before there are statistics: when a first import is filling the table.
    """
    ids = " UNION ".join(
        f"SELECT found.id FROM unnest(:{name}) AS given(value) CROSS JOIN LATERAL"
        f" (SELECT id FROM customers WHERE {name} = given.value OFFSET 0) AS found"
        for name in names
    )
    columns = ", ".join(column.name for column in customers.c)
    query = f"SELECT {columns} FROM customers WHERE id = ANY(ARRAY({ids})) ORDER BY id FOR UPDATE"
    arrays = (sa.bindparam(name, type_=ARRAY(customers.c[name].type)) for name in names)
    return sa.text(query).bindparams(*arrays).columns(*customers.c)


_HAVING_ANY: Final = _having_any(("id", "number", "email_key", "phone_key", "tax_id_key"))

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
