"""Several importers share the store views; failures wait, each as long as it should."""

import pytest

from shared.domain.errors import (
    AccessDenied,
    PatronError,
    RemoteThrottled,
    RemoteUnavailable,
)
from shared.persistence.cursors import LeaseLost
from shared.persistence.failures import DatabaseUnavailable
from tests.integration.importer.shelf import Shelf, a_shelf, at_page
from tests.integration.importer.station import (
    LEASE_SECONDS,
    POLL_SECONDS,
    Station,
    no_beat,
)
from tests.integration.persistence.builders import SettableClock

VIEWS = ("de", "fr", "uk")


def test_importers_share_the_views_and_read_each_once(station: Station) -> None:
    """While one is at a view, the other takes the next; nobody reads what the other has."""
    shelf = Shelf()
    one = station.schedule(shelf, *VIEWS, owner="one")
    two = station.schedule(shelf, *VIEWS, owner="two")
    others: list[bool] = []

    def meanwhile(_page: int) -> None:
        shelf.before_page = lambda _page: None
        others.append(two.run_next(no_beat))

    shelf.before_page = meanwhile

    while one.run_next(no_beat):
        pass

    assert others == [True]
    assert shelf.asked == [f"changes {view}" for view in VIEWS]
    assert not two.run_next(no_beat)


def test_a_dead_holders_view_is_taken_over_when_its_lease_ends(
    station: Station, clock: SettableClock
) -> None:
    """Not before, and then from where the dead one had come to."""
    shelf = a_shelf(1, 2, 3)
    one, two = station.schedule(shelf), station.schedule(shelf, owner="two")
    shelf.before_page = at_page(1, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        one.run_next(no_beat)

    clock.advance(LEASE_SECONDS - 1)
    too_early = two.run_next(no_beat)
    clock.advance(1)

    assert (too_early, two.run_next(no_beat)) == (False, True)
    assert station.subjects() == ["1", "2", "3"]


def test_each_page_prolongs_the_lease(station: Station, clock: SettableClock) -> None:
    """An import that takes longer than a lease keeps its view, page by page."""
    shelf = a_shelf(*range(1, 9))
    one, two = station.schedule(shelf), station.schedule(shelf, owner="two")
    intrusions: list[bool] = []

    def take_long(_page: int) -> None:
        clock.advance(LEASE_SECONDS - 1)
        intrusions.append(two.run_next(no_beat))

    shelf.before_page = take_long

    one.run_next(no_beat)

    assert intrusions == [False] * 4
    assert station.subjects() == [str(number) for number in range(1, 9)]


def test_who_lost_the_lease_writes_nothing(station: Station, clock: SettableClock) -> None:
    """A slow importer comes back to a view that another one has read: no copy, no step back."""
    shelf = a_shelf(1, 2, 3)
    one, two = station.schedule(shelf), station.schedule(shelf, owner="two")

    def sleep_over(page: int) -> None:
        if page == 1:
            shelf.before_page = lambda _page: None
            clock.advance(LEASE_SECONDS)
            assert two.run_next(no_beat)

    shelf.before_page = sleep_over

    one.run_next(no_beat)

    cursor = station.cursor()
    assert station.subjects() == ["1", "2", "3"]
    assert (cursor.watermark_key, cursor.failures, cursor.last_error) == ("000003", 0, None)
    assert cursor.lease_owner is None


def test_a_lease_lost_at_the_last_moment_is_no_failure(
    station: Station, clock: SettableClock
) -> None:
    """Losing it between the last page and the end, or while failing, is told and no more."""
    shelf = a_shelf(1)
    one, two = station.schedule(shelf), station.schedule(shelf, owner="two")

    def fail_after_sleeping(_page: int) -> None:
        shelf.before_page = lambda _page: None
        clock.advance(LEASE_SECONDS)
        two.run_next(no_beat)
        raise RemoteUnavailable("timeout")

    shelf.before_page = fail_after_sleeping

    assert one.run_next(no_beat)
    assert (station.cursor().failures, station.cursor().last_error) == (0, None)
    assert issubclass(LeaseLost, PatronError)


@pytest.mark.parametrize(
    ("error", "waits"),
    [
        (RemoteUnavailable("timeout"), [5, 10, 20, 40]),
        (RemoteThrottled("429", retry_after_seconds=77), [77, 77]),
        (AccessDenied("401"), [60, 60]),
    ],
)
def test_a_failure_waits(
    station: Station, clock: SettableClock, error: Exception, waits: list[float]
) -> None:
    """Doubling, or as long as the shop asks for, or a while for what an operator must mend."""
    shelf = a_shelf(1)
    shelf.before_page = at_page(0, *[error] * len(waits))
    schedule = station.schedule(shelf)

    for wait in waits:
        assert schedule.run_next(no_beat)
        clock.advance(wait - 0.1)
        assert not schedule.run_next(no_beat)
        clock.advance(0.2)
    assert schedule.run_next(no_beat)

    assert station.cursor().failures == 0
    assert station.subjects() == ["1"]


def test_the_wait_has_an_end(station: Station, clock: SettableClock) -> None:
    """However often it failed, a view is tried every quarter of an hour."""
    shelf = a_shelf(1)
    shelf.before_page = at_page(0, *[RemoteUnavailable("timeout")] * 20)
    schedule = station.schedule(shelf)

    for _ in range(20):
        assert schedule.run_next(no_beat)
        clock.advance(900)

    assert schedule.run_next(no_beat)
    assert station.subjects() == ["1"]


def test_a_shop_that_asks_for_peace_is_left_alone_in_all_its_views(
    station: Station, clock: SettableClock
) -> None:
    """ASK-19: the wait holds for the channel, not only for the view that heard of it (fault 36)."""
    shelf = Shelf()
    shelf.before_page = at_page(0, RemoteThrottled("429", retry_after_seconds=600))
    schedule = station.schedule(shelf, *VIEWS)

    station.run_due(schedule)
    clock.advance(599)
    station.run_due(schedule)
    during = list(shelf.asked)
    clock.advance(1)
    station.run_due(schedule)

    assert during == ["changes de"]
    assert sorted(shelf.asked[1:]) == [f"changes {view}" for view in VIEWS]


def test_one_view_that_fails_does_not_hold_up_the_others(station: Station) -> None:
    """The next view is read while the first one waits."""
    shelf = Shelf()
    shelf.before_page = at_page(0, RemoteUnavailable("timeout"))
    schedule = station.schedule(shelf, *VIEWS)

    station.run_due(schedule)

    assert shelf.asked == [f"changes {view}" for view in VIEWS]
    assert [station.cursor(view).failures for view in VIEWS] == [1, 0, 0]


def test_an_outage_of_the_database_is_not_the_shops_failure(station: Station) -> None:
    """It is passed on, to be waited out; the view's backoff stays what it was."""
    shelf = a_shelf(1)
    shelf.before_page = at_page(0, DatabaseUnavailable("shutting down"))
    schedule = station.schedule(shelf)

    with pytest.raises(DatabaseUnavailable):
        schedule.run_next(no_beat)

    assert station.cursor().failures == 0
    station.clock.advance(LEASE_SECONDS + POLL_SECONDS)
    assert schedule.run_next(no_beat)
