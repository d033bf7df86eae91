"""Changes of linked customers: what they change, what they leave alone, and what is fenced off."""

from collections.abc import Sequence
from typing import Any

import pytest
import sqlalchemy as sa

from shared.domain.customer import Customer, Phone, SourceKey, replaced
from shared.domain.messages import Envelope
from shared.persistence.tables import customer_addresses, customers, links
from tests.builders import a_customer, a_source, an_address
from tests.integration.processor.desk import Desk, deleted, unreadable


def test_a_change_reaches_the_directory_and_is_not_sent_back(desk: Desk) -> None:
    """C365-19, C365-20: linked, not matched again; nothing is owed to the shop for it."""
    desk.take(a_customer())
    created = desk.customer()

    desk.take(a_customer(minutes=5, last_name="Kurz", email="kurz@example.com"))

    row = desk.customer()
    assert (row.last_name, row.email, row.email_key) == ("Kurz", *["kurz@example.com"] * 2)
    assert (row.number, row.created_at) == (created.number, created.created_at)
    assert len(desk.exports()) == 2
    assert desk.events() == ["customer.created", "customer.updated"]


def test_a_new_default_takes_the_flag_and_leaves_the_address(desk: Desk) -> None:
    """C365-18: a new default shipping address; billing stays where it was."""
    old = an_address("a1")
    desk.take(a_customer(addresses=(old,)))
    new = an_address("a2", is_default_billing=False, city="Bonn")

    desk.take(a_customer(minutes=5, addresses=(replaced(old, is_default_shipping=False), new)))

    assert [
        (a.external_id, a.city, a.is_default_billing, a.is_default_shipping)
        for a in desk.addresses()
    ] == [("a1", "Berlin", True, False), ("a2", "Bonn", False, True)]


def test_an_address_that_the_shop_removed_goes(desk: Desk) -> None:
    """Only the shop's own address goes; one that another shop brought stays."""
    spare = an_address("a2", is_default_billing=False, is_default_shipping=False, city="Bonn")
    desk.take(a_customer(addresses=(an_address(), spare)))
    other = an_address("b1", city="Ulm")
    desk.take(
        a_customer(
            "7",
            email="ann1@example.com",
            source=a_source("7", channel="outlet"),
            addresses=(other,),
        )
    )

    desk.take(a_customer(minutes=5))

    assert [(a.channel, a.external_id) for a in desk.addresses()] == [
        ("shop", "a1"), ("outlet", "b1"),
    ]  # fmt: skip


def test_an_address_may_come_and_go_within_a_batch(desk: Desk) -> None:
    """Added by one change and removed by the next, an address leaves nothing behind."""
    desk.take(a_customer())
    spare = an_address("a2", is_default_billing=False, is_default_shipping=False, city="Bonn")

    desk.take(a_customer(minutes=1, addresses=(an_address(), spare)), a_customer(minutes=2))

    assert [a.external_id for a in desk.addresses()] == ["a1"]


def test_an_unchanged_customer_moves_the_version_only(desk: Desk) -> None:
    """The link stands at what was read last; no record is staged, and no line is written."""
    desk.take(a_customer())

    plan = desk.take(a_customer(minutes=5))

    assert desk.link().fingerprint == "f5"
    assert len(desk.staging()) == 1
    assert desk.events() == ["customer.created"]
    assert plan.outcomes == {"customer.unchanged": 1}


def test_a_number_that_was_lost_in_the_shop_is_written_again(desk: Desk) -> None:
    """Once it was written there, a shop that says another number gets it back."""
    desk.take(a_customer())
    with desk.units.begin() as work:
        work.connection.execute(sa.update(links).values(exported_number="D10001"))

    desk.take(a_customer(minutes=5, customer_number=None))

    assert desk.effects() == [
        ("shop", "1", "additional_data"),
        ("shop", "1", "customer_number"),
        ("shop", "1", "customer_number"),
    ]
    assert desk.link().exported_number == "D10001"


def test_a_customer_that_the_shop_deleted_stays_in_the_directory(desk: Desk) -> None:
    """The link says that it is gone; customer, addresses and archive are kept."""
    desk.take(a_customer())

    plan = desk.take(deleted(a_source(minutes=5)))

    assert desk.link().status == "removed"
    assert (desk.customer().number, len(desk.addresses())) == ("D10001", 1)
    assert desk.events() == ["customer.created", "customer.removed_in_shop"]
    assert plan.outcomes == {"customer.removed_in_shop": 1}


def test_a_parked_customer_that_the_shop_deleted_is_discarded(desk: Desk) -> None:
    """Nobody is asked to attend to a customer who does not exist any more."""
    desk.take(a_customer("1", addresses=()))

    desk.take(
        deleted(a_source("1", minutes=5)),
        a_customer("2", addresses=()),
        deleted(a_source("2", minutes=5)),
    )

    assert [(row.state, row.reason) for row in desk.staging()] == [
        ("discarded", "removed_in_shop")
    ] * 2


def test_a_stranger_that_was_deleted_is_nobodys_business(desk: Desk) -> None:
    """A batch of deletions of unknown records writes nothing."""
    desk.take(deleted(a_source("1")), deleted(a_source("2")))

    assert (desk.staging(), desk.links(), desk.events()) == ([], {}, [])


def test_who_deleted_the_account_and_registers_again_is_the_same_customer(desk: Desk) -> None:
    """An account that is gone stands in nobody's way: the telephone is not shared by two."""
    phone = Phone(raw="030", e164="+4930123456")
    desk.take(a_customer("1", phone=phone))
    desk.take(deleted(a_source("1", minutes=5)))

    desk.take(a_customer("2", phone=phone, minutes=9))

    assert {key.external_id: link.status for key, link in desk.links().items()} == {
        "1": "removed", "2": "synchronized",
    }  # fmt: skip
    assert desk.customer().number == "D10001"


def _import(minutes: int) -> Customer:
    return a_customer(minutes=minutes, first_name=f"Ann{minutes}")


def _restored(read_minutes: int) -> Customer:
    return a_customer(source=a_source(minutes=-60, read_minutes=read_minutes))


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    ("news", "status"),
    [
        ([_import(5), deleted(a_source(minutes=9))], "removed"),
        ([deleted(a_source(minutes=5)), _import(9)], "synchronized"),
        ([deleted(a_source(minutes=5)), a_customer(minutes=9)], "synchronized"),
        ([_import(9), deleted(a_source(minutes=5))], "synchronized"),
        ([deleted(a_source(minutes=9)), _import(5)], "removed"),
        ([deleted(a_source(minutes=9)), _import(5), deleted(a_source(minutes=7))], "removed"),
        ([deleted(a_source(minutes=9)), _restored(12)], "synchronized"),
        ([deleted(a_source(minutes=9)), unreadable(a_source(minutes=5))], "removed"),
    ],
    ids=[
        "imported, deleted",
        "deleted, came back",
        "deleted, unchanged",
        "deleted long ago",
        "imported before deleted",
        "deleted twice",
        "restored as of long ago",
        "unreadable before deleted",
    ],
)
def test_the_last_word_about_a_link_holds(
    desk: Desk, news: Sequence[Envelope[Any] | Customer], status: str, together: bool
) -> None:
    """NEW-8: the newest of import and deletion decides, in one batch as in two (fault 10)."""
    desk.take(_import(0))

    desk.take(*news) if together else desk.one_by_one(*news)

    assert desk.link().status == status
    assert {row.state for row in desk.staging()} == {"processed"}


def test_accounts_of_one_customer_change_in_one_batch(desk: Desk) -> None:
    """What each account says reaches the one customer; neither undoes the other."""
    outlet = a_source("7", channel="outlet")
    here, there = a_customer(), a_customer("7", email="ann1@example.com", source=outlet)
    desk.take(here, there)

    later = a_source("7", channel="outlet", minutes=5)
    desk.take(
        a_customer(minutes=5, first_name="Anna"),
        a_customer("7", email="ann1@example.com", source=later, language="de"),
    )

    assert (desk.customer().first_name, desk.customer().language) == ("Anna", "de")
    assert set(desk.links()) == {SourceKey("shop", "1"), SourceKey("outlet", "7")}


def test_a_batch_changes_no_other_customer(desk: Desk) -> None:
    """Neighbours in the tables are left as they are."""
    desk.take(a_customer("1"), a_customer("2", addresses=(an_address("b1"),)))

    desk.take(a_customer("1", minutes=5, first_name="Anna", addresses=(an_address(city="Bonn"),)))

    rows = desk.rows(customers, customers.c.number)
    assert [row.first_name for row in rows] == ["Anna", "Ann"]
    cities = desk.rows(customer_addresses, customer_addresses.c.external_id)
    assert [row.city for row in cities] == ["Bonn", "Berlin"]
