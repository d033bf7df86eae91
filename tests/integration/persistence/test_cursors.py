"""Store views are imported by one importer at a time, each from where the last one stopped."""

from datetime import datetime, timedelta

import pytest
import sqlalchemy as sa

from shared.persistence import enabled_views
from shared.persistence.cursors import Cursor, Cursors, Lease, LeaseLost
from shared.persistence.enabled_views import Terms
from shared.persistence.tables import cursors
from shared.persistence.unit_of_work import UnitsOfWork
from tests.integration.persistence.builders import NOON, SettableClock

VIEW = ("shop", "default")
LATER = NOON + timedelta(hours=1)


def ensure(units: UnitsOfWork, *views: tuple[str, str]) -> None:
    """Have cursors for `views`."""
    with units.begin() as work:
        Cursors(work).ensure(views)


def acquire(units: UnitsOfWork, owner: str = "me", *views: tuple[str, str]) -> Lease | None:
    """Lease one of `views` for half a minute."""
    with units.begin() as work:
        return Cursors(work).acquire(owner, 30, among=views or (VIEW,))


def acquired(units: UnitsOfWork, owner: str = "me") -> Lease:
    """Lease the view, which is to be had."""
    lease = acquire(units, owner)
    assert lease is not None
    return lease


def succeed(units: UnitsOfWork, lease: Lease, *, over: bool = True) -> None:
    """End the task of `lease` well; it is due again in an hour."""
    with units.begin() as work:
        next_at = work.now + timedelta(hours=1)
        Cursors(work).succeed(lease, next_at=next_at, sweep_is_over=over)


def sweeping(units: UnitsOfWork, key: str) -> Lease:
    """Poll the view, and have its sweep come as far as `key`."""
    ensure(units, VIEW)
    succeed(units, acquired(units))
    lease = acquired(units)
    with units.begin() as work:
        return Cursors(work).save_sweep(lease, key, seconds=30)


def the_cursor(units: UnitsOfWork) -> Cursor:
    """Return the only cursor."""
    with units.read() as work:
        (cursor,) = Cursors(work).all()
    return cursor


def test_a_new_store_view_is_due_at_once_and_from_the_beginning(units: UnitsOfWork) -> None:
    """The first run has no watermark."""
    ensure(units, VIEW)

    lease = acquired(units)

    assert lease.task == "poll"
    assert lease.cursor.watermark_at is None
    assert lease.cursor.watermark_key == ""


def test_a_known_store_view_keeps_its_place(units: UnitsOfWork) -> None:
    """A restart does not begin anew."""
    ensure(units, VIEW)
    with units.begin() as work:
        Cursors(work).set_watermark(*VIEW, NOON, "7")

    ensure(units, VIEW)

    cursor = the_cursor(units)
    assert (cursor.watermark_at, cursor.watermark_key) == (NOON, "7")


def test_only_one_importer_has_a_store_view(units: UnitsOfWork, clock: SettableClock) -> None:
    """Until it gives it back, or its lease is over."""
    ensure(units, VIEW)
    acquired(units)

    refused = acquire(units, "you")
    clock.advance(30)

    assert refused is None
    assert acquire(units, "you") is not None


def test_views_that_are_switched_off_are_not_imported(units: UnitsOfWork) -> None:
    """Only configured views are leased, however long others are due (C365-1)."""
    ensure(units, VIEW, ("shop", "german"))

    lease = acquire(units, "me", ("shop", "german"))

    assert lease is not None
    assert lease.cursor.store_view == "german"
    with units.begin() as work:
        assert Cursors(work).acquire("me", 30, among=()) is None


def test_the_longest_due_comes_first_and_a_poll_before_a_sweep(
    units: UnitsOfWork, clock: SettableClock
) -> None:
    """Nobody starves: first come, first served."""
    ensure(units, VIEW)
    clock.advance(1)
    other = ("erp", "default")
    ensure(units, other)

    tasks = []
    for _ in range(4):
        lease = acquire(units, "me", VIEW, other)
        assert lease is not None
        tasks.append((lease.cursor.channel, lease.task))
        succeed(units, lease)

    assert tasks == [("shop", "poll"), ("shop", "sweep"), ("erp", "poll"), ("erp", "sweep")]
    assert acquire(units, "me", VIEW, other) is None


def test_progress_is_saved_and_prolongs_the_lease(units: UnitsOfWork, clock: SettableClock) -> None:
    """A run that is interrupted is continued from its last page."""
    ensure(units, VIEW)
    lease = acquired(units)
    clock.advance(20)

    with units.begin() as work:
        lease = Cursors(work).save_watermark(lease, NOON, "42", seconds=30)

    clock.advance(20)
    assert acquire(units, "you") is None
    clock.advance(10)
    continued = acquired(units, "you")
    assert (continued.cursor.watermark_at, continued.cursor.watermark_key) == (NOON, "42")


def test_a_sweep_goes_on_where_it_stopped_and_starts_anew_when_it_is_over(
    units: UnitsOfWork, clock: SettableClock
) -> None:
    """Sweeps run in slices, with polls between them."""
    lease = sweeping(units, "0100")
    succeed(units, lease, over=False)
    paused = the_cursor(units)
    clock.now = LATER
    poll = acquired(units)
    succeed(units, poll)
    rest = acquired(units)
    succeed(units, rest)
    over = the_cursor(units)

    assert (paused.sweep_key, paused.sweep_started_at) == ("0100", NOON)
    assert paused.sweep_finished_at is None
    assert poll.task == "poll"
    assert (rest.task, rest.cursor.sweep_key) == ("sweep", "0100")
    assert (over.sweep_key, over.sweep_started_at) == (None, NOON)
    assert over.sweep_finished_at == LATER


def test_polls_without_a_pause_do_not_keep_a_sweep_from_running(
    units: UnitsOfWork, clock: SettableClock
) -> None:
    """What is due for longer comes first, even if polls are always due."""
    ensure(units, VIEW)
    tasks = []
    for _ in range(3):
        lease = acquired(units)
        tasks.append(lease.task)
        clock.advance(1)
        with units.begin() as work:
            Cursors(work).succeed(lease, next_at=clock.now, sweep_is_over=False)

    assert tasks == ["poll", "sweep", "poll"]


def test_whoever_lost_the_lease_saves_nothing(units: UnitsOfWork, clock: SettableClock) -> None:
    """A slow importer cannot set back a fast one, even if both have the same name."""
    ensure(units, VIEW)
    slow = acquired(units, "importer-1")
    clock.advance(30)
    fast = acquired(units, "importer-1")
    with units.begin() as work:
        Cursors(work).save_watermark(fast, LATER, "9", seconds=30)

    with pytest.raises(LeaseLost), units.begin() as work:
        Cursors(work).save_watermark(slow, NOON, "1", seconds=30)
    with pytest.raises(LeaseLost):
        succeed(units, slow)
    with pytest.raises(LeaseLost), units.begin() as work:
        Cursors(work).renew(slow, 30)

    assert the_cursor(units).watermark_at == LATER


def test_an_expired_lease_that_nobody_took_is_still_held(
    units: UnitsOfWork, clock: SettableClock
) -> None:
    """Being late harms nobody as long as the view is free."""
    ensure(units, VIEW)
    lease = acquired(units)
    clock.advance(3000)

    with units.begin() as work:
        renewed = Cursors(work).renew(lease, 30)

    assert renewed.until == clock.now + timedelta(seconds=30)


def test_a_failure_is_counted_and_told_until_it_is_over(
    units: UnitsOfWork, clock: SettableClock
) -> None:
    """The row says what is wrong since when; success clears it."""
    ensure(units, VIEW)
    for _ in range(2):
        lease = acquired(units)
        with units.begin() as work:
            Cursors(work).fail(lease, "remote_unavailable", retry_at=clock.now)
    failed = the_cursor(units)
    clock.advance(5)
    succeed(units, acquired(units))

    cursor = the_cursor(units)
    assert (failed.failures, failed.last_error) == (2, "remote_unavailable")
    assert failed.last_success_at is None
    assert (cursor.failures, cursor.last_error) == (0, None)
    assert cursor.last_success_at == clock.now
    assert cursor.poll_due_at == clock.now + timedelta(hours=1)


def test_polls_and_sweeps_fail_each_for_itself(units: UnitsOfWork, clock: SettableClock) -> None:
    """A poll that succeeds neither hides a sweep that fails nor shortens its waits (NEW-9)."""
    ensure(units, VIEW)
    succeed(units, acquired(units))
    for _ in range(2):
        sweep = acquired(units)
        with units.begin() as work:
            Cursors(work).fail(sweep, "unreadable_answer", retry_at=clock.now)
    clock.now = LATER
    with units.begin() as work:
        Cursors(work).request_now(*VIEW)
        assert work.connection.execute(sa.update(cursors).values(sweep_due_at=LATER)).rowcount
    poll = acquired(units)
    succeed(units, poll)

    cursor = the_cursor(units)
    again = acquired(units)
    assert (sweep.failures, poll.failures, again.failures) == (1, 0, 2)
    assert (poll.task, again.task) == ("poll", "sweep")
    assert (cursor.failures, cursor.last_error) == (0, None)
    assert (cursor.sweep_failures, cursor.sweep_error) == (2, "unreadable_answer")
    succeed(units, again)
    assert (the_cursor(units).sweep_failures, the_cursor(units).sweep_error) == (0, None)


def test_sweeps_rest_while_polls_go_on(units: UnitsOfWork, clock: SettableClock) -> None:
    """Whoever may not sweep now is given polls only, even if a sweep is due for longer (NEW-9)."""
    ensure(units, VIEW)
    succeed(units, acquired(units))
    clock.advance(1)

    with units.begin() as work:
        nothing = Cursors(work).acquire("me", 30, among=[VIEW], may_sweep=False)
        Cursors(work).request_now(*VIEW)
    with units.begin() as work:
        poll = Cursors(work).acquire("me", 30, among=[VIEW], may_sweep=False)

    assert nothing is None
    assert poll is not None
    assert poll.task == "poll"


def link_only(units: UnitsOfWork, *view: str) -> list[tuple[str, str]]:
    """Ask for everybody to be linked first."""
    with units.begin() as work:
        return Cursors(work).request_now(*(view or VIEW), sweep=True, link_only=True)


def test_a_link_only_sweep_goes_before_every_poll(units: UnitsOfWork, clock: SettableClock) -> None:
    """Polls wait until everybody was linked, and then go on from its beginning (ASK-8)."""
    asked = link_only(units)
    clock.advance(1)
    first = acquired(units)
    began = clock.now
    with units.begin() as work:
        first = Cursors(work).save_sweep(first, "0100", seconds=30)
    clock.advance(5)
    with units.begin() as work:
        Cursors(work).succeed(first, next_at=clock.now, sweep_is_over=False)
    last = acquired(units)
    succeed(units, last)

    cursor = the_cursor(units)
    assert asked == [VIEW]
    assert [(each.task, each.cursor.sweep_key) for each in (first, last)] == [
        ("sweep", "0100"), ("sweep", "0100"),
    ]  # fmt: skip
    assert (cursor.sweep_mode, cursor.watermark_at, cursor.sweep_key) == ("normal", began, None)
    assert acquired(units).task == "poll"


def test_linking_only_begins_anew_and_leaves_a_watermark(
    units: UnitsOfWork, clock: SettableClock
) -> None:
    """A sweep in progress loses its lease and its place; polls go on from where they were."""
    ensure(units, VIEW)
    with units.begin() as work:
        Cursors(work).set_watermark(*VIEW, NOON)
    succeed(units, acquired(units))
    ordinary = acquired(units)
    with units.begin() as work:
        ordinary = Cursors(work).save_sweep(ordinary, "0100", seconds=30)

    link_only(units)
    clock.advance(1)
    linking = acquired(units)

    with pytest.raises(LeaseLost), units.begin() as work:
        Cursors(work).save_sweep(ordinary, "0200", seconds=30)
    assert (ordinary.cursor.sweep_mode, linking.cursor.sweep_mode) == ("normal", "link_only")
    assert linking.cursor.sweep_key is None
    succeed(units, linking)
    assert the_cursor(units).watermark_at == NOON


def test_asking_again_while_linking_changes_nothing(
    units: UnitsOfWork, clock: SettableClock
) -> None:
    """One run is enough; one that waits after a failure goes on at once, where it was."""
    link_only(units)
    lease = acquired(units)
    with units.begin() as work:
        lease = Cursors(work).save_sweep(lease, "0100", seconds=30)

    clock.advance(1)
    link_only(units)
    with units.begin() as work:
        Cursors(work).fail(lease, "remote_unavailable", retry_at=LATER)
    waiting = the_cursor(units)
    everywhere = link_only(units, "shop")

    assert waiting.sweep_due_at == LATER
    assert everywhere == [VIEW]
    assert acquired(units).cursor.sweep_key == "0100"


def terms(at: datetime | None = None, **changes: datetime) -> Terms:
    """Return terms of a view that is read every hour."""
    given = {"first_poll_at": NOON, "poll_by": LATER, "sweep_by": LATER}
    return Terms(watermark_at=at, **{**given, **changes})


def enable(units: UnitsOfWork, at: datetime | None = None, **changes: datetime) -> Cursor:
    """Have the view imported; return its cursor."""
    with units.begin() as work:
        enabled_views.enable(work, *VIEW, terms(at, **changes))
    return the_cursor(units)


def disable(units: UnitsOfWork) -> Cursor:
    """Switch the view's import off; return its cursor."""
    with units.begin() as work:
        enabled_views.disable(work, "shop", but=["another"])
    return the_cursor(units)


def test_a_view_begins_where_it_is_told_to_only_the_first_time(
    units: UnitsOfWork, clock: SettableClock
) -> None:
    """Off and on again it goes on from its last import date, so nothing is lost (C365-2)."""
    first = enable(units, NOON)
    lease = acquired(units)
    with units.begin() as work:
        lease = Cursors(work).save_watermark(lease, LATER, "9", seconds=30)
    succeed(units, lease)
    clock.now = LATER
    same = enable(units, LATER)
    off = disable(units)
    clock.now = LATER + timedelta(days=1)
    again = enable(units, clock.now)

    assert (first.enabled_at, first.watermark_at) == (NOON, NOON)
    assert (same.enabled_at, off.enabled_at, again.enabled_at) == (NOON, None, clock.now)
    assert (off.watermark_at, again.watermark_at) == (LATER, LATER)


def test_a_view_that_found_nobody_yet_is_not_new(units: UnitsOfWork) -> None:
    """Read to its end while it was empty: what registers while it is off is not passed over."""
    enable(units)
    succeed(units, acquired(units))
    disable(units)

    again = enable(units, LATER)

    assert again.watermark_at is None


def test_a_changed_timetable_pulls_in_and_never_puts_off(
    units: UnitsOfWork, clock: SettableClock
) -> None:
    """What is due sooner stays so, as a request does; what is due later comes in time (C365-21)."""
    enable(units, first_poll_at=LATER)
    soon = NOON + timedelta(minutes=1)

    pulled_in = enable(units, poll_by=soon, sweep_by=soon)
    kept = enable(units)

    assert (pulled_in.poll_due_at, pulled_in.sweep_due_at) == (soon, soon)
    assert (kept.poll_due_at, kept.sweep_due_at) == (soon, soon)


def test_a_restart_does_not_shorten_the_wait_after_a_failure(units: UnitsOfWork) -> None:
    """A shop that asked to be left alone for an hour is, whatever the timetable says."""
    enable(units)
    lease = acquired(units)
    with units.begin() as work:
        Cursors(work).fail(lease, "remote_throttled", retry_at=LATER)

    restarted = enable(units, poll_by=NOON + timedelta(seconds=30))

    assert restarted.poll_due_at == LATER


def test_one_cursor_can_be_looked_at(units: UnitsOfWork) -> None:
    """By channel and store view; there is none for a view that was never seen."""
    ensure(units, VIEW)

    with units.begin() as work:
        found, missing = Cursors(work).find(*VIEW, to_change=True), Cursors(work).find("a", "b")

    assert found == the_cursor(units)
    assert missing is None


def test_an_import_can_be_asked_for_at_any_time(units: UnitsOfWork, clock: SettableClock) -> None:
    """One view or all of a channel; a sweep if wanted (C365-8)."""
    ensure(units, VIEW, ("shop", "german"), ("erp", "default"))
    views = (VIEW, ("shop", "german"), ("erp", "default"))
    while lease := acquire(units, "me", *views):
        succeed(units, lease)
    clock.advance(1)

    with units.begin() as work:
        one = Cursors(work).request_now("shop", "german")
        both = Cursors(work).request_now("shop", sweep=True)
        none = Cursors(work).request_now("nowhere")

    assert one == [("shop", "german")]
    assert both == [("shop", "default"), ("shop", "german")]
    assert none == []
    due = []
    while lease := acquire(units, "me", *views):
        due.append((lease.cursor.store_view, lease.task))
        succeed(units, lease)
    assert sorted(due) == [
        ("default", "poll"), ("default", "sweep"), ("german", "poll"), ("german", "sweep"),
    ]  # fmt: skip


def test_a_request_during_a_run_leads_to_another_run(
    units: UnitsOfWork, clock: SettableClock
) -> None:
    """What changed after the run had passed it is not left for the next schedule."""
    ensure(units, VIEW)
    lease = acquired(units)
    clock.advance(1)
    with units.begin() as work:
        Cursors(work).request_now("shop")

    succeed(units, lease)

    assert the_cursor(units).poll_due_at == clock.now


def test_a_request_between_slices_leads_to_a_whole_sweep(
    units: UnitsOfWork, clock: SettableClock
) -> None:
    """What the first slice read may have changed before somebody asked (C365-8)."""
    first = sweeping(units, "0100")
    clock.advance(1)
    with units.begin() as work:
        Cursors(work).request_now("shop", sweep=True)
        Cursors(work).succeed(first, next_at=clock.now, sweep_is_over=False)
    clock.advance(1)
    swept_from = []
    while lease := acquire(units, "me", VIEW):
        if lease.task == "sweep":
            swept_from.append(lease.cursor.sweep_key)
        succeed(units, lease)
        clock.advance(1)

    assert swept_from == ["0100", None]


def test_an_operators_rewind_is_not_overwritten(units: UnitsOfWork, clock: SettableClock) -> None:
    """The run in progress loses its lease; the next one begins where the operator said (C365-2)."""
    ensure(units, VIEW)
    lease = acquired(units)
    rewound = NOON - timedelta(days=30)
    clock.advance(1)

    with units.begin() as work:
        known = Cursors(work).set_watermark(*VIEW, rewound)
        unknown = Cursors(work).set_watermark("shop", "none", rewound)

    with pytest.raises(LeaseLost), units.begin() as work:
        Cursors(work).save_watermark(lease, NOON, "1", seconds=30)
    assert (known, unknown) == (True, False)
    assert acquired(units).cursor.watermark_at == rewound
