"""What the embedded broker adds to the port's promises: privacy, limits, failing transports."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from statistics import median

import pytest

from shared.messaging.broker import CONNECTION_LOST, NACKED, BrokerUnavailable, PublishFailed
from shared.messaging.embedded import EmbeddedBroker
from tests.contract.broker_cases import (
    QUEUE,
    TOPOLOGY,
    a_message,
    ids,
    numbered,
    take_all,
    wait_until,
)


@pytest.fixture
def broker() -> Iterator[EmbeddedBroker]:
    """Give a memory broker that holds five messages a queue."""
    with closing(EmbeddedBroker(TOPOLOGY, capacity=5)) as broker:
        yield broker


def test_two_memory_brokers_do_not_see_each_other(broker: EmbeddedBroker) -> None:
    """Each is a broker of its own, as two servers are."""
    with closing(EmbeddedBroker(TOPOLOGY)) as other:
        broker.publish([a_message()])

        assert other.depth(QUEUE) == 0
        assert broker.depth(QUEUE) == 1


def test_a_full_queue_refuses_and_names_the_rest(broker: EmbeddedBroker) -> None:
    """What does not fit waits in the outbox instead of in memory; other queues go on."""
    messages = numbered(7)
    elsewhere = a_message(key="customer.export.shop")

    with pytest.raises(PublishFailed) as failure:
        broker.publish([*messages, elsewhere])

    assert failure.value.failed == {each.message_id: NACKED for each in messages[5:]}
    assert broker.depth(QUEUE) == 5
    assert broker.depth("patron.exporter.shop") == 1


def test_a_settled_message_makes_room(broker: EmbeddedBroker) -> None:
    """A full queue is a pause, not an end."""
    broker.publish(numbered(5))
    with closing(broker.consume(QUEUE, 10)) as consumption:
        consumption.settle(take_all(consumption, 5))

        broker.publish([message := a_message()])

        assert ids(take_all(consumption, 1)) == [message.message_id]


def test_a_message_is_taken_within_milliseconds() -> None:
    """The publisher wakes the consumer: no poll interval stands between them."""
    with closing(EmbeddedBroker(TOPOLOGY)) as broker, ThreadPoolExecutor(1) as threads:
        consumption = broker.consume(QUEUE, 10)
        delays = []
        for _ in range(21):
            waiting = threads.submit(lambda: (consumption.take(1, 5), time.perf_counter()))
            published = time.perf_counter()
            broker.publish([a_message()])
            taken, at = waiting.result()
            consumption.settle(taken)
            delays.append(at - published)

    assert median(delays) < 0.02


def test_a_compressed_message_is_not_inflated(broker: EmbeddedBroker) -> None:
    """The transport would do so before anybody could refuse it."""
    message = a_message(b"not even compressed", headers={"compression": "application/x-gzip"})

    broker.publish([message])

    with closing(broker.consume(QUEUE, 10)) as consumption:
        [delivery] = take_all(consumption, 1)
        consumption.settle([delivery])
    assert delivery.message.body == b"not even compressed"
    assert delivery.message.headers == {"compression": "application/x-gzip"}


@pytest.mark.filterwarnings("ignore::sqlalchemy.exc.SADeprecationWarning:kombu")
def test_a_failing_transport_is_unavailable_until_it_is_back(tmp_path: Path) -> None:
    """Publishing names what failed, consuming waits, and both go on when it works again."""
    directory = tmp_path / "later"
    url = f"sqla+sqlite:///{directory / 'broker.db'}"
    with (
        closing(EmbeddedBroker(TOPOLOGY, url)) as broker,
        closing(broker.consume(QUEUE, 10)) as consumption,
    ):
        message = a_message()
        with pytest.raises(PublishFailed) as failure:
            broker.publish([message])
        with pytest.raises(BrokerUnavailable):
            broker.depth(QUEUE)
        assert failure.value.failed == {message.message_id: CONNECTION_LOST}
        assert consumption.take(1, 0.1) == []
        assert not consumption.is_active
        assert not broker.is_connected

        directory.mkdir()

        broker.publish([message])
        assert ids(take_all(consumption, 1)) == [message.message_id]
        assert wait_until(lambda: broker.is_connected and consumption.is_active)
