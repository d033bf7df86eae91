"""Customers of a shop arrive, are matched or created, and carry their number back."""

import random
from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa

from services.sandbox.magento.sandbox import SandboxMagento
from tests.e2e.deployment import ROLES, Deployment
from tests.e2e.expectations import (
    NUMBER,
    PRICE_GROUP,
    assert_each_person_is_one_record,
    assert_every_eligible_customer_is_numbered,
    assert_numbers_have_no_gap_and_no_twin,
    attribute,
    effects,
)

pytestmark = pytest.mark.timeout(600)
CUSTOMERS = 2000
BATCH = 50


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Give a shop with many customers, awkward ones among them, that takes every name."""
    with SandboxMagento(customers=CUSTOMERS, seed=11) as shop:
        shop.control.set_quirks(validates_names=False)
        shop.control.add_attribute(PRICE_GROUP)
        yield shop


def test_every_eligible_customer_is_numbered_once(deployment: Deployment) -> None:
    """Three workers number 2,000 customers; importing all again changes and sends nothing."""
    deployment.start()
    deployment.until_idle()

    assert_every_eligible_customer_is_numbered(deployment)
    assert_numbers_have_no_gap_and_no_twin(deployment)
    assert_each_person_is_one_record(deployment)
    assert deployment.value("SELECT count(*) FROM dead_letters") == 0
    before = effects(deployment)

    _import_everything_again(deployment)
    deployment.until_idle()

    assert effects(deployment) == before
    assert [deployment.workers[role].stop() for role in ROLES] == [0, 0, 0]


def test_workers_killed_at_random_lose_and_repeat_nothing(deployment: Deployment) -> None:
    """`kill -9` of a random worker every second until done: the same final state (fault 57)."""
    dice = random.Random(20261122)
    done_before = {role: _done_by(role, deployment) for role in ROLES}
    deployment.start()

    kills = 0
    for role in _one_each_second(deployment, dice):
        # One that has not done a batch yet has little to lose; on a slow machine it never would.
        has_begun = _done_by(role, deployment) >= done_before[role] + BATCH
        if has_begun and deployment.workers[role].is_at_work:
            deployment.workers[role].kill()
            done_before[role] = _done_by(role, deployment)
            deployment.start(role)
            kills += 1
    deployment.until_idle()

    assert kills >= 3
    assert_every_eligible_customer_is_numbered(deployment)
    assert_numbers_have_no_gap_and_no_twin(deployment)
    assert_each_person_is_one_record(deployment)
    assert deployment.value("SELECT count(*) FROM dead_letters") == 0


def test_a_second_replica_of_every_worker_is_harmless(deployment: Deployment) -> None:
    """Two importers share the store views by lease; processors and exporters compete."""
    deployment.start()
    for role in ROLES:
        deployment.start(role, name=f"{role}-2")

    deployment.until_idle()

    assert_every_eligible_customer_is_numbered(deployment)
    assert_numbers_have_no_gap_and_no_twin(deployment)
    assert {worker.stop() for worker in deployment.workers.values()} == {0}


def test_an_address_edited_in_the_shop_reaches_the_directory(deployment: Deployment) -> None:
    """ASK-1: the sweep finds an edit that left `updated_at` alone; the number stays."""
    deployment.start()
    deployment.until_idle()
    customer_id, number = deployment.rows(
        "SELECT l.external_id, c.number FROM links l JOIN customers c ON c.id = l.customer_id"
        " ORDER BY c.number LIMIT 1"
    )[0]
    billing = int(deployment.shop.control.customer(int(customer_id))["default_billing"])
    deployment.shop.control.edit_address(int(customer_id), billing, city="Nieuwstad")

    deployment.request_import(sweep=True)
    deployment.until_idle()

    cities = deployment.rows(
        "SELECT city FROM customer_addresses WHERE external_id = :id", id=str(billing)
    )
    assert ("Nieuwstad",) in cities
    assert attribute(deployment.shop.control.customer(int(customer_id)), NUMBER) == number


def _import_everything_again(deployment: Deployment) -> None:
    """Rewind every cursor to before the first customer and sweep besides (C365-2)."""
    with deployment.engine.begin() as connection:
        connection.execute(
            sa.text(
                "UPDATE cursors SET watermark_at = NULL, watermark_key = '',"
                " poll_due_at = now() - :long, sweep_due_at = now() - :long"
            ),
            {"long": timedelta(seconds=1)},
        )


def _done_by(role: str, deployment: Deployment) -> int:
    """Count what all processes of this worker have done so far."""
    if role == "exporter":
        return deployment.shop.control.requests("PUT")
    table = "source_records" if role == "importer" else "staging_customers"
    return int(deployment.value(f"SELECT count(*) FROM {table}"))


def _one_each_second(deployment: Deployment, dice: random.Random) -> Iterator[str]:
    """Name a random worker each second until the pipeline is idle."""
    for _ in range(500):
        try:
            deployment.until(deployment.is_idle, "idle within this second", timeout_seconds=1)
        except AssertionError:
            yield dice.choice(ROLES)
        else:
            return
    pytest.fail(f"never done\n{deployment.report()}")
