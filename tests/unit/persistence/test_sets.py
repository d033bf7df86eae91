"""A statement over a set of rows is rendered for each dialect, and its values converted."""

from collections.abc import Iterator
from datetime import UTC, datetime
from uuid import uuid4

import pytest
import sqlalchemy as sa

from shared.persistence.engine import create_engine
from shared.persistence.sets import SetStatement
from shared.persistence.tables import Moment


@pytest.fixture
def connection() -> Iterator[sa.Connection]:
    """Give a connection to a database in memory."""
    engine = create_engine("sqlite://")
    with engine.begin() as connection:
        yield connection
    engine.dispose()


def test_given_rows_are_a_relation(connection: sa.Connection) -> None:
    """Any number of rows and columns, with nulls, come out as they went in."""
    number, text = sa.column("number", sa.Integer()), sa.column("text", sa.Text())
    statement = SetStatement(
        "SELECT given.number, given.text FROM {given} WHERE given.number > {least}",
        given={"number": sa.Integer(), "text": sa.Text()},
        values={"least": sa.Integer()},
        returns=(number, text),
    )

    rows = statement.run(connection, {"number": [1, 2, 3], "text": ["a", None, "c"]}, least=1)

    assert rows == [(2, None), (3, "c")]


def test_values_pass_through_their_types(connection: sa.Connection) -> None:
    """Ids and moments are compared as they are stored, and read back as themselves."""
    id_, at = uuid4(), datetime(2026, 11, 22, 12, tzinfo=UTC)
    statement = SetStatement(
        "SELECT given.id, given.at FROM {given} WHERE given.at = {at}",
        given={"id": sa.Uuid(), "at": Moment()},
        values={"at": Moment()},
        returns=(sa.column("id", sa.Uuid()), sa.column("at", Moment())),
    )

    assert statement.run(connection, {"id": [id_], "at": [at]}, at=at) == [(id_, at)]


def test_a_column_may_be_one_of_the_given(connection: sa.Connection) -> None:
    """Rows of a table are found by the first column of what is given, once each."""
    connection.execute(sa.text("CREATE TABLE things (id TEXT, size INTEGER)"))
    connection.execute(sa.text("INSERT INTO things VALUES ('a', 1), ('b', 2), ('c', 3)"))
    statement = SetStatement(
        "SELECT size FROM things WHERE id {is_given} ORDER BY size",
        given={"id": sa.Text()},
        returns=(sa.column("size", sa.Integer()),),
    )

    assert statement.run(connection, {"id": ["a", "c", "a", "x"]}) == [(1,), (3,)]


def test_without_rows_nothing_is_executed(connection: sa.Connection) -> None:
    """Not even a statement that could not be."""
    statement = SetStatement("NONSENSE {given}", given={"id": sa.Uuid()})

    assert statement.run(connection, {"id": []}) == ()
    assert statement.count(connection, {"id": []}) == 0


def test_columns_of_unequal_length_are_a_mistake(connection: sa.Connection) -> None:
    """A row with a missing value is none."""
    statement = SetStatement("SELECT * FROM {given}", given={"a": sa.Integer(), "b": sa.Integer()})

    with pytest.raises(ValueError, match="shorter"):
        statement.run(connection, {"a": [1, 2], "b": [1]})


def test_bytes_do_not_travel_as_json(connection: sa.Connection) -> None:
    """On SQLite they go row by row, through `Bulk`."""
    statement = SetStatement("SELECT * FROM {given}", given={"body": sa.LargeBinary()})

    with pytest.raises(TypeError, match="bytes"):
        statement.run(connection, {"body": [b"x"]})
