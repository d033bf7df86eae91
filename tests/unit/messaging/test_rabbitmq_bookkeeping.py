"""The publisher's window and the consumer's ledger: exact tags, in few frames."""

from concurrent.futures import Future
from uuid import UUID, uuid4

from hypothesis import given
from hypothesis import strategies as st

from shared.messaging.broker import CONNECTION_LOST, NACKED, UNROUTABLE, BrokerUnavailable
from shared.messaging.rabbitmq.ledger import Ledger, Settlement
from shared.messaging.rabbitmq.window import Batch, Item, Outcome, Window


class Sending:
    """One batch in a window, everything that fits sent."""

    def __init__(self, window: Window[None], count: int, size: int = 1) -> None:
        self.answer: Future[Outcome] = Future()
        self.ids = [uuid4() for _ in range(count)]
        batch = Batch(self.answer, count)
        window.add([Item(batch, message_id, size, None) for message_id in self.ids])
        send_all(window)

    @property
    def failed(self) -> dict[UUID, str]:
        """What became of the batch; it must be known."""
        assert self.answer.done()
        return self.answer.result().failed


def send_all(window: Window[None]) -> int:
    """Send whatever the window has room for; return how many that were."""
    sent = 0
    while items := window.next_items():
        window.sent(items)
        sent += len(items)
    return sent


def test_a_batch_is_answered_when_its_last_message_is_confirmed() -> None:
    """Not before, whatever the order of the confirms."""
    window: Window[None] = Window(100, 1000)
    batch = Sending(window, 3)

    window.confirmed(3, multiple=False, positive=True)
    window.confirmed(1, multiple=False, positive=True)
    assert not batch.answer.done()
    window.confirmed(2, multiple=False, positive=True)

    assert batch.failed == {}
    assert len(window) == 0


def test_multiple_confirms_everything_up_to_its_tag() -> None:
    """And nothing beyond, over the borders of batches."""
    window: Window[None] = Window(100, 1000)
    first, second = Sending(window, 2), Sending(window, 2)

    window.confirmed(3, multiple=True, positive=True)

    assert first.failed == {}
    assert not second.answer.done()
    assert len(window) == 1


def test_refused_messages_are_named() -> None:
    """A nack is about exactly the messages it names."""
    window: Window[None] = Window(100, 1000)
    batch = Sending(window, 3)

    window.confirmed(2, multiple=False, positive=False)
    window.confirmed(3, multiple=True, positive=True)

    assert batch.failed == {batch.ids[1]: NACKED}


def test_a_returned_message_is_unroutable_though_it_is_confirmed() -> None:
    """RabbitMQ returns it and then confirms it: without the return it looks stored."""
    window: Window[None] = Window(100, 1000)
    batch = Sending(window, 2)

    window.returned(batch.ids[0])
    window.confirmed(2, multiple=True, positive=True)

    assert batch.failed == {batch.ids[0]: UNROUTABLE}


def test_a_stray_confirm_or_return_is_ignored() -> None:
    """A tag or an id that is not in flight concerns nobody."""
    window: Window[None] = Window(100, 1000)
    batch = Sending(window, 1)

    window.confirmed(7, multiple=False, positive=True)
    window.returned(uuid4())
    window.returned(None)
    window.confirmed(1, multiple=False, positive=True)
    window.confirmed(1, multiple=False, positive=False)

    assert batch.failed == {}


def test_the_window_limits_messages_and_bytes() -> None:
    """Further messages wait until confirms make room; one that is too large goes alone."""
    window: Window[None] = Window(3, 100)
    Sending(window, 5)
    large: Window[None] = Window(3, 100)
    Sending(large, 2, size=500)

    window.confirmed(2, multiple=True, positive=True)
    large.confirmed(1, multiple=False, positive=True)

    assert send_all(window) == 2
    assert send_all(large) == 1


def test_a_lost_channel_fails_what_was_not_confirmed() -> None:
    """In flight or waiting; and tags start anew on the next channel."""
    window: Window[None] = Window(2, 1000)
    batch = Sending(window, 4)
    fault = BrokerUnavailable("gone")
    window.confirmed(1, multiple=False, positive=True)

    window.abandon(CONNECTION_LOST, fault)
    successor = Sending(window, 1)
    window.confirmed(1, multiple=False, positive=True)

    assert batch.failed == dict.fromkeys(batch.ids[1:], CONNECTION_LOST)
    assert batch.answer.result().fault is fault
    assert successor.failed == {}


def a_ledger(*tags: int) -> Ledger:
    """Return a ledger with these deliveries unsettled."""
    ledger = Ledger()
    for tag in tags:
        ledger.add([tag])
    return ledger


def test_an_unbroken_run_is_settled_by_one_frame() -> None:
    """A whole batch costs one acknowledgement."""
    assert a_ledger(1, 2, 3, 4).settle([2, 1, 3]) == [Settlement(3, multiple=True)]


def test_a_gap_ends_the_run() -> None:
    """What lies beyond an unsettled delivery is settled one by one."""
    assert a_ledger(1, 2, 3, 4).settle([1, 3, 4]) == [
        Settlement(1, multiple=False),
        Settlement(3, multiple=False),
        Settlement(4, multiple=False),
    ]


def test_what_was_rejected_before_does_not_break_the_run() -> None:
    """The broker knows those tags no more."""
    ledger = a_ledger(1, 2, 3)
    ledger.settle([2])

    assert ledger.settle([1, 3]) == [Settlement(3, multiple=True)]


def test_unknown_and_settled_tags_are_passed_over() -> None:
    """Settling twice would cost the channel."""
    ledger = a_ledger(1)

    assert ledger.settle([1, 9]) == [Settlement(1, multiple=False)]
    assert ledger.settle([1]) == ()


@given(st.integers(0, 30), st.lists(st.sets(st.integers(1, 30)), max_size=6))
def test_the_broker_understands_exactly_what_was_meant(
    delivered: int, settlements: list[set[int]]
) -> None:
    """A broker that follows the frames has settled what was asked for, and nothing twice."""
    tags = range(1, delivered + 1)
    ledger, broker = a_ledger(*tags), set(tags)

    for wanted in settlements:
        before = set(broker)
        for frame in ledger.settle(wanted):
            covered = {tag for tag in broker if tag <= frame.tag} if frame.multiple else {frame.tag}
            assert frame.tag in broker
            broker -= covered
        assert broker == before - wanted

    assert len(ledger) == len(broker)
