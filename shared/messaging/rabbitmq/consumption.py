"""A subscription to one queue on a connection of its own, rebuilt whenever it ends.

For the consumer loop. Its promise: `is_active` is what the broker last said, a consumer that
ended comes back by itself, and a delivery of a channel that is gone is never settled on another.
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import NamedTuple

import pika
import structlog
from pika.channel import Channel

from shared.domain.errors import ConfigurationError
from shared.messaging.broker import Delivery
from shared.messaging.rabbitmq.backoff import Backoff
from shared.messaging.rabbitmq.faults import BrokerFault, channel_fault
from shared.messaging.rabbitmq.frames import RawDelivery, message_of
from shared.messaging.rabbitmq.ledger import Ledger, Settlement
from shared.messaging.rabbitmq.link import STABLE_AFTER_SECONDS, Link, renewed
from shared.messaging.rabbitmq.tolerant import TolerantConnection
from shared.messaging.topology import PROVISION_COMMAND

log = structlog.get_logger(__name__)

START_TIMEOUT_SECONDS = 10.0


class _Tag(NamedTuple):
    """A delivery tag and the channel it belongs to: tags start anew on every channel."""

    channel: Channel
    number: int


class RabbitMQConsumption:
    """See `shared.messaging.broker.Consumption`."""

    def __init__(self, parameters: pika.ConnectionParameters, queue: str, prefetch: int) -> None:
        self._queue = queue
        self._prefetch = prefetch
        self._changed = threading.Condition()
        self._arrivals: deque[RawDelivery] = deque()  # over the present channel
        self._ledger = Ledger()
        self._channel: Channel | None = None
        self._consumer_tag: str | None = None
        self._fault: BrokerFault | None = None
        self._is_cancelled = False
        self._is_closed = False
        self._is_woken = False
        self._active_since = 0.0
        self._backoff = Backoff()
        self._link = Link(parameters, on_open=self._open_channel, on_lost=self._ended)

    def start(self) -> None:
        """Subscribe, waiting until the broker has answered; a failure is retried by itself."""
        self._link.start()
        with self._changed:
            self._changed.wait_for(
                lambda: self._consumer_tag is not None or self._fault is not None,
                START_TIMEOUT_SECONDS,
            )

    @property
    def is_active(self) -> bool:
        """Whether the broker has this consumer registered now."""
        return self._consumer_tag is not None and not self._is_cancelled

    @property
    def is_closed(self) -> bool:
        """Whether nothing will ever come of it again."""
        return self._is_closed

    def take(self, limit: int, timeout_seconds: float) -> list[Delivery]:
        """Return up to `limit` deliveries, waiting for the first at most `timeout_seconds`.

        Raises ConfigurationError, after the wait, while the queue is missing or forbidden.
        """
        with self._changed:
            self._changed.wait_for(
                lambda: self._arrivals or self._is_woken or self._is_cancelled, timeout_seconds
            )
            was_woken, self._is_woken = self._is_woken, False
            count = 0 if was_woken else min(limit, len(self._arrivals))
            taken = [self._arrivals.popleft() for _ in range(count)]
            channel = self._channel
            fault = None if was_woken or self._is_cancelled else self._fault
        if not taken and isinstance(fault, ConfigurationError):
            raise renewed(fault)
        return [
            Delivery(message_of(raw), self._queue, raw.redelivered, _Tag(channel, raw.tag))
            for raw in taken
        ]

    def settle(self, acks: Sequence[Delivery], rejects: Sequence[Delivery] = ()) -> None:
        """Acknowledge and reject; deliveries of a lost channel are passed over.

        Rejects go first: what is left is then more often one unbroken run.
        """
        self._tell(rejects, lambda channel, each: channel.basic_nack(*each, requeue=False))
        self._tell(acks, lambda channel, each: channel.basic_ack(*each))

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Return deliveries to the queue; RabbitMQ counts it as a delivery attempt."""
        self._tell(deliveries, lambda channel, each: channel.basic_nack(*each, requeue=True))

    def wake(self) -> None:
        """Make a waiting `take`, or else the next, return at once with nothing."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def cancel(self) -> None:
        """Stop deliveries, and return those that nobody took yet."""
        with self._changed:
            if self._is_cancelled:
                return
            self._is_cancelled = True
            channel, consumer_tag = self._channel, self._consumer_tag
            untaken = [_Tag(channel, raw.tag) for raw in self._arrivals]
            self._arrivals.clear()
            self._changed.notify_all()
        if channel is not None and consumer_tag is not None:
            self._link.post(lambda: _cancel(channel, consumer_tag))
        self._tell_tags(untaken, lambda channel, each: channel.basic_nack(*each, requeue=True))

    def close(self) -> None:
        """End the subscription; whatever is unsettled is delivered again."""
        with self._changed:
            self._is_cancelled = self._is_closed = True
            self._changed.notify_all()
        self._link.close()

    def _tell(
        self, deliveries: Sequence[Delivery], verb: Callable[[Channel, Settlement], None]
    ) -> None:
        self._tell_tags([each.tag for each in deliveries if isinstance(each.tag, _Tag)], verb)

    def _tell_tags(self, tags: Sequence[_Tag], verb: Callable[[Channel, Settlement], None]) -> None:
        """Have the I/O thread say `verb` about the deliveries of the present channel."""
        with self._changed:
            channel = self._channel
            if channel is None:
                return
            current = [tag.number for tag in tags if tag.channel is channel]
            settlements = self._ledger.settle(current)
        if settlements:
            self._link.post(lambda: _send(channel, settlements, verb))

    # Everything below runs on the I/O thread.

    def _open_channel(self, connection: TolerantConnection) -> None:
        if not self._is_cancelled:
            connection.channel(on_open_callback=self._prepare)

    def _prepare(self, channel: Channel) -> None:
        with self._changed:
            self._channel = channel
        channel.add_on_close_callback(self._channel_closed)
        channel.add_on_cancel_callback(lambda _frame: self._cancelled_by_broker(channel))
        channel.basic_qos(
            prefetch_count=self._prefetch, callback=lambda _frame: self._subscribe(channel)
        )

    def _subscribe(self, channel: Channel) -> None:
        channel.connection.consume(channel, self._arrived)
        channel.basic_consume(
            self._queue,
            self._arrived_by_pika,
            callback=lambda frame: self._subscribed(frame.method.consumer_tag),
        )

    def _subscribed(self, consumer_tag: str) -> None:
        self._active_since = time.monotonic()
        with self._changed:
            self._consumer_tag, self._fault = consumer_tag, None
            self._changed.notify_all()
        log.info("consumer.active", queue=self._queue)

    def _arrived_by_pika(
        self,
        channel: Channel,
        method: pika.spec.Basic.Deliver,
        properties: pika.BasicProperties,
        body: bytes,
    ) -> None:
        key, tag, redelivered = method.routing_key, method.delivery_tag, method.redelivered
        self._arrived(channel, [RawDelivery(tag, redelivered, key, properties, body)])

    def _arrived(self, channel: Channel, deliveries: Sequence[RawDelivery]) -> None:
        with self._changed:
            is_lost, is_wanted = channel is not self._channel, not self._is_cancelled
            if is_wanted and not is_lost:
                self._ledger.add([raw.tag for raw in deliveries])
                self._arrivals.extend(deliveries)
                self._changed.notify()
        # Those of a lost channel come again by themselves.
        if not is_wanted and channel.is_open:
            for raw in deliveries:
                channel.basic_nack(raw.tag, requeue=True)

    def _cancelled_by_broker(self, channel: Channel) -> None:
        """Subscribe anew: the queue was deleted, or its node went away."""
        fault = ConfigurationError(
            f"the queue {self._queue} is gone; run `{PROVISION_COMMAND}` if it was deleted"
        )
        self._ended(fault)
        if channel.is_open:
            channel.close()

    def _channel_closed(self, channel: Channel, error: BaseException) -> None:
        if channel is self._channel:
            self._ended(channel_fault(error, f"reading the queue {self._queue}"))
        if time.monotonic() - self._active_since > STABLE_AFTER_SECONDS:
            self._backoff.reset()
        self._link.later(self._backoff.wait_seconds(), self._open_channel)

    def _ended(self, fault: BrokerFault) -> None:
        """Forget the channel and what came over it: the broker will deliver it again."""
        with self._changed:
            is_news = not self._is_cancelled and str(fault) != str(self._fault)
            self._channel, self._consumer_tag, self._fault = None, None, fault
            self._arrivals.clear()
            self._ledger.clear()
            self._changed.notify_all()
        if is_news:
            log.error("consumer.lost", queue=self._queue, reason=fault.reason, error=str(fault))


def _cancel(channel: Channel, consumer_tag: str) -> None:
    if channel.is_open:
        channel.basic_cancel(consumer_tag)


def _send(
    channel: Channel,
    settlements: Sequence[Settlement],
    verb: Callable[[Channel, Settlement], None],
) -> None:
    if channel.is_open:
        for each in settlements:
            verb(channel, each)
