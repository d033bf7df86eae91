"""Customers who wait for an operator, put into a desk's database."""

from shared.persistence.tables import staging_customers
from tests.builders import a_customer, a_policy
from tests.integration.console.conftest import Desk


def ambiguous(desk: Desk) -> str:
    """Leave customer 3 with the candidates D10001 and D10002; return the id of its record."""
    twins = [
        a_customer("1", email="ann@example.com", first_name="Ann"),
        a_customer("2", email="ann@example.com", first_name="Anna", company_name="Lang GmbH"),
    ]
    desk.process(*twins, policy=a_policy(matching=()))
    desk.process(a_customer("3", email="ann@example.com"))
    (record,) = (row for row in desk.rows(staging_customers) if row.state == "ambiguous")
    return str(record.id)
