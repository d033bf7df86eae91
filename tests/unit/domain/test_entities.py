"""Companies and those who act for them: where their records go (MYOB-5, MYOB-6)."""

from dataclasses import replace
from typing import Any

import pytest

from shared.domain.customer import Customer, Entity
from shared.domain.decide import decide
from shared.domain.decisions import Ambiguous, Create, Decision, Hold, Ignore, Instruction, Update
from shared.domain.drift import drift_of
from shared.domain.entities import JOINED
from shared.domain.known import Known
from shared.domain.match_rules import MatchBy, MatchRule
from shared.domain.policy import (
    ChannelPolicy,
    ContactPolicy,
    Features,
    Policy,
    ProcessingMethod,
    StoreViewPolicy,
)
from tests.builders import (
    ADDITIONAL,
    a_company,
    a_contact,
    a_customer,
    a_link,
    a_policy,
    a_source,
    in_directory,
    knowing,
)

TAX_ID = "DE136695976"


def contacts_are(
    treated: ContactPolicy,
    method: ProcessingMethod = ProcessingMethod.CREATE_AND_UPDATE,
    **changes: Any,
) -> Policy:
    """Return a policy of a shop that treats accounts of contacts so."""
    view = StoreViewPolicy("de", method, company_contacts=treated)
    channels = {"shop": ChannelPolicy("shop", {"de": view}, ADDITIONAL)}
    return a_policy(channels=channels, **changes)


TOGETHER = contacts_are(ContactPolicy.COMPANY)


def a_buyer(external_id: str = "p1", *companies: str, **changes: Any) -> Customer:
    """Return the account of somebody who acts for companies."""
    return a_customer(external_id, companies=companies or ("c1",), **changes)


def decided(known: Known, by: Policy, *customers: Customer) -> list[Decision]:
    """Decide one after the other, each knowing what was decided before."""
    decisions = []
    for customer in customers:
        decisions.append(decide(customer, known, by))
        known.learn(decisions[-1])
    return decisions


def test_a_company_is_created_as_one() -> None:
    """MYOB-5: what the shop keeps as a company is a business, whatever else it says."""
    decision = decide(a_company(kind="individual"), knowing(), a_policy())

    assert isinstance(decision, Create)
    assert decision.created.entity is Entity.COMPANY
    assert decision.created.fields["kind"] == "business"


@pytest.mark.parametrize("shared", [{"email": "info@nordwind.example"}, {"name": True}])
@pytest.mark.parametrize("company_first", [True, False])
def test_an_account_and_a_company_are_not_one_by_what_people_share(
    shared: dict[str, Any], *, company_first: bool
) -> None:
    """MYOB-5: neither e-mail nor name makes one customer of an account and a company."""
    rules = (MatchRule(MatchBy.EMAIL, "link"), MatchRule(MatchBy.NAME_POSTCODE, "link"))
    said = {"kind": "business", "company_name": "Nordwind GmbH"} if "name" in shared else shared
    both = (a_company(**said), a_customer(**said))
    known = knowing()

    first, second = decided(known, a_policy(matching=rules), *both[:: 1 if company_first else -1])

    assert isinstance(first, Create)
    assert isinstance(second, Create)
    assert "other_entity" in {trial.outcome for trial in second.explanation.rules}
    assert first.created.id in {
        one for trial in second.explanation.rules for one in trial.candidates
    }


@pytest.mark.parametrize(
    ("kind", "is_one"), [("business", True), ("individual", False)], ids=["firm", "person"]
)
def test_a_tax_id_makes_one_of_two_businesses(kind: str, *, is_one: bool) -> None:
    """MYOB-5: an account of a firm and the company with its tax id are one; a person's is not."""
    directory = in_directory(a_customer("a", kind=kind, tax_id=TAX_ID))

    decision = decide(a_company(tax_id=TAX_ID), knowing(directory), a_policy())

    assert isinstance(decision, Update) == is_one
    if isinstance(decision, Update):
        assert decision.updated.entity is Entity.ACCOUNT


def test_a_customer_number_makes_one_of_an_account_and_a_company() -> None:
    """MYOB-5: whoever entered the number has said who it is; it stays what it was."""
    directory = in_directory(a_company(), number="B7", entity=Entity.COMPANY)

    decision = decide(a_customer(customer_number="B7"), knowing(directory), a_policy())

    assert isinstance(decision, Update)
    assert decision.updated.entity is Entity.COMPANY


def test_who_was_loaded_is_what_its_first_record_is() -> None:
    """MYOB-5: of a customer from a file nobody has said yet what platforms keep it as."""
    directory = in_directory(a_company(email="info@nordwind.example"), entity=None)

    decision = decide(a_company(email="info@nordwind.example"), knowing(directory), a_policy())

    assert isinstance(decision, Update)
    assert decision.updated.entity is Entity.COMPANY


def test_likeness_is_suggested_whatever_the_two_are() -> None:
    """MYOB-5: an operator may say that an account and a company are one."""
    directory = in_directory(a_customer("a", kind="business", company_name="Nordwind"))
    rule = MatchRule(MatchBy.SIMILAR, similarity=60)

    decision = decide(a_company(), knowing(directory), a_policy(matching=(rule,)))

    assert isinstance(decision, Ambiguous)
    assert decision.candidates == (directory.id,)


def test_a_record_that_turns_into_a_company_is_held() -> None:
    """MYOB-5: a linked account that comes as a company waits for an operator."""
    account = a_customer("1")
    directory = in_directory(account)
    known = knowing(directory, links=(a_link(account, directory),))

    decision = decide(a_company("1", minutes=5), known, a_policy())

    assert isinstance(decision, Hold)
    assert decision.reason == "entity_changed"
    assert decision.existing == directory


def test_an_operator_lets_a_record_turn_or_makes_it_another_customer() -> None:
    """MYOB-5: processed, its customer turns as well; processed as new, that one is left alone."""
    account = a_customer("1")
    directory = in_directory(account)
    known = knowing(directory, links=(a_link(account, directory),))
    company = a_company("1", minutes=5)

    turned = decide(company, known, a_policy(), Instruction(processes=True))
    apart = decide(company, known, a_policy(), Instruction(processes=True, creates=True))

    assert isinstance(turned, Update)
    assert turned.updated.id == directory.id
    assert turned.updated.entity is Entity.COMPANY
    assert isinstance(apart, Create)


def test_a_source_that_does_not_say_what_it_keeps_changes_nothing() -> None:
    """Absent is not empty: a company stays one where the source is silent about it."""
    known = knowing()
    silent = Customer(
        source=a_source("c1", minutes=5), first_name="N", addresses=a_company().addresses
    )

    _, decision = decided(known, a_policy(), a_company(), silent)

    assert isinstance(decision, Update)
    assert decision.customer.entity is Entity.COMPANY
    assert decision.updated.fields["kind"] == "business"


@pytest.mark.parametrize("off", ["business_accounts", "locations"])
def test_companies_wait_while_one_of_two_features_is_off(off: str) -> None:
    """MYOB-6: a company, new or known, is parked with what is off; individuals are not."""
    by = a_policy(features=Features(**{off: False}))
    known = knowing()
    decided(known, a_policy(), a_company())

    arriving, changed = decide(a_company("c2"), known, by), decide(a_company(minutes=5), known, by)

    for decision in (arriving, changed):
        assert isinstance(decision, Hold)
        assert decision.reason == "business_not_enabled"
        assert decision.explanation.notes == (f"off in [features]: {off}",)
    assert isinstance(decide(a_customer(), knowing(), by), Create)


def test_who_acts_for_a_company_waits_with_it() -> None:
    """MYOB-6: while companies are not taken in, nobody is tied to one."""
    by = contacts_are(ContactPolicy.COMPANY, features=Features(business_accounts=False))

    decision = decide(a_buyer(), knowing(), by)

    assert isinstance(decision, Hold)
    assert decision.reason == "business_not_enabled"


def test_an_account_that_acts_for_a_company_is_an_individual_unless_configured() -> None:
    """MYOB-5: by default everybody is a customer of its own."""
    known = knowing()

    _, decision = decided(known, a_policy(), a_company(), a_buyer())

    assert isinstance(decision, Create)
    assert decision.created.entity is Entity.ACCOUNT


def test_an_account_is_tied_to_the_company_that_it_acts_for() -> None:
    """MYOB-1: with `company` it carries the company's number, and no field is taken over."""
    known = knowing()

    company, decision = decided(known, TOGETHER, a_company(), a_buyer(addresses=()))

    assert isinstance(company, Create)
    assert isinstance(decision, Update)
    assert decision.updated == company.created
    assert decision.joins
    assert [each.effect for each in decision.exports] == ["customer_number", "additional_data"]
    assert decision.exports[0].locations == {}
    assert decision.explanation.notes == (JOINED,)


def test_an_account_of_an_unknown_company_waits_for_it() -> None:
    """MYOB-1: it is held with the companies named, and goes on when one of them is known."""
    known = knowing()

    waiting, _, going_on = decided(
        known, TOGETHER, a_buyer("p1", "c9", "c1"), a_company(), a_buyer("p1", "c9", "c1")
    )

    assert isinstance(waiting, Hold)
    assert waiting.reason == "company_unknown"
    assert waiting.explanation.notes == ("acts for c9, c1",)
    assert isinstance(going_on, Update)


def test_a_company_that_is_gone_is_none() -> None:
    """A company that was deleted in the shop has nobody tied to it any more."""
    known = knowing()
    decided(known, TOGETHER, a_company())
    known.remove(a_source("c1", minutes=5))

    decision = decide(a_buyer(), known, TOGETHER)

    assert isinstance(decision, Hold)
    assert decision.reason == "company_unknown"


def test_an_account_stays_with_its_company_however_many_it_acts_for() -> None:
    """Another company that comes first in the list does not take the account over."""
    known = knowing()
    decided(known, TOGETHER, a_company("c1"), a_company("c2", company_name="B"), a_buyer())

    decision = decide(a_buyer("p1", "c2", "c1", minutes=5), known, TOGETHER)

    assert isinstance(decision, Ignore)
    assert decision.reason == "unchanged"


def test_an_account_moves_to_another_company() -> None:
    """Who acts for another company is tied to that, and gets its number."""
    known = knowing()
    _, other, _ = decided(
        known, TOGETHER, a_company("c1"), a_company("c2", company_name="B"), a_buyer()
    )

    decision = decide(a_buyer("p1", "c2", minutes=5), known, TOGETHER)

    assert isinstance(other, Create)
    assert isinstance(decision, Update)
    assert decision.updated.id == other.created.id
    assert decision.is_new_link
    assert [each.effect for each in decision.exports][:1] == ["customer_number"]


def test_a_source_that_is_silent_about_companies_leaves_the_account_tied() -> None:
    """Absent is not empty: only an empty list of companies lets somebody go."""
    known = knowing()
    decided(known, TOGETHER, a_company(), a_buyer())

    silent = decide(a_customer("p1", minutes=5), known, TOGETHER)
    free = decide(a_customer("p1", minutes=5, companies=()), known, TOGETHER)

    assert isinstance(silent, Ignore)
    assert isinstance(free, Create)


def test_a_company_of_an_earlier_page_is_known_to_a_dry_run() -> None:
    """NEW-1: what is only recalled of a company is enough to be tied to it."""
    known, later = knowing(), knowing()
    [company] = decided(known, TOGETHER, a_company())
    assert isinstance(company, Create)

    later.recall(company.created, known.accounts(company.created.id))

    assert isinstance(decide(a_buyer(), later, TOGETHER), Update)


def test_who_is_silent_about_companies_may_be_named_by_one() -> None:
    """MYOB-1: where accounts do not say whom they act for, the companies' contacts do."""
    known = knowing()
    decided(known, TOGETHER, a_company())

    named, other = (decide(a_customer(name), known, TOGETHER) for name in ("p1", "p2"))

    assert isinstance(named, Update)
    assert named.joins
    assert isinstance(other, Create)


def test_an_account_that_is_a_customer_already_stays_one() -> None:
    """MYOB-5: switching the setting turns nobody into part of a company."""
    known = knowing()
    decided(known, a_policy(), a_company(), a_buyer())

    decision = decide(a_buyer(minutes=5, first_name="Anna"), known, TOGETHER)

    assert isinstance(decision, Update)
    assert not decision.joins
    assert decision.updated.fields["first_name"] == "Anna"


def test_switched_back_an_account_is_an_individual_again() -> None:
    """With `individual` an account that was tied to a company gets a customer of its own."""
    known = knowing()
    decided(known, TOGETHER, a_company(), a_buyer())

    assert isinstance(decide(a_buyer(minutes=5), known, a_policy()), Create)


def test_an_operator_may_make_a_buyer_a_customer_of_its_own() -> None:
    """MYOB-5: `--as-new`, and a customer that was chosen, go before the company."""
    known = knowing()
    decided(known, TOGETHER, a_company())
    new = Instruction(processes=True, creates=True)

    assert isinstance(decide(a_buyer(), known, TOGETHER, new), Create)


def test_where_nothing_happens_by_itself_a_buyer_is_staged() -> None:
    """C365-5: tying an account to its company obeys the processing method."""
    known = knowing()
    decided(known, TOGETHER, a_company())
    by = contacts_are(ContactPolicy.COMPANY, ProcessingMethod.NONE)

    waiting = decide(a_buyer(), known, by)
    asked_for = decide(a_buyer(), known, by, Instruction(processes=True))

    assert not isinstance(waiting, Update)
    assert isinstance(asked_for, Update)


def test_a_tied_account_whose_number_was_lost_gets_it_again() -> None:
    """C365-17: the company's number is written to the account again."""
    company, buyer = a_company(), a_buyer()
    directory = in_directory(company, number="B1", entity=Entity.COMPANY)
    link = replace(a_link(buyer, directory, exported_number="B1"), is_contact=True)
    known = knowing(directory, links=(link, a_link(company, directory)))

    decision = decide(a_buyer(minutes=5, customer_number=""), known, TOGETHER)

    assert isinstance(decision, Update)
    assert not decision.is_new_link
    assert [each.effect for each in decision.exports] == ["customer_number"]


def test_contacts_are_written_when_the_shop_says_others() -> None:
    """MYOB-1: contacts are the shop's; they change with the company, whole."""
    known = knowing()
    decided(known, a_policy(), a_company())

    same = decide(a_company(minutes=5), known, a_policy())
    others = decide(a_company(minutes=5, contacts=(a_contact("k2"),)), known, a_policy())
    none = decide(a_company(minutes=5, contacts=()), known, a_policy())
    silent = Customer(
        **{
            name: getattr(a_company(minutes=5), name)
            for name in a_company().model_fields_set - {"contacts"}
        }
    )

    assert isinstance(same, Ignore)
    assert isinstance(others, Update)
    assert [each.external_id for each in others.contacts or ()] == ["k2"]
    assert others.explanation.fields_changed == ("contacts",)
    assert isinstance(none, Update)
    assert none.contacts == ()
    assert isinstance(decide(silent, known, a_policy()), Ignore)


def test_a_company_that_is_linked_only_keeps_its_fields_and_gets_its_contacts() -> None:
    """XPR-9: contacts belong to the record, not to the customer that it is linked to."""
    directory = in_directory(a_company(tax_id=TAX_ID), entity=None)

    decision = decide(
        a_company(tax_id=TAX_ID, company_name="Other"),
        knowing(directory),
        a_policy(),
        Instruction(links_only=True),
    )

    assert isinstance(decision, Update)
    assert decision.updated == replace(directory, entity=Entity.COMPANY)
    assert [each.external_id for each in decision.contacts or ()] == ["k1"]


def test_a_tied_account_is_in_step_with_the_directory() -> None:
    """NEW-9: the company's fields are no drift of the account's."""
    known = knowing()
    decided(known, TOGETHER, a_company(), a_buyer())

    assert drift_of(a_buyer(minutes=5, first_name="Other"), known, TOGETHER) == []
