"""The message store keeps its promises, the same on PostgreSQL and on SQLite."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa

from shared.domain.messages import Parcel
from shared.persistence.dead_letters import BODY_CAP_BYTES, DeadLetter, of_parcel
from shared.persistence.engine import create_engine
from shared.persistence.failures import ConstraintViolated
from shared.persistence.store import GRACE_SECONDS, Backlog, Retry
from shared.persistence.tables import dead_letters, foreign_messages, messages
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from tests.integration.persistence.builders import NOON, Crash, SettableClock, a_parcel


@pytest.fixture
def clock() -> SettableClock:
    """Give the clock that `units` goes by."""
    return SettableClock()


@pytest.fixture
def units(any_migrated_url: str, clock: SettableClock) -> Iterator[UnitsOfWork]:
    """Give units of work on an empty store."""
    engine = create_engine(any_migrated_url)
    yield UnitsOfWork(engine, clock)
    engine.dispose()


def a_letter(parcel: Parcel, **evidence: Any) -> DeadLetter:
    """Return the dead letter of `parcel`."""
    defaults = {"worker": "processor", "queue": "patron.processor", "reason": "bug", "attempts": 5}
    return of_parcel(parcel, **(defaults | evidence))


def add(units: UnitsOfWork, *parcels: Parcel, published: bool = False) -> list[UUID]:
    """Commit `parcels` to the store; return their ids."""
    ids = [parcel.message_id for parcel in parcels]
    with units.begin() as work:
        work.send(parcels)
        if published:
            work.store.mark_published(ids)
    return ids


def do_and_crash(units: UnitsOfWork, deed: Callable[[UnitOfWork], object]) -> None:
    """Do something in a unit of work that does not come to its end."""
    with units.begin() as work:
        deed(work)
        raise Crash


def rows_of(units: UnitsOfWork, table: sa.Table) -> list[dict[str, Any]]:
    """Return what stands in `table`."""
    with units.read() as work:
        return [dict(row._mapping) for row in work.connection.execute(sa.select(table))]


def the_row(units: UnitsOfWork, table: sa.Table = messages) -> dict[str, Any]:
    """Return the only row of `table`."""
    (row,) = rows_of(units, table)
    return row


class TestSending:
    """Messages wait in the store until somebody has published them."""

    def test_a_message_is_stored_as_it_is_and_left_to_its_sender_first(
        self, units: UnitsOfWork
    ) -> None:
        """A new message is unpublished and available to relays after the grace."""
        parcel = a_parcel(causation_id=uuid4(), traceparent="00-ab-cd-01")

        add(units, parcel)

        row = the_row(units)
        assert row["id"] == parcel.message_id
        assert row["body"] == parcel.body
        assert row["occurred_at"] == parcel.occurred_at
        assert row["causation_id"] == parcel.causation_id
        assert row["published_at"] is None
        assert row["attempts"] == 0
        assert row["available_at"] == NOON + timedelta(seconds=GRACE_SECONDS)

    def test_what_was_sent_is_remembered_for_publishing(self, units: UnitsOfWork) -> None:
        """The unit of work hands on what it sent, for the time after the commit."""
        first, second = a_parcel(), a_parcel()

        with units.begin() as work:
            work.send([first])
            work.send([second])

        assert work.sent == [first, second]

    def test_a_failed_unit_of_work_owes_nothing(self, units: UnitsOfWork) -> None:
        """When the block raises, its messages are rolled back with all the rest."""
        with pytest.raises(Crash):
            do_and_crash(units, lambda work: work.send([a_parcel()]))

        assert rows_of(units, messages) == []

    def test_the_same_message_is_not_owed_twice(self, units: UnitsOfWork) -> None:
        """An id that is still owed cannot be sent again."""
        parcel = a_parcel()
        add(units, parcel)

        with pytest.raises(ConstraintViolated):
            add(units, parcel)

    def test_a_relay_finds_what_is_due_oldest_first_and_unchanged(
        self, units: UnitsOfWork, clock: SettableClock
    ) -> None:
        """Messages come due after the grace, in the order they were sent in."""
        first, second = a_parcel(), a_parcel()
        add(units, first)
        clock.advance(1)
        add(units, second)

        with units.begin() as work:
            too_early = work.store.due(10)
        clock.advance(GRACE_SECONDS)
        with units.begin() as work:
            due, limited = work.store.due(10), work.store.due(1)

        assert too_early == []
        assert due == [first, second]
        assert limited == [first]

    def test_a_published_message_is_not_due_any_more(
        self, units: UnitsOfWork, clock: SettableClock
    ) -> None:
        """Marked messages are left alone by the relay."""
        ids = add(units, a_parcel())
        clock.advance(60)

        with units.begin() as work:
            work.store.mark_published(ids)

        with units.begin() as work:
            assert work.store.due(10) == []
        assert the_row(units)["published_at"] == clock.now

    def test_a_slow_senders_mark_does_not_undo_a_retry(
        self, units: UnitsOfWork, clock: SettableClock
    ) -> None:
        """A message handled and failed before its sender marked it keeps its retry."""
        (id_,) = add(units, a_parcel())
        with units.begin() as work:
            work.store.retry([Retry(id_, NOON + timedelta(seconds=5), "bug")])

        with units.begin() as work:
            work.store.mark_published([id_])

        clock.advance(5)
        with units.begin() as work:
            assert len(work.store.due(10)) == 1

    def test_a_relay_marks_the_retries_that_it_took(
        self, units: UnitsOfWork, clock: SettableClock
    ) -> None:
        """What a relay took itself is marked however often it was tried."""
        (id_,) = add(units, a_parcel())
        with units.begin() as work:
            work.store.retry([Retry(id_, NOON, "bug")])

        with units.begin() as work:
            (parcel,) = work.store.due(10)
            work.store.mark_published([parcel.message_id])

        with units.begin() as work:
            assert work.store.due(10) == []

    def test_published_but_unfinished_messages_become_stale(
        self, units: UnitsOfWork, clock: SettableClock
    ) -> None:
        """What was published long ago and is owed still is found, and young again once marked."""
        parcel = a_parcel()
        ids = add(units, parcel, published=True)
        add(units, a_parcel())
        clock.advance(600)

        with units.begin() as work:
            fresh = work.store.stale(published_before=NOON, limit=10)
            stale = work.store.stale(published_before=clock.now, limit=10)
            work.store.mark_published(ids)
            again = work.store.stale(published_before=clock.now, limit=10)

        assert fresh == []
        assert stale == [parcel]
        assert again == []

    def test_a_leased_message_is_neither_due_nor_stale(
        self, units: UnitsOfWork, clock: SettableClock
    ) -> None:
        """Somebody is working on it; publishing it again would help nobody."""
        published, unpublished = a_parcel(), a_parcel()
        add(units, published, published=True)
        add(units, unpublished)
        clock.advance(60)
        with units.begin() as work:
            ids = [published.message_id, unpublished.message_id]
            work.store.lease(ids, "me", clock.now + timedelta(seconds=30))

        with units.begin() as work:
            during = work.store.due(10) + work.store.stale(clock.now, 10)
        clock.advance(30)
        with units.begin() as work:
            after = work.store.due(10) + work.store.stale(clock.now, 10)

        assert during == []
        assert after == [unpublished, published]


class TestClaiming:
    """Every message is handled by whoever claims it first, and by nobody else."""

    def test_a_claimed_message_is_gone(self, units: UnitsOfWork) -> None:
        """Claiming deletes the row; the second claim is told that there is nothing to do."""
        ids = add(units, a_parcel(), a_parcel())

        with units.begin() as work:
            first = work.store.claim(ids)
        with units.begin() as work:
            second = work.store.claim(ids)

        assert first == set(ids)
        assert second == set()
        assert rows_of(units, messages) == []

    def test_a_rolled_back_claim_is_none(self, units: UnitsOfWork) -> None:
        """When handling fails, the message is owed as before."""
        ids = add(units, a_parcel())

        with pytest.raises(Crash):
            do_and_crash(units, lambda work: work.store.claim(ids))

        with units.begin() as work:
            assert work.store.claim(ids) == set(ids)

    def test_a_foreign_message_is_claimed_once(self, units: UnitsOfWork) -> None:
        """A message from outside is remembered, so that its twin is a duplicate."""
        id_, other = uuid4(), uuid4()

        with units.begin() as work:
            first = work.store.claim_foreign([id_, id_])
        with units.begin() as work:
            second = work.store.claim_foreign([id_, other])

        assert first == {id_}
        assert second == {other}

    def test_ours_and_foreign_messages_are_claimed_together(self, units: UnitsOfWork) -> None:
        """A batch may hold both; of ours without a row, it is known that they are done."""
        (ours,) = add(units, a_parcel())
        done, foreign = uuid4(), uuid4()

        with units.begin() as work:
            claimed = work.store.claim(ours=[ours, done], foreign=[foreign])

        assert claimed == {ours, foreign}

    def test_nothing_to_claim_is_no_statement(self, units: UnitsOfWork) -> None:
        """Empty batches cost nothing and claim nothing."""
        with units.begin() as work:
            assert work.store.claim([]) == set()
            assert work.store.claim_foreign([]) == set()

    def test_thousands_are_claimed_at_once(self, units: UnitsOfWork) -> None:
        """The size of a batch is not limited by the database's number of variables."""
        ids = add(units, *(a_parcel() for _ in range(3000)))

        with units.begin() as work:
            assert work.store.claim(ids) == set(ids)

    def test_old_foreign_ids_are_forgotten(self, units: UnitsOfWork, clock: SettableClock) -> None:
        """What no replay can bring back takes no room for ever."""
        with units.begin() as work:
            work.store.claim_foreign([uuid4()])
        clock.advance(60)
        recent = uuid4()
        with units.begin() as work:
            work.store.claim_foreign([recent])

        with units.begin() as work:
            forgotten = work.store.forget_foreign(clock.now)

        assert forgotten == 1
        assert the_row(units, foreign_messages)["id"] == recent


class TestCountingStarts:
    """An attempt can be counted before it begins."""

    def test_each_start_counts(self, units: UnitsOfWork) -> None:
        """A message that kills its worker is known to have been started so often."""
        (id_,) = add(units, a_parcel())

        for expected in (1, 2):
            with units.begin() as work:
                assert work.store.count_start(id_) == expected
        with units.begin() as work:
            assert work.store.attempts([id_]) == {id_: 2}

    def test_starts_of_foreign_messages_count_and_do_not_claim(self, units: UnitsOfWork) -> None:
        """A message from outside is counted as well, and can still be claimed."""
        id_ = uuid4()

        for expected in (1, 2):
            with units.begin() as work:
                assert work.store.count_start(id_, is_ours=False) == expected

        with units.begin() as work:
            assert work.store.attempts([], foreign=[id_]) == {id_: 2}
            assert work.store.claim_foreign([id_]) == {id_}

    def test_what_is_done_is_not_started(self, units: UnitsOfWork) -> None:
        """Zero tells that a message was handled already."""
        foreign = uuid4()
        with units.begin() as work:
            work.store.claim_foreign([foreign])

        with units.begin() as work:
            assert work.store.count_start(uuid4()) == 0
            assert work.store.count_start(foreign, is_ours=False) == 0
            assert work.store.attempts([uuid4()], foreign=[foreign]) == {}


class TestRetrying:
    """A failed message is tried again when its delay is over."""

    def test_a_retry_is_due_after_its_delay_with_its_reason(
        self, units: UnitsOfWork, clock: SettableClock
    ) -> None:
        """The row says how often, why, since when, and when next."""
        (id_,) = add(units, a_parcel(), published=True)
        clock.advance(1)
        with units.begin() as work:
            work.store.retry([Retry(id_, NOON + timedelta(seconds=9), "throttled", "429")])
        clock.advance(9)
        with units.begin() as work:
            retried = work.store.retry([Retry(id_, NOON + timedelta(seconds=90), "bug")])

        row = the_row(units)
        assert retried == {id_}
        assert row["attempts"] == 2
        assert row["published_at"] is None
        assert row["available_at"] == NOON + timedelta(seconds=90)
        assert (row["last_reason"], row["last_error"]) == ("bug", None)
        assert row["first_failed_at"] == NOON + timedelta(seconds=1)
        assert row["last_failed_at"] == NOON + timedelta(seconds=10)

    def test_a_counted_attempt_is_not_counted_twice(self, units: UnitsOfWork) -> None:
        """What `count_start` counted is one attempt."""
        (id_,) = add(units, a_parcel())
        with units.begin() as work:
            work.store.count_start(id_)

        with units.begin() as work:
            work.store.retry([Retry(id_, NOON, "bug", is_counted=True)])

        assert the_row(units)["attempts"] == 1

    def test_a_retry_gives_the_lease_back_if_it_is_ones_own(self, units: UnitsOfWork) -> None:
        """The leaser may retry; somebody else's lease is respected."""
        (id_,) = add(units, a_parcel())
        with units.begin() as work:
            work.store.lease([id_], "me", NOON + timedelta(seconds=30))

        with units.begin() as work:
            refused = work.store.retry([Retry(id_, NOON, "bug")], owner="you")
            accepted = work.store.retry([Retry(id_, NOON, "bug")], owner="me")

        assert refused == set()
        assert accepted == {id_}
        assert the_row(units)["lease_owner"] is None

    def test_what_is_done_is_not_retried(self, units: UnitsOfWork) -> None:
        """Nothing comes back that somebody has handled meanwhile."""
        with units.begin() as work:
            assert work.store.retry([Retry(uuid4(), NOON, "bug")]) == set()

    def test_a_foreign_message_becomes_ours_when_it_is_retried(self, units: UnitsOfWork) -> None:
        """It gets a row, so its retry is published by our relay and claimed like any other."""
        parcel = a_parcel()
        id_ = parcel.message_id
        with units.begin() as work:
            work.store.count_start(id_, is_ours=False)

        with units.begin() as work:
            retried = work.store.retry([Retry(id_, NOON, "bug", parcel=parcel)])

        with units.begin() as work:
            assert retried == {id_}
            assert work.store.due(1) == [parcel]
            assert work.store.attempts([id_]) == {id_: 2}
            assert work.store.claim_foreign([id_]) == set()
            assert work.store.claim([id_]) == {id_}

    def test_a_foreign_message_that_is_done_is_not_retried(self, units: UnitsOfWork) -> None:
        """A twin that fails after the first was handled makes no new message."""
        parcel = a_parcel()
        with units.begin() as work:
            work.store.claim_foreign([parcel.message_id])

        with units.begin() as work:
            retried = work.store.retry([Retry(parcel.message_id, NOON, "bug", parcel=parcel)])

        assert retried == set()
        assert rows_of(units, messages) == []


class TestBurying:
    """What cannot be handled is kept with its evidence."""

    def test_a_buried_message_is_moved_with_its_evidence(
        self, units: UnitsOfWork, clock: SettableClock
    ) -> None:
        """The row leaves `messages` and stands in `dead_letters`, complete."""
        parcel = a_parcel()
        (id_,) = add(units, parcel)
        with units.begin() as work:
            work.store.retry([Retry(id_, NOON, "bug")])
        clock.advance(60)

        with units.begin() as work:
            buried = work.store.bury(
                [a_letter(parcel, error_class="KeyError", error="name", config_version="c1")]
            )

        row = the_row(units, dead_letters)
        assert buried == {id_}
        assert rows_of(units, messages) == []
        assert row["message_id"] == id_
        assert row["correlation_id"] == parcel.correlation_id
        assert row["body"] == parcel.body
        assert row["body_size"] == len(parcel.body)
        assert row["body_sha256"] == sha256(parcel.body).hexdigest()
        assert (row["reason"], row["error_class"], row["error"]) == ("bug", "KeyError", "name")
        assert (row["attempts"], row["state"], row["config_version"]) == (5, "open", "c1")
        assert (row["first_failed_at"], row["last_failed_at"]) == (NOON, clock.now)

    def test_the_store_knows_the_attempts_if_the_undertaker_does_not(
        self, units: UnitsOfWork
    ) -> None:
        """What the broker gave up carries the attempts that were counted here."""
        parcel = a_parcel()
        (id_,) = add(units, parcel)
        with units.begin() as work:
            work.store.count_start(id_)

        with units.begin() as work:
            work.store.bury([a_letter(parcel, attempts=None)])

        assert the_row(units, dead_letters)["attempts"] == 1

    def test_a_message_is_buried_once(self, units: UnitsOfWork) -> None:
        """The keeper, finding in the dead queue what the worker has buried, adds nothing."""
        parcel, foreign = a_parcel(), a_parcel()
        add(units, parcel)
        letters = [a_letter(parcel), a_letter(foreign, is_ours=False)]

        with units.begin() as work:
            first = work.store.bury(letters)
        with units.begin() as work:
            second = work.store.bury(letters)

        assert first == {parcel.message_id, foreign.message_id}
        assert second == set()
        assert len(rows_of(units, dead_letters)) == 2

    def test_what_was_handled_is_not_buried(self, units: UnitsOfWork) -> None:
        """A slow worker's failure does not count once somebody else has succeeded."""
        parcel = a_parcel()
        ids = add(units, parcel)
        with units.begin() as work:
            work.store.claim(ids)

        with units.begin() as work:
            assert work.store.bury([a_letter(parcel)]) == set()
        assert rows_of(units, dead_letters) == []

    def test_a_replay_that_fails_again_is_the_same_dead_letter(
        self, units: UnitsOfWork, clock: SettableClock
    ) -> None:
        """It is open again, with the newest reason and the first failure it had."""
        parcel = a_parcel()
        add(units, parcel)
        with units.begin() as work:
            work.store.bury([a_letter(parcel)])
        with units.begin() as work:
            work.connection.execute(sa.update(dead_letters).values(state="replaying", replays=1))
            work.send([parcel])
        clock.advance(60)

        with units.begin() as work:
            work.store.bury([a_letter(parcel, reason="remote_rejected")])

        row = the_row(units, dead_letters)
        assert (row["state"], row["reason"]) == ("open", "remote_rejected")
        assert (row["first_failed_at"], row["last_failed_at"]) == (NOON, clock.now)

    def test_bytes_that_are_no_message_are_buried_all_the_same(self, units: UnitsOfWork) -> None:
        """Nothing but a body is needed; a claimed foreign id keeps twins out."""
        letter = DeadLetter("processor", "patron.processor", "undecodable", b"\x80\x04\x95")

        with units.begin() as work:
            assert work.store.bury([letter]) == set()

        row = the_row(units, dead_letters)
        assert row["message_id"] is None
        assert row["body"] == b"\x80\x04\x95"

    def test_an_oversized_body_is_represented_by_its_hash(self, units: UnitsOfWork) -> None:
        """The store does not carry what the cap refuses, but one can tell what it was."""
        body = b"x" * (BODY_CAP_BYTES + 1)
        letter = DeadLetter(
            "processor", "patron.processor", "oversized", body, message_id=uuid4(), is_ours=False
        )

        with units.begin() as work:
            work.store.bury([letter])

        row = the_row(units, dead_letters)
        assert row["body"] == b""
        assert row["body_size"] == len(body)
        assert row["body_sha256"] == sha256(body).hexdigest()


class TestLeasing:
    """Effects outside the database are performed by one worker at a time."""

    def test_a_leased_message_is_nobody_elses_nor_twice_ones_own(self, units: UnitsOfWork) -> None:
        """A redelivery is refused, even to the worker that is still busy with it."""
        ids = add(units, a_parcel())
        until = NOON + timedelta(seconds=30)

        with units.begin() as work:
            first = work.store.lease(ids, "me", until)
        with units.begin() as work:
            again = work.store.lease(ids, "me", until)
            others = work.store.lease(ids, "you", until)

        assert (first, again, others) == (set(ids), set(), set())

    def test_a_lease_ends_by_itself(self, units: UnitsOfWork, clock: SettableClock) -> None:
        """The messages of a worker that died can be had when the lease is over."""
        ids = add(units, a_parcel())
        with units.begin() as work:
            work.store.lease(ids, "me", NOON + timedelta(seconds=30))
        clock.advance(30)

        with units.begin() as work:
            assert work.store.lease(ids, "you", clock.now + timedelta(seconds=30)) == set(ids)

    def test_a_subject_is_with_one_worker_at_a_time(self, units: UnitsOfWork) -> None:
        """Two messages about one customer go to one worker, or one after the other."""
        first, second = a_parcel(subject="shop/7"), a_parcel(subject="shop/7")
        elsewhere = a_parcel(subject="shop/7", channel="erp")
        add(units, first, second, elsewhere)
        until = NOON + timedelta(seconds=30)

        with units.begin() as work:
            work.store.lease([first.message_id], "me", until)
        with units.begin() as work:
            yours = work.store.lease([second.message_id, elsewhere.message_id], "you", until)
        with units.begin() as work:
            mine = work.store.lease([second.message_id], "me", until)

        assert yours == {elsewhere.message_id}
        assert mine == {second.message_id}

    def test_a_done_message_frees_its_subject(self, units: UnitsOfWork) -> None:
        """Once the leased message is claimed, the next about that customer may run."""
        first, second = a_parcel(subject="shop/7"), a_parcel(subject="shop/7")
        add(units, first, second)
        until = NOON + timedelta(seconds=30)
        with units.begin() as work:
            work.store.lease([first.message_id], "me", until)

        with units.begin() as work:
            work.store.claim([first.message_id])

        with units.begin() as work:
            leased = work.store.lease([second.message_id], "you", until)
        assert leased == {second.message_id}

    def test_a_lease_is_prolonged_and_given_back_by_its_owner_only(
        self, units: UnitsOfWork
    ) -> None:
        """Nobody can touch another's lease."""
        ids = add(units, a_parcel())
        later = NOON + timedelta(minutes=5)
        with units.begin() as work:
            work.store.lease(ids, "me", NOON + timedelta(seconds=30))

        with units.begin() as work:
            extended = work.store.extend(ids, "me", later)
            refused = work.store.extend(ids, "you", later)
            work.store.release(ids, "you")
        kept = the_row(units)
        with units.begin() as work:
            work.store.release(ids, "me")
        freed = the_row(units)

        assert (extended, refused) == (set(ids), set())
        assert (kept["lease_owner"], kept["leased_until"]) == ("me", later)
        assert (freed["lease_owner"], freed["leased_until"]) == (None, None)


class TestBacklog:
    """What is owed can be counted."""

    def test_an_empty_store_owes_nothing(self, units: UnitsOfWork) -> None:
        """No rows, no ages."""
        with units.read() as work:
            assert work.store.backlog() == Backlog(0, None, 0, None, 0)

    def test_owed_due_and_retried_messages_are_told_apart(
        self, units: UnitsOfWork, clock: SettableClock
    ) -> None:
        """Published, unpublished and failed messages count where they belong."""
        add(units, a_parcel(), published=True)
        clock.advance(1)
        add(units, a_parcel())
        (failed,) = add(units, a_parcel())
        with units.begin() as work:
            work.store.retry([Retry(failed, NOON + timedelta(hours=1), "bug")])
        clock.advance(60)

        with units.read() as work:
            backlog = work.store.backlog()

        due_at = NOON + timedelta(seconds=1 + GRACE_SECONDS)
        assert backlog == Backlog(3, NOON, 1, due_at, 1)
