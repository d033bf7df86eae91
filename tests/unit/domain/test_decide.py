"""What becomes of an imported customer."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.conditions import Condition
from shared.domain.customer import Address, Customer, replaced
from shared.domain.decide import FILLED_SHIPPING, decide
from shared.domain.decisions import (
    Ambiguous,
    Create,
    ExportIntent,
    Hold,
    Ignore,
    Stage,
    Update,
)
from shared.domain.ownership import FieldRule, Owner, Ownership
from shared.domain.policy import ProcessingMethod
from tests.builders import (
    NOON,
    a_customer,
    a_link,
    a_policy,
    a_source,
    a_template,
    an_address,
    in_directory,
    knowing,
)

NUMBER_AND_DATA = (
    ExportIntent("customer_number"),
    ExportIntent("additional_data", {"erp_template": "standard", "erp_price_group": "RETAIL"}),
)


def test_an_unknown_customer_is_created_with_the_templates_defaults() -> None:
    """C365-4: a new customer gets the template's values and number series."""
    decision = decide(a_customer(), knowing(), a_policy())

    assert isinstance(decision, Create)
    assert decision.created.template == "standard"
    assert decision.created.defaults == {"price_group": "RETAIL"}
    assert decision.template.number_series == "debtors"
    assert decision.created.fields["email"] == "ann1@example.com"


def test_a_new_customer_leads_to_exactly_two_exports() -> None:
    """C365-17: the customer number, and the additional data configured for the shop."""
    decision = decide(a_customer(), knowing(), a_policy())

    assert isinstance(decision, Create)
    assert decision.exports == NUMBER_AND_DATA


def test_a_matched_customer_is_linked_and_gets_its_number_too() -> None:
    """Matching an existing customer writes the number back as for a new one."""
    directory = in_directory(a_customer("other"))
    customer = a_customer(email="ANNother@example.com")

    decision = decide(customer, knowing(directory), a_policy())

    assert isinstance(decision, Update)
    assert decision.is_new_link
    assert decision.existing == directory
    assert decision.exports == NUMBER_AND_DATA


def test_matching_fills_gaps_but_overwrites_nothing() -> None:
    """XPR-9: on a first link the directory's own values stay; only what it lacks is filled."""
    directory = in_directory(a_customer(email="ann@example.com", first_name="Anne"))
    customer = a_customer(email="ann@example.com", first_name="A.", language="de")

    decision = decide(customer, knowing(directory), a_policy())

    assert isinstance(decision, Update)
    assert decision.field_changes == {"language": "de"}
    assert decision.updated.fields["first_name"] == "Anne"


def test_a_linked_customer_is_not_matched_again() -> None:
    """C365-19: a changed customer follows its link, whatever its e-mail is now."""
    before = a_customer()
    directory = in_directory(before)
    stranger = in_directory(a_customer("9", email="new@example.com"))
    known = knowing(directory, stranger, links=(a_link(before, directory),))

    decision = decide(a_customer(email="new@example.com", minutes=5), known, a_policy())

    assert isinstance(decision, Update)
    assert decision.existing == directory
    assert decision.field_changes == {"email": "new@example.com"}
    assert decision.explanation.fields_changed == ("email",)
    assert decision.exports == ()


def test_an_unchanged_customer_is_ignored() -> None:
    """A sweep or an echo that brings nothing new changes and sends nothing."""
    before = a_customer()
    directory = in_directory(before)
    known = knowing(directory, links=(a_link(before, directory),))

    decision = decide(a_customer(minutes=5), known, a_policy())

    assert isinstance(decision, Ignore)
    assert decision.reason == "unchanged"


def test_our_own_number_coming_back_is_no_change() -> None:
    """C365-20: the echo of the write-back changes nothing and is not written again."""
    before = a_customer()
    directory = in_directory(before, number="D7")
    known = knowing(directory, links=(a_link(before, directory, exported_number="D7"),))

    decision = decide(a_customer(minutes=5, customer_number="D7"), known, a_policy())

    assert isinstance(decision, Ignore)
    assert decision.reason == "unchanged"


def test_a_number_lost_in_the_shop_is_written_again() -> None:
    """A shop that emptied the number gets it again, once we know it was there."""
    before = a_customer(customer_number="D7")
    directory = in_directory(before, number="D7")
    known = knowing(directory, links=(a_link(before, directory, exported_number="D7"),))

    decision = decide(a_customer(minutes=5, customer_number=None), known, a_policy())

    assert isinstance(decision, Update)
    assert decision.exports == (ExportIntent("customer_number"),)


def test_an_older_state_never_replaces_a_newer_one() -> None:
    """NEW-8: a replayed or overtaken message is superseded."""
    newer = a_customer(minutes=10)
    directory = in_directory(newer)
    known = knowing(directory, links=(a_link(newer, directory),))

    decision = decide(a_customer(minutes=5, first_name="Old"), known, a_policy())

    assert isinstance(decision, Ignore)
    assert decision.reason == "superseded"


def test_an_address_edit_that_left_the_change_time_alone_is_newer_by_its_reading() -> None:
    """ASK-1: with equal change times the later reading wins."""
    before = a_customer(source=a_source(minutes=0, read_minutes=1))
    directory = in_directory(before)
    known = knowing(directory, links=(a_link(before, directory),))
    moved = a_customer(
        source=a_source(minutes=0, read_minutes=2),
        addresses=(an_address(lines=("Neuer Weg 1",)),),
    )

    decision = decide(moved, known, a_policy())

    assert isinstance(decision, Update)
    assert decision.explanation.fields_changed == ("addresses",)


def test_a_staged_record_is_not_replaced_by_an_older_one() -> None:
    """NEW-8: the version fence guards what waits in staging, too."""
    known = knowing()
    held = decide(a_customer(minutes=10, addresses=()), known, a_policy())
    known.learn(held)

    decision = decide(a_customer(minutes=5), known, a_policy())

    assert isinstance(held, Hold)
    assert isinstance(decision, Ignore)
    assert decision.reason == "superseded"


@pytest.mark.parametrize(
    "addresses",
    [
        pytest.param((), id="no-address"),
        pytest.param((an_address(is_default_billing=False),), id="only-shipping"),
    ],
)
def test_without_a_billing_address_a_customer_is_held(addresses: tuple[Address, ...]) -> None:
    """C365-6, C365-7: held, not failed; billing is never invented from shipping."""
    decision = decide(a_customer(addresses=addresses), knowing(), a_policy())

    assert isinstance(decision, Hold)
    assert decision.reason == "no_billing_address"


def test_a_held_customer_is_released_by_the_address_alone() -> None:
    """C365-6: the address that was missing releases the record."""
    known = knowing()
    known.learn(decide(a_customer(addresses=()), known, a_policy()))

    decision = decide(a_customer(source=a_source(read_minutes=3)), known, a_policy())

    assert isinstance(decision, Create)


def test_missing_shipping_is_filled_from_billing() -> None:
    """C365-7: an absent default shipping address is the billing address."""
    customer = a_customer(addresses=(an_address(is_default_shipping=False),))

    decision = decide(customer, knowing(), a_policy())

    assert isinstance(decision, Create)
    assert [a.is_default_shipping for a in decision.created.addresses] == [True]
    assert decision.explanation.notes == (FILLED_SHIPPING,)


METHODS = {
    (ProcessingMethod.NONE, "new"): (Stage, "method_none"),
    (ProcessingMethod.NONE, "existing"): (Stage, "method_none"),
    (ProcessingMethod.UPDATE, "new"): (Stage, "method_update"),
    (ProcessingMethod.UPDATE, "existing"): (Update, None),
    (ProcessingMethod.CREATE, "new"): (Create, None),
    (ProcessingMethod.CREATE, "existing"): (Stage, "method_create"),
    (ProcessingMethod.CREATE_AND_UPDATE, "new"): (Create, None),
    (ProcessingMethod.CREATE_AND_UPDATE, "existing"): (Update, None),
}


@pytest.mark.parametrize(("method", "who"), METHODS, ids=str)
def test_the_processing_method_decides_what_happens_by_itself(
    method: ProcessingMethod, who: str
) -> None:
    """C365-5: four methods, each for a new and for an existing customer."""
    directory = in_directory(a_customer("other", email="ann@example.com"))
    known = knowing(directory) if who == "existing" else knowing()

    decision = decide(a_customer(email="ann@example.com"), known, a_policy(method))

    expected, reason = METHODS[method, who]
    assert isinstance(decision, expected)
    assert getattr(decision, "reason", None) == reason


def test_unlinked_customers_from_before_the_start_date_are_left_out() -> None:
    """C365-3: the start date is a floor for customers that are not linked."""
    customer = a_customer(registered_at=NOON - timedelta(days=2))

    decision = decide(customer, knowing(), a_policy(start_date=NOON))

    assert isinstance(decision, Ignore)
    assert decision.reason == "before_start_date"


def test_updates_of_linked_older_customers_still_pass() -> None:
    """C365-3: the floor does not hold back those that are linked."""
    before = a_customer(registered_at=NOON - timedelta(days=2))
    directory = in_directory(before)
    known = knowing(directory, links=(a_link(before, directory),))
    changed = replaced(before, first_name="Anna", source=a_source(minutes=5))

    decision = decide(changed, known, a_policy(start_date=NOON))

    assert isinstance(decision, Update)


def test_two_candidates_are_left_to_an_operator() -> None:
    """NEW-3: a customer matching two known ones is parked with both; neither is touched."""
    twins = [in_directory(a_customer(n, email="ann@example.com"), number=n) for n in ("1", "2")]

    decision = decide(a_customer("3", email="ann@example.com"), knowing(*twins), a_policy())

    assert isinstance(decision, Ambiguous)
    assert decision.candidates == tuple(twin.id for twin in twins)


def test_no_fitting_template_holds_the_customer() -> None:
    """C365-4: there is never a silent default."""
    only_french = a_template(when=Condition('country == "FR"'))

    decision = decide(a_customer(), knowing(), a_policy(templates=(only_french,)))

    assert isinstance(decision, Hold)
    assert decision.reason == "no_template"
    assert decision.explanation.templates_tried == ("standard",)


def test_the_first_template_whose_condition_holds_is_taken() -> None:
    """Templates are tried in their order."""
    templates = (
        a_template("french", when=Condition('country == "FR"')),
        a_template("german", when=Condition('country == "DE" && !has_tax_id')),
        a_template("rest"),
    )

    decision = decide(a_customer(), knowing(), a_policy(templates=templates))

    assert isinstance(decision, Create)
    assert decision.template.name == "german"
    assert decision.explanation.templates_tried == ("french", "german")


def test_a_customer_of_a_store_view_that_is_not_configured_is_held() -> None:
    """A message from outside for an unknown store view waits instead of failing."""
    customer = a_customer(source=a_source(store_view="xx"))

    decision = decide(customer, knowing(), a_policy())

    assert isinstance(decision, Hold)
    assert decision.reason == "unknown_store_view"


def test_a_later_message_of_a_batch_sees_what_an_earlier_one_decided() -> None:
    """Two shoppers with one e-mail in one batch become one customer (ASK-5)."""
    known = knowing()
    first = decide(a_customer("1", email="ann@example.com"), known, a_policy())
    known.learn(first)

    second = decide(a_customer("2", email="Ann@Example.com"), known, a_policy())

    assert isinstance(first, Create)
    assert isinstance(second, Update)
    assert second.existing.id == first.created.id
    assert second.is_new_link


def test_news_that_does_not_speak_of_addresses_is_not_held_for_them() -> None:
    """Absent is not empty: the directory knows where bills go, and goes on knowing (ORO-7)."""
    before = a_customer()
    directory = in_directory(before)
    said_less = Customer(source=a_source(minutes=5), last_name="Kurz")

    decision = decide(said_less, knowing(directory, links=(a_link(before, directory),)), a_policy())

    assert isinstance(decision, Update)
    assert decision.field_changes == {"last_name": "Kurz"}
    assert decision.updated.addresses == directory.addresses


def test_what_was_said_earlier_stays_in_the_snapshot() -> None:
    """A source that repeats what it had fallen silent about has changed nothing (ORO-7)."""
    before = a_customer(language="de")
    directory = in_directory(before, fields={**in_directory(before).fields, "language": "fr"})
    known = knowing(directory, links=(a_link(before, directory),))
    silent = Customer(source=a_source(minutes=5), last_name="Kurz", addresses=before.addresses)
    known.learn(decide(silent, known, a_policy()))

    again = decide(a_customer(minutes=9, last_name="Kurz", language="de"), known, a_policy())

    assert isinstance(again, Ignore)
    assert again.reason == "unchanged"


def test_nobody_is_found_by_an_address_that_was_not_taken_over() -> None:
    """NEW-6: where the ERP owns the e-mail and has none, the shop's is no key either."""
    before = a_customer(email=None)
    directory = in_directory(before)
    known = knowing(directory, links=(a_link(before, directory),))
    ownership = Ownership({"email": FieldRule(Owner.ERP)})
    shop = replace(a_policy().channels["shop"], ownership=ownership)
    changed = a_customer(minutes=5, email="new@example.com")

    decision = decide(changed, known, a_policy(channels={"shop": shop}))

    assert isinstance(decision, Update)
    assert decision.updated.keys.email is None
    assert [conflict.field for conflict in decision.explanation.conflicts] == ["email"]
