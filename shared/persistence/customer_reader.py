"""Reading one customer as a whole: directory, accounts, what waits and what failed (C365-14).

For the operator's desk. Its promise: nothing is changed.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields

import orjson
import sqlalchemy as sa

from shared.persistence import directory_reader, raw_payloads
from shared.persistence.dead_letter_reader import DeadLetterLine
from shared.persistence.directory_reader import CustomerCard, LinkLine
from shared.persistence.person import Person
from shared.persistence.raw_payloads import RawPayload
from shared.persistence.staging import StagingLine
from shared.persistence.tables import (
    OPEN_STAGING_STATES,
    customers,
    dead_letters,
    staging_customers,
)
from shared.persistence.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class CustomerView:
    """A person, and everything about it that an operator looks at."""

    person: Person
    card: CustomerCard | None
    defaults: Mapping[str, str]
    links: Sequence[LinkLine]
    waiting: Sequence[StagingLine]
    dead_letters: Sequence[DeadLetterLine]
    raw: Sequence[RawPayload]


def view(work: UnitOfWork, someone: Person, *, with_raw: bool = False) -> CustomerView:
    """Return all about a person; the platforms' own words only if they are wanted."""
    card = directory_reader.card(work, someone.customer_id) if someone.customer_id else None
    own = [directory_reader.link_of(work, *account) for account in someone.accounts]
    return CustomerView(
        person=someone,
        card=card,
        defaults=_defaults(work, someone),
        links=[link for link in own if link],
        waiting=_waiting(work, someone),
        dead_letters=_given_up(work, someone),
        raw=raw_payloads.of_accounts(work, someone.accounts) if with_raw else (),
    )


def _defaults(work: UnitOfWork, someone: Person) -> dict[str, str]:
    query = sa.select(customers.c.defaults).where(customers.c.id == someone.customer_id)
    found = work.connection.execute(query).scalar()
    defaults: dict[str, str] = orjson.loads(found) if found else {}
    return defaults


def _waiting(work: UnitOfWork, someone: Person) -> list[StagingLine]:
    columns = staging_customers.c
    rows = work.bulk.select(
        tuple(columns[each.name] for each in fields(StagingLine)),
        (columns.channel, columns.external_id),
        someone.accounts,
    )
    lines = [StagingLine(*row) for row in rows]
    return sorted(
        (line for line in lines if line.state in OPEN_STAGING_STATES), key=lambda line: line.id
    )


def _given_up(work: UnitOfWork, someone: Person) -> list[DeadLetterLine]:
    columns = dead_letters.c
    rows = work.bulk.select(
        tuple(columns[each.name] for each in fields(DeadLetterLine)),
        (columns.channel, columns.subject),
        someone.accounts,
    )
    letters = [DeadLetterLine(*row) for row in rows]
    return sorted((x for x in letters if x.state == "open"), key=lambda letter: letter.id)
