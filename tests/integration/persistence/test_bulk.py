"""Many rows are written and read at once, with every type, on both dialects."""

from datetime import UTC, date, datetime, timedelta, timezone
from enum import StrEnum
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from shared.persistence.bulk import Bulk
from shared.persistence.failures import ConstraintViolated
from shared.persistence.tables import (
    channel_pauses,
    customers,
    history,
    links,
    metadata,
    number_series,
    source_records,
    staging_customers,
)
from shared.persistence.unit_of_work import UnitsOfWork
from tests.integration.persistence.builders import NOON


class Kind(StrEnum):
    """A text that is an enumeration's member."""

    BUSINESS = "business"


SAMPLES: dict[type[Any], Any] = {
    sa.Uuid: UUID("0193530e-6b1c-7d2f-8000-0123456789ab"),
    sa.Text: "Ünïcødé 'quoted' \"x\" {y} %s :z \\ \n \t \x01 😀",
    sa.Integer: 2**31 - 1,
    sa.BigInteger: 2**63 - 1,
    sa.Float: 0.1 + 0.2,
    sa.LargeBinary: bytes(range(256)),
    sa.Boolean: True,
    sa.Date: date(2000, 2, 29),
}


def a_row(table: sa.Table, *, with_nulls: bool) -> dict[str, Any]:
    """Return a row with a value in every column, or only where there must be one."""
    return {
        column.name: None
        if with_nulls and column.nullable
        else SAMPLES.get(type(column.type), NOON + timedelta(microseconds=1))
        for column in table.columns
    }


@pytest.mark.parametrize("with_nulls", [False, True])
@pytest.mark.parametrize("table", metadata.sorted_tables, ids=lambda table: table.name)
def test_every_column_of_every_table_is_written_and_read_as_it_is(
    units: UnitsOfWork, table: sa.Table, *, with_nulls: bool
) -> None:
    """Inserted, upserted, updated and selected, a value is the same as before."""
    key = [column.name for column in table.primary_key]
    others = [column.name for column in table.columns if not column.primary_key]
    row = a_row(table, with_nulls=with_nulls)
    with units.begin() as work:
        for parent in {key.column.table for key in table.foreign_keys}:
            work.bulk.insert(parent, [a_row(parent, with_nulls=with_nulls)])
        work.bulk.insert(table, [row])
        work.bulk.upsert(table, [row], key=key, update=others)
        changed = work.bulk.update(table, [row], key=key)
        found = work.bulk.select(
            table.c, list(table.primary_key), [tuple(row[name] for name in key)]
        )

    assert changed == 1
    assert [dict(each._mapping) for each in found] == [row]


def test_no_rows_are_no_statement(engine: sa.Engine) -> None:
    """Nothing to do costs nothing."""
    statements: list[str] = []
    with engine.begin() as connection:
        sa.event.listen(
            engine, "before_cursor_execute", lambda *arguments: statements.append(arguments[2])
        )
        bulk = Bulk(connection)
        bulk.insert(links, [])
        bulk.upsert(links, [], key=("channel",), update=())
        bulk.update(links, [], key=("channel",))

        assert bulk.select(links.c, links.c.customer_id, []) == ()
        assert bulk.select(links.c, (links.c.channel, links.c.external_id), []) == ()
    assert statements == []


def test_a_call_is_one_statement_on_postgresql(postgresql: sa.Engine) -> None:
    """However many rows; and the same text for all of them, so that it is prepared once."""
    statements: set[str] = set()
    with postgresql.begin() as connection:
        sa.event.listen(
            postgresql, "before_cursor_execute", lambda *arguments: statements.add(arguments[2])
        )
        for many in (1, 2, 1000):
            rows = [{"name": f"{many}-{n}", "next_value": n} for n in range(many)]
            Bulk(connection).insert(number_series, rows)

    assert len(statements) == 1


def test_moments_are_kept_in_utc(units: UnitsOfWork) -> None:
    """Whatever offset a moment is given in, it is read in UTC."""
    given = datetime(2026, 3, 29, 3, 30, tzinfo=timezone(timedelta(hours=2)))
    pause = {
        "channel": "shop", "reason": "r", "detail": "", "paused_at": given, "retry_at": given,
    }  # fmt: skip

    with units.begin() as work:
        work.bulk.insert(channel_pauses, [pause])
        (row,) = work.bulk.select([channel_pauses.c.retry_at], channel_pauses.c.channel, ["shop"])

    assert row.retry_at == given
    assert row.retry_at.utcoffset() == timedelta(0)
    assert row.retry_at.astimezone(UTC).hour == 1


def test_members_of_enumerations_are_texts(units: UnitsOfWork) -> None:
    """A StrEnum may stand where a text is expected, beside plain ones."""
    rows: list[dict[str, Any]] = [
        {"name": name, "next_value": 1} for name in (Kind.BUSINESS, "individual")
    ]

    with units.begin() as work:
        work.bulk.insert(number_series, rows)
        found = work.bulk.select(number_series.c, number_series.c.name, [Kind.BUSINESS])

    assert [row.name for row in found] == ["business"]


def test_columns_left_out_get_their_defaults(units: UnitsOfWork) -> None:
    """A generated id or a server default needs no value."""
    line = a_row(history, with_nulls=True)
    del line["id"]

    with units.begin() as work:
        work.bulk.insert(history, [line, line])
        ids = set(work.connection.execute(sa.select(history.c.id)).scalars())

    assert len(ids) == 2


def test_rows_that_differ_in_their_columns_are_a_mistake(units: UnitsOfWork) -> None:
    """A value that would silently be left out is none of ours to lose."""
    rows: list[dict[str, Any]] = [{"name": "a", "next_value": 1}, {"name": "b"}]

    with units.begin() as work, pytest.raises(ValueError, match="number_series differ"):
        work.bulk.insert(number_series, rows)


def test_upsert_sets_only_what_it_is_told(units: UnitsOfWork) -> None:
    """Existing rows keep their other columns; without any to set they keep all."""
    first = a_row(source_records, with_nulls=True)
    second = first | {"fingerprint": "new", "store_view": "new"}
    key = ("channel", source_records.c.external_id)

    with units.begin() as work:
        work.bulk.insert(source_records, [first])
        ignored = work.bulk.upsert(source_records, [second], key=key, update=())
        kept = work.bulk.select(source_records.c, source_records.c.channel, [first["channel"]])
        work.bulk.upsert(source_records, [second], key=key, update=("fingerprint",))
        (row,) = work.bulk.select(source_records.c, source_records.c.channel, [first["channel"]])

    assert ignored == 0
    assert kept[0].fingerprint == first["fingerprint"]
    assert (row.fingerprint, row.store_view) == ("new", first["store_view"])


def test_the_last_row_of_a_key_wins(units: UnitsOfWork) -> None:
    """Two changes to one row in one call are the later one."""
    rows = [{"name": "ERP", "next_value": value} for value in (1, 2, 3)]

    with units.begin() as work:
        work.bulk.upsert(number_series, rows, key=("name",), update=("next_value",))
        inserted = work.connection.execute(sa.select(number_series.c.next_value)).scalar()
        work.bulk.update(number_series, rows[:2], key=("name",))
        updated = work.connection.execute(sa.select(number_series.c.next_value)).scalar()

    assert (inserted, updated) == (3, 2)


def test_update_says_how_many_rows_it_found(units: UnitsOfWork) -> None:
    """Rows that do not exist are not created."""
    with units.begin() as work:
        work.bulk.insert(number_series, [{"name": "ERP", "next_value": 1}])
        rows = [{"name": name, "next_value": 9} for name in ("ERP", "none")]

        assert work.bulk.update(number_series, rows, key=("name",)) == 1


def test_a_partial_unique_index_can_be_the_key(units: UnitsOfWork) -> None:
    """A second open staging record becomes the first one; a finished one stands by itself."""
    where = "state IN ('held', 'staged', 'ambiguous', 'processing')"
    base = a_row(staging_customers, with_nulls=True)
    done = base | {"id": uuid4(), "state": "processed"}
    first, second = (base | {"id": uuid4(), "state": state} for state in ("held", "staged"))

    with units.begin() as work:
        for row in (done, first, second):
            work.bulk.upsert(
                staging_customers,
                [row],
                key=("channel", "external_id"),
                update=("state",),
                where=where,
            )
        rows = work.connection.execute(sa.select(staging_customers)).all()

    assert {(row.id, row.state) for row in rows} == {
        (done["id"], "processed"),
        (first["id"], "staged"),
    }


def test_a_violation_of_another_constraint_is_raised(units: UnitsOfWork) -> None:
    """Only the named key is reconciled; a customer number taken twice is a failure."""
    row = a_row(customers, with_nulls=False)

    with pytest.raises(ConstraintViolated, match="number"):
        _upsert_customers(units, row, row | {"id": uuid4()})


def test_thousands_of_composite_keys_are_found(units: UnitsOfWork) -> None:
    """Rows are found by pairs of values; unknown and repeated pairs do no harm."""
    base = a_row(source_records, with_nulls=True)
    rows = [base | {"external_id": str(n)} for n in range(3000)]
    key = (source_records.c.channel, source_records.c.external_id)
    wanted = [(base["channel"], str(n)) for n in range(-10, 3000)] * 2

    with units.begin() as work:
        work.bulk.insert(source_records, rows)
        found = work.bulk.select([source_records.c.external_id], key, wanted)

    assert sorted(int(row.external_id) for row in found) == list(range(3000))


def _upsert_customers(units: UnitsOfWork, *rows: dict[str, Any]) -> None:
    with units.begin() as work:
        work.bulk.upsert(customers, rows, key=("id",), update=("email",))
