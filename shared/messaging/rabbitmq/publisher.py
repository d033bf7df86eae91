"""Confirmed, mandatory publishing on one connection, many messages in flight.

For the relay and the workers' publishing threads. Its promise: a message counts as published only
when the broker confirmed exactly it and did not return it. After a confirm that did not come the
channel is discarded, so that a late one cannot be taken for another's.
"""

import struct
import threading
from collections.abc import Sequence
from concurrent.futures import Future
from uuid import UUID

import pika
import structlog
from pika.channel import Channel
from pika.exceptions import AMQPError

from shared.domain.errors import ConfigurationError
from shared.messaging.broker import (
    CONFIRM_TIMEOUT,
    CONNECTION_LOST,
    BrokerUnavailable,
    PublishFailed,
    WireMessage,
)
from shared.messaging.properties import uuid_or_none
from shared.messaging.rabbitmq.faults import BrokerFault, channel_fault
from shared.messaging.rabbitmq.frames import Road, frames_of
from shared.messaging.rabbitmq.link import Link, renewed
from shared.messaging.rabbitmq.parameters import place
from shared.messaging.rabbitmq.tolerant import TolerantConnection
from shared.messaging.rabbitmq.window import Batch, Item, Outcome, Window
from shared.messaging.topology import EXCHANGE

log = structlog.get_logger(__name__)

DIRECT_REPLY_TO = "amq.rabbitmq.reply-to."
WINDOW_MESSAGES = 1000
WINDOW_BYTES = 16 * 1024 * 1024
READY_TIMEOUT_SECONDS = 10.0
GIVE_UP_TIMEOUT_SECONDS = 10.0

# What AMQP cannot carry: a text too long, a value of no type of its, a number out of range.
_NOT_SENT = (AMQPError, ValueError, TypeError, struct.error)


class Publisher:
    """Publishes to one exchange. The public methods may be called by any thread."""

    def __init__(
        self,
        parameters: pika.ConnectionParameters,
        *,
        confirm_timeout_seconds: float,
        exchange: str = EXCHANGE,
    ) -> None:
        self._place = place(parameters)
        self._exchange = exchange
        self._confirm_timeout = confirm_timeout_seconds
        self._changed = threading.Condition()
        self._fault: BrokerFault | None = None
        self._channel: Channel | None = None
        self._window: Window[WireMessage] = Window(WINDOW_MESSAGES, WINDOW_BYTES)
        self.link = Link(parameters, on_open=self._open_channel, on_lost=self._lost)
        self.link.start()

    @property
    def is_ready(self) -> bool:
        """Whether a message would be sent at once."""
        return self._channel is not None and not self.link.is_blocked

    def await_ready(self) -> None:
        """Wait while a connection is being made. Raises what stands in the way."""
        with self._changed:
            self._changed.wait_for(
                lambda: self._channel is not None or self._fault is not None,
                READY_TIMEOUT_SECONDS,
            )
            if self._channel is None:
                raise renewed(self._fault or BrokerUnavailable(f"no answer from {self._place}"))
        if self.link.is_blocked:
            raise BrokerUnavailable(f"RabbitMQ at {self._place} blocks publishers (resource alarm)")

    def publish(self, messages: Sequence[WireMessage]) -> None:
        """Return when all are confirmed and routed. Raises PublishFailed naming the others."""
        if not messages:
            return
        loads = [(_id_of(message), message) for message in messages]
        self.await_ready()
        outcome = self._outcome(
            self.link.request(lambda _connection, answer: self._begin(answer, loads))
        )
        if len(outcome.failed) == len(messages) and isinstance(outcome.fault, ConfigurationError):
            raise renewed(outcome.fault)
        if outcome.failed:
            raise PublishFailed(outcome.failed)

    def close(self) -> None:
        """Close the connection; what is unconfirmed is reported as failed."""
        self.link.close()

    def _outcome(self, answer: "Future[Outcome]") -> Outcome:
        try:
            return answer.result(self._confirm_timeout)
        except TimeoutError:
            self.link.post(lambda: self._give_up(answer))
        try:
            return answer.result(GIVE_UP_TIMEOUT_SECONDS)
        except TimeoutError:
            raise BrokerUnavailable(f"no answer from RabbitMQ at {self._place}") from None

    # Everything below runs on the I/O thread.

    def _open_channel(self, connection: TolerantConnection) -> None:
        connection.channel(on_open_callback=self._prepare)

    def _prepare(self, channel: Channel) -> None:
        channel.add_on_close_callback(self._channel_closed)
        channel.add_on_return_callback(
            lambda _channel, _method, properties, _body: self._window.returned(
                uuid_or_none(properties.message_id)
            )
        )
        channel.confirm_delivery(self._confirmed, callback=lambda _: self._ready(channel))

    def _ready(self, channel: Channel) -> None:
        with self._changed:
            self._channel, self._fault = channel, None
            self._changed.notify_all()

    def _begin(self, answer: "Future[Outcome]", loads: Sequence[tuple[UUID, WireMessage]]) -> None:
        if self._channel is None:
            raise renewed(self._fault or BrokerUnavailable(f"no channel at {self._place}"))
        batch = Batch(answer, len(loads))
        self._window.add(
            [Item(batch, message_id, len(load.body), load) for message_id, load in loads]
        )
        self._send_on()

    def _send_on(self) -> None:
        """Send as many waiting messages as the window has room for."""
        while (channel := self._channel) is not None and (items := self._window.next_items()):
            self._send(items, channel)

    def _send(self, items: Sequence[Item[WireMessage]], channel: Channel) -> None:
        connection = channel.connection
        road = Road(channel.channel_number, self._exchange, connection.params.frame_max)
        frames, sent = [], []
        for item in items:
            try:
                frames.append(frames_of(item.load, road, mandatory=_is_routed(item.load)))
            except _NOT_SENT as error:
                item.batch.settle(item.message_id, _not_sent(error))
            else:
                sent.append(item)
        if not sent:
            return
        try:
            connection.send(channel, frames)
        except AMQPError as error:
            for item in sent:
                item.batch.settle(item.message_id, _not_sent(error))
        else:
            self._window.sent(sent)

    def _confirmed(self, frame: pika.frame.Method) -> None:
        self._window.confirmed(
            frame.method.delivery_tag,
            multiple=frame.method.multiple,
            positive=isinstance(frame.method, pika.spec.Basic.Ack),
        )
        self._send_on()

    def _give_up(self, answer: "Future[Outcome]") -> None:
        """Discard the channel because a batch was not confirmed in time."""
        channel = self._channel
        if answer.done() or channel is None:
            return
        log.warning("broker.confirm_timeout", unconfirmed=len(self._window))
        self._abandon(CONFIRM_TIMEOUT, BrokerUnavailable(f"{self._place} confirms nothing"))
        if channel.is_open:
            channel.close()

    def _channel_closed(self, channel: Channel, error: BaseException) -> None:
        """Fail what is in flight, and open another channel if the connection stands."""
        if channel is self._channel:
            fault = channel_fault(
                error, f"publishing to the exchange {self._exchange or 'amq.default'}"
            )
            self._abandon(CONNECTION_LOST, fault)
        self.link.later(0, self._open_channel)

    def _lost(self, fault: BrokerFault) -> None:
        self._abandon(CONNECTION_LOST, fault)

    def _abandon(self, failure: str, fault: BrokerFault) -> None:
        with self._changed:
            self._channel, self._fault = None, fault
            self._changed.notify_all()
        self._window.abandon(failure, fault)


def _not_sent(error: Exception) -> str:
    """Say that nothing of a message is on the wire, and why."""
    return f"not_sent: {type(error).__name__}"


def _is_routed(message: WireMessage) -> bool:
    """Whether a queue takes the message; RabbitMQ hands direct replies over without one."""
    return not (message.is_direct and message.routing_key.startswith(DIRECT_REPLY_TO))


def _id_of(message: WireMessage) -> UUID:
    if message.message_id is None:
        raise ValueError("a message to publish must carry an id, or its failure could not be named")
    return message.message_id
