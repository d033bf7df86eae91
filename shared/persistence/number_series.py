"""Draw numbers without gaps and without repetition.

A series' row stays locked until the transaction ends: whoever draws next waits for the commit, and
a rollback returns what was drawn. So draw as late as you can.
"""

from collections.abc import Mapping

import sqlalchemy as sa

from shared.persistence.sets import SetStatement
from shared.persistence.tables import number_series
from shared.persistence.unit_of_work import UnitOfWork


def draw(connection: sa.Connection, wanted: Mapping[str, tuple[int, int]]) -> dict[str, int]:
    """Return the first of the numbers drawn from each series.

    `wanted` says for each series how many, and where it starts when it was never drawn from.
    """
    # In sorted order, so that two transactions cannot wait for each other.
    names = sorted(name for name, (count, _) in wanted.items() if count > 0)
    counts = [wanted[name][0] for name in names]
    starts = [wanted[name][1] for name in names]
    rows = _DRAW.run(connection, {"name": names, "count": counts, "start": starts})
    return {row.name: row.next_value - wanted[row.name][0] for row in rows}


def pass_by(connection: sa.Connection, highest: Mapping[str, int]) -> None:
    """Let each series go on behind a number that is taken; never back."""
    names = sorted(highest)
    behind = [highest[name] + 1 for name in names]
    _PASS.run(connection, {"name": names, "next_value": behind})


def next_values(work: UnitOfWork) -> dict[str, int]:
    """Return the number that each series gives next; those never drawn from are left out."""
    columns = number_series.c
    rows = work.connection.execute(sa.select(columns.name, columns.next_value))
    return {row.name: row.next_value for row in rows}


_PASS = SetStatement(
    "INSERT INTO number_series (name, next_value)"
    " SELECT given.name, given.next_value FROM {given} WHERE TRUE"
    " ON CONFLICT (name) DO UPDATE SET next_value = excluded.next_value"
    " WHERE number_series.next_value < excluded.next_value",
    given={"name": sa.Text(), "next_value": sa.BigInteger()},
)

_DRAW = SetStatement(
    "INSERT INTO number_series (name, next_value)"
    " SELECT given.name, given.start + given.count FROM {given} WHERE TRUE"
    " ON CONFLICT (name) DO UPDATE SET next_value = number_series.next_value"
    " + (SELECT given.count FROM {given} WHERE given.name = number_series.name)"
    " RETURNING name, next_value",
    given={"name": sa.Text(), "count": sa.BigInteger(), "start": sa.BigInteger()},
    returns=(number_series.c.name, number_series.c.next_value),
)
