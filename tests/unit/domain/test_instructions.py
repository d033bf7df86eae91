"""What a decision may be asked for beyond what the policy does by itself."""

import pytest

from shared.domain.customer import Phone
from shared.domain.decide import decide
from shared.domain.decisions import (
    Ambiguous,
    Create,
    Hold,
    Ignore,
    Instruction,
    Stage,
    Update,
)
from shared.domain.policy import ProcessingMethod
from tests.builders import NOON, a_customer, a_link, a_policy, in_directory, knowing

LINK_ONLY = Instruction(links_only=True)
PROCESS = Instruction(processes=True)


@pytest.mark.parametrize("method", list(ProcessingMethod))
@pytest.mark.parametrize("is_known", [True, False])
def test_an_operator_processes_whatever_the_method_leaves(
    method: ProcessingMethod,
    is_known: bool,
) -> None:
    """C365-11: "Process Customer" creates or updates under each of the four methods."""
    directory = in_directory(a_customer("a", email="ann@example.com"))
    known = knowing(directory) if is_known else knowing()

    decision = decide(a_customer(email="ann@example.com"), known, a_policy(method), PROCESS)

    assert isinstance(decision, Update if is_known else Create)


def test_processing_by_hand_follows_the_same_rules() -> None:
    """C365-11: what is missing is missing for an operator, too."""
    decision = decide(a_customer(addresses=()), knowing(), a_policy(), PROCESS)

    assert isinstance(decision, Hold)
    assert decision.reason == "no_billing_address"


def test_the_operators_choice_becomes_the_link() -> None:
    """NEW-3: an ambiguity is resolved by the customer that somebody named."""
    twins = [in_directory(a_customer(n, email="ann@example.com"), number=n) for n in ("1", "2")]
    customer = a_customer("3", email="ann@example.com")

    parked = decide(customer, knowing(*twins), a_policy())
    decision = decide(customer, knowing(*twins), a_policy(), Instruction(customer_id=twins[1].id))

    assert isinstance(parked, Ambiguous)
    assert isinstance(decision, Update)
    assert decision.existing == twins[1]
    assert decision.is_new_link
    assert [export.effect for export in decision.exports] == ["customer_number", "additional_data"]


def test_a_linked_record_can_be_tied_to_another_customer() -> None:
    """NEW-3: the choice goes before the link, and overwrites nothing of its new customer."""
    before = a_customer()
    wrong = in_directory(before, number="1")
    right = in_directory(a_customer("b", first_name="Anna"), number="2")
    known = knowing(wrong, right, links=(a_link(before, wrong, exported_number="1"),))

    decision = decide(before, known, a_policy(), Instruction(customer_id=right.id))

    assert isinstance(decision, Update)
    assert decision.existing == right
    assert decision.updated.fields["first_name"] == "Anna"
    assert decision.exports[0].effect == "customer_number"


def test_a_choice_of_somebody_who_is_gone_waits() -> None:
    """A chosen customer who was erased meanwhile leads to no other one."""
    gone = in_directory(a_customer("b"))

    decision = decide(a_customer(), knowing(), a_policy(), Instruction(customer_id=gone.id))

    assert isinstance(decision, Hold)
    assert decision.reason == "chosen_customer_gone"


def test_an_operator_may_say_that_somebody_is_new() -> None:
    """NEW-3: the twins with one telephone are two persons, if somebody says so."""
    phone = Phone(raw="030 5550142", e164="+49305550142")
    directory = in_directory(a_customer("a", phone=phone))
    instruction = Instruction(processes=True, creates=True)

    decision = decide(a_customer(phone=phone), knowing(directory), a_policy(), instruction)

    assert isinstance(decision, Create)


def test_link_only_ties_a_known_customer_and_changes_nothing() -> None:
    """ASK-8, XPR-9: an existing base is linked; the directory stays as it is."""
    directory = in_directory(a_customer("a", email="ann@example.com"))
    customer = a_customer(email="ann@example.com", language="de", addresses=())

    decision = decide(customer, knowing(directory), a_policy(ProcessingMethod.NONE), LINK_ONLY)

    assert isinstance(decision, Update)
    assert decision.is_new_link
    assert decision.updated == directory
    assert decision.exports[0].effect == "customer_number"


def test_link_only_creates_nobody() -> None:
    """ASK-8, XPR-10: whoever is not recognised is listed for an operator."""
    decision = decide(a_customer(), knowing(), a_policy(), LINK_ONLY)

    assert isinstance(decision, Stage)
    assert decision.reason == "link_only"


def test_link_only_parks_what_is_ambiguous() -> None:
    """ASK-8: several candidates wait for a choice, as always."""
    twins = [in_directory(a_customer(n, email="ann@example.com"), number=n) for n in ("1", "2")]

    decision = decide(
        a_customer("3", email="ann@example.com"), knowing(*twins), a_policy(), LINK_ONLY
    )

    assert isinstance(decision, Ambiguous)


def test_link_only_lets_changes_of_linked_customers_through() -> None:
    """ASK-8: who is linked already is kept in step meanwhile."""
    before = a_customer()
    directory = in_directory(before)
    known = knowing(directory, links=(a_link(before, directory),))

    decision = decide(a_customer(minutes=5, first_name="Anna"), known, a_policy(), LINK_ONLY)

    assert isinstance(decision, Update)
    assert decision.field_changes == {"first_name": "Anna"}


def test_link_only_respects_the_start_date() -> None:
    """C365-3: whoever registered before the start date is not linked either."""
    policy = a_policy(start_date=NOON)

    decision = decide(a_customer(), knowing(in_directory(a_customer())), policy, LINK_ONLY)

    assert isinstance(decision, Ignore)
    assert decision.reason == "before_start_date"


def test_a_link_to_a_customer_who_is_gone_is_found_out_anew() -> None:
    """A link without its customer is no failure: the record is matched like a new one."""
    before = a_customer()
    gone = in_directory(before)

    decision = decide(a_customer(minutes=5), knowing(links=(a_link(before, gone),)), a_policy())

    assert isinstance(decision, Create)
