"""A page and its cursor are one transaction: whatever happens between pages, nothing is lost."""

import pytest

from shared.domain.errors import RemoteUnavailable
from shared.messaging.codec import to_wire
from shared.persistence.cursors import Cursors
from tests.integration.importer.shelf import a_record, a_shelf, at_page
from tests.integration.importer.station import (
    CHANNEL,
    LEASE_SECONDS,
    OVERLAP_SECONDS,
    POLL_SECONDS,
    Station,
)
from tests.integration.persistence.builders import NOON as NOW
from tests.integration.persistence.builders import SettableClock


class Killed(BaseException):
    """The process ends in the middle of something."""


def test_a_crash_between_pages_repeats_nothing(station: Station, clock: SettableClock) -> None:
    """Who takes over goes on after the last page that was taken in (fault 44)."""
    shelf = a_shelf(1, 2, 3, 4, 5)
    shelf.before_page = at_page(1, Killed())

    with pytest.raises(Killed):
        station.run_due(station.schedule(shelf))
    arrived = station.subjects()
    clock.advance(LEASE_SECONDS)
    station.run_due(station.schedule(shelf, owner="two"))

    assert arrived == ["1", "2"]
    assert station.subjects() == ["1", "2", "3", "4", "5"]


def test_a_page_that_fails_to_commit_is_read_again(
    station: Station, clock: SettableClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """NEW-14: messages, memory and cursor of a page are kept together or not at all (fault 44)."""
    shelf = a_shelf(1, 2, 3)
    save, failures = Cursors.save_watermark, [Killed()]

    def save_or_die(self: Cursors, *args: object, **kwargs: object) -> object:
        if failures:
            raise failures.pop()
        return save(self, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Cursors, "save_watermark", save_or_die)

    with pytest.raises(Killed):
        station.run_due(station.schedule(shelf))
    after_crash = (station.messages(), station.seen(), station.cursor().watermark_at)
    clock.advance(LEASE_SECONDS)
    station.run_due(station.schedule(shelf, owner="two"))

    assert after_crash == ([], [], None)
    assert station.subjects() == ["1", "2", "3"]


def test_an_unreadable_record_does_not_hold_up_its_page(station: Station) -> None:
    """It is told with the fields named, once; the records around it are imported."""
    shelf = a_shelf(1, 2, 3)
    shelf.change(2, unreadable=True)
    schedule = station.schedule(shelf)

    station.run_due(schedule)
    station.poll_again(schedule)

    assert station.subjects() == ["1", "3"]
    [told] = [m for m in station.messages() if m.type == "customer.unreadable"]
    assert (told.subject, told.body.source.store_view) == ("2", "de")
    assert [(p.field, p.problem) for p in told.body.problems] == [("birth_date", "is no date")]
    assert told.body.source.version.fingerprint == shelf.records["2"].fingerprint


def test_a_record_that_brings_out_a_bug_is_parked_and_tried_by_the_next_sweep(
    station: Station,
) -> None:
    """One record cannot stop a store view; it is imported once the bug is mended."""
    shelf = a_shelf(1, 2, 3)
    shelf.change(2, bug=True)
    schedule = station.schedule(shelf)

    station.run_due(schedule)
    [parked] = [m for m in station.messages() if m.type == "customer.unreadable"]
    shelf.change(2, bug=None)
    station.sweep(schedule)

    assert station.subjects() == ["1", "3", "2"]
    assert parked.body.problems[0].field == "record"
    assert "LookupError" in parked.body.problems[0].problem
    assert b"ann@" not in to_wire(station.sent[1]).body


def test_a_bug_in_one_shop_is_a_failure_of_its_view(station: Station) -> None:
    """The importer lives on and tries again later; the cursor says what is wrong."""
    shelf = a_shelf(1, 2, 3)
    shelf.before_page = at_page(1, LookupError("ann@example.com"))
    schedule = station.schedule(shelf)

    station.run_due(schedule)
    failed = station.cursor()
    station.poll_again(schedule)

    assert (failed.failures, failed.lease_owner) == (1, None)
    assert str(failed.last_error).startswith("bug: LookupError")
    assert "ann@" not in str(failed.last_error)
    assert station.subjects() == ["1", "2", "3"]


def test_what_was_committed_late_is_found_in_the_overlap(station: Station) -> None:
    """A row that appears behind the watermark is read, if within the overlap (fault 42)."""
    minutes = OVERLAP_SECONDS / 60
    shelf = a_shelf(1, 10)
    schedule = station.schedule(shelf)
    station.run_due(schedule)

    shelf.put(a_record(2, minutes=10 - minutes + 0.5), a_record(3, minutes=10 - minutes - 0.5))
    station.poll_again(schedule)

    assert station.subjects() == ["1", "10", "2"]


def test_the_overlap_does_not_take_the_watermark_back(station: Station) -> None:
    """Not even when the reading ends within the overlap, or the newest record is deleted."""
    shelf = a_shelf(*range(1, 7))
    schedule = station.schedule(shelf)
    station.run_due(schedule)
    reached = station.cursor()

    shelf.remove(6)
    shelf.before_page = at_page(1, RemoteUnavailable("gone"))
    station.poll_again(schedule)
    during = station.cursor()
    station.poll_again(schedule)

    for cursor in (during, station.cursor()):
        assert (cursor.watermark_at, cursor.watermark_key) == (reached.watermark_at, "000006")


def test_a_shop_whose_clock_is_ahead_does_not_blind_us(
    station: Station, clock: SettableClock
) -> None:
    """A change time in the future moves the watermark to the present and no further (fault 42)."""
    minutes_ahead = (NOW - a_record(1).changed_at).total_seconds() / 60 + 600
    shelf = a_shelf(1)
    shelf.put(a_record(2, minutes=minutes_ahead))
    schedule = station.schedule(shelf)
    station.run_due(schedule)
    assert station.cursor().watermark_at == clock.now

    shelf.put(a_record(3, minutes=minutes_ahead - 599))
    station.poll_again(schedule)

    assert station.subjects() == ["1", "2", "3"]


def test_a_customer_that_moved_to_another_view_is_told_from_there(station: Station) -> None:
    """Same content, other store view: that is a change, and it is remembered there."""
    shelf = a_shelf(1, 2)
    schedule = station.schedule(shelf, "de", "uk")
    station.run_due(schedule)

    shelf.put(a_record(1, minutes=9, view="uk"))
    station.poll_again(schedule)

    last = station.messages()[-1]
    assert (last.subject, last.body.customer.source.store_view) == ("1", "uk")
    assert [(row.external_id, row.store_view) for row in station.seen()] == [
        ("1", "uk"), ("2", "de"),
    ]  # fmt: skip


def test_an_earlier_last_import_date_repeats_no_effects(station: Station) -> None:
    """C365-2: an operator may turn the cursor back; what is known is not sent again."""
    shelf = a_shelf(1, 2, 3)
    schedule = station.schedule(shelf)
    station.run_due(schedule)

    with station.units.begin() as work:
        Cursors(work).set_watermark(CHANNEL, "de", None)
    assert station.run_due(schedule) == 1

    assert station.subjects() == ["1", "2", "3"]
    assert station.cursor().watermark_key == "000003"


def test_a_cursor_that_is_turned_back_during_an_import_stays_turned_back(
    station: Station,
) -> None:
    """The import in progress notices with its next page, and writes nothing more."""
    shelf = a_shelf(1, 2, 3)
    schedule = station.schedule(shelf)

    def turn_back(page: int) -> None:
        if page == 1:
            with station.units.begin() as work:
                Cursors(work).set_watermark(CHANNEL, "de", None)

    shelf.before_page = turn_back

    assert schedule.run_next(lambda: None)
    arrived = station.subjects()
    shelf.before_page = lambda _page: None
    station.clock.advance(POLL_SECONDS)
    station.run_due(schedule)

    assert arrived == ["1", "2"]
    assert station.subjects() == ["1", "2", "3"]


def test_a_change_from_the_future_counts_as_read_now(
    station: Station, clock: SettableClock
) -> None:
    """A shop whose clock was wrong, or a date beyond all sense, makes nobody unchangeable."""
    shelf = a_shelf(1)
    shelf.change(1, minutes=600_000_000, name="before")
    schedule = station.schedule(shelf)
    station.run_due(schedule)
    clock.advance(POLL_SECONDS)
    since_noon = (clock() - a_record(1).changed_at).total_seconds()
    shelf.change(1, minutes=since_noon / 60, name="after")
    station.sweep(schedule)

    first, second = [message.body.customer.source.version for message in station.messages()]
    assert first.changed_at == first.read_at
    assert first.is_older_than(second)
