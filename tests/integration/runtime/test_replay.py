"""Replay jobs: dead letters become messages again, each once, whatever interrupts a job."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from uuid import UUID

import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from shared.domain.messages import Parcel, parcel
from shared.observability.metrics import create_metrics
from shared.persistence import replays
from shared.persistence.dead_letter_reader import Selection
from shared.persistence.dead_letters import of_parcel
from shared.persistence.engine import create_engine
from shared.persistence.replays import Job, Wish
from shared.persistence.tables import dead_letters, history, messages, replay_items
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.replay import Replayer
from tests.builders import NOON, a_customer, imported
from tests.integration.persistence.builders import InThread, SettableClock

ALL = Selection()
AT_ONCE = Wish("ann", "the shop is back", "all", rate_per_second=1000.0)


@dataclass
class Graveyard:
    """A database with dead letters, and a keeper that replays them by a clock set by hand."""

    engine: sa.Engine
    clock: SettableClock = field(default_factory=SettableClock)

    def __post_init__(self) -> None:
        """Open the database."""
        self.units = UnitsOfWork(self.engine, self.clock)
        self.sent: list[Parcel] = []

    def replayer(self, owner: str = "keeper-1") -> Replayer:
        """Return a keeper's replayer, as after a start."""
        metrics = create_metrics(CollectorRegistry(), version="test")
        return Replayer(self.units, self.sent.extend, metrics, owner=owner, clock=self._seconds)

    def bury(self, many: int, *, reason: str = "remote_unavailable") -> list[UUID]:
        """Give up messages about so many customers; return the messages' ids."""
        parcels = [_imported(str(n)) for n in range(many)]
        with self.units.begin() as work:
            work.store.add(parcels)
        self.give_up(parcels, reason=reason)
        return [each.message_id for each in parcels]

    def give_up(self, parcels: list[Parcel], *, reason: str = "remote_unavailable") -> None:
        """Give these messages up, as a worker does."""
        letters = [
            of_parcel(each, worker="processor", queue="patron.processor", reason=reason)
            for each in parcels
        ]
        with self.units.begin() as work:
            work.store.bury(letters)

    def start(self, wish: Wish = AT_ONCE, selection: Selection = ALL, **changes: bool) -> Job:
        """Begin a job."""
        with self.units.begin() as work:
            return replays.start(work, wish, selection, **changes)

    def advance(self, replayer: Replayer, seconds: float = 1.0) -> None:
        """Let time pass, and the keeper work."""
        self.clock.advance(seconds)
        replayer.advance(lambda: None)

    def handle(self, *, fails: bool = False) -> int:
        """Do as a worker does with all that is owed; return how many messages that were."""
        ids = set(self.owed())
        if fails:
            owed = {each.message_id: each for each in self.sent if each.message_id in ids}
            self.give_up(list(owed.values()), reason="remote_rejected")
        else:
            with self.units.begin() as work:
                work.store.claim(ids)
        return len(ids)

    def states(self) -> dict[str, int]:
        """Return how many letters are in each state."""
        return self._count(dead_letters.c.state)

    def items(self) -> dict[str, int]:
        """Return how many letters of all jobs are in each state."""
        return self._count(replay_items.c.state)

    def job(self, job: Job) -> Job:
        """Return a job as it is now."""
        with self.units.read() as work:
            found = replays.get(work, job.id)
        assert found is not None
        return found

    def owed(self) -> list[UUID]:
        """Return the ids of the messages that are owed."""
        with self.units.read() as work:
            return list(work.connection.execute(sa.select(messages.c.id)).scalars())

    def _seconds(self) -> float:
        return self.clock.now.timestamp()

    def _count(self, column: sa.Column[str]) -> dict[str, int]:
        query = sa.select(column, sa.func.count()).group_by(column)
        with self.units.read() as work:
            return {row[0]: row[1] for row in work.connection.execute(query)}


def _imported(external_id: str) -> Parcel:
    envelope = imported(a_customer(external_id))
    return parcel(envelope.body, channel="shop", subject=external_id, at=NOON)


@pytest.fixture
def graveyard(any_migrated_url: str) -> Iterator[Graveyard]:
    """Give a database of each dialect in turn."""
    engine = create_engine(any_migrated_url, pool_size=5)
    yield Graveyard(engine)
    engine.dispose()


def test_a_letter_becomes_the_very_message_it_was(graveyard: Graveyard) -> None:
    """NEW-4: identity, correlation and bytes are kept, and the timeline tells of it."""
    ids = graveyard.bury(3)
    job = graveyard.start()
    replayer = graveyard.replayer()

    graveyard.advance(replayer)

    assert sorted(graveyard.owed()) == sorted(ids)
    assert [each.message_id for each in graveyard.sent] == ids
    assert [each.correlation_id for each in graveyard.sent] == ids
    assert graveyard.states() == {"replaying": 3}
    with graveyard.units.read() as work:
        events = list(work.connection.execute(sa.select(history.c.event)).scalars())
    assert events == ["message.replayed"] * 3
    assert graveyard.job(job).state == "running"


def test_what_was_handled_is_resolved(graveyard: Graveyard) -> None:
    """A job is over when every letter it sent has come to an end."""
    graveyard.bury(3)
    job, replayer = graveyard.start(), graveyard.replayer()
    graveyard.advance(replayer)

    assert graveyard.handle() == 3
    graveyard.advance(replayer)

    assert graveyard.states() == {"resolved": 3}
    assert graveyard.items() == {"done": 3}
    assert graveyard.job(job).state == "done"


def test_a_replay_is_no_faster_than_asked_for(graveyard: Graveyard) -> None:
    """The rate is kept however seldom the keeper gets to it, and nothing is saved up."""
    graveyard.bury(40)
    graveyard.start(replace(AT_ONCE, rate_per_second=5.0))
    replayer = graveyard.replayer()

    counts = []
    for seconds in (0.0, 1.0, 1.0, 60.0):
        graveyard.advance(replayer, seconds)
        counts.append(len(graveyard.sent))

    assert counts == [5, 10, 15, 20]


def test_what_fails_again_is_the_same_letter(graveyard: Graveyard) -> None:
    """One record for a message, open again with its newest reason and replay (fault 55)."""
    graveyard.bury(1)
    graveyard.start()
    replayer = graveyard.replayer()
    graveyard.advance(replayer)

    graveyard.handle(fails=True)
    graveyard.advance(replayer)

    with graveyard.units.read() as work:
        [letter] = work.connection.execute(sa.select(dead_letters)).all()
    assert (letter.state, letter.reason, letter.replays) == ("open", "remote_rejected", 1)
    assert graveyard.items() == {"failed": 1}


def test_a_job_that_mostly_fails_stops_by_itself(graveyard: Graveyard) -> None:
    """Beyond the limit the rest stays where it is, open."""
    graveyard.bury(100)
    job = graveyard.start(replace(AT_ONCE, rate_per_second=10.0, failure_limit=0.3))
    replayer = graveyard.replayer()
    for _ in range(4):
        graveyard.advance(replayer)
        graveyard.handle(fails=True)

    stopped = graveyard.job(job)
    assert stopped.state == "stopped"
    assert stopped.detail is not None
    assert "failed again" in stopped.detail
    assert len(graveyard.sent) < 40
    assert graveyard.states() == {"open": 100}


def test_a_letter_that_goes_in_circles_is_left_alone(graveyard: Graveyard) -> None:
    """After five replays a letter is only sent again when somebody insists (fault 55)."""
    graveyard.bury(1)
    replayer = graveyard.replayer()
    for _ in range(replays.MOST_REPLAYS):
        graveyard.start()
        graveyard.advance(replayer)
        graveyard.handle(fails=True)
        graveyard.advance(replayer)

    refused, insisted = graveyard.start(), graveyard.start(insists=True)

    assert (refused.total, refused.state) == (0, "done")
    assert insisted.total == 1


def test_two_operators_cannot_replay_the_same_letter(graveyard: Graveyard) -> None:
    """Of two jobs begun at the same time each letter is in one; the other is told so (fault 53)."""
    graveyard.bury(50)

    jobs = [InThread(graveyard.start) for _ in range(2)]
    totals = sorted(job.result().total for job in jobs)

    assert totals == [0, 50]
    graveyard.advance(graveyard.replayer())
    assert len(graveyard.sent) == len(set(graveyard.owed())) == 50


def test_a_letter_that_is_done_is_not_done_again(graveyard: Graveyard) -> None:
    """NEW-4: asking for a resolved letter once more is answered with `already_done` (fault 52)."""
    graveyard.bury(1)
    graveyard.start()
    replayer = graveyard.replayer()
    graveyard.advance(replayer)
    graveyard.handle()
    graveyard.advance(replayer)
    with graveyard.units.read() as work:
        letter_id = work.connection.execute(sa.select(dead_letters.c.id)).scalar_one()

    again = graveyard.start(selection=Selection(ids=(letter_id,)))
    graveyard.advance(replayer)

    assert (again.total, again.state) == (1, "done")
    assert graveyard.items() == {"done": 1, "already_done": 1}
    assert graveyard.owed() == []


def test_a_keeper_that_dies_leaves_its_job_to_the_next(graveyard: Graveyard) -> None:
    """Every letter is sent once, though the keeper changes in the middle of the job (fault 54)."""
    ids = graveyard.bury(20)
    graveyard.start(replace(AT_ONCE, rate_per_second=4.0))
    first, second = graveyard.replayer("keeper-1"), graveyard.replayer("keeper-2")
    graveyard.advance(first)
    graveyard.advance(first)

    graveyard.advance(second)
    while_leased = len(graveyard.sent)
    graveyard.advance(second, 31.0)
    for _ in range(10):
        graveyard.advance(second)

    assert while_leased < 20
    assert [each.message_id for each in graveyard.sent] == ids


def test_a_cancelled_job_leaves_the_rest_open(graveyard: Graveyard) -> None:
    """What was sent goes its way, and is still told in the end; nothing more is sent."""
    graveyard.bury(20)
    job = graveyard.start(replace(AT_ONCE, rate_per_second=5.0))
    replayer = graveyard.replayer()
    graveyard.advance(replayer)
    sent = len(graveyard.sent)

    with graveyard.units.begin() as work:
        assert replays.end(work, job.id, "cancelled", "by ann")
        assert not replays.end(work, job.id, "cancelled", "by ann")
    graveyard.handle()
    graveyard.advance(replayer)

    assert len(graveyard.sent) == sent
    assert graveyard.states() == {"resolved": sent, "open": 20 - sent}
    assert graveyard.job(job).state == "cancelled"


def test_what_still_cannot_be_read_stays_dead(graveyard: Graveyard) -> None:
    """A letter that is no message of this version is skipped, and its neighbours are not."""
    graveyard.bury(2)
    with graveyard.units.begin() as work:
        first = work.connection.execute(sa.select(dead_letters.c.id).limit(1)).scalar_one()
        work.connection.execute(
            sa.update(dead_letters).where(dead_letters.c.id == first).values(schema_version=99)
        )
    graveyard.start()

    graveyard.advance(graveyard.replayer())

    assert graveyard.items() == {"skipped": 1, "sent": 1}
    assert graveyard.states() == {"open": 1, "replaying": 1}


def test_a_letter_that_was_erased_does_not_keep_its_job_from_ending(graveyard: Graveyard) -> None:
    """NEW-11: erasing a person in the middle of a replay leaves the job to the others."""
    graveyard.bury(3)
    job = graveyard.start(replace(AT_ONCE, rate_per_second=1.0))
    replayer = graveyard.replayer()
    graveyard.advance(replayer)
    graveyard.handle()
    with graveyard.units.begin() as work:
        work.connection.execute(sa.delete(dead_letters))

    graveyard.advance(replayer)

    assert graveyard.items() == {"skipped": 3}
    assert graveyard.job(job).state == "done"
