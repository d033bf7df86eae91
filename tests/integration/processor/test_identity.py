"""Who is who, looked up in the directory: every rule that a policy can have."""

from typing import Any

import pytest

from shared.domain.customer import Custom, Customer, CustomerKind
from shared.domain.match_rules import DirectoryKey, MatchBy, MatchRule
from shared.domain.messages import CustomerImported, Envelope, Mode
from shared.domain.policy import ChannelPolicy, GuestPolicy, Policy, StoreViewPolicy
from shared.persistence.tables import customers
from tests.builders import ADDITIONAL, a_customer, a_policy, a_source, a_template, an_address
from tests.integration.processor.desk import Desk, a_message


def by(rule: MatchRule, **changes: Any) -> Policy:
    """Return a policy with this one rule."""
    return a_policy(matching=(rule,), **changes)


def in_mode(customer: Customer, mode: Mode) -> Envelope[Any]:
    """Return the message that `customer` was imported in a mode."""
    body = CustomerImported(customer=customer, origin="sweep", mode=mode)
    return a_message(body, customer.source)


@pytest.mark.parametrize("block", [1, 50])
def test_a_name_at_a_postcode_finds_its_customer(desk: Desk, block: int) -> None:
    """XPR-12: name and postcode, among namesakes elsewhere."""
    others = [
        a_customer(f"o{n}", addresses=(an_address(postcode=f"{20000 + n}"),)) for n in range(block)
    ]
    desk.take(*others, a_customer("1"))

    desk.take(
        a_customer("2", first_name="LANG", last_name="ánn"),
        policy=by(MatchRule(MatchBy.NAME_POSTCODE, "link")),
    )

    assert desk.linked("2").customer_id == desk.linked("1").customer_id


def test_a_similar_name_is_parked_with_its_candidates(desk: Desk) -> None:
    """NEW-3: rapid likeness of names at one postcode is a suggestion, never a link."""
    far = a_customer("8", last_name="Lange", addresses=(an_address(postcode="80331"),))
    desk.take(a_customer("1", last_name="Lange"), far)

    desk.take(a_customer("2"), policy=by(MatchRule(MatchBy.SIMILAR, similarity=85)))

    [parked] = [row for row in desk.staging() if row.state == "ambiguous"]
    assert parked.external_id == "2"
    assert str(desk.linked("1").customer_id).encode() in parked.explanation
    assert str(desk.linked("8").customer_id).encode() not in parked.explanation


def test_a_name_that_changed_is_found_by_its_new_key(desk: Desk) -> None:
    """Keys follow the directory: the maiden name finds nobody any more."""
    desk.take(a_customer("1"))
    desk.take(a_customer("1", minutes=5, last_name="Kurz"))
    rule = by(MatchRule(MatchBy.NAME_POSTCODE, "link"))

    desk.take(a_customer("2", last_name="Kurz"), a_customer("3"), policy=rule)

    assert desk.linked("2").customer_id == desk.linked("1").customer_id
    assert desk.linked("3").customer_id != desk.linked("1").customer_id


def test_a_custom_attribute_finds_the_customer_number(desk: Desk) -> None:
    """XPR-12: a number that the merchant kept in an attribute of the shop."""
    desk.take(a_customer("1"))
    rule = MatchRule(
        MatchBy.ATTRIBUTE, "link", name="navision_no", key=DirectoryKey.CUSTOMER_NUMBER
    )
    custom = Custom(attributes={"navision_no": "D10001"})

    desk.take(a_customer("2", custom=custom), policy=by(rule))

    assert desk.linked("2").customer_id == desk.linked("1").customer_id


def test_a_rule_for_companies_leaves_persons_alone(desk: Desk) -> None:
    """ASK-9: companies by tax id, persons by e-mail; each by the rules of its kind."""
    rules = (
        MatchRule(MatchBy.TAX_ID, "link", kinds=frozenset({CustomerKind.BUSINESS})),
        MatchRule(MatchBy.EMAIL, "link", kinds=frozenset({CustomerKind.INDIVIDUAL})),
    )
    policy = a_policy(matching=rules)
    firm: dict[str, Any] = {"kind": "business", "company_name": "Lang", "tax_id": "DE136695976"}
    desk.take(a_customer("1", **firm), policy=policy)

    desk.take(
        a_customer("2", **firm, email="other@example.com"),
        a_customer("3", tax_id="DE136695976", email="ann3@example.com"),
        policy=policy,
    )

    assert desk.linked("2").customer_id == desk.linked("1").customer_id
    assert desk.linked("3").customer_id != desk.linked("1").customer_id


@pytest.mark.parametrize(("groups", "many"), [(("a", "a"), 1), (("a", "b"), 2)])
def test_one_e_mail_in_two_shops_is_one_or_two_customers(
    desk: Desk, groups: tuple[str, str], many: int
) -> None:
    """ASK-16: as the store groups say."""
    channels = {
        name: ChannelPolicy(name, {"de": StoreViewPolicy("de", store_group=group)}, ADDITIONAL)
        for name, group in zip(("shop", "outlet"), groups, strict=True)
    }
    policy = by(MatchRule(MatchBy.EMAIL, "link", scope="store_group"), channels=channels)
    twin = a_customer("1", email="ann@example.com", source=a_source("1", channel="outlet"))

    desk.take(a_customer("1", email="ann@example.com"), policy=policy)
    desk.take(twin, policy=policy)
    desk.take(
        a_customer("2", email="ann@example.com", source=a_source("2", channel="outlet")),
        policy=policy,
    )

    assert len(desk.customers()) == many


def test_guests_are_collected_and_told_apart_when_they_register(desk: Desk) -> None:
    """ASK-3: all guests carry one number; who registers becomes a customer."""
    desk.take(a_customer("counter", email="counter@example.com"))
    view = StoreViewPolicy("de", guests=GuestPolicy.COLLECT, guest_customer="D10001")
    policy = a_policy(channels={"shop": ChannelPolicy("shop", {"de": view}, ADDITIONAL)})

    desk.take(*(a_customer(n, is_guest=True) for n in ("1", "2")), policy=policy)
    desk.take(a_customer("1", is_guest=True, first_name="X", minutes=5), policy=policy)
    desk.take(a_customer("2", minutes=5), policy=policy)

    assert (desk.linked("1").status, desk.linked("2").status) == ("collected", "synchronized")
    assert [row.number for row in desk.customers()] == ["D10001", "D10002"]
    collector = desk.customers()[0]
    assert (collector.first_name, collector.id) == ("Ann", desk.linked("1").customer_id)
    assert desk.linked("2").customer_id == desk.customers()[1].id


def test_a_number_of_the_platform_is_given_once(desk: Desk) -> None:
    """C365-4: taken as it is; the second account that claims it is held."""
    template = a_template(number_series=None, number_from="attributes.old", number_prefix="M")
    policy = a_policy(templates=(template,))
    custom = Custom(attributes={"old": "77"})

    desk.take(a_customer("1", custom=custom), a_customer("2", custom=custom), policy=policy)
    desk.take(a_customer("3", custom=custom), policy=policy)

    assert desk.customer().number == "M77"
    assert sorted(row.reason or "" for row in desk.staging()) == [
        "", "number_taken", "number_taken",
    ]  # fmt: skip
    assert [e.body.customer_number for e in desk.exports()] == ["M77", "M77"]


def test_a_link_only_import_links_and_lists(desk: Desk) -> None:
    """ASK-8: an existing base is linked; who was not recognised waits, and nothing is created."""
    desk.take(a_customer("9", email="ann@example.com", source=a_source("9")))

    desk.take(
        in_mode(a_customer("1", email="ann@example.com"), "link_only"),
        in_mode(a_customer("2"), "link_only"),
    )

    assert len(desk.customers()) == 1
    assert desk.linked("1").status == "synchronized"
    [waiting] = [row for row in desk.staging() if row.state == "staged"]
    assert (waiting.external_id, waiting.reason) == ("2", "link_only")


def test_a_repair_brings_the_directory_back_to_the_shop(desk: Desk) -> None:
    """NEW-9: what drifted in the directory is what the shop says again, though that is no news."""
    desk.take(a_customer("1"))
    with desk.units.begin() as work:
        work.connection.execute(customers.update().values(last_name="Drifted"))
    again = a_customer("1", source=a_source("1", read_minutes=5))

    desk.take(in_mode(again, "normal"))
    drifted = desk.customer().last_name
    desk.take(in_mode(a_customer("1", source=a_source("1", read_minutes=6)), "repair"))

    assert (drifted, desk.customer().last_name) == ("Drifted", "Lang")


def test_an_erased_customer_is_found_by_nothing(desk: Desk) -> None:
    """NEW-11: a row that was emptied keeps its number, and still is nobody's match."""
    desk.take(a_customer("1"))
    with desk.units.begin() as work:
        work.connection.execute(customers.update().values(state="erased"))

    desk.take(a_customer("2", customer_number="D10001"))

    assert len(desk.customers()) == 2
    assert desk.linked("2").customer_id != desk.linked("1").customer_id
