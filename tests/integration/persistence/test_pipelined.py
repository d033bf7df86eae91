"""Statements that are sent without waiting for each answer are as safe as those that are not."""

import pytest
import sqlalchemy as sa

from shared.persistence.failures import ConstraintViolated, DatabaseUnavailable, ValueRefused
from shared.persistence.tables import number_series
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork


def names(units: UnitsOfWork) -> list[str]:
    """Return the number series there are."""
    with units.begin() as work:
        return list(work.connection.scalars(sa.select(number_series.c.name).order_by("name")))


def add(work: UnitOfWork, *series: str, value: int = 1) -> None:
    """Insert number series."""
    rows = [{"name": name, "next_value": value} for name in series]
    work.bulk.insert(number_series, rows)


def add_one_by_one(units: UnitsOfWork, *series: str) -> None:
    """Insert number series without waiting in between."""
    with units.begin() as work, work.pipelined():
        for name in series:
            add(work, name)


def end_session_of(work: UnitOfWork, units: UnitsOfWork) -> None:
    """Have the server end the session that `work` is done in."""
    mine = work.connection.scalar(sa.text("SELECT pg_backend_pid()"))
    with units.begin() as other:
        other.connection.execute(sa.select(sa.func.pg_terminate_backend(mine)))


def test_all_of_them_are_carried_out(units: UnitsOfWork) -> None:
    """Each sees what those before it did, and so does what follows the block."""
    with units.begin() as work:
        with work.pipelined():
            add(work, "A", "B")
            work.bulk.update(number_series, [{"name": "A", "next_value": 7}], key=("name",))
            add(work, "C")
        found = work.connection.execute(sa.select(number_series).order_by("name")).all()

    assert [tuple(row) for row in found] == [("A", 7), ("B", 1), ("C", 1)]
    assert names(units) == ["A", "B", "C"]


@pytest.mark.parametrize("later", [(), ("C",), ("C", "D", "E")], ids=["last", "one later", "more"])
def test_a_failure_undoes_everything_and_names_no_value(
    units: UnitsOfWork, later: tuple[str, ...]
) -> None:
    """Whichever statement failed, it comes as ours, and the next transaction works."""
    with units.begin() as work:
        add(work, "secret")

    with pytest.raises(ConstraintViolated) as caught:
        add_one_by_one(units, "A", "secret", *later)

    assert "secret" not in str(caught.value)
    assert "number_series" in caught.value.constraint
    assert names(units) == ["secret"]


def test_a_value_that_no_column_can_hold_is_refused(postgresql_units: UnitsOfWork) -> None:
    """It is the message's fault, as it is outside of such a block."""
    with pytest.raises(ValueRefused), postgresql_units.begin() as work, work.pipelined():
        add(work, "A", value=2**70)

    assert names(postgresql_units) == []


def test_a_terminated_backend_is_unavailable_and_replaced(postgresql_units: UnitsOfWork) -> None:
    """A connection that breaks in the middle is not used again."""

    def work_on() -> None:
        with postgresql_units.begin() as work:
            end_session_of(work, postgresql_units)
            with work.pipelined():
                for number in range(50):
                    add(work, f"S{number}")

    with pytest.raises(DatabaseUnavailable):
        work_on()

    assert names(postgresql_units) == []
