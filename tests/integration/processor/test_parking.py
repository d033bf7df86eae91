"""Customers that cannot go on are parked with the reason, and released where they stand."""

from datetime import timedelta

import pytest

from shared.domain.conditions import Condition
from shared.domain.customer import Phone, SourceKey
from shared.domain.policy import ProcessingMethod
from tests.builders import NOON, a_customer, a_policy, a_source, a_template, an_address, imported
from tests.integration.persistence.builders import NOON as NOW
from tests.integration.persistence.builders import SettableClock
from tests.integration.processor.desk import Desk, explanation, ids, two_shops, unreadable

NONE, UPDATE = ProcessingMethod.NONE, ProcessingMethod.UPDATE
CREATE, BOTH = ProcessingMethod.CREATE, ProcessingMethod.CREATE_AND_UPDATE


def test_without_an_address_a_customer_is_held_until_one_comes(
    desk: Desk, clock: SettableClock
) -> None:
    """C365-6, NEW-13: held, then released in place: the same record, as old as it is."""
    desk.take(a_customer(addresses=()))
    held = desk.staged()
    clock.advance(3600)

    # An address edit leaves the shop's change time alone (ASK-1); only the reading is later.
    desk.take(a_customer(source=a_source(read_minutes=5)))

    assert (held.state, held.reason, held.customer_number) == ("held", "no_billing_address", None)
    released = desk.staged()
    assert (released.id, released.state, released.reason) == (held.id, "processed", None)
    assert (released.created_at, released.updated_at) == (NOW, NOW + timedelta(hours=1))
    assert released.customer_number == "D10001"
    assert desk.events() == ["customer.held", "customer.created"]


def test_a_held_customer_is_held_once(desk: Desk) -> None:
    """Another change without an address is the same record, brought up to date."""
    desk.take(a_customer(addresses=()))
    first = desk.staged()

    desk.take(
        a_customer(addresses=(), minutes=1), a_customer(addresses=(), minutes=2, language="fr")
    )

    assert desk.staged().id == first.id
    assert b'"fr"' in desk.staged().body
    assert desk.customers() == []


def test_held_and_released_in_one_batch_is_one_record(desk: Desk) -> None:
    """A batch may hold a customer and release it; the archive has one record of that."""
    desk.take(a_customer(addresses=()), a_customer(minutes=1))

    assert (desk.staged().state, desk.staged().customer_number) == ("processed", "D10001")


def test_held_again_after_it_was_processed_is_a_new_record(desk: Desk) -> None:
    """In one batch: held, processed, held again. The archive is not written over."""
    desk.take(a_customer(addresses=()))

    desk.take(a_customer(minutes=1), a_customer(minutes=2, addresses=(), language="de"))

    assert [(row.state, row.is_existing) for row in desk.staging()] == [
        ("processed", False), ("held", True),
    ]  # fmt: skip
    assert len(desk.addresses()) == 1


def test_several_candidates_are_parked_with_their_names(desk: Desk) -> None:
    """NEW-3: nobody is touched; the record holds the candidates that an operator chooses from."""
    twins = [
        a_customer(number, email="ann@example.com", source=a_source(number, channel="outlet"))
        for number in ("1", "2")
    ]
    desk.take(*twins, policy=two_shops(matching=()))

    desk.take(a_customer("3", email="ann@example.com"))

    parked = desk.staging()[-1]
    assert (parked.state, parked.reason) == ("ambiguous", "ambiguous")
    assert (parked.is_existing, parked.customer_id, parked.customer_number) == (False, None, None)
    trial = explanation(parked)["rules"][-1]
    assert (trial["rule"], trial["outcome"]) == ("email", "ambiguous")
    assert trial["candidates"] == [str(id_) for id_ in ids(desk.customers())]
    assert SourceKey("shop", "3") not in desk.links()


def test_a_telephone_that_a_family_shares_is_left_to_an_operator(desk: Desk) -> None:
    """A second account of the shop with a known number is parked, also within one batch."""
    phone = Phone(raw="030", e164="+4930123456")

    desk.take(a_customer("1", phone=phone), a_customer("2", phone=phone))

    [first, second] = desk.staging()
    assert (first.state, second.state) == ("processed", "ambiguous")
    trial = explanation(second)["rules"][-1]
    assert (trial["outcome"], trial["candidates"]) == ("already_linked", [str(desk.customer().id)])


def test_what_cannot_be_read_is_held_and_names_the_fields(desk: Desk) -> None:
    """ASK-17: the error is on the record; a readable import then releases it."""
    desk.take(unreadable(a_source(), ("birth_date", "is no date"), ("email", "is too long")))
    held = desk.staged()

    desk.take(a_customer(minutes=5))

    assert (held.state, held.reason, held.is_existing) == ("held", "unreadable", False)
    assert explanation(held)["notes"] == ["birth_date: is no date", "email: is too long"]
    assert (desk.staged().id, desk.staged().state) == (held.id, "processed")


def test_a_linked_customer_that_cannot_be_read_is_held_as_existing(desk: Desk) -> None:
    """The customer stays as it is; when the shop takes the change back, the record is closed."""
    customer = a_customer()
    desk.take(customer)

    desk.take(unreadable(a_source(minutes=5)))
    held = desk.staging()[-1]
    desk.take(a_customer(minutes=10))

    assert (held.state, held.is_existing, held.customer_id) == ("held", True, desk.customer().id)
    closed = desk.staging()[-1]
    assert (closed.id, closed.state, closed.reason) == (held.id, "superseded", "unchanged")


def test_an_old_unreadable_record_changes_nothing(desk: Desk) -> None:
    """NEW-8: a replay of what could not be read is ignored once something newer was taken over."""
    old = unreadable(a_source("1")), unreadable(a_source("2"))
    desk.take(a_customer("1", minutes=5), a_customer("2", minutes=5, addresses=()))

    desk.take(*old)

    assert [(row.state, row.reason) for row in desk.staging()] == [
        ("processed", None), ("held", "no_billing_address"),
    ]  # fmt: skip
    assert desk.events()[-2:] == ["customer.ignored", "customer.ignored"]


@pytest.mark.parametrize(
    ("method", "new", "existing"),
    [
        (NONE, ("staged", "method_none"), ("staged", "method_none")),
        (UPDATE, ("staged", "method_update"), ("processed", None)),
        (CREATE, ("processed", None), ("staged", "method_create")),
        (BOTH, ("processed", None), ("processed", None)),
    ],
)
def test_the_processing_method_decides_what_happens_by_itself(
    desk: Desk, method: ProcessingMethod, new: tuple[str, str], existing: tuple[str, str]
) -> None:
    """C365-5, C365-9: four methods, a new and an existing customer; the flag tells them apart."""
    desk.take(a_customer("1"))

    desk.take(
        a_customer("1", minutes=5, first_name="Anna"), a_customer("2"), policy=two_shops(method)
    )

    _, changed, arrived = desk.staging()
    assert (changed.state, changed.reason) == existing
    assert (arrived.state, arrived.reason) == new
    assert (changed.is_existing, arrived.is_existing) == (True, False)
    assert (changed.customer_number, changed.customer_id) == ("D10001", desk.customers()[0].id)
    assert arrived.customer_number == ("D10002" if method.creates else None)
    assert desk.customers()[0].first_name == ("Anna" if method.updates else "Ann")
    assert len(desk.customers()) == 1 + method.creates


def test_a_staged_customer_is_processed_where_it_stands(desk: Desk) -> None:
    """C365-9: the flag is recomputed when the record is processed at last."""
    desk.take(a_customer("1"), policy=two_shops(NONE))
    staged = desk.staged()
    twin = a_customer("7", email="ann1@example.com", source=a_source("7", channel="outlet"))
    desk.take(twin)

    desk.take(a_customer("1", minutes=5))

    row = desk.staging()[0]
    assert (staged.id, staged.is_existing) == (row.id, False)
    assert (row.state, row.is_existing, row.customer_number) == ("processed", True, "D10001")


@pytest.mark.parametrize("processed", [True, False])
def test_older_news_is_ignored(desk: Desk, processed: bool) -> None:
    """NEW-8: nothing older than what is linked or staged is applied, even replayed (fault 10)."""
    addresses = (an_address(),) if processed else ()
    desk.take(a_customer(minutes=5, addresses=addresses, first_name="Anna"))
    before = desk.staged()

    plan = desk.take(a_customer(addresses=addresses, first_name="Ann"))

    assert desk.staged() == before
    assert plan.outcomes == {"customer.ignored": 1}
    assert desk.events()[-1] == "customer.ignored"


def test_customers_from_before_the_start_are_left_alone(desk: Desk) -> None:
    """C365-3: neither staged nor created."""
    desk.take(a_customer(), policy=a_policy(start_date=NOON))

    assert (desk.staging(), desk.customers(), desk.events()) == ([], [], ["customer.ignored"])


def test_a_store_view_that_nobody_configured_is_held(desk: Desk) -> None:
    """A gap in the set-up is visible on the record."""
    desk.take(a_customer(source=a_source(store_view="fr")))

    assert (desk.staged().state, desk.staged().reason) == ("held", "unknown_store_view")


def test_without_a_template_a_customer_is_held(desk: Desk) -> None:
    """C365-4: no template fits, nothing is created, the templates tried are named."""
    firms = a_template("firms", when=Condition('kind == "business"'))

    desk.take(a_customer(), policy=a_policy(templates=(firms,)))

    row = desk.staged()
    assert (row.state, row.reason) == ("held", "no_template")
    assert explanation(row)["templates_tried"] == ["firms"]


def test_the_wire_body_is_kept_for_diagnosis(desk: Desk) -> None:
    """What is parked can be shown and processed again as it came."""
    message = imported(a_customer(addresses=()))

    desk.take(message)

    assert desk.staged().body == message.raw
