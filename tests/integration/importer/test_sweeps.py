"""Sweeping finds what polling cannot: silent edits, and customers that are gone."""

from services.sandbox.magento import SandboxMagento
from shared.connectors.ports import Connector
from shared.domain.errors import RemoteUnavailable
from tests.integration.importer.shelf import a_record, a_shelf, at_page
from tests.integration.importer.shops import first_of, of_store
from tests.integration.importer.station import POLL_SECONDS, SWEEP_SECONDS, Station, no_beat


def test_a_sweep_finds_an_address_edit_that_moved_no_change_time(
    station: Station, shop: SandboxMagento, connector: Connector
) -> None:
    """ASK-1: the poll cannot see it; the sweep tells it, read later than before."""
    schedule = station.schedule(connector.reading)
    station.run_due(schedule)
    station.new_subjects()
    number = first_of(shop, 1)
    before = shop.control.customer(number)["updated_at"]

    shop.control.edit_address(number, city="Elsewhere")
    station.poll_again(schedule)
    polled = station.new_subjects()
    station.sweep(schedule)

    assert shop.control.customer(number)["updated_at"] == before
    assert (polled, station.new_subjects()) == ([], [str(number)])
    *_, old, new = [m.body.customer for m in station.messages() if m.subject == str(number)]
    assert new.addresses[0].city == "Elsewhere"
    assert old.source.version.is_older_than(new.source.version)
    assert station.messages()[-1].body.origin == "sweep"


def test_a_sweep_finds_a_deletion_and_not_a_move(
    station: Station, shop: SandboxMagento, connector: Connector
) -> None:
    """A customer that is in no list any more is asked for; only a missing one is told deleted."""
    schedule = station.schedule(connector.reading)
    station.run_due(schedule)
    station.new_subjects()
    deleted, moved, *_ = sorted(int(number) for number in of_store(shop, 1))

    shop.control.delete_customer(deleted)
    shop.control.edit_profile(moved, store_id=2)
    station.sweep(schedule)
    station.sweep(schedule)

    assert station.new_subjects() == [str(deleted)]
    [told] = [m for m in station.messages() if m.type == "customer.deleted"]
    assert (told.subject, told.body.source.store_view) == (str(deleted), "de")
    assert told.body.source.version.read_at == station.clock.now
    gone = {row.external_id: row.deleted_at is not None for row in station.seen()}
    assert (gone[str(deleted)], gone[str(moved)]) == (True, False)


def test_a_deletion_is_told_once_and_a_return_is_news(station: Station) -> None:
    """A deleted record that is there again is imported, unchanged as it may be."""
    shelf = a_shelf(1, 2, 3)
    schedule = station.schedule(shelf)
    station.run_due(schedule)
    record = shelf.records["2"]

    shelf.remove(2)
    station.sweep(schedule)
    station.sweep(schedule)
    shelf.put(record)
    station.sweep(schedule)

    assert station.subjects("customer.deleted") == ["2"]
    assert station.subjects() == ["1", "2", "3", "2"]


def test_the_last_of_a_view_is_missed_too(station: Station) -> None:
    """Deletions at the end of the list, and of everybody, are found."""
    shelf = a_shelf(1, 2, 3, 4)
    schedule = station.schedule(shelf)
    station.run_due(schedule)

    shelf.remove(4)
    station.sweep(schedule)
    for number in (1, 2, 3):
        shelf.remove(number)
    station.sweep(schedule)

    assert station.subjects("customer.deleted") == ["4", "1", "2", "3"]


def test_a_sweep_goes_on_slice_by_slice_and_leaves_room_for_polls(station: Station) -> None:
    """A slice ends after its time; the next lease goes on behind it, after a poll that is due."""
    shelf = a_shelf(*range(1, 8))
    schedule = station.schedule(shelf, tasks={"slice_seconds": -1.0})
    station.run_due(schedule)
    shelf.asked.clear()
    keys = []

    station.request(sweep=True)
    while schedule.run_next(no_beat):
        keys.append(station.cursor().sweep_key)
        if len(keys) == 1:
            for number in range(1, 8):
                shelf.change(number, name="Anna")
        elif len(keys) == 2:
            station.clock.advance(POLL_SECONDS)

    assert shelf.asked == ["changes de", "sweep de", "sweep de", "changes de", *["sweep de"] * 2]
    assert keys == [None, "000002", "000004", "000004", "000006", None]
    assert station.cursor().sweep_finished_at == station.clock.now
    assert sorted(station.subjects()[7:]) == [str(number) for number in range(1, 8)]


def test_an_interrupted_sweep_resumes_where_it_was(station: Station) -> None:
    """A failure in the middle repeats no page, and misses no deletion before or behind it."""
    shelf = a_shelf(*range(1, 8))
    schedule = station.schedule(shelf)
    station.run_due(schedule)
    shelf.remove(1)
    shelf.remove(6)
    station.request(sweep=True)
    schedule.run_next(no_beat)
    shelf.before_page = at_page(1, RemoteUnavailable("timeout"))

    schedule.run_next(no_beat)
    failed = station.cursor()
    station.poll_again(schedule)

    assert (failed.sweep_key, failed.sweep_failures, failed.failures) == ("000003", 1, 0)
    assert station.cursor().sweep_key is None
    assert station.subjects("customer.deleted") == ["1", "6"]


def test_a_sweep_comes_past_what_is_another_views(station: Station) -> None:
    """A page may hold nobody of the view: who was there is missed, and the sweep resumes after."""
    shelf = a_shelf(*range(1, 7))
    shelf.is_read_whole = True
    schedule = station.schedule(shelf)
    station.run_due(schedule)
    shelf.remove(2)
    for number in (1, 3, 4):
        shelf.change(number, view="fr")
    station.request(sweep=True)
    schedule.run_next(no_beat)
    shelf.before_page = at_page(1, RemoteUnavailable("timeout"))

    schedule.run_next(no_beat)

    assert station.cursor().sweep_key == "000003"
    assert station.subjects("customer.deleted") == ["2"]


def test_the_shop_is_asked_about_missing_records_only(station: Station) -> None:
    """A sweep of what is there fetches nobody; signs of life go on while it does."""
    shelf = a_shelf(1, 2, 3, 4, page_size=4)
    schedule = station.schedule(shelf)
    station.run_due(schedule)
    shelf.remove(2)
    shelf.remove(3)
    shelf.asked.clear()
    beats: list[int] = []

    station.request(sweep=True)
    while schedule.run_next(lambda: beats.append(1)):
        pass

    assert shelf.asked == ["changes de", "sweep de", "fetch 2", "fetch 3"]
    assert len(beats) == 2 + 2


def test_the_first_sweep_comes_an_interval_after_the_first_poll(station: Station) -> None:
    """A new view is read once at first; then it is swept day by day."""
    shelf = a_shelf(1)
    schedule = station.schedule(shelf)
    station.run_due(schedule)
    first = list(shelf.asked)

    station.clock.advance(SWEEP_SECONDS)
    station.run_due(schedule)

    assert first == ["changes de"]
    assert sorted(shelf.asked[1:]) == ["changes de", "sweep de"]
    assert not schedule.run_next(no_beat)


def test_records_that_are_only_newer_are_no_deletions(station: Station) -> None:
    """What another view's poll has just taken over is not missed by this view's sweep."""
    shelf = a_shelf(1, 2)
    schedule = station.schedule(shelf, "de", "uk")
    station.run_due(schedule)

    shelf.put(a_record(1, minutes=9, view="uk"))
    station.sweep(schedule, "uk")
    shelf.asked.clear()
    station.sweep(schedule, "de")

    assert shelf.asked == ["changes de", "sweep de"]
    assert station.subjects("customer.deleted") == []
