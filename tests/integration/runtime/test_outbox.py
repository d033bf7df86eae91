"""Whatever was committed to be sent reaches the broker, whoever crashed or was away."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import sqlalchemy as sa

from shared.domain.messages import ImportAnswered, Parcel, parcel
from shared.messaging.broker import (
    CONNECTION_LOST,
    Broker,
    BrokerUnavailable,
    Consumption,
    PublishFailed,
    WireMessage,
)
from shared.messaging.codec import MAX_BODY_BYTES, to_wire
from shared.messaging.topology import PROCESSOR_QUEUE, exporter_queue
from shared.persistence import pauses
from shared.persistence.dead_letters import of_parcel
from shared.persistence.tables import dead_letters, staging_customers
from shared.persistence.unit_of_work import utc_now
from shared.runtime.outbox import OutboxSettings
from shared.runtime.publisher import is_republished
from tests.integration.runtime.rig import QUICK, Rig, a_parcel, eventually

# Any queue will do: nothing in it says whose it is.
ANSWERS = exporter_queue("shop")
BUGS = {"worker": "processor", "reason": "bug"}


class Away:
    """A broker that cannot be reached until it is `back`."""

    def __init__(self, broker: Broker) -> None:
        self._broker = broker
        self.is_back = False
        self.refused = 0

    def publish(self, messages: Sequence[WireMessage]) -> None:
        """Publish, once it is back."""
        if not self.is_back:
            self.refused += 1
            raise BrokerUnavailable("connection refused")
        self._broker.publish(messages)

    def consume(self, queue: str, prefetch: int) -> Consumption:
        """Subscribe."""
        return self._broker.consume(queue, prefetch)

    def depth(self, queue: str) -> int:
        """Return the depth of `queue`."""
        return self._broker.depth(queue)

    @property
    def is_blocked(self) -> bool:
        """Whether the broker is."""
        return self._broker.is_blocked

    @property
    def is_connected(self) -> bool:
        """Whether it is back."""
        return self.is_back

    def close(self) -> None:
        """Leave closing to the owner of the broker."""


class Losing(Away):
    """A broker whose connection is lost whenever something was sent."""

    def publish(self, messages: Sequence[WireMessage]) -> None:
        """Leave open what became of the messages."""
        raise PublishFailed({m.message_id: CONNECTION_LOST for m in messages if m.message_id})


def an_answer(queue: str) -> Parcel:
    """Return an answer to somebody who waits at `queue`."""
    return parcel(
        ImportAnswered(channel="shop", external_id="1", answer="waiting", reason="timeout"),
        channel="shop",
        subject="1",
        at=utc_now(),
        reply_to=queue,
        reply_id="order 4711",
    )


def waiting(rig: Rig) -> int:
    """Return how many messages wait in the processor's queue."""
    return rig.broker.depth(PROCESSOR_QUEUE)


def test_what_a_crashed_sender_left_behind_is_published_by_the_relay(rig: Rig) -> None:
    """A commit without a publication is made good for by any worker's relay."""
    parcel = a_parcel("1")
    rig.owe(parcel)

    with rig.running():
        eventually(lambda: waiting(rig) == 1)
        eventually(lambda: rig.owed()[parcel.message_id].published_at)


def test_what_was_offered_is_published_without_waiting_for_the_relay(rig: Rig) -> None:
    """The fast road: published right after the commit, long before the relay looks."""
    rig.outbox = rig.an_outbox(OutboxSettings(relay_every_seconds=3600))
    parcels = [a_parcel(str(number)) for number in range(50)]

    with rig.running():
        rig.send(*parcels)
        eventually(lambda: waiting(rig) == 50)
        eventually(lambda: all(row.published_at for row in rig.owed().values()))

    assert rig.count("publish_total", result="confirmed") == 50


def test_a_stopping_outbox_publishes_what_it_was_offered(rig: Rig) -> None:
    """Stopping drains: nothing is left to the next process that need not be."""
    rig.send(*[a_parcel(str(number)) for number in range(20)])

    with rig.running():
        pass

    assert waiting(rig) == 20


def test_while_the_broker_is_away_messages_wait_in_the_store(rig: Rig) -> None:
    """A broker that is down at the time of publishing gets the messages when it is back."""
    away = Away(rig.broker)
    rig.outbox = rig.an_outbox(QUICK, away)
    rig.owe(a_parcel("1"))

    with rig.running():
        rig.send(a_parcel("2"))
        eventually(lambda: away.refused)
        assert waiting(rig) == 0
        away.is_back = True
        # The second stands back for the grace that its own sender is given.
        eventually(lambda: waiting(rig) == 1)
        rig.owe(a_parcel("3"))
        eventually(lambda: waiting(rig) == 2)

    assert rig.count("publish_total", result="unavailable") >= 1


def test_two_relays_do_not_publish_the_same(rig: Rig) -> None:
    """Two workers' relays share the work, each row published by one of them (fault 59)."""
    rig.owe(*[a_parcel(str(number)) for number in range(200)])
    small = OutboxSettings(batch_size=7, relay_every_seconds=0.01)
    rig.outbox, other = rig.an_outbox(small), rig.an_outbox(small)

    with rig.running([other]):
        eventually(lambda: all(row.published_at for row in rig.owed().values()))

    assert waiting(rig) == 200


def test_a_message_nobody_can_route_does_not_hold_up_the_others(rig: Rig) -> None:
    """An unroutable message stays owed for later, with a counter; the others pass (fault 12)."""
    lost = a_parcel("1", routing_key="customer.export.nowhere")
    rig.owe(lost, a_parcel("2"))

    with rig.running():
        eventually(lambda: waiting(rig) == 1)
        eventually(lambda: rig.count("publish_total", result="unroutable"))

    row = rig.owed()[lost.message_id]
    assert row.published_at is None
    assert row.available_at > utc_now()


def test_an_answer_is_done_with_when_it_is_published(rig: Rig) -> None:
    """MYOB-4: it is in the asker's queue, and nobody of ours owes it any more."""
    answer = an_answer(ANSWERS)

    with rig.running():
        rig.send(answer, a_parcel("1"))
        eventually(lambda: waiting(rig) == 1)
        eventually(lambda: answer.message_id not in rig.owed())

    assert rig.broker.depth(ANSWERS) == 1
    assert len(rig.owed()) == 1
    assert rig.count("publish_total", result="confirmed") == 2


def test_an_answer_that_its_sender_left_behind_is_published_by_the_relay(rig: Rig) -> None:
    """MYOB-4: a crash between the decision and its answer keeps nobody waiting for ever."""
    rig.owe(an_answer(ANSWERS))

    with rig.running():
        eventually(lambda: not rig.owed())

    assert rig.broker.depth(ANSWERS) == 1


def test_an_answer_that_nobody_takes_is_dropped_and_counted(rig: Rig) -> None:
    """MYOB-4: the asker has left; it is neither tried again nor a dead letter."""
    rig.owe(an_answer("no.such.queue"), a_parcel("1"))

    with rig.running():
        eventually(lambda: waiting(rig) == 1)
        eventually(lambda: len(rig.owed()) == 1)

    assert rig.count("publish_total", result="reply_dropped") == 1
    assert rig.count("publish_total", result="unroutable") == 0
    assert rig.buried() == []


def test_an_answer_outlives_an_outage_of_the_broker(embedded_rig: Rig) -> None:
    """MYOB-4: what was not confirmed is tried again, for whoever waits through it."""
    rig = embedded_rig
    answer = an_answer(ANSWERS)
    rig.owe(answer)
    rig.outbox = rig.an_outbox(QUICK, Losing(rig.broker))

    with rig.running():
        eventually(lambda: rig.count("publish_total", result="connection_lost"))

    row = rig.owed()[answer.message_id]
    assert row.published_at is None
    assert row.available_at > row.created_at


def test_a_message_too_large_for_the_road_is_buried(embedded_rig: Rig) -> None:
    """What can never be published is a dead letter with its size and hash (fault 22)."""
    rig = embedded_rig
    large = a_parcel("1", body=b"x" * (MAX_BODY_BYTES + 1))
    rig.owe(large, a_parcel("2"))

    with rig.running():
        eventually(lambda: rig.buried() and waiting(rig) == 1)

    [letter] = rig.buried()
    assert (letter.message_id, letter.reason) == (large.message_id, "oversized")
    assert letter.body_size == MAX_BODY_BYTES + 1


def test_what_was_published_and_lost_is_published_again(rig: Rig) -> None:
    """Unfinished, published long ago, in no queue: published again, and marked as such."""
    parcel = a_parcel("1")
    rig.owe(parcel, published=True)
    impatient = OutboxSettings(
        relay_every_seconds=0.05, reconcile_every_seconds=0.05, unfinished_after_seconds=0.2
    )
    rig.outbox = rig.an_outbox(impatient)

    with rig.running():
        eventually(lambda: waiting(rig) == 1)

    consumption = rig.broker.consume(PROCESSOR_QUEUE, 10)
    [delivery, *_] = consumption.take(1, 5.0)
    consumption.close()
    assert delivery.message.message_id == parcel.message_id
    assert is_republished(delivery.message)


def test_what_waits_in_its_queue_is_not_published_again(rig: Rig) -> None:
    """However old, a message that is seen to wait in its queue is left there."""
    parcels = [a_parcel("1"), a_parcel("2")]
    rig.owe(*parcels, published=True)
    rig.broker.publish([to_wire(parcel) for parcel in parcels])
    marked_at = [row.published_at for row in rig.owed().values()]
    impatient = OutboxSettings(
        relay_every_seconds=0.05, reconcile_every_seconds=0.05, unfinished_after_seconds=0.0
    )
    rig.outbox = rig.an_outbox(impatient)

    with rig.running():
        eventually(lambda: all(r.published_at > max(marked_at) for r in rig.owed().values()))

    assert waiting(rig) == 2


def test_an_embedded_broker_is_refilled_when_it_starts(embedded_rig: Rig) -> None:
    """It comes up empty: what was published is published again, leases of the dead are void."""
    rig = embedded_rig
    leased, other = a_parcel("1"), a_parcel("2")
    rig.owe(leased, other, published=True)
    with rig.units.begin() as work:
        work.store.lease([leased.message_id], "dead", work.now.replace(year=2100))
    rig.outbox = rig.an_outbox(replace(QUICK, restores=True))

    with rig.running():
        eventually(lambda: waiting(rig) == 2)

    assert all(row.lease_owner is None for row in rig.owed().values())


def test_the_backlog_is_measured(embedded_rig: Rig) -> None:
    """How much is due, and since when, is there for the alert on a lagging outbox."""
    rig = embedded_rig
    rig.outbox = rig.an_outbox(
        OutboxSettings(relay_every_seconds=0.02, measure_every_seconds=0.02), Away(rig.broker)
    )
    rig.owe(a_parcel("1"), a_parcel("2"))

    with rig.running():
        eventually(lambda: gauge(rig, "outbox_pending") == 2)
        eventually(lambda: gauge(rig, "outbox_oldest_seconds"))


def test_what_waits_for_a_person_is_measured(embedded_rig: Rig) -> None:
    """Open dead letters and paused channels show, and stop showing when they are dealt with."""
    rig = embedded_rig
    parcel = a_parcel("1")
    rig.outbox = rig.an_outbox(
        OutboxSettings(relay_every_seconds=0.02, measure_every_seconds=0.02), rig.broker
    )
    rig.owe(parcel, published=True)
    with rig.units.begin() as work:
        work.store.bury([of_parcel(parcel, worker="processor", queue="q", reason="bug")])
        until = work.now + timedelta(minutes=5)
        pauses.pause(work, "shop", reason="configuration", detail="-", retry_at=until)

    with rig.running():
        eventually(lambda: gauge(rig, "dead_letters_open", **BUGS) == 1)
        eventually(lambda: gauge(rig, "channel_paused", channel="shop") == 1)
        with rig.units.begin() as work:
            pauses.lift(work, ["shop"])
            work.connection.execute(sa.update(dead_letters).values(state="resolved"))
        eventually(lambda: gauge(rig, "channel_paused", channel="shop") == 0)
        eventually(lambda: gauge(rig, "dead_letters_open", **BUGS) == 0)
        assert gauge(rig, "dead_letter_oldest_seconds", **BUGS) == 0


def test_held_customers_are_measured_apart_from_failures(embedded_rig: Rig) -> None:
    """NEW-13: how many wait in each state and since when; a state that empties goes to nothing."""
    rig = embedded_rig
    rig.outbox = rig.an_outbox(
        OutboxSettings(relay_every_seconds=0.02, measure_every_seconds=0.02), rig.broker
    )
    with rig.units.begin() as work:
        work.bulk.insert(staging_customers, [a_held_row(work.now - timedelta(hours=2))])

    with rig.running():
        eventually(lambda: gauge(rig, "staging_open", state="held") == 1)
        eventually(lambda: gauge(rig, "staging_open", state="ambiguous") == 0)
        eventually(lambda: (gauge(rig, "staging_oldest_seconds", state="held") or 0) >= 7200)
        assert gauge(rig, "dead_letters_open", **BUGS) is None
        with rig.units.begin() as work:
            work.connection.execute(sa.update(staging_customers).values(state="processed"))
        eventually(lambda: gauge(rig, "staging_open", state="held") == 0)

    assert gauge(rig, "staging_oldest_seconds", state="held") == 0


def gauge(rig: Rig, name: str, **labels: Any) -> float | None:
    """Return the value of a gauge."""
    return rig.registry.get_sample_value(f"patron_{name}", labels)


def a_held_row(since: datetime) -> dict[str, Any]:
    """Return a row of staging that has been held for a while."""
    moments = dict.fromkeys(("changed_at", "read_at", "created_at", "updated_at"), since)
    ids = {name: uuid4() for name in ("id", "message_id", "correlation_id")}
    return {
        **moments, **ids, "channel": "shop", "external_id": "1", "store_view": "de",
        "state": "held", "reason": "no_template", "is_existing": False, "config_version": "v",
        "body": b"{}", "explanation": b"{}",
    }  # fmt: skip
