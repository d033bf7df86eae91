"""What several workers do at once on PostgreSQL comes out as if they had taken turns."""

import threading
from datetime import timedelta
from functools import partial
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from shared.domain.messages import Parcel
from shared.persistence import number_series
from shared.persistence.cursors import Cursors
from shared.persistence.dead_letters import of_parcel
from shared.persistence.store import Retry
from shared.persistence.tables import dead_letters
from shared.persistence.unit_of_work import UnitsOfWork
from tests.integration.persistence.builders import (
    NOON,
    InThread,
    SettableClock,
    a_parcel,
    somebody_waits,
)
from tests.integration.runtime.rig import eventually

UNTIL = NOON + timedelta(seconds=30)


@pytest.fixture
def units(postgresql_units: UnitsOfWork) -> UnitsOfWork:
    """Give units of work on PostgreSQL, where transactions really overlap."""
    return postgresql_units


def add(units: UnitsOfWork, *parcels: Parcel) -> list[UUID]:
    """Commit `parcels` to the store; return their ids."""
    with units.begin() as work:
        work.send(parcels)
    return [parcel.message_id for parcel in parcels]


def test_two_relays_take_different_messages(units: UnitsOfWork, clock: SettableClock) -> None:
    """Neither waits for the other, and nothing is published by both (fault 59)."""
    parcels = [a_parcel() for _ in range(5)]
    for parcel in parcels:
        add(units, parcel)
        clock.advance(1)
    clock.advance(60)

    with units.begin() as one, units.begin() as other:
        first = one.store.due(3)
        second = other.store.due(3)

    assert first == parcels[:3]
    assert second == parcels[3:]


def test_a_relay_that_dies_leaves_its_messages_to_the_next(
    units: UnitsOfWork, clock: SettableClock
) -> None:
    """What was taken and not marked is due again as soon as the transaction is gone (fault 20)."""
    parcel = a_parcel()
    add(units, parcel)
    clock.advance(60)

    with units.begin() as work:
        work.store.due(1)
        work.connection.rollback()

    with units.begin() as work:
        assert work.store.due(1) == [parcel]


def test_of_two_claimers_one_wins_and_the_other_is_told(units: UnitsOfWork) -> None:
    """The second waits for the first one's commit, and then finds nothing."""
    ids = add(units, a_parcel())

    with units.begin() as work:
        first = work.store.claim(ids)
        second = InThread(lambda: _claim(units, ids))
        _wait_until_somebody_waits(units)

    assert (first, second.result()) == (set(ids), set())


def test_a_claimers_rollback_hands_the_message_to_the_other(units: UnitsOfWork) -> None:
    """Whoever waited gets it after all."""
    ids = add(units, a_parcel())

    with units.begin() as work:
        work.store.claim(ids)
        second = InThread(lambda: _claim(units, ids))
        _wait_until_somebody_waits(units)
        work.connection.rollback()

    assert second.result() == set(ids)


def test_of_two_claimers_of_a_foreign_message_one_wins(units: UnitsOfWork) -> None:
    """The unique id decides."""
    id_ = uuid4()

    with units.begin() as work:
        first = work.store.claim_foreign([id_])
        second = InThread(lambda: _claim_foreign(units, id_))
        _wait_until_somebody_waits(units)

    assert (first, second.result()) == ({id_}, set())


def test_a_counted_start_of_a_foreign_message_is_claimed_once(units: UnitsOfWork) -> None:
    """Its row exists already; still only one of two claims it."""
    id_ = uuid4()
    with units.begin() as work:
        work.store.count_start(id_, is_ours=False)

    with units.begin() as work:
        first = work.store.claim_foreign([id_])
        second = InThread(lambda: _claim_foreign(units, id_))
        _wait_until_somebody_waits(units)

    assert (first, second.result()) == ({id_}, set())


def test_a_message_is_either_handled_or_buried(units: UnitsOfWork) -> None:
    """While one worker succeeds and another gives up, there is one outcome."""
    parcel = a_parcel()
    ids = add(units, parcel)
    letter = of_parcel(parcel, worker="processor", queue="q", reason="bug")

    def bury() -> set[UUID]:
        with units.begin() as work:
            return work.store.bury([letter])

    with units.begin() as work:
        work.store.claim(ids)
        burying = InThread(bury)
        _wait_until_somebody_waits(units)

    assert burying.result() == set()
    with units.read() as work:
        assert work.connection.execute(sa.select(dead_letters)).all() == []


def test_a_retry_while_a_relay_publishes_is_not_lost(
    units: UnitsOfWork, clock: SettableClock
) -> None:
    """The retry waits for the relay's mark, and has the last word."""
    (id_,) = add(units, a_parcel())
    clock.advance(60)

    def retry() -> set[UUID]:
        with units.begin() as work:
            return work.store.retry([Retry(id_, clock.now, "bug")])

    with units.begin() as work:
        work.store.due(1)
        retrying = InThread(retry)
        _wait_until_somebody_waits(units)
        work.store.mark_published([id_])

    assert retrying.result() == {id_}
    with units.begin() as work:
        assert len(work.store.due(1)) == 1


def test_two_effects_on_one_customer_never_overlap(units: UnitsOfWork) -> None:
    """Messages of one subject leased at the same time: one worker gets its message."""
    first, second = a_parcel(subject="shop/7"), a_parcel(subject="shop/7")
    other = a_parcel()
    add(units, first, second, other)

    with units.begin() as work:
        mine = work.store.lease([first.message_id], "me", UNTIL)
        yours = InThread(lambda: _lease(units, [second.message_id, other.message_id], "you"))
        _wait_until_somebody_waits(units)

    assert mine == {first.message_id}
    assert yours.result() == {other.message_id}


def test_a_redelivered_message_is_leased_by_one(units: UnitsOfWork) -> None:
    """The second worker waits for the first one's lease, and is refused."""
    ids = add(units, a_parcel())

    with units.begin() as work:
        mine = work.store.lease(ids, "me", UNTIL)
        yours = InThread(lambda: _lease(units, ids, "you"))
        _wait_until_somebody_waits(units)

    assert (mine, yours.result()) == (set(ids), set())


def test_leasers_of_the_same_subjects_do_not_deadlock(units: UnitsOfWork) -> None:
    """Whatever the order of their batches, locks are taken in one order."""
    pairs = [(a_parcel(subject=f"s/{n}"), a_parcel(subject=f"s/{n}")) for n in range(30)]
    ones = add(units, *(one for one, _ in pairs))
    others = add(units, *(other for _, other in pairs))
    start = threading.Barrier(2)

    def lease(ids: list[UUID], owner: str) -> set[UUID]:
        start.wait()
        return _lease(units, ids, owner)

    first = InThread(lambda: lease(ones, "me"))
    second = InThread(lambda: lease(others[::-1], "you"))

    assert len(first.result()) + len(second.result()) == 30


def test_identities_are_decided_upon_one_after_the_other(units: UnitsOfWork) -> None:
    """Two processors that meet one person take turns; others pass (fault 47)."""
    with units.begin() as work:
        work.lock_identities(["email:ann@example.com", "phone:+491"])

        InThread(lambda: _lock(units, ["email:bob@example.com"])).result()
        waiting = InThread(lambda: _lock(units, ["tax:1", "phone:+491"]))
        _wait_until_somebody_waits(units)

    waiting.result()


def test_identities_are_locked_in_one_order(units: UnitsOfWork) -> None:
    """Batches with the same identities in any order do not deadlock."""
    keys = [f"email:{n}" for n in range(200)]
    start = threading.Barrier(3)

    def lock(mine: list[str]) -> None:
        start.wait()
        for _ in range(10):
            _lock(units, mine)

    for thread in [InThread(partial(lock, keys[::step])) for step in (1, -1, 3)]:
        thread.result()


def test_no_number_is_drawn_twice_and_none_is_missing(units: UnitsOfWork) -> None:
    """Four threads draw from two series, and every fifth transaction fails."""
    start = threading.Barrier(4)

    def draw(thread: int) -> list[int]:
        start.wait()
        drawn: list[int] = []
        for turn in range(25):
            # Named in another order by each thread.
            names = ["ERP", "B2B"][:: 1 if thread % 2 else -1]
            with units.begin() as work:
                first = number_series.draw(work.connection, dict.fromkeys(names, (turn % 3 + 1, 1)))
                if turn % 5 == 4:
                    work.connection.rollback()
                else:
                    drawn += range(first["ERP"], first["ERP"] + turn % 3 + 1)
        return drawn

    threads = [InThread(partial(draw, thread)) for thread in range(4)]
    numbers = sorted(number for thread in threads for number in thread.result())

    assert numbers == list(range(1, len(numbers) + 1))


def test_importers_that_start_together_get_different_views(units: UnitsOfWork) -> None:
    """Each leases another store view; the one too many gets none."""
    views = [("shop", f"view-{n}") for n in range(3)]
    with units.begin() as work:
        Cursors(work).ensure(views)
    start = threading.Barrier(4)

    def acquire() -> str | None:
        start.wait()
        with units.begin() as work:
            lease = Cursors(work).acquire("importer", 30, among=views)
            return lease.cursor.store_view if lease else None

    threads = [InThread(acquire) for _ in range(4)]
    leased = [view for thread in threads if (view := thread.result())]

    assert len(leased) == len(set(leased))
    assert set(leased) <= {view for _, view in views}


def _claim(units: UnitsOfWork, ids: list[UUID]) -> set[UUID]:
    with units.begin() as work:
        return work.store.claim(ids)


def _claim_foreign(units: UnitsOfWork, id_: UUID) -> set[UUID]:
    with units.begin() as work:
        return work.store.claim_foreign([id_])


def _lease(units: UnitsOfWork, ids: list[UUID], owner: str) -> set[UUID]:
    with units.begin() as work:
        return work.store.lease(ids, owner, UNTIL)


def _lock(units: UnitsOfWork, keys: list[str]) -> None:
    with units.begin() as work:
        work.lock_identities(keys)


def _wait_until_somebody_waits(units: UnitsOfWork) -> None:
    """Return when a session of this database waits for another one's lock."""
    eventually(lambda: somebody_waits(units))
