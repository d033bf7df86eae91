"""The processor talks to the database in sets: as many statements for one customer as for many."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import pytest
import sqlalchemy as sa

from shared.domain.customer import Customer
from tests.builders import a_customer, an_address
from tests.integration.processor.desk import Desk, a_tax_id

MOST = 17


@contextmanager
def counted(engine: sa.Engine) -> Iterator[list[str]]:
    """Note the statements that are executed, without what begins and ends transactions."""
    statements: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        if not statement.startswith("BEGIN"):
            statements.append(statement)

    sa.event.listen(engine, "before_cursor_execute", note)
    try:
        yield statements
    finally:
        sa.event.remove(engine, "before_cursor_execute", note)


def newcomers(many: int, first: int = 0) -> Sequence[Customer]:
    """Return customers, each with an e-mail, a tax id and an address."""
    return [a_customer(str(first + n), tax_id=a_tax_id(first + n)) for n in range(many)]


def changed(many: int) -> Sequence[Customer]:
    """Return changes of them that take one address away and bring another."""
    return [
        a_customer(str(n), minutes=5, first_name="Anna", addresses=(an_address("a9", city="Ulm"),))
        for n in range(many)
    ]


@pytest.mark.parametrize("many", [1, 100])
def test_arrivals_cost_the_same_for_one_as_for_a_hundred(desk: Desk, many: int) -> None:
    """New customers: locks, five reads, seven writes with the exports."""
    with counted(desk.engine) as statements:
        desk.take(*newcomers(many))

    assert len(desk.customers()) == many
    # Nobody is known, so neither addresses nor links of anybody are read.
    assert len(statements) == 12 + (desk.engine.dialect.name == "postgresql")


@pytest.mark.parametrize("many", [1, 100])
def test_changes_cost_the_same_for_one_as_for_a_hundred(desk: Desk, many: int) -> None:
    """Changes of known customers, removed addresses among them."""
    desk.take(*newcomers(many))

    with counted(desk.engine) as statements:
        desk.take(*changed(many))

    assert {row.first_name for row in desk.customers()} == {"Anna"}
    assert len(statements) == 12 + (desk.engine.dialect.name == "postgresql")


def test_a_batch_of_everything_stays_within_bounds(desk: Desk) -> None:
    """Arrivals, changes, holds and unchanged customers together."""
    desk.take(*newcomers(40))
    batch = [*changed(20), *newcomers(20, first=20), *newcomers(20, first=100)]
    held = [a_customer(str(n), addresses=()) for n in range(200, 210)]

    with counted(desk.engine) as statements:
        desk.take(*batch, *held)

    assert len(desk.customers()) == 60
    assert len(statements) <= MOST
