"""The RabbitMQ adapter under faults: it comes back by itself and loses nothing confirmed."""

import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from uuid import UUID

import pika
import pytest

from shared.domain.errors import ConfigurationError
from shared.messaging.broker import (
    CONFIRM_TIMEOUT,
    BrokerUnavailable,
    PublishFailed,
    WireMessage,
)
from shared.messaging.provision import declare
from shared.messaging.rabbitmq import RabbitMQBroker
from tests.contract.broker_cases import (
    QUEUE,
    TOPOLOGY,
    a_message,
    ids,
    numbered,
    take_all,
    wait_until,
)
from tests.faults.proxy import Proxy
from tests.services import RabbitNode

RECOVERY_SECONDS = 40.0


@pytest.fixture(scope="module")
def node() -> Iterator[RabbitNode]:
    """Give a node of this module's own: its tests hurt it, and leave it running."""
    with RabbitNode() as node:
        yield node


@pytest.fixture
def url(node: RabbitNode) -> Iterator[str]:
    """Give a provisioned virtual host on that node."""
    with node.management.temporary_vhost() as url:
        declare(url, TOPOLOGY)
        yield url


def publish_when_possible(broker: RabbitMQBroker, messages: list[WireMessage]) -> None:
    """Publish, and publish again what failed, until all is confirmed: what the relay does."""
    deadline = time.monotonic() + RECOVERY_SECONDS
    left = {each.message_id: each for each in messages}
    while left and time.monotonic() < deadline:
        try:
            broker.publish(list(left.values()))
            left = {}
        except PublishFailed as failure:
            left = {each: left[each] for each in failure.failed}
        except BrokerUnavailable:
            time.sleep(0.05)
    assert not left


def test_connections_closed_by_the_server_are_rebuilt(node: RabbitNode, url: str) -> None:
    """Consumer and publisher return without being asked; what was in hand comes again (fault 2)."""
    with (
        closing(RabbitMQBroker(url, name="recovery")) as broker,
        closing(broker.consume(QUEUE, 10)) as consumption,
    ):
        broker.publish(numbered(2))
        stale = take_all(consumption, 2)
        node.ctl("close_all_connections", "--global", "maintenance")

        again = take_all(consumption, 2)
        consumption.settle(stale)
        publish_when_possible(broker, [a_message(b"later")])

        assert {*ids(again)} == {*ids(stale)}
        assert all(each.redelivered for each in again)
        assert [each.message.body for each in take_all(consumption, 1)] == [b"later"]
        assert consumption.is_active
        assert broker.is_connected


def test_nothing_confirmed_is_lost_when_the_broker_is_killed(node: RabbitNode, url: str) -> None:
    """`kill -9` while thousands are published: every confirmed one arrives (fault 1)."""
    node.register_queues()
    confirmed: set[UUID | None] = set()
    stop = threading.Event()

    def publish_on(broker: RabbitMQBroker) -> None:
        while not stop.is_set():
            batch = numbered(200)
            try:
                broker.publish(batch)
                failed: set[UUID] = set()
            except PublishFailed as failure:
                failed = set(failure.failed)
            except BrokerUnavailable:
                stop.wait(0.05)
                continue
            confirmed.update({each.message_id for each in batch} - failed)

    received: set[UUID | None] = set()
    with (
        closing(RabbitMQBroker(url, name="recovery")) as broker,
        closing(broker.consume(QUEUE, 500)) as consumption,
        ThreadPoolExecutor(1) as threads,
    ):
        publishing = threads.submit(publish_on, broker)
        assert wait_until(lambda: len(confirmed) > 2000)
        node.kill()
        before = len(confirmed)
        node.start()
        assert wait_until(lambda: len(confirmed) > before, RECOVERY_SECONDS)
        stop.set()
        publishing.result()

        deadline = time.monotonic() + RECOVERY_SECONDS
        while not confirmed <= received and time.monotonic() < deadline:
            taken = consumption.take(500, 0.5)
            received.update(ids(taken))
            consumption.settle(taken)

    assert len(confirmed - received) == 0


def test_a_broker_that_is_absent_at_the_start_is_waited_for(node: RabbitNode, url: str) -> None:
    """No crash, no hot loop: unavailable first, then connected and consuming (fault 3)."""
    node.register_queues()
    node.stop()
    with closing(RabbitMQBroker(url, name="early")) as broker:
        consumption = broker.consume(QUEUE, 10)
        with pytest.raises(BrokerUnavailable):
            broker.publish([a_message()])
        assert not broker.is_connected
        assert not consumption.is_active
        assert consumption.take(1, 0.1) == []

        node.start()

        assert wait_until(lambda: consumption.is_active, RECOVERY_SECONDS)
        publish_when_possible(broker, [message := a_message()])
        assert ids(take_all(consumption, 1)) == [message.message_id]


def test_a_queue_deleted_under_its_consumer_is_told_and_healed(url: str) -> None:
    """Inactive at once, loud in `take`; consuming again when it is provisioned again (fault 13)."""
    with (
        closing(RabbitMQBroker(url, name="recovery")) as broker,
        closing(broker.consume(QUEUE, 10)) as consumption,
    ):
        assert consumption.is_active
        with closing(pika.BlockingConnection(pika.URLParameters(url))) as operator:
            operator.channel().queue_delete(QUEUE)

        assert wait_until(lambda: not consumption.is_active)
        with pytest.raises(ConfigurationError, match=QUEUE):
            consumption.take(1, 0.5)

        declare(url, TOPOLOGY)
        assert wait_until(lambda: consumption.is_active, RECOVERY_SECONDS)
        broker.publish([message := a_message()])
        assert ids(take_all(consumption, 1)) == [message.message_id]


def test_a_memory_alarm_blocks_publishing_and_not_consuming(node: RabbitNode, url: str) -> None:
    """Consumers drain what there is; publishing fails at once instead of hanging (fault 15)."""
    with (
        closing(RabbitMQBroker(url, name="recovery", confirm_timeout_seconds=1)) as broker,
        closing(broker.consume(QUEUE, 10)) as consumption,
    ):
        publish_when_possible(broker, [a_message(b"early")])
        node.ctl("set_vm_memory_high_watermark", "0.0000001")
        try:
            with pytest.raises((PublishFailed, BrokerUnavailable)):
                broker.publish([a_message(b"late")])
            assert wait_until(lambda: not broker.is_connected)
            with pytest.raises(BrokerUnavailable):
                broker.publish([a_message()])
            [delivery] = take_all(consumption, 1)
            consumption.settle([delivery])
        finally:
            node.ctl("set_vm_memory_high_watermark", "0.4")

        assert delivery.message.body == b"early"
        assert wait_until(lambda: broker.is_connected, RECOVERY_SECONDS)
        publish_when_possible(broker, [a_message()])


def test_closing_does_not_wait_for_a_blocked_broker(node: RabbitNode, url: str) -> None:
    """A broker under alarm answers nobody; shutting down does not depend on it."""
    broker = RabbitMQBroker(url, name="recovery", confirm_timeout_seconds=0.5)
    node.ctl("set_vm_memory_high_watermark", "0.0000001")
    try:
        with pytest.raises((PublishFailed, BrokerUnavailable)):
            broker.publish([a_message()])
        assert wait_until(lambda: not broker.is_connected)
        started = time.monotonic()
        broker.close()
    finally:
        node.ctl("set_vm_memory_high_watermark", "0.4")

    assert time.monotonic() - started < 8


def test_a_consumer_timeout_rebuilds_the_consumer(node: RabbitNode, url: str) -> None:
    """The broker closes the channel of who holds a message too long: no zombie (fault 16)."""
    node.ctl("eval", "application:set_env(rabbit, consumer_timeout, 1000).")
    node.ctl("eval", "application:set_env(rabbit, channel_tick_interval, 500).")
    try:
        with (
            closing(RabbitMQBroker(url, name="recovery")) as broker,
            closing(broker.consume(QUEUE, 10)) as consumption,
        ):
            broker.publish([message := a_message()])
            [held] = take_all(consumption, 1)
            # A channel keeps the limit that it began with: the next one is not hurried.
            node.ctl("eval", "application:set_env(rabbit, consumer_timeout, 1800000).")
            assert wait_until(lambda: not consumption.is_active, RECOVERY_SECONDS)

            [again] = take_all(consumption, 1)
            consumption.settle([held])
            consumption.settle([again])

            assert again.message.message_id == message.message_id
            assert again.redelivered
            assert consumption.is_active
    finally:
        node.ctl("eval", "application:set_env(rabbit, consumer_timeout, 1800000).")
        node.ctl("eval", "application:set_env(rabbit, channel_tick_interval, 60000).")


def through(line: Proxy, url: str, node: RabbitNode) -> str:
    """Return the URL that leads over the line."""
    return url.replace(f":{node.port}/", f":{line.port}/")


def test_a_confirm_that_does_not_come_fails_the_message(node: RabbitNode, url: str) -> None:
    """At its deadline; the channel is discarded, so the late confirm is nobody else's (fault 5)."""
    with (
        Proxy(node.port) as line,
        closing(
            RabbitMQBroker(through(line, url, node), name="line", confirm_timeout_seconds=0.5)
        ) as broker,
    ):
        assert wait_until(lambda: broker.is_connected, RECOVERY_SECONDS)
        line.stall("answers")
        late = a_message(b"late")
        with pytest.raises(PublishFailed) as failure:
            broker.publish([late])
        with pytest.raises(BrokerUnavailable):
            broker.publish([a_message(b"lost")])
        line.flow()

        publish_when_possible(broker, [after := a_message(b"after")])

        assert failure.value.failed == {late.message_id: CONFIRM_TIMEOUT}
        with closing(broker.consume(QUEUE, 10)) as consumption:
            bodies = [each.message.body for each in take_all(consumption, 2)]
        assert bodies[0] == b"late"
        assert bodies[1] == after.body


def test_a_dead_link_is_noticed_and_replaced(node: RabbitNode, url: str) -> None:
    """Silence is noticed by the second missed heartbeat (pika grants each 5 s) (fault 6)."""
    with (
        Proxy(node.port) as line,
        closing(
            RabbitMQBroker(through(line, url, node), name="line", heartbeat_seconds=2)
        ) as broker,
        closing(broker.consume(QUEUE, 10)) as consumption,
    ):
        broker.publish(numbered(1))
        assert len(take_all(consumption, 1)) == 1
        line.stall()

        assert wait_until(lambda: not consumption.is_active, 20)
        assert wait_until(lambda: not broker.is_connected, 20)
        line.cut()
        line.flow()

        assert wait_until(lambda: consumption.is_active and broker.is_connected, RECOVERY_SECONDS)
        assert len(take_all(consumption, 1)) == 1


def test_a_reset_between_publish_and_confirm_names_the_messages(node: RabbitNode, url: str) -> None:
    """The caller learns at once, not at the deadline, and publishes them again (fault 4)."""
    with (
        Proxy(node.port) as line,
        closing(RabbitMQBroker(through(line, url, node), name="line")) as broker,
        ThreadPoolExecutor(1) as threads,
    ):
        broker.publish(numbered(1))
        line.stall("answers")
        messages = numbered(5)
        publishing = threads.submit(broker.publish, messages)
        with closing(RabbitMQBroker(url, name="onlooker")) as onlooker:
            assert wait_until(lambda: onlooker.depth(QUEUE) == 6)
        line.cut()
        line.flow()

        failure = publishing.exception(timeout=10)

        assert isinstance(failure, PublishFailed)
        assert set(failure.failed) == {each.message_id for each in messages}
        publish_when_possible(broker, messages)
