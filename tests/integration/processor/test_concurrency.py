"""Several processors at once on PostgreSQL: no twins, no gaps, no deadlocks, nothing lost."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import pytest

from services.processor.worker import process_batch
from shared.domain.customer import Customer, Phone, replaced
from shared.persistence.unit_of_work import UnitOfWork
from shared.runtime.patience import Patience
from tests.builders import a_customer, a_source, an_address, imported
from tests.integration.persistence.builders import InThread, somebody_waits
from tests.integration.processor.desk import Desk, a_tax_id
from tests.integration.runtime.rig import eventually

ROUNDS = 10
NO_DEFAULT = an_address(is_default_billing=False, is_default_shipping=False)


def at_once(desk: Desk, *batches: Sequence[Customer]) -> None:
    """Process each batch by a processor of its own; all begin at the same instant."""
    together = threading.Barrier(len(batches))

    def process(batch: Sequence[Customer]) -> Callable[[], None]:
        messages = [imported(customer) for customer in batch]

        def attempt() -> None:
            with desk.units.begin() as work:
                process_batch(messages, work, desk.policy)

        def deed() -> None:
            together.wait()
            Patience(threading.Event(), on_trouble=troubles.append).through(attempt)

        return deed

    troubles: list[str] = []
    processors = [InThread(process(batch)) for batch in batches]
    for processor in processors:
        processor.result()
    assert troubles == []


def in_outlet(external_id: str, *, minutes: int = 0, **changes: Any) -> Customer:
    """Return a customer of the other shop."""
    source = a_source(external_id, channel="outlet", minutes=minutes)
    return a_customer(external_id, source=source, **changes)


@pytest.mark.parametrize("shared_key", ["email", "phone", "tax_id"])
def test_one_person_in_two_shops_at_once_is_one_customer(
    postgresql_desk: Desk, shared_key: str
) -> None:
    """ASK-5: whatever they share, the second processor finds what the first created (fault 47)."""
    desk = postgresql_desk
    for n in range(ROUNDS):
        keys: dict[str, Any] = {
            "email": f"ann{n}@example.com",
            "phone": Phone(raw="x", e164=f"+4930{n:07}"),
            "tax_id": a_tax_id(n),
        }
        here: dict[str, Any] = {"email": f"a{n}@example.com", shared_key: keys[shared_key]}
        there: dict[str, Any] = {"email": f"b{n}@example.com", shared_key: keys[shared_key]}
        at_once(desk, [a_customer(str(n), **here)], [in_outlet(str(n), **there)])

    rows = desk.customers()
    assert [row.number for row in rows] == [f"D{10001 + n}" for n in range(ROUNDS)]
    assert len(desk.links()) == 2 * ROUNDS
    assert len(desk.exports()) == 4 * ROUNDS


def test_the_second_waits_for_the_firsts_commit(postgresql_desk: Desk) -> None:
    """Between decision and commit nobody else decides about the person (fault 49)."""
    desk = postgresql_desk

    def process(work: UnitOfWork, customer: Customer) -> None:
        process_batch([imported(customer)], work, desk.policy)

    def second() -> None:
        with desk.units.begin() as work:
            process(work, in_outlet("7", email="ann@example.com"))

    with desk.units.begin() as work:
        process(work, a_customer("1", email="ann@example.com"))
        other = InThread(second)
        eventually(lambda: somebody_waits(desk.units))
        assert other.is_running
    other.result()

    assert {link.customer_id for link in desk.links().values()} == {desk.customer().id}


def test_overlapping_batches_neither_block_each_other_nor_leave_gaps(
    postgresql_desk: Desk,
) -> None:
    """The same people in opposite orders: everybody once, and numbers without a gap."""
    desk = postgresql_desk
    for n in range(ROUNDS):
        crowd = [str(1000 * n + i) for i in range(30)]
        at_once(
            desk,
            [a_customer(i) for i in crowd],
            [in_outlet(i, email=f"ann{i}@example.com") for i in reversed(crowd)],
            [a_customer(i, minutes=5, first_name="Anna") for i in crowd[::2]],
        )

    numbers = [row.number for row in desk.customers()]
    assert numbers == [f"D{10001 + n}" for n in range(30 * ROUNDS)]
    assert len(desk.links()) == 60 * ROUNDS


def test_one_customer_changed_through_two_accounts_at_once_loses_nothing(
    postgresql_desk: Desk,
) -> None:
    """Each processor writes the whole row, so the second must see what the first wrote."""
    desk = postgresql_desk
    email: dict[str, Any] = {"email": "ann@example.com"}
    desk.take(a_customer("1", **email), in_outlet("7", **email))
    for n in range(1, ROUNDS + 1):
        spare = replaced(NO_DEFAULT, external_id=f"s{n}", city=f"Ort {n}")
        book = (an_address(), spare)
        here = a_customer("1", minutes=n, first_name=f"Anna{n}", addresses=book, **email)
        # Without an e-mail there is no key in common: the customer's row alone keeps the order.
        there = in_outlet("7", minutes=n, language=f"l{n}", email=None)
        at_once(desk, [here], [there])

        row = desk.customer()
        assert (row.first_name, row.language) == (f"Anna{n}", f"l{n}")
        assert [a.external_id for a in desk.addresses()] == ["a1", f"s{n}"]


def test_one_message_at_two_processors_is_processed_once(postgresql_desk: Desk) -> None:
    """One version in two messages at once: one customer, one record, two exports (fault 9)."""
    desk = postgresql_desk
    customer = a_customer()

    at_once(desk, [customer], [customer])

    assert desk.customer().number == "D10001"
    assert (len(desk.staging()), len(desk.exports())) == (1, 2)
