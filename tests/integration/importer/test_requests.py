"""Imports on demand, and the switch that turns the import of a store view off."""

import time
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from services.importer.__main__ import build
from services.importer.requests import take_requests
from services.sandbox.magento import SandboxMagento
from shared.domain.errors import UnknownType
from shared.domain.messages import CustomerDeleted, Envelope, ImportRequested, Parcel, parcel
from shared.messaging.topology import PROCESSOR_QUEUE
from shared.persistence import import_requests
from shared.persistence.cursors import Cursors
from shared.persistence.unit_of_work import UnitsOfWork, utc_now
from shared.runtime.foundation import open_foundation
from shared.runtime.installation import load_installation
from shared.runtime.lifecycle import Worker
from tests.builders import NOON, a_source
from tests.integration.importer.shelf import Shelf, a_shelf
from tests.integration.importer.shops import SIGNED
from tests.integration.importer.station import POLL_SECONDS, Station, no_beat
from tests.integration.processor.desk import a_message
from tests.integration.runtime.rig import eventually


def a_request(
    store_view: str | None = None, channel: str = "shop", **wanted: Any
) -> Envelope[ImportRequested]:
    """Return the message that somebody wants the shop imported now."""
    body = ImportRequested(channel=channel, store_view=store_view, **wanted)
    return a_message(body, a_source())


def ask(station: Station, *requests: Envelope[ImportRequested]) -> None:
    """Take in requests as the importer's consumer does."""
    with station.units.begin() as work:
        take_requests(requests, work, {"shop"})


def test_what_is_asked_for_is_due_at_once(station: Station) -> None:
    """C365-8: the ordinary path, ahead of its time; the schedule goes on from there."""
    shelf = a_shelf(1)
    schedule = station.schedule(shelf)
    station.run_due(schedule)
    shelf.put(*a_shelf(2).records.values())

    ask(station, a_request("de"))
    performed = station.run_due(schedule)

    assert (performed, station.subjects()) == (1, ["1", "2"])
    station.clock.advance(POLL_SECONDS - 1)
    assert not schedule.run_next(no_beat)


def test_asking_twice_or_for_everything_is_harmless(station: Station) -> None:
    """Requests that overlap make one import; without a view all of the channel are meant."""
    shelf = Shelf()
    schedule = station.schedule(shelf, "de", "uk")
    station.run_due(schedule)
    shelf.asked.clear()

    ask(station, a_request("uk"), a_request("uk"), a_request(), a_request())

    assert station.run_due(schedule) == 2
    assert sorted(shelf.asked) == ["changes de", "changes uk"]


def test_a_request_during_an_import_is_not_forgotten(station: Station) -> None:
    """What changed after the reading began is imported right afterwards."""
    shelf = a_shelf(1)
    schedule = station.schedule(shelf)

    def change_and_ask(_page: int) -> None:
        shelf.before_page = lambda _page: None
        station.clock.advance(1)
        shelf.put(*a_shelf(2).records.values())
        ask(station, a_request("de"))

    shelf.before_page = change_and_ask

    assert station.run_due(schedule) == 2
    assert station.subjects() == ["1", "2"]


def test_a_sweep_can_be_asked_for(station: Station) -> None:
    """Everything of a view is compared at once."""
    shelf = a_shelf(1)
    schedule = station.schedule(shelf)
    station.run_due(schedule)
    shelf.change(1, name="Anna")

    ask(station, a_request("de", sweep=True))
    station.run_due(schedule)

    assert "sweep de" in shelf.asked
    assert station.subjects() == ["1", "1"]


def test_a_request_for_what_nobody_imports_does_nothing(station: Station) -> None:
    """Unknown views and channels are no failure."""
    schedule = station.schedule(Shelf())
    station.run_due(schedule)

    ask(station, a_request("xx"), a_request(channel="outlet"))

    assert not schedule.run_next(no_beat)


def test_changes_since_a_moment_can_be_asked_for(station: Station) -> None:
    """C365-8, C365-2: the watermark is set back to it, never forward, and the poll is due."""
    shelf = a_shelf(1, 2, 3, 4)
    schedule = station.schedule(shelf, "de", "uk")
    station.run_due(schedule)
    shelf.change(2, name="Anna")
    before = {view: station.cursor(view).watermark_at for view in ("de", "uk")}

    ask(station, a_request(since=NOON + timedelta(days=1)))
    forward = station.cursor().watermark_at
    ask(station, a_request(since=NOON + timedelta(minutes=2)))
    back = station.cursor().watermark_at
    station.run_due(schedule)

    assert forward == before["de"]
    assert back == NOON + timedelta(minutes=2)
    assert station.cursor("uk").watermark_at == before["uk"]
    assert station.subjects() == ["1", "2", "3", "4", "2"]


def test_setting_back_takes_the_view_from_whoever_reads_it(station: Station) -> None:
    """C365-8: or his progress would overwrite what was asked for."""
    shelf = a_shelf(1, 2, 3, 4)
    schedule = station.schedule(shelf)
    station.run_due(schedule)
    shelf.change(1, name="Anna")
    shelf.change(4, minutes=5, name="Anna")

    def set_back(_page: int) -> None:
        shelf.before_page = lambda _page: None
        ask(station, a_request(since=NOON))

    shelf.before_page = set_back
    station.poll_again(schedule)

    assert sorted(station.subjects()[4:]) == ["1", "4"]


def test_a_first_run_that_only_links_can_be_asked_for(station: Station) -> None:
    """C365-8, ASK-8: everybody is read, to be linked and not to be created."""
    schedule = station.schedule(a_shelf(1, 2))

    ask(station, a_request("de", link_only=True))
    station.run_due(schedule)

    imported = [m for m in station.messages() if m.type == "customer.imported"]
    assert {message.body.mode for message in imported} == {"link_only"}


def test_a_request_waits_for_no_interval(
    shop: SandboxMagento, migrated_sqlite_url: str, tmp_path: Path
) -> None:
    """C365-8, MYOB-4: an importer that has just looked, and looks again in an hour, acts now."""
    path = tmp_path / "patron.toml"
    text = CONFIGURATION.format(database=migrated_sqlite_url, shop=shop.url, **SIGNED)
    path.write_text(text.replace("[number_series.debtors]", IDLE))
    foundation = open_foundation(load_installation(path, {}), "test")
    try:
        outbox = Worker("outbox", [], background=[foundation.outbox])
        importer = build(foundation).worker
        for worker in (outbox, importer):
            worker.start(lambda name, error: pytest.fail(f"{name} died: {error!r}"))
        eventually(lambda: _last_success(foundation.units, "de"))
        eventually(lambda: foundation.broker.depth(PROCESSOR_QUEUE))
        before = _last_success(foundation.units, "de")
        question = a_parcel_of(ImportRequested(channel="shop", external_id="no such customer"))
        with foundation.units.begin() as work:
            work.send([a_parcel_of(ImportRequested(channel="shop")), question])
        foundation.outbox.offer(work.sent)

        eventually(lambda: _answer(foundation.units, question) == "refused")
        eventually(lambda: _last_success(foundation.units, "de") != before)
        for worker in (importer, outbox):
            worker.stop_intake()
            assert worker.wait(until=time.monotonic() + 20)
    finally:
        for close in foundation.closers():
            close()


def test_a_message_of_another_worker_is_refused(station: Station) -> None:
    """It is told as such, to be dead-lettered at once."""
    stray = a_message(CustomerDeleted(source=a_source()), a_source())

    with pytest.raises(UnknownType), station.units.begin() as work:
        take_requests([stray], work, {"shop"})


def test_a_view_whose_import_is_off_is_never_asked_for(
    shop: SandboxMagento, migrated_sqlite_url: str, tmp_path: Path
) -> None:
    """C365-1: not one request about it, not even on demand; the other views are imported."""
    shop.control.fail_next("status", status=599, times=1000, path="value%5D=4&")
    path = tmp_path / "patron.toml"
    path.write_text(CONFIGURATION.format(database=migrated_sqlite_url, shop=shop.url, **SIGNED))
    foundation = open_foundation(load_installation(path, {}), "test")
    try:
        with foundation.units.begin() as work:
            Cursors(work).ensure([("shop", "uk")])
        worker = build(foundation).worker
        worker.start(lambda name, error: pytest.fail(f"{name} died: {error!r}"))
        eventually(lambda: _last_success(foundation.units, "de"))
        worker.stop_intake()
        assert worker.wait(until=time.monotonic() + 20)

        assert shop.control.faults_waiting() == 1000
        assert _last_success(foundation.units, "uk") is None
    finally:
        for close in foundation.closers():
            close()


def _last_success(units: UnitsOfWork, view: str) -> datetime | None:
    with units.read() as work:
        return next(c.last_success_at for c in Cursors(work).all() if c.store_view == view)


def _answer(units: UnitsOfWork, question: Parcel) -> str | None:
    with units.read() as work:
        asked = import_requests.get(work, question.message_id)
    return asked.answer if asked else None


def a_parcel_of(body: ImportRequested) -> Parcel:
    """Return a request as the command line sends it."""
    return parcel(body, channel="shop", subject=body.external_id or "shop", at=utc_now())


IDLE = """
[importer]
idle_seconds = 3600

[number_series.debtors]
"""

CONFIGURATION = """
[database]
url = "{database}"

[number_series.debtors]

[[templates]]
name = "standard"
number_series = "debtors"

[channels.shop]
platform = "magento"

[channels.shop.connector]
base_url = "{shop}"

[channels.shop.connector.auth]
kind = "{kind}"
consumer_key = "{consumer_key}"
consumer_secret = "{consumer_secret}"
access_token = "{access_token}"
access_token_secret = "{access_token_secret}"

[[channels.shop.store_views]]
code = "de"
remote = {{ store_id = 1, website_id = 1 }}

[[channels.shop.store_views]]
code = "uk"
import = false
remote = {{ store_id = 4, website_id = 2 }}
"""
