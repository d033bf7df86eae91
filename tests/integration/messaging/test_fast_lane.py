"""Ordinary messages pass pika by: nothing is lost by that, or out of order."""

import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from types import CodeType, FrameType
from typing import Any
from uuid import UUID

import pika
import pytest

from shared.messaging.broker import Delivery, PublishFailed, WireMessage
from shared.messaging.provision import declare
from shared.messaging.rabbitmq import RabbitMQBroker
from shared.messaging.topology import PROCESSOR_QUEUE
from tests.contract.broker_cases import TOPOLOGY, a_message, ids, take_all

MANY = 500
FRAME = 131_072 - 8


@pytest.fixture
def url(amqp_vhost: str) -> str:
    """Give a provisioned virtual host."""
    declare(amqp_vhost, TOPOLOGY)
    return amqp_vhost


@contextmanager
def called_in_new_threads() -> Iterator[Counter[CodeType]]:
    """Count calls in the threads that are started while the block runs."""
    calls: Counter[CodeType] = Counter()

    def note(frame: FrameType, event: str, _argument: Any) -> None:
        if event == "call":
            calls[frame.f_code] += 1

    before = threading.getprofile()
    threading.setprofile(note)
    try:
        yield calls
    finally:
        threading.setprofile(before)


def delivered(url: str, messages: list[WireMessage], prefetch: int) -> list[WireMessage]:
    """Publish messages in one batch and take them from their queue; settle as a worker does."""
    with closing(RabbitMQBroker(url, name="fast")) as broker:
        broker.publish(messages)
        with closing(broker.consume(PROCESSOR_QUEUE, prefetch)) as consumption:
            taken: list[Delivery] = []
            while len(taken) < len(messages) and (some := take_all(consumption, prefetch // 2)):
                consumption.settle(some)
                taken += some
        assert broker.depth(PROCESSOR_QUEUE) == 0
    return [each.message for each in taken]


def test_ordinary_messages_are_none_of_pikas_business(url: str) -> None:
    """A frame is read by pika for several messages that are sent and received, not four for one."""
    messages = [a_message(b"{}" * 400, headers={"channel": "shop"}) for _ in range(MANY)]

    with called_in_new_threads() as calls:
        found = delivered(url, messages, MANY)

    assert ids_of(found) == ids_of(messages)
    assert calls[pika.frame.decode_frame.__code__] < MANY
    assert calls[pika.channel.Channel.basic_publish.__code__] == 0


def test_messages_of_all_sizes_arrive_as_they_are_in_their_order(url: str) -> None:
    """In one frame or in several, exactly as large as a frame, empty; from a small window."""
    sizes = [2, FRAME - 1, 0, FRAME, 2, FRAME + 1, 0, 3 * FRAME, *(17,) * 40, FRAME, 700_000, 1]
    messages = [a_message(bytes([n]) * size) for n, size in enumerate(sizes)]

    found = delivered(url, messages, 6)

    assert [each.body for each in found] == [each.body for each in messages]
    assert ids_of(found) == ids_of(messages)


def test_what_amqp_cannot_carry_is_named_and_holds_up_no_other(url: str) -> None:
    """Each alone, and both between others; nothing of them is on the wire."""
    long = a_message(headers={"x" * 300: "too long a name"})
    odd = a_message(headers={"odd": object()})
    good = [a_message(), a_message()]
    with closing(RabbitMQBroker(url, name="odd")) as broker:
        for batch in ([long], [odd], [good[0], long, odd, good[1]]):
            with pytest.raises(PublishFailed) as failure:
                broker.publish(batch)
            assert set(failure.value.failed) == set(ids_of(batch)) - set(ids_of(good))
        with closing(broker.consume(PROCESSOR_QUEUE, 10)) as consumption:
            found = take_all(consumption, 2)
            consumption.settle(found)

    assert ids(found) == ids_of(good)
    assert set(failure.value.failed.values()) == {
        "not_sent: ShortStringTooLong",
        "not_sent: UnsupportedAMQPFieldException",
    }


def test_a_consumption_that_is_closed_in_a_flood_leaves_the_rest(url: str) -> None:
    """Whatever was under way when it was cancelled is delivered to the next."""
    messages = [a_message(b"x" * 2000) for _ in range(MANY)]
    with closing(RabbitMQBroker(url, name="flood")) as broker:
        broker.publish(messages)
        found: set[UUID | None] = set()
        for _ in range(2):
            with closing(broker.consume(PROCESSOR_QUEUE, 100)) as consumption:
                taken = consumption.take(10, 10.0)
                consumption.cancel()
                consumption.settle(taken)
                found.update(ids(taken))

        with closing(broker.consume(PROCESSOR_QUEUE, MANY)) as consumption:
            while len(found) < MANY and (rest := take_all(consumption, MANY - len(found))):
                consumption.settle(rest)
                found.update(ids(rest))

    assert found == set(ids_of(messages))


def ids_of(messages: list[WireMessage]) -> list[UUID | None]:
    """Return the ids of messages."""
    return [each.message_id for each in messages]
