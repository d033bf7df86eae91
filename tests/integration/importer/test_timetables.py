"""Store views are read when their timetables say so, by one importer at a time (C365-21)."""

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from services.importer.timetable import Cron, Every, Timetable
from shared.domain.errors import RemoteUnavailable
from tests.builders import NOON as CHANGED
from tests.integration.importer.shelf import Shelf, a_record, a_shelf, at_page
from tests.integration.importer.station import LEASE_SECONDS, POLL_SECONDS, Station, no_beat
from tests.integration.persistence.builders import NOON, SettableClock

DAY = 86_400.0


def by_cron(poll: str, sweep: str = "0 3 * * *") -> Timetable:
    """Return a timetable of two cron expressions, in UTC."""
    return Timetable(Cron(poll), Cron(sweep))


def at(hour: int, minute: int = 0, day: int = 1) -> datetime:
    """Return a time of the day on which the tests begin, or of a later one."""
    return NOON.replace(hour=hour, minute=minute) + timedelta(days=day - 1)


def test_a_view_is_read_at_the_times_of_its_cron_expression(
    station: Station, clock: SettableClock
) -> None:
    """The first time, too; what was missed is made up for once (C365-21, XPR-5)."""
    shelf = a_shelf(1)
    clock.now = at(11, 50)
    schedule = station.schedule(shelf, timetable=by_cron("*/20 12-14 * * *"))
    read_at = []

    for _ in range(20):
        while schedule.run_next(no_beat):
            read_at.append(f"{clock.now:%H:%M}")
        clock.advance(10 * 60)
    clock.now = at(18, day=2)
    station.run_due(schedule)

    assert read_at == [
        "12:00", "12:20", "12:40", "13:00", "13:20", "13:40", "14:00", "14:20", "14:40",
    ]  # fmt: skip
    assert shelf.asked[9:] == ["sweep de", "changes de"]
    assert station.cursor().poll_due_at == at(12, day=3)
    assert station.cursor().sweep_due_at == at(3, day=3)


def test_a_poll_that_outlasts_its_interval_is_not_joined_by_another(
    station: Station, clock: SettableClock
) -> None:
    """Nobody begins a second one beside it, and none pile up behind it (C365-21, XPR-5)."""
    shelf = a_shelf(1, 2, 3, 4)
    every_minute = by_cron("* * * * *")
    one = station.schedule(shelf, timetable=every_minute)
    two = station.schedule(shelf, owner="two", timetable=every_minute)
    clock.now = at(12, 1)
    others: list[bool] = []

    def take_long(_page: int) -> None:
        for _ in range(5):
            clock.advance(LEASE_SECONDS / 6)
            others.append(two.run_next(no_beat))

    shelf.before_page = take_long
    one.run_next(no_beat)
    shelf.before_page = lambda _page: None
    behind = two.run_next(no_beat)

    assert others == [False] * 10
    assert not behind
    assert station.cursor().poll_due_at == clock.now.replace(second=0) + timedelta(minutes=1)
    assert station.subjects() == ["1", "2", "3", "4"]


@pytest.mark.parametrize(
    ("timetable", "waits_until"),
    [
        (Timetable(Every(10), Every(DAY)), 10),
        (by_cron("*/5 * * * *"), 300),
        (Timetable(Every(DAY), Every(DAY)), POLL_SECONDS),
    ],
)
def test_a_changed_timetable_holds_from_the_next_start_on(
    station: Station, clock: SettableClock, timetable: Timetable, waits_until: float
) -> None:
    """Sooner than planned if that is what it says; what was planned sooner stays (C365-21)."""
    timetables: Sequence[Timetable] = [Timetable(Every(3600), Every(DAY)), timetable]
    if waits_until == POLL_SECONDS:
        timetables = [Timetable(Every(POLL_SECONDS), Every(DAY)), timetable]
    shelf = a_shelf(1)
    station.run_due(station.schedule(shelf, timetable=timetables[0]))

    restarted = station.schedule(shelf, timetable=timetables[1])

    clock.advance(waits_until - 1)
    assert not restarted.run_next(no_beat)
    clock.advance(1)
    assert restarted.run_next(no_beat)


def test_a_requested_import_stays_due_over_a_restart(station: Station) -> None:
    """However seldom the view is read by its timetable (C365-21)."""
    shelf = a_shelf(1)
    station.run_due(station.schedule(shelf))
    station.request("de")

    restarted = station.schedule(shelf, timetable=by_cron("0 3 1 1 *"))

    assert restarted.run_next(no_beat)


def test_a_view_is_enabled_from_its_first_start_until_it_is_switched_off(
    station: Station, clock: SettableClock
) -> None:
    """The date stands on the cursor; other views keep theirs (C365-1, C365-2)."""
    shelf = Shelf()
    station.schedule(shelf, "de", "uk")
    clock.advance(10)

    station.schedule(shelf, "de")
    off = station.cursor("uk")
    clock.advance(10)
    station.schedule(shelf, "de", "uk")

    assert off.enabled_at is None
    assert station.cursor("uk").enabled_at == clock.now
    assert station.cursor("de").enabled_at == NOON


def test_what_changed_while_a_view_was_off_is_imported_when_it_is_on_again(
    station: Station,
) -> None:
    """Nothing is read meanwhile, and nothing is lost (C365-1, C365-2)."""
    shelf = a_shelf(1)
    shelf.put(a_record(9, minutes=1, view="uk"))
    station.run_due(station.schedule(shelf, "de", "uk"))
    shelf.asked.clear()

    shelf.put(a_record(2, minutes=2), a_record(8, minutes=2, view="uk"))
    off = station.schedule(shelf, "uk")
    station.poll_again(off)
    meanwhile, asked = station.subjects(), list(shelf.asked)
    station.run_due(station.schedule(shelf, "de", "uk"))

    assert sorted(meanwhile) == ["1", "8", "9"]
    assert asked == ["changes uk"]
    assert sorted(station.subjects()) == ["1", "2", "8", "9"]


@pytest.mark.parametrize(
    ("import_from", "expected"),
    [
        ("beginning", ["1", "2", "3"]),
        (datetime(2020, 1, 1, tzinfo=UTC), ["1", "2", "3"]),
        (CHANGED + timedelta(minutes=7), ["2", "3"]),
        ("now", ["3"]),
    ],
)
def test_a_view_begins_where_its_configuration_says(
    station: Station, clock: SettableClock, import_from: object, expected: list[str]
) -> None:
    """With everybody, with who changed since a moment (and shortly before), or now (C365-2)."""
    shelf = Shelf()
    shelf.put(a_record(1, minutes=1), a_record(2, minutes=3))
    clock.now = CHANGED + timedelta(minutes=30)
    timetable = Timetable(Every(POLL_SECONDS), Every(DAY), import_from)  # type: ignore[arg-type]

    schedule = station.schedule(shelf, timetable=timetable)
    station.run_due(schedule)
    shelf.put(a_record(3, minutes=31))
    station.poll_again(schedule)

    assert station.subjects() == expected


def test_a_sweep_keeps_to_its_share_of_the_time(station: Station, clock: SettableClock) -> None:
    """After a slice all sweeps of the channel rest, three times as long at a quarter (NEW-9)."""
    shelf = a_shelf(1, 2, 3, 4)
    shelf.put(*(a_record(number, minutes=number, view="uk") for number in (5, 6)))
    tasks = {"slice_seconds": 1.0, "sweep_share": 0.25}
    schedule = station.schedule(shelf, "de", "uk", tasks=tasks, timetable=by_cron("0 0 1 1 *"))
    shelf.before_page = lambda _page: clock.advance(10)
    station.request("de", "uk", sweep=True)
    began: list[tuple[str, float]] = []

    while len(began) < 5:
        start = (clock.now - NOON).total_seconds()
        if schedule.run_next(no_beat):
            began.append((shelf.asked[-1], start))
        else:
            clock.advance(1)

    assert [what for what, _ in began] == [
        "changes de", "sweep de", "changes uk", "sweep uk", "sweep de",
    ]  # fmt: skip
    starts = [start for what, start in began if what.startswith("sweep")]
    assert [later - earlier for earlier, later in pairwise(starts)] == [40, 40]


def test_a_sweep_that_fails_rests_and_waits_for_itself(
    station: Station, clock: SettableClock
) -> None:
    """Its waits grow although polls succeed in between (NEW-9)."""
    shelf = a_shelf(1)
    schedule = station.schedule(shelf, timetable=Timetable(Every(1), Every(DAY)))
    station.run_due(schedule)
    station.request(sweep=True)
    failing = at_page(0, *[RemoteUnavailable("timeout")] * 4)
    shelf.before_page = lambda page: failing(page) if shelf.asked[-1] == "sweep de" else None
    swept_at: list[float] = []

    while station.cursor().sweep_finished_at is None:
        asked = len(shelf.asked)
        station.run_due(schedule)
        seconds = (clock.now - NOON).total_seconds()
        swept_at += [seconds for what in shelf.asked[asked:] if what == "sweep de"]
        clock.advance(1)

    waits = [later - earlier for earlier, later in pairwise(swept_at)]
    assert waits == [5, 10, 20, 40]


def test_linking_only_goes_before_everything_and_tells_everybody(
    station: Station, clock: SettableClock
) -> None:
    """The first sweep of an existing shop says that nobody is to be created (ASK-8)."""
    shelf = a_shelf(1, 2, 3)
    clock.now = CHANGED + timedelta(minutes=4)
    station.request(link_only=True)
    schedule = station.schedule(shelf, tasks={"slice_seconds": -1.0})

    station.run_due(schedule)
    linked = [(m.subject, m.body.mode, m.body.origin) for m in station.messages()]
    shelf.put(a_record(4, minutes=4))
    station.poll_again(schedule)
    later = [(m.subject, m.body.mode) for m in station.messages()[3:]]

    assert shelf.asked[:2] == ["sweep de", "sweep de"]
    assert linked == [(number, "link_only", "sweep") for number in ("1", "2", "3")]
    assert later == [("4", "normal")]
    assert station.cursor().sweep_mode == "normal"
    assert shelf.asked[2:] == ["changes de", "changes de"]


def test_linking_only_tells_those_again_who_are_known(
    station: Station, clock: SettableClock
) -> None:
    """Also of a view that was imported before; its polls go on where they were (ASK-8)."""
    shelf = a_shelf(1, 2, 3)
    schedule = station.schedule(shelf)
    station.run_due(schedule)
    shelf.asked.clear()
    station.new_subjects()
    watermark = station.cursor().watermark_at

    clock.advance(10 * POLL_SECONDS)
    station.request(link_only=True)
    station.run_due(schedule)

    assert shelf.asked == ["sweep de", "changes de"]
    assert station.new_subjects() == ["1", "2", "3"]
    assert station.cursor().watermark_at == watermark


def test_linking_only_goes_on_after_a_crash(station: Station, clock: SettableClock) -> None:
    """Whoever takes over goes on from the last page, still linking only (ASK-8)."""
    shelf = a_shelf(1, 2, 3)
    station.request(link_only=True)
    shelf.before_page = at_page(1, KeyboardInterrupt())
    with pytest.raises(KeyboardInterrupt):
        station.run_due(station.schedule(shelf))

    clock.advance(LEASE_SECONDS)
    station.run_due(station.schedule(shelf, owner="two"))

    assert [m.body.mode for m in station.messages()] == ["link_only"] * 3
    assert shelf.asked == ["sweep de", "sweep de", "changes de"]


def test_the_lag_of_a_channel_is_that_of_its_slowest_view(
    station: Station, clock: SettableClock
) -> None:
    """One view that fails beside others shows; one that is switched off does not (NEW-14)."""
    shelf = Shelf()
    timetable = Timetable(Every(POLL_SECONDS), Every(100 * DAY))
    schedule = station.schedule(shelf, "de", "fr", "uk", timetable=timetable)
    station.run_due(schedule)
    schedule = station.schedule(shelf, "de", "fr", timetable=timetable)

    def refuse_french(_page: int) -> None:
        if shelf.asked[-1] == "changes fr":
            raise RemoteUnavailable("timeout")

    shelf.before_page = refuse_french
    for _ in range(10):
        clock.advance(POLL_SECONDS)
        station.run_due(schedule)

    lag = station.registry.get_sample_value("patron_import_lag_seconds", {"channel": "shop"})
    assert lag == 10 * POLL_SECONDS
