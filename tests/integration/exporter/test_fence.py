"""What no longer holds when an export's turn has come is not written."""

from uuid import uuid4

import sqlalchemy as sa

from shared.persistence.tables import customers, links
from tests.integration.exporter.outpost import Outpost, about
from tests.integration.importer.shops import first_of, of_store


def test_a_customer_that_the_shop_deleted_gets_no_exports(outpost: Outpost) -> None:
    """NEW-9: the link is removed meanwhile; the exports end without asking the shop (fault 51)."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    relink(outpost, number, status="removed")
    asked = outpost.shop.control.requests()

    outcomes = outpost.export()

    assert outcomes == ["done", "done"]
    assert outpost.shop.control.requests() == asked
    assert (outpost.owed(), outpost.link(number).exported_number) == ({}, None)
    assert outpost.events(number) == ["additional_data.removed", "customer_number.removed"]


def test_the_export_of_another_customers_number_is_superseded(outpost: Outpost) -> None:
    """NEW-8: an operator linked the account to somebody else; the old message writes nothing."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    relink(outpost, number, customer_id=uuid4())

    outcomes = outpost.export()

    assert (outcomes, outpost.puts()) == (["done", "done"], 0)
    assert outpost.link(number).exported_number is None
    assert outpost.events(number) == ["additional_data.superseded", "customer_number.superseded"]


def test_a_number_that_is_the_customers_no_more_is_not_written(outpost: Outpost) -> None:
    """NEW-8: an old replay cannot bring back an old number."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    with outpost.station.units.begin() as work:
        mine = customers.c.id == outpost.link(number).customer_id
        work.connection.execute(sa.update(customers).where(mine).values(number="D99999"))

    outcomes = outpost.export()

    assert (outcomes, outpost.puts()) == (["done", "done"], 0)
    assert outpost.events(number) == ["additional_data.superseded", "customer_number.superseded"]


def test_an_account_that_is_linked_no_more_gets_nothing(outpost: Outpost) -> None:
    """NEW-8: the link is gone altogether, as of somebody who was erased."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    with outpost.station.units.begin() as work:
        work.connection.execute(sa.delete(links).where(links.c.external_id == str(number)))

    outcomes = outpost.export()

    assert (outcomes, outpost.puts()) == (["done", "done"], 0)
    assert outpost.events(number) == ["additional_data.removed", "customer_number.removed"]


def test_others_of_the_batch_are_written_all_the_same(outpost: Outpost) -> None:
    """NEW-8: each export is looked at by itself, all of them with one query."""
    outpost.arrive()
    numbers = sorted(int(number) for number in of_store(outpost.shop, 1))
    relink(outpost, numbers[0], status="removed")

    outcomes = outpost.export()

    assert outcomes == ["done"] * 2 * len(numbers)
    assert outpost.puts() == len(numbers) - 1
    assert "erp_customer_number" not in outpost.attributes(numbers[0])
    assert "erp_customer_number" in outpost.attributes(numbers[1])


def test_a_replay_of_what_still_holds_is_harmless(outpost: Outpost) -> None:
    """NEW-8: the same message again finds everything there."""
    number = first_of(outpost.shop, 1)
    outpost.arrive(number)
    [first, *_] = about(outpost.due(), number)
    outpost.export()

    again = outpost.effects().perform([first.envelope], lambda: None)

    assert [each.result for each in again] == ["unchanged"]
    assert outpost.puts() == 1


def relink(outpost: Outpost, number: int, **changes: object) -> None:
    """Change the link of a customer of the shop."""
    with outpost.station.units.begin() as work:
        mine = links.c.external_id == str(number)
        work.connection.execute(sa.update(links).where(mine).values(**changes))
