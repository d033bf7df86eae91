"""Store views are imported by one importer at a time, each from where the last one stopped."""

from datetime import timedelta

import pytest

from shared.persistence.cursors import Cursor, Cursors, Lease, LeaseLost
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
    ensure(units, VIEW)
    succeed(units, acquired(units))
    lease = acquired(units)
    with units.begin() as work:
        lease = Cursors(work).save_sweep(lease, "0100", seconds=30)
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
