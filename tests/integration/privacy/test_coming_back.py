"""Nobody who was erased comes back: from a shop, from others, or from a broker (NEW-11)."""

from collections.abc import Iterator
from typing import Any

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from services.importer.pages import StoreViewReader, take_page
from services.processor.worker import process_batch
from shared.connectors.ports import CustomerSource
from shared.domain.customer import Customer, SourceKey
from shared.persistence import erasure
from shared.persistence.engine import create_engine
from shared.persistence.tables import (
    customers,
    history,
    links,
    messages,
    raw_payloads,
    source_records,
    staging_customers,
)
from shared.persistence.tombstones import ERASED_ID, TombstoneKeyMissing, Tombstones
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.foundation import open_foundation
from shared.runtime.installation import load_installation
from tests.builders import a_customer, a_policy, a_source, a_template, imported
from tests.integration.importer.shelf import Shelf, a_shelf
from tests.integration.importer.station import CHANNEL, Station
from tests.integration.persistence.builders import InThread
from tests.integration.privacy.traces import SHOP_ID, planted, told
from tests.integration.processor.desk import two_shops

KEY = SecretStr("0123456789abcdef")


def erase(units: UnitsOfWork, name: str) -> erasure.Erasure:
    """Erase a person as an operator does."""
    with units.begin() as work:
        return erasure.erase(work, name, Tombstones(KEY), actor="ann")


def a_reader(source: CustomerSource, key: SecretStr | None = KEY) -> StoreViewReader:
    """Return a reader that keeps raw payloads."""
    return StoreViewReader(CHANNEL, "de", source, Tombstones(key), keeps_raw=True)


def counts(units: UnitsOfWork) -> dict[str, int]:
    """Return how many rows there are that could be about somebody."""
    tables = (links, staging_customers, messages, source_records, raw_payloads)
    with units.read() as work:
        return {
            table.name: work.connection.execute(
                sa.select(sa.func.count()).select_from(table)
            ).scalar_one()
            for table in tables
        }


def take_all(station: Station, shelf: Shelf) -> Any:
    """Take in everything that is on the shelf."""
    with station.units.begin() as work:
        return take_page(list(shelf.records.values()), a_reader(shelf), work, "sweep")


def test_a_sweep_brings_nobody_back(station: Station) -> None:
    """Of an erased customer nothing is stored or sent, whoever shows it (NEW-11)."""
    shelf = a_shelf(1, 2)
    take_all(station, shelf)
    with station.units.begin() as work:
        batch = station.messages()
        work.store.claim([message.message_id for message in batch])
        process_batch(batch, work, a_policy())
    erase(station.units, "shop/1")
    before = counts(station.units)

    shelf.change(1, name="Anna")
    taken = take_all(station, shelf)

    assert (taken.changed, taken.unchanged, taken.erased) == (0, 1, 1)
    assert counts(station.units) == before


def test_a_message_of_others_brings_nobody_back(units: UnitsOfWork) -> None:
    """Pushed, or under way: it is dropped, and its line in the history names nobody (NEW-11)."""
    person = planted(a_source(SHOP_ID))
    with units.begin() as work:
        process_batch([imported(person)], work, two_shops())
    erase(units, f"shop/{SHOP_ID}")
    pushed = imported(planted(a_source(SHOP_ID, minutes=60)))

    with units.begin() as work:
        plan = process_batch([pushed], work, two_shops(), Tombstones(KEY))

    assert plan.outcomes == {"customer.erased": 1}
    assert told(units) == {}
    with units.read() as work:
        last = work.connection.execute(sa.select(history).order_by(history.c.id.desc())).first()
        (row,) = work.connection.execute(sa.select(customers)).all()
    assert last
    assert (last.event, last.external_id, last.customer_id) == (
        "customer.ignored", ERASED_ID, None,
    )  # fmt: skip
    assert (row.state, row.first_name) == ("erased", None)


def test_an_erased_number_matches_nobody(units: UnitsOfWork) -> None:
    """Another account that shows the number of an erased customer becomes a customer of its own."""
    with units.begin() as work:
        process_batch([imported(a_customer("1"))], work, two_shops())
    erase(units, "D10001")

    other = a_customer("2", customer_number="D10001", email="ann1@example.com")
    with units.begin() as work:
        plan = process_batch([imported(other)], work, two_shops(), Tombstones(KEY))

    assert plan.outcomes == {"customer.created": 1}
    with units.read() as work:
        rows = work.connection.execute(sa.select(customers).order_by(customers.c.number)).all()
    assert [(row.number, row.state) for row in rows] == [
        ("D10001", "erased"), ("D10002", "active"),
    ]  # fmt: skip


def test_an_erased_number_is_given_to_nobody(units: UnitsOfWork) -> None:
    """Where the shop has the numbers, another account that brings this one waits for a person."""
    template = a_template(number_series=None, number_from="external_id")
    policy = two_shops(templates=(template,))
    with units.begin() as work:
        process_batch([imported(a_customer("1"))], work, policy)
    erase(units, "1")

    other = a_customer("1", source=a_source("1", channel="outlet"), email="bob@example.com")
    with units.begin() as work:
        process_batch([imported(other)], work, policy, Tombstones(KEY))

    with units.read() as work:
        rows = work.connection.execute(sa.select(staging_customers)).all()
    assert [(row.channel, row.state, row.reason) for row in rows] == [
        ("outlet", "held", "number_taken")
    ]


def test_a_worker_without_the_key_stops_rather_than_import(station: Station) -> None:
    """It cannot know who was erased, so it takes nobody for not erased."""
    shelf = a_shelf(1)
    take_all(station, shelf)
    erase(station.units, "shop/1")
    message = imported(a_customer("1"))

    with pytest.raises(TombstoneKeyMissing), station.units.begin() as work:
        take_page(list(shelf.records.values()), a_reader(shelf, None), work, "poll")
    with pytest.raises(TombstoneKeyMissing), station.units.begin() as work:
        process_batch([message], work, a_policy(), Tombstones())

    assert set(counts(station.units).values()) == {0}


def test_a_process_without_the_key_does_not_start(
    units: UnitsOfWork, any_migrated_url: str
) -> None:
    """It is told at once, and by name, which key is missing."""
    with units.begin() as work:
        Tombstones(KEY).set_for(work, [SourceKey("shop", "1")])
    foundation = open_foundation(
        load_installation(None, {"DATABASE_URL": any_migrated_url}), "importer"
    )

    with pytest.raises(TombstoneKeyMissing, match="not configured here"):
        foundation.tombstones()

    for close in foundation.closers():
        close()


def test_a_poll_counts_those_who_were_erased(station: Station) -> None:
    """The metric shows that they were seen, not who."""
    shelf = a_shelf(1, 2)
    take_all(station, shelf)
    erase(station.units, "shop/1")
    schedule = station.schedule(shelf, readers={"tombstones": Tombstones(KEY)})

    station.run_due(schedule)

    erased = station.registry.get_sample_value(
        "patron_import_records_total", {"channel": CHANNEL, "outcome": "erased"}
    )
    assert erased == 1


@pytest.fixture
def pair(migrated_database_url: str) -> Iterator[UnitsOfWork]:
    """Give units of work on PostgreSQL, where two can be at work at once."""
    engine = create_engine(migrated_database_url, pool_size=4)
    yield UnitsOfWork(engine)
    engine.dispose()


def test_an_erasure_waits_for_the_page_that_is_being_taken_in(pair: UnitsOfWork) -> None:
    """What the page leaves is erased with the rest: nothing slips in between."""
    shelf = a_shelf(1)
    _arrive(pair, a_customer("1"))
    with pair.begin() as work:
        take_page(list(shelf.records.values()), a_reader(shelf), work, "poll")
        erasing = InThread(lambda: erase(pair, "shop/1"))
        _wait_for_a_waiting_lock(work.connection)
        assert erasing.is_running

    erasing.result()

    assert counts(pair) == dict.fromkeys(counts(pair), 0)


def test_an_erasure_waits_for_the_processor_who_links_one_more_account(pair: UnitsOfWork) -> None:
    """An account that is matched in that moment is erased as well."""
    _arrive(pair, a_customer("1", email="ann@example.com"))
    twin = a_customer("2", source=a_source("2", channel="outlet"), email="ann@example.com")
    with pair.begin() as work:
        process_batch([imported(twin)], work, two_shops())
        erasing = InThread(lambda: erase(pair, "shop/1"))
        _wait_for_a_waiting_lock(work.connection)

    erased = erasing.result()

    assert len(erased.digests) == 2
    assert counts(pair)["links"] == 0


def _arrive(units: UnitsOfWork, customer: Customer) -> None:
    with units.begin() as work:
        process_batch([imported(customer)], work, two_shops())


def _wait_for_a_waiting_lock(connection: sa.Connection) -> None:
    """Wait until another session waits for this one."""
    waiting = sa.text(
        "SELECT count(*) FROM pg_locks"
        " WHERE NOT granted AND pg_backend_pid() = ANY(pg_blocking_pids(pid))"
    )
    for _ in range(2000):
        if connection.execute(waiting).scalar_one():
            return
        connection.execute(sa.text("SELECT pg_sleep(0.005)"))
    raise AssertionError("nobody waits")
