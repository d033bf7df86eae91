"""Locations: addresses with numbers and defaults of their own (MYOB-2)."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.customer import Customer, replaced
from shared.domain.decide import decide
from shared.domain.decisions import Create, Decision, Hold, Ignore, Instruction, Update
from shared.domain.directory import DirectoryCustomer
from shared.domain.known import Known
from shared.domain.locations import location_number
from shared.domain.policy import Features, LocationPolicy, Policy
from tests.builders import (
    a_company,
    a_customer,
    a_link,
    a_policy,
    a_source,
    a_template,
    an_address,
    in_directory,
    knowing,
)

ROUTES = a_template(location_values={"route": "PARCEL"})


def policy(**changes: Any) -> Policy:
    """Return a policy whose template has a value for locations."""
    return a_policy(**({"templates": (ROUTES,)} | changes))


def numbers(customer: DirectoryCustomer) -> dict[str | None, int | None]:
    """Return the numbers of a customer's locations by the platform's ids."""
    return {each.external_id: each.location_number for each in customer.addresses}


def told(decision: Decision) -> dict[str, int]:
    """Return which locations are exported, with their numbers."""
    assert isinstance(decision, Create | Update)
    [numbers] = [e.locations for e in decision.exports if e.effect == "customer_number"]
    return dict(numbers)


def created(known: Known, customer: Customer, by: Policy) -> DirectoryCustomer:
    """Return the customer that is made of `customer`, which is then known."""
    decision = decide(customer, known, by)
    assert isinstance(decision, Create)
    known.learn(decision)
    return decision.created


def test_the_full_number_is_the_customers_with_that_of_the_location() -> None:
    """MYOB-2: two digits, and more where there are more than 99."""
    assert location_number("B00001", 2) == "B00001-02"
    assert location_number("B00001", 123) == "B00001-123"


def test_a_new_company_has_its_locations_numbered_in_order() -> None:
    """MYOB-2: each address of a company is a location, with the template's defaults for one."""
    decision = decide(a_company(), knowing(), policy())

    assert isinstance(decision, Create)
    assert numbers(decision.created) == {"l1": 1, "l2": 2}
    assert [each.defaults for each in decision.created.addresses] == [{"route": "PARCEL"}] * 2
    assert decision.created.locations == 2
    assert told(decision) == {"l1": 1, "l2": 2}


@pytest.mark.parametrize(
    ("whose", "of_person", "of_company"),
    [("none", False, False), ("business", False, True), ("all", True, True)],
)
def test_whose_addresses_are_locations_is_configured(
    whose: str, *, of_person: bool, of_company: bool
) -> None:
    """MYOB-2: of nobody, of companies, or of individuals as well."""
    by = policy(locations=LocationPolicy(whose))

    person = created(knowing(), a_customer(), by)
    company = created(knowing(), a_company(), by)

    assert numbers(person) == {"a1": 1 if of_person else None}
    assert numbers(company) == ({"l1": 1, "l2": 2} if of_company else {"l1": None, "l2": None})


def test_an_individual_with_several_locations() -> None:
    """MYOB-2: each is keyed by the platform's address id, and a new one gets the next number.

    They are the directory's alone: no shop has a place for them.
    """
    by, known = policy(locations=LocationPolicy.ALL), knowing()
    first, second = an_address("a1"), an_address("a2", city="Ulm")
    created(known, a_customer(addresses=(first,)), by)

    decision = decide(a_customer(minutes=5, addresses=(first, second)), known, by)

    assert isinstance(decision, Update)
    assert numbers(decision.updated) == {"a1": 1, "a2": 2}
    assert decision.exports == ()


def test_an_address_of_a_company_without_a_name_is_no_location() -> None:
    """MYOB-2: such as where the bills of a location go; but without any name all are locations."""
    plain = an_address("b1", city="Kiel")
    office = replaced(a_company().addresses[1], external_id="l1")

    mixed = created(knowing(), a_company(addresses=(plain, office)), policy())
    nameless = created(knowing(), a_company(addresses=(plain,)), policy())

    assert numbers(mixed) == {"b1": None, "l1": 1}
    assert numbers(nameless) == {"b1": 1}


def test_a_number_is_never_given_again() -> None:
    """MYOB-2: what comes after a removed location has the next number, not its number."""
    by, known = policy(), knowing()
    before = a_company()
    created(known, before, by)
    without = a_company(minutes=5, addresses=before.addresses[:1])
    known.learn(decide(without, known, by))
    third = an_address(
        "l3", location_name="Kiel", city="Kiel", is_default_billing=False, is_default_shipping=False
    )

    decision = decide(a_company(minutes=9, addresses=(before.addresses[0], third)), known, by)

    assert isinstance(decision, Update)
    assert numbers(decision.updated) == {"l1": 1, "l3": 3}
    assert decision.updated.locations == 3
    assert told(decision) == {"l3": 3}


def test_an_edited_location_keeps_its_number_and_is_not_told_again() -> None:
    """MYOB-2: only what is new is written to the shop; the name follows the addresses' rule."""
    by, known = policy(), knowing()
    before = a_company()
    created(known, before, by)
    renamed = replaced(before.addresses[1], location_name="Hall 2", city="Bremen")

    decision = decide(a_company(minutes=5, addresses=(before.addresses[0], renamed)), known, by)

    assert isinstance(decision, Update)
    assert numbers(decision.updated) == {"l1": 1, "l2": 2}
    assert decision.updated.addresses[1].fields["location_name"] == "Hall 2"
    assert decision.exports == ()


def test_the_same_company_again_is_no_change() -> None:
    """Numbers that were given are not given again because the company was read again."""
    by, known = policy(), knowing()
    created(known, a_company(), by)

    assert isinstance(decide(a_company(minutes=5), known, by), Ignore)


def test_locations_of_a_known_company_are_numbered_when_they_are_switched_on() -> None:
    """MYOB-6: what was taken in before is numbered with the next change, or by a repair."""
    known = knowing()
    created(known, a_company(), policy(locations=LocationPolicy.NONE))

    decision = decide(a_company(minutes=5), known, policy(), Instruction(repairs=True))

    assert isinstance(decision, Update)
    assert numbers(decision.updated) == {"l1": 1, "l2": 2}
    assert told(decision) == {"l1": 1, "l2": 2}


def test_a_location_of_two_shops_has_one_number() -> None:
    """MYOB-2: an address that is there already is the same location under the other shop's id."""
    by, known = policy(), knowing()
    company = a_company(tax_id="DE136695976")
    created(known, company, by)
    views = by.channels["shop"].store_views
    by = policy(channels={**by.channels, "outlet": type(by.channels["shop"])("outlet", views)})
    places = tuple(
        replaced(each, external_id=f"o-{each.external_id}") for each in company.addresses
    )
    there = a_company(
        source=a_source("77", channel="outlet"), tax_id="DE136695976", addresses=places
    )

    decision = decide(there, known, by)

    assert isinstance(decision, Update)
    assert decision.updated.locations == 2
    assert told(decision) == {"o-l1": 1, "o-l2": 2}


def test_a_template_without_what_a_location_needs_holds_the_customer() -> None:
    """MYOB-7: required values of locations hold as those of customers do, new or known."""
    wants: dict[str, Any] = {"required_location_values": ("route",)}
    lacking, complete = a_policy(**wants), policy(**wants)
    known = knowing()
    created(known, a_company(), complete)
    third = an_address(
        "l3", location_name="Kiel", city="Kiel", is_default_billing=False, is_default_shipping=False
    )
    grown = a_company(minutes=5, addresses=(*a_company().addresses, third))

    arriving, changed = decide(a_company("c2"), knowing(), lacking), decide(grown, known, lacking)

    for decision in (arriving, changed):
        assert isinstance(decision, Hold)
        assert decision.reason == "incomplete_template"
        assert decision.explanation.notes[-1] == "template standard lacks location route"
    assert isinstance(decide(grown, known, complete), Update)
    assert isinstance(decide(a_customer(), knowing(), lacking), Create)


def test_without_the_feature_addresses_are_addresses() -> None:
    """MYOB-6: individuals go on without numbers for their addresses."""
    by = policy(locations=LocationPolicy.ALL, features=Features(locations=False))

    decision = decide(a_customer(), knowing(), by)

    assert told(decision) == {}


def test_a_lost_number_is_written_again_without_the_locations() -> None:
    """What the shop lost is written again, and only that."""
    by = policy()
    directory = created(knowing(), a_company(), by)
    directory = replace(directory, number="B1")
    link = a_link(a_company(), directory, exported_number="B1")

    decision = decide(
        a_company(minutes=5, customer_number="X"), knowing(directory, links=(link,)), by
    )

    assert isinstance(decision, Update)
    assert [(each.effect, each.locations) for each in decision.exports] == [("customer_number", {})]


def test_an_account_with_locations_elsewhere_has_none_here() -> None:
    """The addresses of an account that is matched with a company do not become locations."""
    directory = in_directory(a_company(), number="B1", entity=None)

    decision = decide(a_customer(customer_number="B1"), knowing(directory), policy())

    assert isinstance(decision, Update)
    assert told(decision) == {}
