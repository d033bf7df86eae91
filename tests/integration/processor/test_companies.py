"""Companies, their locations, their contacts, and the accounts that act for them (MYOB-1)."""

from dataclasses import replace
from typing import Any

import orjson
import pytest

from shared.domain.customer import Customer, Entity
from shared.domain.messages import StagingProcess
from shared.domain.policy import (
    ChannelPolicy,
    ContactPolicy,
    Features,
    LocationPolicy,
    Policy,
    StoreViewPolicy,
)
from shared.persistence.tables import customer_contacts, messages
from tests.builders import (
    ADDITIONAL,
    a_company,
    a_contact,
    a_customer,
    a_policy,
    a_source,
    a_template,
    an_address,
)
from tests.integration.processor.desk import Desk, a_message, deleted
from tests.integration.processor.test_concurrency import at_once
from tests.integration.processor.test_redecide import redecide, take
from tests.integration.processor.test_statements import counted, newcomers

ROUTES = (a_template(location_values={"route": "PARCEL"}),)
ELSEWHERE = {
    "location_name": "Kiel", "is_default_billing": False, "is_default_shipping": False,
    "city": "Kiel",
}  # fmt: skip


def with_contacts(treated: ContactPolicy, **changes: Any) -> Policy:
    """Return a policy of a shop that treats the accounts of contacts so."""
    view = StoreViewPolicy("de", company_contacts=treated)
    channels = {"shop": ChannelPolicy("shop", {"de": view}, ADDITIONAL)}
    return a_policy(channels=channels, templates=ROUTES, **changes)


APART, TOGETHER = (with_contacts(treated) for treated in ContactPolicy)


def a_buyer(external_id: str = "p1", *companies: str, **changes: Any) -> Customer:
    """Return the account of somebody who acts for companies."""
    return a_customer(external_id, companies=companies or ("c1",), **changes)


def locations(desk: Desk) -> list[dict[str, str]]:
    """Return the locations of every export of a number, in the order they were sent."""
    bodies = [export.body for export in desk.exports()]
    return [body.locations for body in bodies if body.effect == "customer_number"]


def asked(desk: Desk) -> list[StagingProcess]:
    """Return what is owed to the processor itself."""
    return [
        StagingProcess.model_validate_json(row.body)
        for row in desk.rows(messages, messages.c.id)
        if row.type == "staging.process"
    ]


def test_a_company_gets_a_number_and_its_locations_get_theirs(desk: Desk) -> None:
    """MYOB-1, MYOB-2: one customer, whose locations are named by number and written back."""
    desk.take(a_company(), policy=APART)

    row, (first, second) = desk.customer(), desk.addresses()
    assert (row.entity, row.kind, row.locations) == ("company", "business", 2)
    assert [(x.location_name, x.location_number) for x in (first, second)] == [
        ("Head office", 1), ("Warehouse", 2),
    ]  # fmt: skip
    assert orjson.loads(second.defaults) == {"route": "PARCEL"}
    assert locations(desk) == [{"l1": "D10001-01", "l2": "D10001-02"}]


def test_only_a_location_that_is_new_is_told(desk: Desk) -> None:
    """MYOB-2: added later it gets the next number; one that was removed leaves its behind."""
    company = a_company()
    left = company.addresses[0]
    desk.take(company, policy=APART)
    desk.take(a_company(minutes=5, addresses=(left,)), policy=APART)

    desk.take(a_company(minutes=9, addresses=(left, an_address("l3", **ELSEWHERE))), policy=APART)

    assert [(x.external_id, x.location_number) for x in desk.addresses()] == [("l1", 1), ("l3", 3)]
    assert locations(desk)[1:] == [{"l3": "D10001-03"}]


def test_the_locations_of_an_individual(desk: Desk) -> None:
    """MYOB-2: keyed by the platform's address ids, where the configuration says so."""
    by = replace(APART, locations=LocationPolicy.ALL)

    desk.take(a_customer(addresses=(an_address("a1"), an_address("a2", **ELSEWHERE))), policy=by)

    assert [(x.external_id, x.location_number) for x in desk.addresses()] == [("a1", 1), ("a2", 2)]
    assert locations(desk) == [{}]


def test_a_company_says_who_acts_for_it(desk: Desk) -> None:
    """MYOB-1: an account that is silent about companies is tied to the one that names it."""
    desk.take(a_company(), policy=TOGETHER)

    desk.take(a_customer("p1"), a_customer("p2"), policy=TOGETHER)

    assert desk.linked("p1").customer_id == desk.linked("c1").customer_id
    assert desk.linked("p2").customer_id != desk.linked("c1").customer_id


def test_changes_of_one_batch_count_on(desk: Desk) -> None:
    """MYOB-2: a company that is created and grows in one batch has every number once."""
    grown = a_company(minutes=5, addresses=(*a_company().addresses, an_address("l3", **ELSEWHERE)))

    desk.take(a_company(), grown, policy=APART)

    assert [x.location_number for x in desk.addresses()] == [1, 2, 3]
    assert desk.customer().locations == 3


def test_contacts_are_those_that_the_shop_named_last(desk: Desk) -> None:
    """MYOB-1: replaced as a whole when the shop speaks of them, left when it is silent."""
    silent = a_company(minutes=9, company_name="Nordwind AG").model_dump(exclude={"contacts"})
    desk.take(a_company(), a_company("c2", contacts=(a_contact("k9"),), tax_id="DE136695976"))

    desk.take(a_company(minutes=5, contacts=(a_contact("k2", role="buyer"), a_contact("k3"))))
    desk.take(Customer(**silent))

    rows = desk.rows(customer_contacts, customer_contacts.c.external_id)
    assert [(row.record, row.external_id, row.role) for row in rows] == [
        ("c1", "k2", "buyer"), ("c1", "k3", None), ("c2", "k9", None),
    ]  # fmt: skip
    assert {row.customer_id for row in rows[:2]} == {desk.linked("c1").customer_id}


def test_a_contacts_account_carries_the_companys_number(desk: Desk) -> None:
    """MYOB-1, MYOB-5: with `company` its orders land on the company's account."""
    desk.take(a_company(), a_buyer(), policy=TOGETHER)

    assert desk.linked("p1").customer_id == desk.linked("c1").customer_id
    assert (desk.linked("p1").is_contact, desk.linked("c1").is_contact) == (True, False)
    assert desk.customer().first_name is None
    assert [x.body.customer_number for x in desk.exports() if x.body.external_id == "p1"] == [
        "D10001", "D10001",
    ]  # fmt: skip


@pytest.mark.parametrize("together", [True, False], ids=["one batch", "two batches"])
def test_an_account_goes_on_when_its_company_arrives(desk: Desk, *, together: bool) -> None:
    """MYOB-1: held as `company_unknown`, decided again with the company that names it."""
    if together:
        desk.take(a_buyer(), a_company(), policy=TOGETHER)
    else:
        desk.take(a_buyer(), policy=TOGETHER)
        desk.take(a_company(), policy=TOGETHER)
    [message] = asked(desk)

    [row] = [row for row in desk.rows(messages, messages.c.id) if row.type == "staging.process"]
    waiting = next(x for x in desk.staging() if x.external_id == "p1")
    assert (waiting.state, waiting.reason) == ("held", "company_unknown")
    assert (message.external_id, message.by) == ("p1", "configuration")
    assert row.correlation_id == waiting.correlation_id

    source = a_source("p1")
    desk.take(a_message(message, source), policy=TOGETHER)
    assert desk.linked("p1").customer_id == desk.linked("c1").customer_id


def test_only_those_who_wait_for_a_company_are_woken(desk: Desk) -> None:
    """An account that waits for something else is left alone."""
    desk.take(a_customer("p1", addresses=()), policy=TOGETHER)

    desk.take(a_company(), policy=TOGETHER)

    assert asked(desk) == []


def test_companies_go_on_when_they_are_switched_on(desk: Desk) -> None:
    """MYOB-6: parked with the reason while a feature is off, decided again with both on."""
    off = replace(TOGETHER, features=Features(business_accounts=False))
    on = replace(TOGETHER, version="both on")
    desk.take(a_company(), policy=off)
    assert (desk.staged().state, desk.staged().reason) == ("held", "business_not_enabled")

    take(desk, redecide(desk, on), on)

    assert desk.customer().entity == "company"


def test_who_waits_for_a_company_goes_on_as_an_individual(desk: Desk) -> None:
    """MYOB-5: when the configuration takes contacts' accounts for customers of their own."""
    desk.take(a_buyer(), policy=TOGETHER)
    apart = replace(APART, version="apart")

    take(desk, redecide(desk, apart), apart)

    assert (desk.customer().entity, desk.linked("p1").is_contact) == ("account", False)


def test_a_record_that_turns_is_held_and_nothing_of_it_is_taken(desk: Desk) -> None:
    """MYOB-5: no silent conversion: its customer stays a person's account."""
    desk.take(a_customer("1"), policy=APART)

    desk.take(a_company("1", minutes=5), policy=APART)

    held = next(row for row in desk.staging() if row.state == "held")
    assert (held.reason, held.is_existing) == ("entity_changed", True)
    assert (desk.customer().entity, desk.customer().company_name) == ("account", None)


def test_a_company_and_its_administrator_share_an_e_mail(desk: Desk) -> None:
    """MYOB-5: both are customers, whichever came first."""
    email = "info@nordwind.example"

    desk.one_by_one(
        a_customer("p1", email=email), a_company(email=email), a_customer("p2", email=email)
    )

    assert desk.linked("p1").customer_id == desk.linked("p2").customer_id
    assert desk.linked("c1").customer_id != desk.linked("p1").customer_id


def test_a_company_that_is_gone_leaves_its_buyers_where_they_are(desk: Desk) -> None:
    """An account that is tied stays so until it changes; a new one waits."""
    desk.take(a_company(), a_buyer(), policy=TOGETHER)
    desk.take(deleted(a_source("c1", minutes=5)), policy=TOGETHER)

    desk.take(a_buyer("p2"), policy=TOGETHER)

    assert desk.linked("p1").status != "removed"
    assert next(x for x in desk.staging() if x.external_id == "p2").reason == "company_unknown"


@pytest.mark.parametrize("many", [1, 50])
def test_companies_cost_the_same_for_one_as_for_fifty(desk: Desk, many: int) -> None:
    """Contacts are replaced in two statements, and who waits for a company is found with one."""
    companies = [
        a_company(f"c{n}", company_name=f"Firm {n}", contacts=(a_contact("k", f"p{n}"),))
        for n in range(many)
    ]
    buyers = [a_buyer(f"p{n}", f"c{n}") for n in range(many)]

    with counted(desk.engine) as statements:
        desk.take(*companies, *buyers, policy=TOGETHER)

    assert len(desk.customers()) == many
    assert len(statements) == 15 + (desk.engine.dialect.name == "postgresql")


@pytest.mark.parametrize(("policy", "more"), [(APART, 0), (TOGETHER, 1)], ids=["apart", "together"])
def test_without_companies_nothing_more_is_asked(desk: Desk, policy: Policy, more: int) -> None:
    """Persons alone cost what they always cost; who acts for a company is one question."""
    with counted(desk.engine) as statements:
        desk.take(*newcomers(20), policy=policy)

    assert len(statements) == 12 + more + (desk.engine.dialect.name == "postgresql")
    assert {row.entity for row in desk.customers()} == {Entity.ACCOUNT.value}


def test_a_company_and_its_buyers_at_once(postgresql_desk: Desk) -> None:
    """MYOB-1, ASK-5: whoever is first, no buyer is lost: tied at once, or woken by the company."""
    desk = postgresql_desk
    desk.policy = TOGETHER
    for n in range(5):
        firm = a_company(f"c{n}", company_name=f"Firm {n}", contacts=(a_contact("k", f"p{n}"),))
        at_once(desk, [firm], [a_buyer(f"p{n}", f"c{n}")])

    desk.take(*(a_message(each, a_source(each.external_id)) for each in asked(desk)))

    tied = [desk.linked(f"p{n}").customer_id == desk.linked(f"c{n}").customer_id for n in range(5)]
    assert tied == [True] * 5


def test_two_processors_give_no_location_number_twice(postgresql_desk: Desk) -> None:
    """MYOB-2: one company in two shops grows in both at once."""
    desk = postgresql_desk
    tax_id: dict[str, Any] = {"tax_id": "DE136695976"}
    shared = a_company().addresses
    there = a_source("c1", channel="outlet")
    desk.one_by_one(a_company(**tax_id), a_company(**tax_id, source=there))
    grown = [an_address(name, **ELSEWHERE, lines=(name,)) for name in ("l8", "l9")]
    later = a_source("c1", channel="outlet", minutes=5)

    at_once(
        desk,
        [a_company(**tax_id, minutes=5, addresses=(*shared, grown[0]))],
        [a_company(**tax_id, source=later, addresses=(*shared, grown[1]))],
    )

    assert sorted(x.location_number for x in desk.addresses()) == [1, 2, 3, 4]
    assert desk.customer().locations == 4
