"""Two workers of each role, while shoppers edit the very customers that are being imported."""

import random
from collections.abc import Callable, Iterator

import pytest

from services.sandbox.magento.sandbox import SandboxMagento
from tests.e2e.comparison import compare
from tests.e2e.deployment import ROLES, Deployment
from tests.e2e.expectations import (
    NUMBER,
    PRICE_GROUP,
    assert_each_person_is_one_record,
    assert_every_eligible_customer_is_numbered,
    assert_numbers_have_no_gap_and_no_twin,
    attribute,
    effects,
    shop_customers,
)

pytestmark = pytest.mark.timeout(300)
CUSTOMERS = 400
EDITED = 200
ROUNDS = 3


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Give a shop of ordinary customers, half of whom will edit what the shop knows of them."""
    with SandboxMagento(customers=CUSTOMERS, seed=23, awkward=False) as shop:
        shop.control.add_attribute(PRICE_GROUP)
        yield shop


@pytest.fixture
def poll_seconds() -> float:
    """Have the store views polled all the time."""
    return 0.5


def test_edits_during_the_import_are_neither_lost_nor_doubled(deployment: Deployment) -> None:
    """ASK-5, NEW-8: each person once, shop and directory equal field by field, then silence.

    Each processor decides two batches side by side, so that there are four at a time.
    """
    deployment.environment["PATRON_PROCESSOR__THREADS"] = "2"
    for replica in ("1", "2"):
        for role in ROLES:
            deployment.start(role, name=f"{role}-{replica}")

    edit_while_numbers_are_written(deployment.shop)
    sweep(deployment)

    parked = {row[0] for row in deployment.rows(
        "SELECT external_id FROM staging_customers WHERE state = 'ambiguous'"
    )}  # fmt: skip
    assert deployment.value("SELECT count(*) FROM links") == CUSTOMERS - len(parked)
    assert deployment.value("SELECT count(*) FROM customers") == CUSTOMERS - len(parked)
    assert deployment.value("SELECT count(*) FROM dead_letters") == 0
    assert_each_person_is_one_record(deployment)
    assert_numbers_have_no_gap_and_no_twin(deployment)
    assert_every_eligible_customer_is_numbered(deployment)
    assert_the_directory_is_what_the_shop_has(deployment, CUSTOMERS - len(parked))
    assert_each_number_was_written_once(deployment)
    before = effects(deployment)
    sweep(deployment)
    assert effects(deployment) == before
    assert {worker.stop() for worker in deployment.workers.values()} == {0}


def edit_while_numbers_are_written(shop: SandboxMagento) -> None:
    """Let half of the customers edit name, address or defaults, an edit for every few writes."""
    dice = random.Random(20261122)
    edited = range(1, CUSTOMERS + 1, CUSTOMERS // EDITED)
    deeds = [(number, step) for step in range(ROUNDS) for number in dice.sample(edited, EDITED)]
    for place, (number, step) in enumerate(deeds):
        due = place * CUSTOMERS * 9 // (len(deeds) * 10)
        assert shop.control.wait_until(_has_written(shop, due), timeout_seconds=120)
        _edit(shop, dice, number, f"{number}-{step}")


def sweep(deployment: Deployment) -> None:
    """Poll and sweep every store view, and wait for the end of all that follows."""
    since = deployment.request_import(sweep=True)
    deployment.until(lambda: deployment.is_swept(since), "every store view is swept", 120)
    # Polls go on for ever, so that there is no moment when none is due; but they find nothing more.
    deployment.until_nothing_is_owed(120)


def assert_the_directory_is_what_the_shop_has(deployment: Deployment, expected: int) -> None:
    """Compare each linked customer with the shop's, every field and every address."""
    compared, different = compare(deployment)
    assert different == {}
    assert compared == expected


def assert_each_number_was_written_once(deployment: Deployment) -> None:
    """Check by the shop's books that no write was idle, and that each number came once."""
    control = deployment.shop.control
    for record in shop_customers(deployment):
        writes = [w for w in control.writes(record["id"]) if w.origin == "api"]
        assert not any(write.is_identical for write in writes)
        numbers = [number for write in writes if (number := attribute(write.given, NUMBER))]
        assert numbers == [attribute(record, NUMBER)]


def _has_written(shop: SandboxMagento, writes: int) -> Callable[[], bool]:
    return lambda: shop.control.requests("PUT") >= writes


def _edit(shop: SandboxMagento, dice: random.Random, number: int, mark: str) -> None:
    """Change something to what it never was; half of it is not dated by the shop."""
    control = shop.control
    book = control.customer(number)["addresses"]
    match dice.randrange(4):
        case 0:
            control.edit_profile(number, lastname=f"Nachname {mark}")
        case 1:
            control.edit_address(number, dice.choice(book)["id"], city=f"Stadt {mark}")
        case 2:
            copy = {name: value for name, value in book[0].items() if name != "id"}
            moved = {"street": [f"Gasse {mark}"], "default_billing": False}
            control.add_address(number, **copy | moved)
        case _:
            address_id = dice.choice(book)["id"]
            control.edit_address(number, address_id, default_billing=True, default_shipping=True)
