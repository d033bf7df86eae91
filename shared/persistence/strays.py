"""Messages that name a person without being filed under one of its accounts.

A question about one customer is filed under what its asker chose, and what could not be read under
nothing at all. Its promise: nothing is changed.
"""

from collections.abc import Iterator
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from shared.domain.customer import SourceKey
from shared.persistence.person import Person
from shared.persistence.sets import Found
from shared.persistence.tables import customers, dead_letters, links, messages, staging_customers
from shared.persistence.unit_of_work import UnitOfWork

_SLICE: Final = 200
_ABOUT_ONE: Final = ("import.requested", "import.answered")


def owed(work: UnitOfWork, someone: Person) -> set[UUID]:
    """Return the owed messages that ask about one of the accounts, or answer."""
    columns = messages.c
    query = sa.select(columns.id, columns.channel, columns.body).where(columns.type.in_(_ABOUT_ONE))
    return {
        row.id
        for row in work.connection.execute(query)
        if SourceKey(row.channel, _external_id(row.body)) in someone.accounts
    }


def dead(work: UnitOfWork, someone: Person) -> set[UUID]:
    """Return the dead letters that ask about an account, or were unreadable and name its e-mail."""
    emails = [email.lower().encode() for email in _emails(work, someone)]
    return {
        row.id
        for row in _unfiled(work)
        if SourceKey(row.channel or "", _external_id(row.body)) in someone.accounts
        or (row.subject is None and any(email in row.body.lower() for email in emails))
    }


def _unfiled(work: UnitOfWork) -> Iterator[Found]:
    """Yield the dead letters that are about nobody in particular, a few at a time."""
    columns = dead_letters.c
    query = (
        sa.select(columns.id, columns.channel, columns.subject, columns.body)
        .where(sa.or_(columns.subject.is_(None), columns.type.in_(_ABOUT_ONE)))
        .order_by(columns.id)
        .limit(_SLICE)
    )
    rows = work.connection.execute(query).all()
    while rows:
        yield from rows
        rows = work.connection.execute(query.where(columns.id > rows[-1].id)).all()


def _emails(work: UnitOfWork, someone: Person) -> set[str]:
    """Return every e-mail address that is stored of the person."""
    found: set[Any] = set()
    if someone.customer_id:
        query = sa.select(customers.c.email).where(customers.c.id == someone.customer_id)
        found.update(work.connection.execute(query).scalars())
    for table, column in ((links, links.c.snapshot), (staging_customers, staging_customers.c.body)):
        key = (table.c.channel, table.c.external_id)
        for row in work.bulk.select((column,), key, someone.accounts):
            said = _read(row[0])
            found.add(said.get("customer", said).get("email"))
    return {email for email in found if isinstance(email, str) and email}


def _external_id(body: bytes) -> str:
    said = _read(body).get("external_id")
    return said if isinstance(said, str) else ""


def _read(body: bytes) -> dict[str, Any]:
    """Return a body as far as it is a JSON object."""
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}
