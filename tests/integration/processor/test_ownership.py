"""Field ownership from a message to the tables: who keeps a value, and that it is told."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import sqlalchemy as sa

from shared.domain.customer import Customer
from shared.domain.ownership import BlankPolicy, FieldRule, Owner, Ownership
from shared.domain.policy import ChannelPolicy, Policy, ProcessingMethod
from shared.persistence.tables import customer_addresses, customers
from tests.builders import a_customer, a_source, an_address
from tests.integration.processor.desk import Desk, explanation, two_shops


def owned(rules: Mapping[str, FieldRule]) -> Policy:
    """Return the policy of two shops under these rules."""
    policy = two_shops(ProcessingMethod.CREATE_AND_UPDATE)
    channels: dict[str, ChannelPolicy] = {
        name: replace(channel, ownership=Ownership(rules))
        for name, channel in policy.channels.items()
    }
    return replace(policy, channels=channels)


def at_the_outlet(minutes: int = 0, **changes: str) -> Customer:
    """Return the same person as a customer of the other shop."""
    given: dict[str, Any] = {
        "source": a_source("7", channel="outlet", minutes=minutes),
        "email": "ann1@example.com",
    }
    return a_customer("7", **(given | changes))


def erp_says(desk: Desk, **values: str) -> None:
    """Change the directory's only customer, as an ERP would."""
    with desk.units.begin() as work:
        work.connection.execute(sa.update(customers).values(**values))


def test_a_field_of_the_erp_is_left_and_the_conflict_is_kept(desk: Desk) -> None:
    """The shop's value is not written, but can be read with the decision (NEW-6)."""
    desk.policy = owned({"names": FieldRule(Owner.ERP)})
    desk.take(a_customer())

    desk.take(a_customer(minutes=5, last_name="Kurz", language="de"))
    plan = desk.take(a_customer(minutes=9, last_name="Kurz", language="de"))

    assert (desk.customer().last_name, desk.customer().language) == ("Lang", "de")
    assert explanation(desk.staging()[-1])["conflicts"] == [
        {"field": "last_name", "platform": "Kurz", "erp": "Lang", "rule": "erp", "winner": "erp"}
    ]
    assert plan.outcomes == {"customer.unchanged": 1}


def test_the_newest_change_of_two_shops_stands(desk: Desk) -> None:
    """Of two changes of one field the later one counts, in whatever order they arrive (NEW-6)."""
    desk.policy = owned({"default": FieldRule(Owner.NEWEST)})
    desk.take(a_customer(), at_the_outlet())

    desk.take(a_customer(minutes=9, last_name="Neu"))
    desk.take(at_the_outlet(5, last_name="Alt", language="de"))

    assert (desk.customer().last_name, desk.customer().language) == ("Neu", "de")


def test_disjoint_changes_of_shop_and_erp_both_survive(desk: Desk) -> None:
    """Three-way on both databases: the ERP's new language, the shop's new name (NEW-6)."""
    desk.take(a_customer(language="de"))
    erp_says(desk, language="fr")

    desk.take(a_customer(minutes=5, language="de", last_name="Kurz"))

    assert (desk.customer().last_name, desk.customer().language) == ("Kurz", "fr")


def test_a_field_may_be_cleared_where_that_is_configured(desk: Desk) -> None:
    """Emptied in the shop, emptied in the directory; its neighbour is kept (ASK-18)."""
    desk.policy = owned({"notes": FieldRule(blank=BlankPolicy.CLEAR)})
    desk.take(a_customer(notes="rings twice", language="de"))

    desk.take(a_customer(minutes=5, notes=None, language=None))

    assert (desk.customer().notes, desk.customer().language) == (None, "de")


def test_addresses_of_the_erp_are_added_to_and_not_changed(desk: Desk) -> None:
    """A new one comes, as an order may go there; the known one and the flags stay (NEW-6)."""
    desk.policy = owned({"addresses": FieldRule(Owner.ERP)})
    desk.take(a_customer())
    old = an_address("a1", is_default_shipping=False, city="Bonn")

    desk.take(
        a_customer(
            minutes=5, addresses=(old, an_address("a2", is_default_billing=False, city="Ulm"))
        )
    )

    rows = desk.rows(customer_addresses, customer_addresses.c.external_id)
    assert [(a.external_id, a.city, a.is_default_shipping) for a in rows] == [
        ("a1", "Berlin", True), ("a2", "Ulm", False),
    ]  # fmt: skip
    fields = [each["field"] for each in explanation(desk.staging()[-1])["conflicts"]]
    assert fields == ["addresses.city", "addresses.default_shipping"]


def test_a_first_link_tells_where_the_two_differ(desk: Desk) -> None:
    """Nothing is overwritten, and an operator can look for false matches (XPR-9)."""
    desk.take(a_customer())

    desk.take(at_the_outlet(first_name="Anna"))

    assert desk.customer().first_name == "Ann"
    assert explanation(desk.staging()[-1])["conflicts"] == [
        {
            "field": "first_name", "platform": "Anna", "erp": "Ann", "rule": "only_if_empty",
            "winner": "erp",
        }
    ]  # fmt: skip
