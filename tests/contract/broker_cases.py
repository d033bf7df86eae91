"""What every broker adapter must do: the port's promises as tests.

A test class for an adapter inherits `BrokerCases` and provides the fixture `broker`, connected,
with the topology of the channel `shop` and empty queues, and the fixture `asker`: another program
with a queue of its own.
"""

import re
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from typing import Protocol
from uuid import UUID, uuid4

import pytest

from shared.domain.errors import ConfigurationError
from shared.messaging.broker import (
    UNROUTABLE,
    Broker,
    Consumption,
    Delivery,
    PublishFailed,
    WireMessage,
)
from shared.messaging.topology import PROCESSOR_QUEUE, exporter_queue, topology_for

TOPOLOGY = topology_for(["shop", "store"])
QUEUE = PROCESSOR_QUEUE
PATIENCE_SECONDS = 10.0


def a_message(
    body: bytes = b"{}", *, key: str = "customer.imported", headers: dict[str, object] | None = None
) -> WireMessage:
    """Return a message for the processor's queue."""
    return WireMessage(
        routing_key=key,
        body=body,
        message_id=uuid4(),
        type="customer.imported",
        correlation_id=str(uuid4()),
        timestamp=datetime(2026, 11, 22, 10, 30, tzinfo=UTC),
        content_type="application/json",
        content_encoding="utf-8",
        headers=headers or {},
    )


def numbered(count: int) -> list[WireMessage]:
    """Return messages whose bodies are their places in the list."""
    return [a_message(b"%d" % number) for number in range(count)]


def ids(deliveries: Sequence[Delivery]) -> list[UUID | None]:
    """Return the message ids of deliveries."""
    return [delivery.message.message_id for delivery in deliveries]


def take_all(consumption: Consumption, count: int) -> list[Delivery]:
    """Take exactly so many deliveries, or as many as come while patience lasts."""
    taken: list[Delivery] = []
    deadline = time.monotonic() + PATIENCE_SECONDS
    while len(taken) < count and time.monotonic() < deadline:
        taken += consumption.take(count - len(taken), 0.2)
    return taken


def wait_until(condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS) -> bool:
    """Look again and again until something is so; say whether it became so."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class Asker(Protocol):
    """Another program, which waits for answers in a queue of its own."""

    queue: str

    def answer(self) -> tuple[bytes, str] | None:
        """Return body and correlation id of the next answer, if there is one."""
        ...

    def leave(self) -> None:
        """Go away, and take the queue along."""
        ...


def a_reply(queue: str, body: bytes = b'{"answer": "customer"}') -> WireMessage:
    """Return a message for whoever has made `queue`."""
    return replace(
        a_message(body, key=queue), is_direct=True, correlation_id="order 4711 / übrige Teile"
    )


def answer_of(asker: Asker) -> tuple[bytes, str] | None:
    """Return the next answer, waiting for it."""
    found: list[tuple[bytes, str] | None] = []

    def has_come() -> bool:
        found.append(asker.answer())
        return found[-1] is not None

    wait_until(has_come)
    return found[-1]


class BrokerCases:
    """Inherited by the test class of each adapter."""

    large_batch = 2500

    @pytest.fixture
    def consumption(self, broker: Broker) -> Iterator[Consumption]:
        """Give a subscription to the processor's queue."""
        with closing(broker.consume(QUEUE, prefetch=100)) as consumption:
            yield consumption

    def test_a_published_message_is_delivered_as_it_was(
        self, broker: Broker, consumption: Consumption
    ) -> None:
        """Body, id, type, correlation, time, content type and headers survive the way."""
        headers = {"schema_version": 1, "subject": "shop/17", "occurred_at": "2026-11-22T10:30Z"}
        message = a_message('{"name": "Zoë 🦊"}'.encode(), headers=headers)

        broker.publish([message])

        [delivery] = take_all(consumption, 1)
        assert delivery.message == message
        assert delivery.queue == QUEUE
        assert not delivery.redelivered

    def test_each_message_goes_to_the_queue_of_its_key(self, broker: Broker) -> None:
        """Exports reach their channel's own queue and no other."""
        message = a_message(key="customer.export.store")

        broker.publish([message])

        with closing(broker.consume(exporter_queue("store"), 10)) as store:
            assert ids(take_all(store, 1)) == [message.message_id]
        assert broker.depth(exporter_queue("shop")) == 0
        assert broker.depth(QUEUE) == 0

    def test_a_reply_reaches_the_queue_that_it_names(self, broker: Broker, asker: Asker) -> None:
        """MYOB-4: past the exchange, with the asker's own correlation; others go their way."""
        message = a_message()

        broker.publish([message, a_reply(asker.queue)])

        assert answer_of(asker) == (b'{"answer": "customer"}', "order 4711 / übrige Teile")
        with closing(broker.consume(QUEUE, 10)) as consumption:
            assert ids(take_all(consumption, 1)) == [message.message_id]

    def test_where_an_answer_goes_is_delivered(
        self, broker: Broker, consumption: Consumption
    ) -> None:
        """MYOB-4: the property `reply_to` survives the way."""
        question = replace(a_message(), reply_to="answers.of.the.order.import")

        broker.publish([question])

        [delivery] = take_all(consumption, 1)
        assert delivery.message.reply_to == "answers.of.the.order.import"

    def test_publishing_nothing_is_nothing(self, broker: Broker) -> None:
        """An empty batch returns at once."""
        broker.publish([])

        assert broker.depth(QUEUE) == 0

    def test_a_message_without_an_id_is_refused(self, broker: Broker) -> None:
        """Its failure could not be named, so it is a programming error to publish it."""
        nameless = WireMessage("customer.imported", b"{}", None, "", None, None, None)

        with pytest.raises(ValueError, match="id"):
            broker.publish([nameless])

    def test_unroutable_messages_are_named_and_the_others_are_safe(
        self, broker: Broker, consumption: Consumption
    ) -> None:
        """A key without a queue fails that message only."""
        good, bad = a_message(), a_message(key="customer.export.nowhere")

        with pytest.raises(PublishFailed) as failure:
            broker.publish([good, bad, bad_twin := a_message(key="no.such.key")])

        assert failure.value.failed == {
            bad.message_id: UNROUTABLE,
            bad_twin.message_id: UNROUTABLE,
        }
        assert ids(take_all(consumption, 1)) == [good.message_id]

    def test_messages_arrive_in_the_order_of_publishing(
        self, broker: Broker, consumption: Consumption
    ) -> None:
        """Within a batch and from batch to batch."""
        messages = numbered(90)

        for start in range(0, 90, 30):
            broker.publish(messages[start : start + 30])

        bodies = [int(each.message.body) for each in take_all(consumption, 90)]
        assert bodies == list(range(90))

    def test_a_large_batch_is_published_whole(self, broker: Broker) -> None:
        """More messages than any window holds are confirmed in one call."""
        broker.publish(numbered(self.large_batch))

        assert wait_until(lambda: broker.depth(QUEUE) == self.large_batch)

    def test_a_large_body_arrives_whole(self, broker: Broker, consumption: Consumption) -> None:
        """A megabyte of any bytes, many frames long."""
        message = a_message(bytes(range(256)) * 4096)

        broker.publish([message])

        [delivery] = take_all(consumption, 1)
        assert delivery.message.body == message.body

    def test_an_empty_body_arrives_empty(self, broker: Broker, consumption: Consumption) -> None:
        """No bytes are a message too."""
        broker.publish([a_message(b"")])

        [delivery] = take_all(consumption, 1)
        assert delivery.message.body == b""

    def test_many_threads_publish_at_once(self, broker: Broker) -> None:
        """Each call knows about its own messages; none is lost or blamed on another."""

        def publish(number: int) -> Sequence[UUID | None]:
            batch = [*numbered(20), a_message(key=f"no.such.key.{number}")]
            with pytest.raises(PublishFailed) as failure:
                broker.publish(batch)
            assert list(failure.value.failed) == [batch[-1].message_id]
            return [each.message_id for each in batch[:-1]]

        with ThreadPoolExecutor(4) as threads:
            published = {each for batch in threads.map(publish, range(12)) for each in batch}

        with closing(broker.consume(QUEUE, prefetch=500)) as consumption:
            assert set(ids(take_all(consumption, 240))) == published

    def test_no_more_than_the_prefetch_is_in_hand(self, broker: Broker) -> None:
        """Further deliveries wait until some are settled."""
        broker.publish(numbered(10))

        with closing(broker.consume(QUEUE, prefetch=4)) as consumption:
            first = take_all(consumption, 4)
            beyond = consumption.take(10, 0.3)
            consumption.settle(first[:3])
            more = take_all(consumption, 3)

        assert len(first) == 4
        assert beyond == []
        assert [int(each.message.body) for each in more] == [4, 5, 6]

    def test_take_returns_no_more_than_asked_for(
        self, broker: Broker, consumption: Consumption
    ) -> None:
        """The rest is there for the next call."""
        broker.publish(numbered(5))
        assert wait_until(lambda: broker.depth(QUEUE) == 0 or consumption.is_active)

        first = take_all(consumption, 2)
        rest = take_all(consumption, 3)

        assert [int(each.message.body) for each in first + rest] == [0, 1, 2, 3, 4]

    def test_take_gives_up_after_its_time(self, consumption: Consumption) -> None:
        """An empty queue costs the time asked for, and returns nothing."""
        started = time.monotonic()

        taken = consumption.take(10, 0.3)

        assert taken == []
        assert 0.25 < time.monotonic() - started < 2

    def test_a_waiting_take_returns_as_soon_as_a_message_comes(
        self, broker: Broker, consumption: Consumption
    ) -> None:
        """Nobody waits for a poll interval."""
        delays = []
        with ThreadPoolExecutor(1) as threads:
            for _ in range(3):
                waiting = threads.submit(consumption.take, 10, PATIENCE_SECONDS)
                broker.publish([a_message()])
                published = time.monotonic()
                assert len(waiting.result(PATIENCE_SECONDS)) == 1
                delays.append(time.monotonic() - published)

        # The machine may stand still once, but hardly each time.
        assert min(delays) < 1

    def test_wake_ends_a_waiting_take(self, consumption: Consumption) -> None:
        """Shutting down does not wait for a message; a wake before the take counts too."""
        with ThreadPoolExecutor(1) as threads:
            waiting = threads.submit(consumption.take, 10, PATIENCE_SECONDS)
            consumption.wake()
            taken = waiting.result(PATIENCE_SECONDS / 2)

        assert taken == []

    def test_a_woken_take_takes_nothing(self, broker: Broker, consumption: Consumption) -> None:
        """Whoever was woken may have to stop, or to pause, before anything more is handled."""
        broker.publish(numbered(2))
        [first] = take_all(consumption, 1)

        consumption.wake()
        woken = consumption.take(10, PATIENCE_SECONDS)
        second = consumption.take(10, PATIENCE_SECONDS)

        assert woken == []
        assert [each.message.body for each in (first, *second)] == [b"0", b"1"]

    def test_settled_messages_are_gone(self, broker: Broker) -> None:
        """Acknowledged in any order, in part or whole: what was settled never comes again."""
        broker.publish(numbered(9))

        with closing(broker.consume(QUEUE, prefetch=100)) as consumption:
            taken = take_all(consumption, 9)
            consumption.settle([taken[6], taken[2], taken[0]])
            consumption.settle([taken[1], taken[3]], rejects=[taken[4]])
        with closing(broker.consume(QUEUE, prefetch=100)) as consumption:
            left = take_all(consumption, 3)
            consumption.settle(left)

        assert sorted(int(each.message.body) for each in left) == [5, 7, 8]
        assert broker.depth(QUEUE) == 0

    def test_settling_twice_is_harmless(self, broker: Broker, consumption: Consumption) -> None:
        """The second settlement of a delivery says nothing to the broker."""
        broker.publish(numbered(2))
        taken = take_all(consumption, 2)

        consumption.settle(taken)
        consumption.settle(taken, rejects=taken)
        consumption.give_back(taken)

        broker.publish([message := a_message()])
        assert ids(take_all(consumption, 1)) == [message.message_id]
        assert consumption.is_active

    def test_what_was_not_settled_comes_again(self, broker: Broker) -> None:
        """A consumer that dies with messages in hand loses none; they are marked."""
        broker.publish(numbered(3))
        with closing(broker.consume(QUEUE, prefetch=100)) as crashed:
            assert len(take_all(crashed, 3)) == 3

        with closing(broker.consume(QUEUE, prefetch=100)) as successor:
            taken = take_all(successor, 3)

        assert sorted(int(each.message.body) for each in taken) == [0, 1, 2]
        assert all(each.redelivered for each in taken)

    def test_what_is_given_back_comes_again(self, broker: Broker, consumption: Consumption) -> None:
        """Given back, not lost; and marked as redelivered."""
        broker.publish(numbered(3))
        first, *others = take_all(consumption, 3)

        consumption.settle([first])
        consumption.give_back(others)

        taken = take_all(consumption, 2)
        assert {*ids(taken)} == {*ids(others)}
        assert all(each.redelivered for each in taken)

    def test_two_consumptions_compete(self, broker: Broker) -> None:
        """Each message goes to one of them, and both get some."""
        with (
            closing(broker.consume(QUEUE, prefetch=5)) as one,
            closing(broker.consume(QUEUE, prefetch=5)) as other,
        ):
            messages = numbered(10)
            broker.publish(messages)
            mine, theirs = take_all(one, 5), take_all(other, 5)

        assert len(mine) == len(theirs) == 5
        assert {*ids(mine), *ids(theirs)} == {each.message_id for each in messages}

    def test_depth_counts_what_waits(self, broker: Broker) -> None:
        """Messages in hand are not counted."""
        broker.publish(numbered(7))
        assert wait_until(lambda: broker.depth(QUEUE) == 7)

        with closing(broker.consume(QUEUE, prefetch=3)) as consumption:
            take_all(consumption, 3)

            assert wait_until(lambda: broker.depth(QUEUE) == 4)

    def test_the_depth_of_a_missing_queue_is_a_configuration_error(self, broker: Broker) -> None:
        """It names the queue, and the broker stays usable."""
        with pytest.raises(ConfigurationError, match=re.escape("no.such.queue")):
            broker.depth("no.such.queue")

        assert broker.depth(QUEUE) == 0

    def test_consuming_a_missing_queue_says_so(self, broker: Broker) -> None:
        """Not an idle worker that looks healthy: inactive where known, and loud in `take`."""
        with (
            closing(broker.consume("no.such.queue", 10)) as consumption,
            pytest.raises(ConfigurationError, match=re.escape("no.such.queue")),
        ):
            consumption.take(1, 0.5)

    def test_a_consumption_is_active_until_it_is_cancelled(
        self, broker: Broker, consumption: Consumption
    ) -> None:
        """After the cancel nothing more is delivered, but what is in hand can be settled."""
        assert wait_until(lambda: consumption.is_active)
        broker.publish(numbered(2))
        taken = take_all(consumption, 2)

        consumption.cancel()
        broker.publish([a_message()])
        consumption.settle(taken)

        assert not consumption.is_active
        assert consumption.take(10, 0.2) == []
        assert wait_until(lambda: broker.depth(QUEUE) == 1)

    def test_cancel_leaves_the_rest_to_others(self, broker: Broker) -> None:
        """What was delivered but not taken goes to whoever consumes next, at once."""
        with closing(broker.consume(QUEUE, prefetch=100)) as retiring:
            broker.publish(numbered(4))
            [first] = take_all(retiring, 1)
            retiring.cancel()

            with closing(broker.consume(QUEUE, prefetch=100)) as successor:
                taken = take_all(successor, 3)
            retiring.settle([first])

        assert sorted(int(each.message.body) for each in taken) == [1, 2, 3]

    def test_a_connected_broker_says_so(self, broker: Broker) -> None:
        """Readiness asks this."""
        broker.publish([a_message()])

        assert broker.is_connected

    def test_a_closed_broker_is_not_connected(self, broker: Broker) -> None:
        """Closing twice is harmless; nothing is left running."""
        threads_before = {thread.name for thread in threading.enumerate()}
        broker.close()
        broker.close()

        assert not broker.is_connected
        assert not [
            thread
            for thread in threading.enumerate()
            if thread.name in threads_before and "publish" in thread.name
        ]


class KnowingBrokerCases(BrokerCases):
    """For adapters that know which queues there are; some of kombu's transports make any."""

    def test_a_reply_to_nobody_is_named_and_holds_up_no_other(
        self, broker: Broker, asker: Asker
    ) -> None:
        """MYOB-4: whoever asked has gone, and his queue with him."""
        asker.leave()
        message, late = a_message(), a_reply(asker.queue)

        with pytest.raises(PublishFailed) as failure:
            broker.publish([message, late])

        assert failure.value.failed == {late.message_id: UNROUTABLE}
        with closing(broker.consume(QUEUE, 10)) as consumption:
            assert ids(take_all(consumption, 1)) == [message.message_id]
