"""The consumer settles every message exactly once, whatever happens to it."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.errors import AccessDenied, ChannelDown, RemoteRejected, RemoteUnavailable
from shared.domain.messages import Envelope
from shared.messaging.broker import Delivery, WireMessage
from shared.messaging.codec import to_wire
from shared.messaging.topology import PROCESSOR_QUEUE, dead_queue
from shared.persistence.failures import DatabaseContended, DatabaseUnavailable
from shared.persistence.unit_of_work import UnitOfWork, utc_now
from tests.integration.runtime.rig import Process, Rig, a_parcel, eventually


def nothing(envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
    """Be content with every message."""


def failing(subject: str, *errors: Exception) -> Process:
    """Return a handler that fails on one subject with each of `errors` in turn, then no more."""
    remaining = list(errors)

    def process(envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
        if remaining and any(envelope.subject == subject for envelope in envelopes):
            # Only a message on its own uses an error up: batches are split for the same one.
            raise remaining.pop(0) if len(envelopes) == 1 else remaining[0]

    return process


def test_a_message_is_handled_once_and_forgotten(rig: Rig) -> None:
    """What was sent is handled, acknowledged, and no longer owed."""
    with rig.consuming(rig.transactional(nothing)):
        rig.send(a_parcel("1"))

        assert rig.next_seen() == ["1"]
        eventually(lambda: rig.settled("done"))

    assert rig.owed() == {}
    assert rig.broker.depth(PROCESSOR_QUEUE) == 0


def test_what_a_handler_sends_is_on_its_way_after_the_commit(rig: Rig) -> None:
    """Follow-up messages are owed with the state change and published right afterwards."""

    def forward(envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
        work.send([a_parcel("2") for each in envelopes if each.subject == "1"])

    with rig.consuming(rig.transactional(forward)):
        rig.send(a_parcel("1"))

        assert [rig.next_seen(), rig.next_seen()] == [["1"], ["2"]]
        eventually(lambda: rig.settled("done") == 2)

    assert rig.owed() == {}


def test_a_copy_of_a_message_is_acknowledged_and_counted(rig: Rig) -> None:
    """A message that comes again, later or in the same batch, is not handled again (fault 8)."""
    parcel = a_parcel("1")
    rig.owe(parcel, published=True)
    rig.broker.publish([to_wire(parcel), to_wire(parcel)])

    with rig.consuming(rig.transactional(nothing)):
        eventually(lambda: rig.settled("duplicate") == 1)
        rig.broker.publish([to_wire(parcel)])
        eventually(lambda: rig.settled("duplicate") == 2)

    assert rig.all_seen() == [["1"]]
    assert rig.settled("done") == 1


def test_what_is_no_message_is_buried_and_stops_nobody(rig: Rig) -> None:
    """Undecodable bytes go to the dead letters at once; the next message is handled."""
    parcel = a_parcel("1")
    rig.owe(parcel, published=True)
    garbage = replace(to_wire(a_parcel()), body=b"\xff\x00", message_id=a_parcel().message_id)
    stranger = WireMessage(
        "customer.deleted", b"{", None, "customer.deleted", None, None, "application/json"
    )
    rig.broker.publish([garbage, replace(stranger, message_id=a_parcel().message_id)])
    rig.broker.publish([to_wire(parcel)])

    with rig.consuming(rig.transactional(nothing)):
        assert rig.next_seen() == ["1"]
        eventually(lambda: rig.settled("done"))

    assert [row.reason for row in rig.buried()] == ["undecodable"] * 2
    assert {row.worker for row in rig.buried()} == {"processor"}
    assert rig.count("dead_letters_total", worker="processor", reason="undecodable") == 2
    in_dead_queue(rig, 2)


def test_a_bad_message_is_given_up_alone(rig: Rig) -> None:
    """A bug hits one message: its neighbours are done, it is dead after its attempts."""
    parcels = [a_parcel(subject) for subject in ("1", "2", "bad", "4", "5")]
    rig.owe(*parcels, published=True)
    rig.broker.publish([to_wire(parcel) for parcel in parcels])
    bugs = [ValueError("ann@example.com") for _ in range(3)]

    with rig.consuming(rig.transactional(failing("bad", *bugs))):
        eventually(lambda: rig.settled("done") == 4 and rig.settled("dead") == 1)

    [letter] = rig.buried()
    assert (letter.message_id, letter.reason, letter.attempts) == (parcels[2].message_id, "bug", 3)
    assert letter.body == parcels[2].body
    assert letter.error_class == "ValueError"
    assert "ann@" not in letter.error
    assert (letter.config_version, letter.channel, letter.subject) == ("c1", "shop", "bad")
    assert rig.settled("retried") == 2
    assert rig.owed() == {}
    in_dead_queue(rig, 1)


def test_a_passing_failure_comes_back_by_the_relay(rig: Rig) -> None:
    """A transient failure is written down, acknowledged, and tried again when it is due."""
    process = failing("1", RemoteUnavailable("timeout"), RemoteUnavailable("timeout"))

    with rig.consuming(rig.transactional(process)):
        rig.send(a_parcel("1"))
        eventually(lambda: rig.settled("done"))

    assert rig.all_seen() == [["1"]] * 3
    assert rig.settled("retried") == 2
    assert rig.owed() == {}
    assert rig.buried() == []


def test_a_hopeless_message_is_not_tried_twice(rig: Rig) -> None:
    """A permanent error is a dead letter at the first time."""
    with rig.consuming(rig.transactional(failing("1", RemoteRejected("field email")))):
        rig.send(a_parcel("1"))
        eventually(lambda: rig.settled("dead"))

    [letter] = rig.buried()
    assert (letter.reason, letter.error, letter.attempts) == ("remote_rejected", "field email", 1)
    assert rig.all_seen() == [["1"]]


def test_a_wrong_setup_pauses_the_channel_and_uses_no_attempt(embedded_rig: Rig) -> None:
    """The message waits until the pause is over; the pause says why."""
    rig, parcel = embedded_rig, a_parcel("1")
    rig.owe(parcel, published=True)
    rig.broker.publish([to_wire(parcel)])

    with rig.consuming(rig.transactional(failing("1", AccessDenied("token refused")))):
        eventually(lambda: rig.settled("paused"))

    row = rig.owed()[parcel.message_id]
    [pause] = rig.pauses()
    assert (row.attempts, row.last_reason, row.published_at) == (0, "access_denied", None)
    assert row.available_at == pause.retry_at > utc_now() + timedelta(minutes=50)
    assert (pause.channel, pause.reason, pause.detail) == ("shop", "access_denied", "token refused")


def test_waiting_uses_no_attempt_even_of_what_was_delivered_before(rig: Rig) -> None:
    """A start that was counted first is given back when the channel has to wait."""
    parcel = a_parcel("1")
    rig.owe(parcel, published=True)
    rig.broker.publish([replace(to_wire(parcel), headers=flagged(parcel))])

    with rig.consuming(rig.transactional(failing("1", ChannelDown("down")))):
        eventually(lambda: rig.settled("paused"))

    assert rig.owed()[parcel.message_id].attempts == 0


def test_a_message_from_outside_is_handled_once(rig: Rig) -> None:
    """A foreign message has no row: its id is remembered, and a copy is a duplicate."""
    message = from_outside("1")

    with rig.consuming(rig.transactional(nothing)):
        rig.broker.publish([message])
        eventually(lambda: rig.settled("done"))
        rig.broker.publish([message])
        eventually(lambda: rig.settled("duplicate"))

    assert len(rig.all_seen()) == 1
    [row] = rig.foreign()
    assert (row.id, row.done) == (message.message_id, True)


def test_a_message_from_outside_that_fails_becomes_ours(rig: Rig) -> None:
    """A foreign message gets a row with its first retry and comes back by the relay."""
    message = from_outside("1")
    process = failing("1", RemoteUnavailable("timeout"))

    with rig.consuming(rig.transactional(process)):
        rig.broker.publish([message])
        eventually(lambda: rig.settled("done"))

    assert rig.all_seen() == [["1"]] * 2
    assert rig.owed() == {}


def test_conflicts_are_retried_on_the_spot(embedded_rig: Rig) -> None:
    """A deadlock costs no attempt and no round through the broker (fault 30)."""
    rig = embedded_rig
    process = failing("1", *[DatabaseContended("40P01")] * 4)

    with rig.consuming(rig.transactional(process)):
        rig.send(a_parcel("1"))
        eventually(lambda: rig.settled("done"))

    assert rig.settled("retried") == 0
    assert rig.count("database_errors_total", worker="processor", kind="database_contended") == 4


def test_nothing_is_acknowledged_while_the_database_is_away(rig: Rig) -> None:
    """The batch in hand waits for the database, then is handled; no attempt used (fault 28)."""
    parcels = [a_parcel("1"), a_parcel("2")]
    rig.owe(*parcels, published=True)
    rig.broker.publish([to_wire(parcel) for parcel in parcels])
    outages = [DatabaseUnavailable("57P01")]

    def process(envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
        if outages:
            assert rig.settled("done") == 0
            raise outages.pop()

    with rig.consuming(rig.transactional(process)):
        eventually(lambda: rig.settled("done") == 2)

    interrupted, again, *rest = rig.all_seen()
    assert again == interrupted
    assert [subject for batch in (again, *rest) for subject in batch] == ["1", "2"]
    assert rig.settled("retried") == 0


def test_stopping_during_an_outage_leaves_the_batch_to_the_next_process(rig: Rig) -> None:
    """A worker that is stopped while it waits for the database settles nothing."""
    parcel = a_parcel("1")

    def unreachable(envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
        raise DatabaseUnavailable("08006")

    with rig.consuming(rig.transactional(unreachable)):
        rig.send(parcel)
        rig.next_seen()
    with rig.consuming(rig.transactional(nothing)):
        eventually(lambda: rig.settled("done"))

    assert rig.owed() == {}


def test_what_was_delivered_before_runs_alone_and_is_counted(rig: Rig) -> None:
    """After a consumer died with a batch, each of its messages is handled by itself."""
    parcels = [a_parcel("1"), a_parcel("2")]
    rig.owe(*parcels, published=True)
    rig.broker.publish([to_wire(parcel) for parcel in parcels])
    dying = rig.broker.consume(PROCESSOR_QUEUE, 10)
    taken: list[Delivery] = []
    while len(taken) < len(parcels):
        taken += dying.take(10, 5.0)
    dying.close()
    attempts: list[int] = []

    def process(envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
        attempts.extend(rig.owed()[envelope.message_id].attempts for envelope in envelopes)

    with rig.consuming(rig.transactional(process)):
        eventually(lambda: rig.settled("done") == 2)

    assert sorted(rig.all_seen()) == [["1"], ["2"]]
    assert attempts == [1, 1]


@pytest.mark.parametrize("failed_before", [False, True])
def test_starts_without_an_end_are_bounded(embedded_rig: Rig, *, failed_before: bool) -> None:
    """A message that was started too often is poison; one that also failed orderly may go on."""
    rig, parcel = embedded_rig, a_parcel("1")
    rig.owe(parcel, published=True)
    with rig.units.begin() as work:
        if failed_before:
            work.connection.exec_driver_sql("UPDATE messages SET first_failed_at = created_at")
        work.store.count_start(parcel.message_id)
    rig.broker.publish([replace(to_wire(parcel), headers=flagged(parcel))])

    with rig.consuming(rig.transactional(nothing), max_starts=2):
        eventually(lambda: rig.settled("done") or rig.settled("dead"))

    assert rig.all_seen() == ([["1"]] if failed_before else [])
    assert [row.reason for row in rig.buried()] == ([] if failed_before else ["poison"])


def test_a_closed_gate_holds_the_consumer_back(embedded_rig: Rig) -> None:
    """While the gate is closed nothing is taken; the consumer stays subscribed."""
    rig = embedded_rig
    parcel = a_parcel("1")
    answers = [0.01, 0.01]

    class Gate:
        def closed_for(self) -> float:
            assert answers == [] or rig.broker.depth(PROCESSOR_QUEUE) == 1
            return answers.pop() if answers else 0.0

    rig.owe(parcel, published=True)
    rig.broker.publish([to_wire(parcel)])
    with rig.consuming(rig.transactional(nothing), gate=Gate()) as consumer:
        assert rig.next_seen() == ["1"]
        assert consumer.readiness() is None

    assert consumer.readiness() == "not consuming patron.processor"


def test_a_batch_takes_what_is_there_and_no_more(rig: Rig) -> None:
    """Batches are bounded by their size and keep the order of the queue."""
    parcels = [a_parcel(str(number)) for number in range(25)]
    rig.owe(*parcels, published=True)
    rig.broker.publish([to_wire(parcel) for parcel in parcels])

    with rig.consuming(rig.transactional(nothing), batch_size=10, prefetch=30):
        eventually(lambda: rig.settled("done") == 25)

    batches = rig.all_seen()
    assert [subject for batch in batches for subject in batch] == [str(n) for n in range(25)]
    assert max(map(len, batches)) <= 10


def from_outside(external_id: str) -> WireMessage:
    """Return a message that another team publishes: a type, a body, an id."""
    parcel = a_parcel(external_id)
    return replace(to_wire(parcel), headers={}, correlation_id=None, app_id=None)


def flagged(parcel: Any) -> dict[str, object]:
    """Return the headers of a message that was published again."""
    return {**to_wire(parcel).headers, "x-patron-republished": True}


def in_dead_queue(rig: Rig, many: int) -> None:
    """Check that the broker has the rejected bytes too, where it has a dead-letter exchange."""
    if "Embedded" not in type(rig.broker).__name__:
        eventually(lambda: rig.broker.depth(dead_queue("processor")) == many)
