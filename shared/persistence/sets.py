"""SQL over a whole set of rows, written once for both dialects.

A `SetStatement` is SQL text in which `{given}` stands for the rows it is about, as a relation
named `given`, and `{name}` for a single value. The rows travel as one array per column on
PostgreSQL and as one JSON document on SQLite, so a statement is the same text for one row and for
a thousand, and no limit on variables applies.

`{is_given}` after a column of a table says that it is among the first column of the rows. That is
a lookup by index whatever PostgreSQL believes about the table; a join with `{given}` is only where
it knows the key to be unique, and nothing else is asked of the rows: without statistics, as of a
table that was empty a moment ago, it may read all of the table once for each given row.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Protocol

import sqlalchemy as sa
from sqlalchemy.types import TypeEngine

from shared.persistence.array_literal import array_literal

Types = Mapping[str, TypeEngine[Any]]
Columns = Mapping[str, Sequence[Any]]
Found = sa.Row[*tuple[Any, ...]]


class SetStatement:
    """A statement over given rows; `returns` are the columns of its result, if it has one."""

    def __init__(
        self,
        sql: str,
        *,
        given: Types,
        values: Types | None = None,
        returns: Sequence[sa.ColumnElement[Any]] = (),
    ) -> None:
        self._sql = sql
        self._given = dict(given)
        self._values = dict(values or {})
        self._returns = tuple(returns)
        self._dialects: dict[str, _Statement] = {}

    def run(self, connection: sa.Connection, given: Columns, **values: Any) -> Sequence[Found]:
        """Execute over `given` columns of equal length; without any rows do nothing."""
        result = self._execute(connection, given, values)
        if result is None:
            return ()
        if self._returns:
            return result.all()
        result.close()
        return ()

    def count(self, connection: sa.Connection, given: Columns, **values: Any) -> int:
        """Execute likewise, and return how many rows were changed."""
        result = self._execute(connection, given, values)
        return 0 if result is None else result.rowcount

    def _execute(
        self, connection: sa.Connection, given: Columns, values: Mapping[str, Any]
    ) -> sa.CursorResult[*tuple[Any, ...]] | None:
        if not given[next(iter(self._given))]:
            return None
        statement = self._dialects.get(connection.dialect.name)
        if statement is None:
            statement = self._dialects[connection.dialect.name] = self._for(connection.dialect)
        return statement.execute(connection, given, values)

    def _for(self, dialect: sa.Dialect) -> "_Statement":
        if dialect.name == "postgresql":
            return _WithArrays(self._sql, self._given, self._values, dialect)
        return _WithJson(self._sql, self._given, self._values, self._returns, dialect)


class _Statement(Protocol):
    """A `SetStatement` as one dialect wants it."""

    def execute(
        self, connection: sa.Connection, given: Columns, values: Mapping[str, Any]
    ) -> sa.CursorResult[*tuple[Any, ...]]: ...


class _WithArrays:
    """PostgreSQL: handed to the driver as it is, with an array for each column."""

    def __init__(self, sql: str, given: Types, values: Types, dialect: sa.Dialect) -> None:
        arrays = [_array(f"given_{n}", kind, dialect) for n, kind in enumerate(given.values())]
        self._sql = sql.format(
            given=f"unnest({', '.join(arrays)}) AS given({', '.join(given)})",
            is_given=f"= ANY({arrays[0]})",
            **{name: _placeholder(name, kind, dialect) for name, kind in values.items()},
        )
        self._given = {
            name: array_literal if _has_literals(kind) else list for name, kind in given.items()
        }
        self._values = {name: _converter(kind, dialect) for name, kind in values.items()}

    def execute(
        self, connection: sa.Connection, given: Columns, values: Mapping[str, Any]
    ) -> sa.CursorResult[*tuple[Any, ...]]:
        parameters: dict[str, Any] = {
            f"given_{n}": array(given[name]) for n, (name, array) in enumerate(self._given.items())
        }
        for name, convert in self._values.items():
            parameters[name] = values[name] if convert is None else convert(values[name])
        return connection.exec_driver_sql(self._sql, parameters)


class _WithJson:
    """SQLite: the rows as one JSON array of arrays."""

    def __init__(
        self,
        sql: str,
        given: Types,
        values: Types,
        returns: Sequence[sa.ColumnElement[Any]],
        dialect: sa.Dialect,
    ) -> None:
        if any(isinstance(kind, sa.LargeBinary) for kind in given.values()):
            raise TypeError("JSON cannot carry bytes")
        columns = (f"json_extract(value, '$[{n}]') AS {name}" for n, name in enumerate(given))
        clause = sa.text(
            sql.format(
                given=f"(SELECT {', '.join(columns)} FROM json_each(:given)) AS given",
                is_given="IN (SELECT json_extract(value, '$[0]') FROM json_each(:given))",
                **{name: f":{name}" for name in values},
            )
        ).bindparams(*(sa.bindparam(name, type_=kind) for name, kind in values.items()))
        self._clause: sa.Executable = clause.columns(*returns) if returns else clause
        self._given = {name: _converter(kind, dialect) for name, kind in given.items()}

    def execute(
        self, connection: sa.Connection, given: Columns, values: Mapping[str, Any]
    ) -> sa.CursorResult[*tuple[Any, ...]]:
        columns = [_converted(convert, given[name]) for name, convert in self._given.items()]
        rows = json.dumps(list(zip(*columns, strict=True)))
        result: sa.CursorResult[*tuple[Any, ...]] = connection.execute(
            self._clause, {"given": rows, **values}
        )
        return result


Convert = Callable[[Any], Any]


def _converter(kind: TypeEngine[Any], dialect: sa.Dialect) -> Convert | None:
    """Return what turns a value of `kind` into what the driver takes; None for nothing."""
    if isinstance(kind, sa.Text):
        return _plain_text
    if isinstance(kind, sa.LargeBinary):
        # SQLAlchemy wraps bytes for the driver, which takes them bare in arrays.
        return None
    return kind.dialect_impl(dialect).bind_processor(dialect)


def _converted(convert: Convert | None, values: Sequence[Any]) -> list[Any]:
    return list(values) if convert is None else [convert(value) for value in values]


def _has_literals(kind: TypeEngine[Any]) -> bool:
    """Whether an array of `kind` is sent as text. JSON has neither bytes nor every float."""
    return not isinstance(kind, sa.LargeBinary | sa.Float)


def _array(name: str, kind: TypeEngine[Any], dialect: sa.Dialect) -> str:
    """Return psycopg's placeholder for an array."""
    form = "t" if _has_literals(kind) else "b"
    return f"%({name}){form}::{_type_name(kind, dialect)}[]"


def _placeholder(name: str, kind: TypeEngine[Any], dialect: sa.Dialect) -> str:
    """Return psycopg's placeholder for a parameter, sent as binary and cast to its type."""
    return f"%({name})b::{_type_name(kind, dialect)}"


def _type_name(kind: TypeEngine[Any], dialect: sa.Dialect) -> str:
    return dialect.type_compiler_instance.process(kind).partition(" COLLATE")[0]


def _plain_text(value: str | None) -> str | None:
    # An enumeration's member is a str that the driver does not take for one inside an array.
    return value if value is None or type(value) is str else str(value)
