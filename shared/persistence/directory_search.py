"""Looking customers of the directory up: by what they are found by, or by part of a name.

For the operator's desk. Its promise: nothing is changed, and every answer has a limit.
"""

from uuid import UUID

import sqlalchemy as sa

from shared.persistence.tables import customers
from shared.persistence.unit_of_work import UnitOfWork


def by_keys(work: UnitOfWork, *, limit: int, **keys: str | None) -> list[UUID]:
    """Return up to `limit` customers that have all `keys`: columns with their normal forms."""
    having = [customers.c[name] == value for name, value in keys.items() if value is not None]
    return _ids(work, sa.and_(*having), limit)


def by_text(work: UnitOfWork, text: str, *, limit: int) -> list[UUID]:
    """Return up to `limit` customers whose number is `text`, or whose names or e-mail hold it."""
    columns = customers.c
    parts = text.split()
    named = [
        sa.or_(*(column.icontains(part, autoescape=True) for column in (
            columns.first_name, columns.last_name, columns.company_name, columns.email,
        )))
        for part in parts
    ]  # fmt: skip
    return _ids(work, sa.or_(columns.number == text, sa.and_(*named)), limit)


def _ids(work: UnitOfWork, where: sa.ColumnElement[bool], limit: int) -> list[UUID]:
    query = (
        sa.select(customers.c.id)
        .where(where, customers.c.state != "erased")
        .order_by(customers.c.number, customers.c.id)
        .limit(limit)
    )
    return list(work.connection.execute(query).scalars())
