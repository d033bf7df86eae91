"""Numbers that somebody has already are passed over, and nobody gets one twice."""

import sqlalchemy as sa

from shared.persistence.tables import customers
from tests.builders import a_customer
from tests.integration.processor.desk import Desk


def renumber(desk: Desk, before: str, after: str) -> None:
    """Give a customer another number behind everybody's back."""
    with desk.units.begin() as work:
        mine = customers.c.number == before
        work.connection.execute(sa.update(customers).where(mine).values(number=after))


def test_a_number_that_is_taken_is_passed_over(desk: Desk) -> None:
    """ASK-8: as one that was loaded with an existing base; the batch goes on behind it."""
    desk.take(a_customer("1"), a_customer("2", email="two@example.com"))
    renumber(desk, "D10001", "D10003")
    renumber(desk, "D10002", "D10005")

    desk.take(*(a_customer(str(n), email=f"n{n}@example.com") for n in (3, 4, 5)))

    numbers = [row.number for row in desk.customers()]
    assert numbers == ["D10003", "D10004", "D10005", "D10006", "D10007"]
    assert desk.next_number() == 10008
