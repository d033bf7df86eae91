"""What a reconciliation reads: the standing of a page's records, and what no page can show.

Its promise: nothing is changed; a page costs a handful of statements, however many records.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from shared.persistence.sets import SetStatement
from shared.persistence.tables import (
    OPEN_STAGING_STATES,
    customers,
    links,
    messages,
    source_records,
    staging_customers,
)
from shared.persistence.unit_of_work import UnitOfWork

_PAGE: Final = 500
_REMOVED_IN_SHOP: Final = "removed_in_shop"


@dataclass(frozen=True, slots=True)
class Standing:
    """How the records of a page stand: which links are removed, who waits, who is on the way."""

    removed: frozenset[str]
    waiting: frozenset[str]
    discarded: frozenset[str]
    owed: frozenset[str]


def standing(work: UnitOfWork, channel: str, external_ids: Sequence[str]) -> Standing:
    """Return how these records of a channel stand."""
    keys = [(channel, external_id) for external_id in external_ids]
    by_link = work.bulk.select(
        (links.c.external_id, links.c.status), (links.c.channel, links.c.external_id), keys
    )
    states = _STATES.run(work.connection, {"external_id": external_ids}, channel=channel)
    owed = _OWED.run(work.connection, {"subject": external_ids}, channel=channel)
    return Standing(
        removed=frozenset(row.external_id for row in by_link if row.status == "removed"),
        waiting=frozenset(row.external_id for row in states if row.state in OPEN_STAGING_STATES),
        discarded=frozenset(
            row.external_id
            for row in states
            if row.state == "discarded" and row.reason != _REMOVED_IN_SHOP
        ),
        owed=frozenset(row.subject for row in owed),
    )


def linked_to(
    work: UnitOfWork, channel: str, external_ids: Sequence[str]
) -> dict[str, tuple[UUID, str | None]]:
    """Return the customers, with their numbers, of those records whose link stands."""
    rows = _LINKED.run(work.connection, {"external_id": external_ids}, channel=channel)
    return {row.external_id: (row.customer_id, row.number) for row in rows}


def unswept(work: UnitOfWork, channel: str, store_view: str, after: str) -> list[str]:
    """Return some linked records, after a given id, that a sweep does not know to look for."""
    columns = links.c
    is_same = sa.and_(
        source_records.c.channel == columns.channel,
        source_records.c.external_id == columns.external_id,
        source_records.c.deleted_at.is_(None),
    )
    query = (
        sa.select(columns.external_id)
        .outerjoin(source_records, is_same)
        .where(
            columns.channel == channel,
            columns.store_view == store_view,
            columns.status != "removed",
            columns.external_id > after,
            source_records.c.external_id.is_(None),
        )
        .order_by(columns.external_id)
        .limit(_PAGE)
    )
    return list(work.connection.execute(query).scalars())


def sharing(work: UnitOfWork, column: str) -> Iterator[list[sa.Row[Any]]]:
    """Yield the customers (id, number, entity) that have one key in `column`, key by key."""
    key, after = customers.c[column], ""
    alive = customers.c.state != "erased"
    while True:
        shared = (
            sa.select(key)
            .where(key > after, alive)
            .group_by(key)
            .having(sa.func.count() > 1)
            .order_by(key)
            .limit(_PAGE)
        )
        keys = list(work.connection.execute(shared).scalars())
        if not keys:
            return
        columns = (customers.c.id, customers.c.number, key, customers.c.state, customers.c.entity)
        found: dict[str, list[sa.Row[Any]]] = {each: [] for each in keys}
        for row in sorted(work.bulk.select(columns, key, keys), key=lambda row: row.id):
            if row.state != "erased":
                found[row[2]].append(row)
        yield from found.values()
        after = keys[-1]


def accounts_of(
    work: UnitOfWork, customer_ids: Sequence[UUID]
) -> Mapping[UUID, list[tuple[str, str]]]:
    """Return the channel and store view of every link that stands, by customer."""
    columns = (links.c.customer_id, links.c.channel, links.c.store_view, links.c.status)
    found: dict[UUID, list[tuple[str, str]]] = {}
    for row in work.bulk.select(columns, links.c.customer_id, customer_ids):
        if row.status != "removed":
            found.setdefault(row.customer_id, []).append((row.channel, row.store_view))
    return found


def linked_twice(work: UnitOfWork, channel: str) -> Iterator[tuple[UUID, str | None, list[str]]]:
    """Yield each customer that is several records of a channel: id, number, the records."""
    columns, after = links.c, UUID(int=0)
    stands = sa.and_(
        columns.channel == channel, columns.status == "synchronized", ~columns.is_contact
    )
    while True:
        query = (
            sa.select(columns.customer_id)
            .where(stands, columns.customer_id > after)
            .group_by(columns.customer_id)
            .having(sa.func.count() > 1)
            .order_by(columns.customer_id)
            .limit(_PAGE)
        )
        ids = list(work.connection.execute(query).scalars())
        if not ids:
            return
        rows = work.connection.execute(
            sa.select(columns.customer_id, customers.c.number, columns.external_id)
            .join(customers, customers.c.id == columns.customer_id)
            .where(stands, columns.customer_id.in_(ids))
            .order_by(columns.customer_id, columns.external_id)
        ).all()
        for customer_id in ids:
            mine = [row for row in rows if row.customer_id == customer_id]
            if mine:
                yield customer_id, mine[0].number, [row.external_id for row in mine]
        after = ids[-1]


_STATES: Final = SetStatement(
    "SELECT external_id, state, reason FROM staging_customers"
    " WHERE external_id {is_given} AND channel = {channel}"
    " AND state IN ('held', 'staged', 'ambiguous', 'processing', 'discarded')",
    given={"external_id": sa.Text()},
    values={"channel": sa.Text()},
    returns=(
        staging_customers.c.external_id,
        staging_customers.c.state,
        staging_customers.c.reason,
    ),
)
_OWED: Final = SetStatement(
    "SELECT DISTINCT subject FROM messages WHERE subject {is_given} AND channel = {channel}",
    given={"subject": sa.Text()},
    values={"channel": sa.Text()},
    returns=(messages.c.subject,),
)
_LINKED: Final = SetStatement(
    "SELECT links.external_id, links.customer_id, customers.number FROM links"
    " LEFT JOIN customers ON customers.id = links.customer_id"
    " WHERE links.external_id {is_given} AND links.channel = {channel}"
    " AND links.status <> 'removed'",
    given={"external_id": sa.Text()},
    values={"channel": sa.Text()},
    returns=(links.c.external_id, links.c.customer_id, customers.c.number),
)
