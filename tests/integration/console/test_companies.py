"""What the command line shows of companies, their locations and those who act for them."""

import pytest

from services.console.duplicates import duplicates
from shared.domain.customer import Customer
from shared.domain.match_rules import MatchBy, MatchRule
from shared.domain.policy import ChannelPolicy, ContactPolicy, Features, StoreViewPolicy
from shared.persistence.tables import staging_customers
from tests.builders import ADDITIONAL, a_company, a_contact, a_customer, a_policy, a_source
from tests.integration.console.conftest import Desk

VIEW = StoreViewPolicy("de", company_contacts=ContactPolicy.COMPANY)
TOGETHER = a_policy(channels={"shop": ChannelPolicy("shop", {"de": VIEW}, ADDITIONAL)})


def a_firm(**changes: object) -> Customer:
    """Return a company whose contact has a name, a role and an account."""
    anke = a_contact("k1", last_name="Petersen", email="anke@nordwind.example", role="buyer")
    return a_company(**{"contacts": (anke,), **changes})  # type: ignore[arg-type]


@pytest.fixture
def firm(desk: Desk) -> Desk:
    """Give a desk with a company and the account of its contact."""
    desk.process(a_firm(), a_customer("p1", companies=("c1",)), policy=TOGETHER)
    return desk


def test_a_company_is_shown_with_locations_and_contacts(firm: Desk) -> None:
    """MYOB-1, MYOB-2: locations by their full numbers, contacts with their accounts."""
    shown = firm.patron("customer", "show", "D10001").out
    tree = firm.patron("customer", "show", "D10001", "-o", "json").json

    for fact in (
        "Nordwind GmbH", "D10001-01 Head office", "D10001-02 Warehouse", "Anke Petersen", "buyer",
        "shop/p1", "Accounts that act for it and carry its number: 1.",
    ):  # fmt: skip
        assert fact in shown
    assert "Once taken" not in shown
    assert [each["location"] for each in tree["addresses"]] == ["D10001-01", "D10001-02"]
    assert [each["email"] for each in tree["contacts"]] == ["anke@nordwind.example"]
    assert (tree["accounts"], tree["buyers"]) == (["shop/c1"], 1)


def test_the_timeline_of_a_company_has_those_who_act_for_it(firm: Desk) -> None:
    """MYOB-1, NEW-10: that an account was tied to it is part of what happened to it."""
    lines = firm.patron("customer", "history", "D10001", "-o", "json").json["lines"]

    decided = [(x["event"], x["external_id"]) for x in lines if x["worker"] == "processor"]
    assert decided == [("customer.created", "c1"), ("customer.matched", "p1")]


def test_everything_about_a_company_is_exported(firm: Desk) -> None:
    """MYOB-1, ASK-20: a request for information finds locations and contacts."""
    document = firm.patron("customer", "export", "D10001").json

    assert [each["location_number"] for each in document["addresses"]] == [1, 2]
    assert [each["email"] for each in document["contacts"]] == ["anke@nordwind.example"]


def test_a_company_that_waits_is_explained(desk: Desk) -> None:
    """MYOB-6: the reason, what is off, and what can be done."""
    off = a_policy(features=Features(locations=False))
    desk.process(a_firm(), policy=off)
    [row] = desk.rows(staging_customers)

    shown = desk.patron("staging", "show", row.id, "--addresses").out
    told = desk.patron("staging", "explain", row.id).out

    for fact in ("company", "Head office", "Anke Petersen anke@nordwind.example"):
        assert fact in shown
    for fact in ("companies are not taken in", "off in [features]: locations", "config check"):
        assert fact in told


def test_what_was_passed_over_is_explained(desk: Desk) -> None:
    """MYOB-5: a rule that found only the other sort says so, with whom it found."""
    email = "info@nordwind.example"
    desk.process(a_customer("p1", email=email), a_firm(email=email))

    told = desk.patron("customer", "explain", "shop/c1").out

    assert "found only what is kept as the other" in told
    assert "D10001" in told


def test_a_record_that_turned_has_its_ways_on(desk: Desk) -> None:
    """MYOB-5: an operator lets its customer turn, or makes another one."""
    desk.process(a_customer("c1"))
    desk.process(a_firm(minutes=5))
    held = next(row for row in desk.rows(staging_customers) if row.state == "held")

    told = desk.patron("staging", "explain", held.id).out

    for fact in ("keeps it as a company now", "--as-new", "its customer turns as well"):
        assert fact in told


def test_what_share_an_e_mail_rightly_are_no_duplicates(firm: Desk) -> None:
    """NEW-9, MYOB-5: a company and its administrator; a company and those who act for it."""
    email = "info@nordwind.example"
    policy = a_policy(matching=(MatchRule(MatchBy.EMAIL),))
    firm.process(a_customer("7", email=email), policy=policy)
    firm.process(a_firm(source=a_source("c7"), email=email, company_name="B"), policy=policy)

    with firm.units.read() as work:
        assert list(duplicates(work, "shop", policy)) == []
