"""Whether the measured work was really done: in the database, and in the shop itself.

Raises `NotDone` and says what is missing; a benchmark of work that was not done is worth nothing.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from benchmarks.changes import must_be
from benchmarks.installation import FIRST_NUMBER, NotDone, Scene

MOST_PARKED: Final = 0.05
"""The share of customers that may wait for an operator: some share a telephone by chance.

The more there are, the more do: nearly none of 1,000, one in forty of 100,000.
"""


def check_decided(scene: Scene, imported: int) -> None:
    """Check that each customer stands in the directory once, linked, numbered and archived."""
    parked = scene.value("SELECT count(*) FROM staging_customers WHERE state = 'ambiguous'")
    if parked > MOST_PARKED * imported:
        raise NotDone(f"{parked} of {imported} customers were parked")
    customers = imported - parked
    expected = {
        "customers": "SELECT count(*) FROM customers WHERE state = 'active'",
        "numbers": "SELECT count(DISTINCT number) FROM customers",
        "links": "SELECT count(*) FROM links WHERE status = 'synchronized'",
        "staging records": "SELECT count(*) FROM staging_customers WHERE state = 'processed'",
        "customers created": "SELECT count(*) FROM history WHERE event = 'customer.created'",
        "customers with an address": "SELECT count(DISTINCT customer_id) FROM customer_addresses",
    }
    for what, sql in expected.items():
        must_be(what, scene.value(sql), customers)
    must_be("dead letters", scene.value("SELECT count(*) FROM dead_letters"), 0)
    # By length first: beyond 99,999 the numbers outgrow the width of the series.
    first = scene.value("SELECT number FROM customers ORDER BY length(number), number LIMIT 1")
    must_be("first number", first, _number(0))
    last = scene.value(
        "SELECT number FROM customers ORDER BY length(number) DESC, number DESC LIMIT 1"
    )
    must_be("last number", last, _number(customers - 1))


def check_shop(scene: Scene) -> None:
    """Check that the shop holds the directory's numbers, and that each was written once."""
    directory = scene.pairs(
        "SELECT l.external_id, c.number FROM links l JOIN customers c ON c.id = l.customer_id"
    )
    found = scene.shop.numbers()
    if found != directory:
        wrong = sum(found.get(id_) != number for id_, number in directory.items())
        raise NotDone(f"{wrong} of {len(directory)} numbers are missing or wrong in the shop")
    books = scene.shop.stats()
    must_be("updates in the shop", books["customers_written"], len(directory))
    must_be("updates that changed nothing", books["identical_updates"], 0)
    must_be("failures of the shop", books["bugs"], 0)


@contextmanager
def check_unchanged(scene: Scene) -> Iterator[None]:
    """Check that what happens in the block decides and writes nothing."""

    def effects() -> tuple[int, int, int]:
        decided = scene.value("SELECT count(*) FROM history")
        return decided, scene.value("SELECT count(*) FROM messages"), scene.shop.stats()["updates"]

    before = effects()
    yield
    must_be("effects of a sweep of unchanged records", effects(), before)


def _number(place: int) -> str:
    return f"D{FIRST_NUMBER + place}"
