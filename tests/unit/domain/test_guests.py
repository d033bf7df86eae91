"""What becomes of those who ordered without an account (ASK-3)."""

from typing import Any

import pytest

from shared.domain.customer import Customer, replaced
from shared.domain.decide import COLLECTED, decide
from shared.domain.decisions import Create, Decision, Hold, Ignore, Instruction, Stage, Update
from shared.domain.known import Known
from shared.domain.policy import (
    ChannelPolicy,
    GuestPolicy,
    Policy,
    ProcessingMethod,
    StoreViewPolicy,
)
from tests.builders import a_customer, a_policy, a_source, in_directory, knowing

COLLECTOR = in_directory(a_customer("counter", email="counter@example.com"), number="GUESTS")


def guests_are(policy: GuestPolicy, **changes: Any) -> Policy:
    """Return a policy whose store view treats guests so."""
    number = "GUESTS" if policy is GuestPolicy.COLLECT else None
    view = StoreViewPolicy("de", guests=policy, guest_customer=number, **changes)
    return a_policy(channels={"shop": ChannelPolicy("shop", {"de": view})})


def a_guest(external_id: str = "1", **changes: Any) -> Customer:
    """Return somebody who ordered without an account."""
    return a_customer(external_id, is_guest=True, **changes)


def decided(known: Known, policy: Policy, *customers: Customer) -> list[Decision]:
    """Decide one customer after the other, each knowing of those before."""
    decisions = []
    for customer in customers:
        decisions.append(decide(customer, known, policy))
        known.learn(decisions[-1])
    return decisions


def test_guests_are_held_where_an_operator_wants_to_see_them() -> None:
    """ASK-3: `hold` leaves a guest to an operator, who may have it processed."""
    policy = guests_are(GuestPolicy.HOLD)

    waiting = decide(a_guest(), knowing(), policy)
    asked_for = decide(a_guest(), knowing(), policy, Instruction(processes=True))

    assert isinstance(waiting, Hold)
    assert waiting.reason == "guest"
    assert isinstance(asked_for, Create)


@pytest.mark.parametrize("is_known", [True, False])
def test_a_guest_is_tied_to_a_known_customer_or_held(is_known: bool) -> None:
    """ASK-3: `link` makes no customer of a guest."""
    directory = in_directory(a_customer("a", email="ann@example.com"))
    known = knowing(directory) if is_known else knowing()

    decision = decide(a_guest(email="ann@example.com"), known, guests_are(GuestPolicy.LINK))

    if is_known:
        assert isinstance(decision, Update)
        assert decision.existing == directory
    else:
        assert isinstance(decision, Hold)
        assert decision.reason == "guest_unmatched"


def test_one_guest_who_orders_thrice_is_one_customer() -> None:
    """ASK-3: with `create` guests are matched like anybody, so they do not multiply."""
    orders = [a_guest(n, email="ann@example.com") for n in ("1", "2", "3")]

    decisions = decided(knowing(), guests_are(GuestPolicy.CREATE), *orders)

    assert [type(decision) for decision in decisions] == [Create, Update, Update]


def test_guests_are_collected_in_one_customer_that_stays_as_it_is() -> None:
    """ASK-3: `collect` ties every guest to the configured customer, with or without an address."""
    guests = [a_guest("1"), a_guest("2", addresses=())]

    first, second = decided(knowing(COLLECTOR), guests_are(GuestPolicy.COLLECT), *guests)

    for decision in (first, second):
        assert isinstance(decision, Update)
        assert decision.updated == COLLECTOR
        assert decision.is_new_link
        assert decision.collects
        assert [export.effect for export in decision.exports][:1] == ["customer_number"]
        assert decision.explanation.notes == (COLLECTED,)


def test_a_collected_guest_who_changes_changes_nothing() -> None:
    """A later change of a collected guest does not reach the customer of all guests."""
    before, after = a_guest(), a_guest(minutes=5, first_name="Anna")

    _, decision = decided(knowing(COLLECTOR), guests_are(GuestPolicy.COLLECT), before, after)

    assert isinstance(decision, Ignore)
    assert decision.reason == "unchanged"


@pytest.mark.parametrize("policy", [GuestPolicy.COLLECT, GuestPolicy.CREATE])
def test_a_collected_guest_with_an_account_is_a_customer_of_its_own(policy: GuestPolicy) -> None:
    """A guest who registers leaves the customer of all guests, whatever the policy is by then."""
    known = knowing(COLLECTOR)
    decided(known, guests_are(GuestPolicy.COLLECT), a_guest())
    registered = replaced(a_guest(), is_guest=False, source=a_source(minutes=5))

    decision = decide(registered, known, guests_are(policy))

    assert isinstance(decision, Create)


def test_a_guest_who_registers_keeps_the_customer_it_was() -> None:
    """A guest who was created and now has an account is found by its link."""
    known = knowing()
    [created] = decided(known, guests_are(GuestPolicy.CREATE), a_guest())
    registered = replaced(a_guest(), is_guest=False, source=a_source(minutes=5))

    decision = decide(registered, known, guests_are(GuestPolicy.CREATE))

    assert isinstance(created, Create)
    assert isinstance(decision, Ignore)
    assert decision.reason == "unchanged"


def test_without_the_customer_of_all_guests_they_are_held() -> None:
    """A number that nobody has is a gap in the set-up, told as such."""
    decision = decide(a_guest(), knowing(), guests_are(GuestPolicy.COLLECT))

    assert isinstance(decision, Hold)
    assert decision.reason == "no_guest_customer"


def test_where_an_operator_decides_everything_guests_are_not_collected() -> None:
    """The processing method `none` leaves guests, too, to an operator."""
    policy = guests_are(GuestPolicy.COLLECT, processing_method=ProcessingMethod.NONE)

    decision = decide(a_guest(), knowing(COLLECTOR), policy)

    assert isinstance(decision, Stage)
    assert decision.reason == "method_none"
