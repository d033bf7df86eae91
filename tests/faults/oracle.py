"""What must be true once the attack is over and the pipeline has come to rest.

What was accepted is done or given up, never both and never neither; nothing had an effect twice;
and whatever was given up says why: on its record, in the metrics and in the log.
"""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from tests.e2e.deployment import Deployment
from tests.e2e.expectations import (
    NUMBER,
    assert_each_person_is_one_record,
    assert_every_eligible_customer_is_numbered,
    assert_numbers_have_no_gap_and_no_twin,
    attribute,
    shop_customers,
)
from tests.faults.books import Books


def assert_nothing_lost_or_done_twice(deployment: Deployment) -> None:
    """Check shop, directory and message store against each other, customer by customer."""
    assert deployment.rows("SELECT reason, error FROM dead_letters") == []
    assert deployment.value("SELECT count(*) FROM messages") == 0
    assert_every_eligible_customer_is_numbered(deployment)
    assert_numbers_have_no_gap_and_no_twin(deployment)
    assert_each_person_is_one_record(deployment)
    assert_each_number_was_written_once(deployment)


def assert_each_number_was_written_once(deployment: Deployment) -> None:
    """Check by the shop's own books that no customer ever had a second number."""
    for customer in shop_customers(deployment):
        writes = deployment.shop.control.writes(customer["id"])
        numbers = [
            attribute(write.given, NUMBER)
            for write in writes
            if not write.is_identical and attribute(write.given, NUMBER)
        ]
        stands = attribute(customer, NUMBER)
        assert numbers == ([stands] if stands else []), customer["id"]
    exported = deployment.rows(
        "SELECT l.external_id FROM links l JOIN customers c ON c.id = l.customer_id"
        " WHERE l.exported_number IS DISTINCT FROM c.number"
    )
    assert exported == []


def assert_dead_letters_are_told(
    letters: Iterable[tuple[str, str]],
    counted: Mapping[tuple[str, str], float],
    log: Iterable[Mapping[str, Any]],
) -> None:
    """Check that each dead letter, by worker and reason, was counted once and told once."""
    reasons = Counter(letters)
    told = Counter(
        each["reason"] for each in log if each["event"] == "message.dead" and each["reason"]
    )
    assert all(worker and reason for worker, reason in reasons)
    assert {each: float(many) for each, many in reasons.items()} == dict(counted)
    assert told == Counter(reason for _, reason in reasons.elements())


def assert_books_balance(books: Books, log: Iterable[Mapping[str, Any]]) -> None:
    """Check that everything accepted is done or given up, once, and nothing is owed any more."""
    done = Counter(books.effects())
    accepted = {each.message_id: each.subject for each in books.accepted}
    dead = {accepted[letter.message_id]: letter for letter in books.buried()}
    assert books.owed() == {}
    assert {subject: many for subject, many in done.items() if many > 1} == {}
    assert done.keys() & dead.keys() == set()
    assert done.keys() | dead.keys() == set(accepted.values())
    letters = [(letter.worker, letter.reason) for letter in dead.values()]
    counted = {
        each: books.count("dead_letters_total", worker=each[0], reason=each[1])
        for each in set(letters)
    }
    assert_dead_letters_are_told(letters, counted, log)
