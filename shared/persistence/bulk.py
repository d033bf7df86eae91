"""Write and read many rows of any table at once.

Its promise: on PostgreSQL a call is one statement, however many rows, with one array per column;
on SQLite, where a statement costs no journey, it is the driver's loop over the rows. A call
without rows does nothing. Values pass through the types of their columns.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from operator import itemgetter
from typing import Any, Literal

import sqlalchemy as sa

from shared.persistence.sets import Found, SetStatement

Row = Mapping[str, Any]
Names = Iterable[str | sa.Column[Any]]
By = sa.Column[Any] | Sequence[sa.Column[Any]]


class Bulk:
    """Set-based statements on one connection. All rows of a call have the same columns."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def insert(self, table: sa.Table, rows: Sequence[Row]) -> int:
        """Insert `rows`; columns they leave out get their server defaults."""
        return self._write(_Write("insert", table), rows)

    def upsert(
        self, table: sa.Table, rows: Sequence[Row], *, key: Names, update: Names, where: str = ""
    ) -> int:
        """Insert `rows`, or set their `update` columns where `key` exists (none: leave it be).

        `where` is the predicate of a partial unique index. The last row of a key wins. Returns
        how many rows were inserted or updated.
        """
        write = _Write("upsert", table, _names(key), _names(update), where)
        return self._write(write, _last_by_key(rows, write.key))

    def update(self, table: sa.Table, rows: Sequence[Row], *, key: Names) -> int:
        """Set the other columns of `rows` where `key` matches; return how many rows did.

        The last row of a key wins.
        """
        write = _Write("update", table, _names(key))
        return self._write(write, _last_by_key(rows, write.key))

    def select(
        self, columns: Iterable[sa.Column[Any]], by: By, values: Iterable[Any]
    ) -> Sequence[Found]:
        """Return `columns` of the rows whose `by` is among `values`, in no particular order.

        With several `by` columns, `values` are tuples of them.
        """
        keys = (by,) if isinstance(by, sa.Column) else tuple(by)
        wanted: Iterable[Any] = dict.fromkeys(values)
        if isinstance(by, sa.Column):
            wanted = [(value,) for value in wanted]
        given = list(zip(*wanted, strict=True)) or [()] * len(keys)
        names = [key.name for key in keys]
        statement = _selection(tuple(columns), keys)
        return statement.run(self._connection, dict(zip(names, given, strict=True)))

    def _write(self, write: "_Write", rows: Sequence[Row]) -> int:
        if not rows:
            return 0
        names = tuple(rows[0])
        if set(map(len, rows)) != {len(names)}:
            raise ValueError(f"rows for {write.table.name} differ in their columns")
        if self._connection.dialect.name == "postgresql":
            return _for_sets(write, names).count(self._connection, _columns(names, rows))
        return self._connection.execute(_for_rows(write, names), list(rows)).rowcount


@dataclass(frozen=True, slots=True)
class _Write:
    """What to do to which table."""

    verb: Literal["insert", "upsert", "update"]
    table: sa.Table
    key: tuple[str, ...] = ()
    update: tuple[str, ...] = ()
    where: str = ""

    def sql(self, columns: Sequence[str], source: str, row: str) -> str:
        """Return the statement; `source` are the rows, and `row` prefixes a column of one."""
        table = self.table.name
        if self.verb == "update":
            changes = ", ".join(f"{c} = {row}{c}" for c in columns if c not in self.key)
            matches = " AND ".join(f"{table}.{c} = {row}{c}" for c in self.key)
            return f"UPDATE {table} SET {changes} {source} WHERE {matches}"
        return f"INSERT INTO {table} ({', '.join(columns)}) {source} {self._on_conflict()}"

    def _on_conflict(self) -> str:
        if self.verb == "insert":
            return ""
        predicate = f" WHERE {self.where}" if self.where else ""
        changes = ", ".join(f"{name} = excluded.{name}" for name in self.update)
        action = f"UPDATE SET {changes}" if changes else "NOTHING"
        return f"ON CONFLICT ({', '.join(self.key)}){predicate} DO {action}"


@lru_cache(maxsize=256)
def _for_sets(write: _Write, names: tuple[str, ...]) -> SetStatement:
    given = {name: write.table.c[name].type for name in names}
    if write.verb == "update":
        return SetStatement(write.sql(names, "FROM {given}", "given."), given=given)
    columns = ", ".join(f"given.{name}" for name in names)
    return SetStatement(write.sql(names, f"SELECT {columns} FROM {{given}}", ""), given=given)


@lru_cache(maxsize=256)
def _for_rows(write: _Write, names: tuple[str, ...]) -> sa.TextClause:
    values = ", ".join(f":{name}" for name in names)
    source = "" if write.verb == "update" else f"VALUES ({values})"
    return sa.text(write.sql(names, source, ":")).bindparams(
        *(sa.bindparam(name, type_=write.table.c[name].type) for name in names)
    )


@lru_cache(maxsize=256)
def _selection(
    columns: tuple[sa.Column[Any], ...], keys: tuple[sa.Column[Any], ...]
) -> SetStatement:
    table = keys[0].table
    picked = ", ".join(f"{table.name}.{column.name}" for column in columns)
    matches = " AND ".join(f"{table.name}.{key.name} = given.{key.name}" for key in keys)
    return SetStatement(
        f"SELECT {picked} FROM {{given}} JOIN {table.name} ON {matches}",
        given={key.name: key.type for key in keys},
        returns=columns,
    )


def _names(columns: Names) -> tuple[str, ...]:
    return tuple(column if isinstance(column, str) else column.name for column in columns)


def _columns(names: Sequence[str], rows: Sequence[Row]) -> dict[str, Sequence[Any]]:
    """Return the columns of `rows`, whatever order each has its own in."""
    if len(names) == 1:
        return {names[0]: [row[names[0]] for row in rows]}
    return dict(zip(names, zip(*map(itemgetter(*names), rows), strict=True), strict=True))


def _last_by_key(rows: Sequence[Row], key: Sequence[str]) -> Sequence[Row]:
    # PostgreSQL refuses to change a row twice in one statement, or picks one of the changes.
    if len(rows) < 2:  # noqa: PLR2004
        return rows
    return list(dict(zip(map(itemgetter(*key), rows), rows, strict=True)).values())
