"""The RabbitMQ adapter of the broker port: one connection to publish, one per consumption.

Replies have a connection of their own, made with the first: where they go is up to strangers,
and the right to send them there may be missing. Neither may hold up the messages of the workers.
"""

import threading
from collections.abc import Sequence
from concurrent.futures import Future
from uuid import UUID

import pika
from pika.channel import Channel

from shared.domain.errors import ConfigurationError
from shared.messaging.broker import (
    CONNECTION_LOST,
    FORBIDDEN,
    BrokerUnavailable,
    Consumption,
    PublishFailed,
    WireMessage,
)
from shared.messaging.rabbitmq.consumption import RabbitMQConsumption
from shared.messaging.rabbitmq.faults import channel_fault
from shared.messaging.rabbitmq.parameters import parameters_from, place
from shared.messaging.rabbitmq.publisher import Publisher
from shared.messaging.rabbitmq.tolerant import TolerantConnection

DEPTH_TIMEOUT_SECONDS = 10.0
DEFAULT_EXCHANGE = ""


class RabbitMQBroker:
    """See `shared.messaging.broker.Broker`. Connects in the background once it is made.

    It declares nothing, so its user needs no `configure` right; `name` is what the management UI
    shows its connections as.
    """

    def __init__(
        self,
        url: str,
        *,
        name: str,
        heartbeat_seconds: int = 30,
        confirm_timeout_seconds: float = 30.0,
    ) -> None:
        self._url = url
        self._name = name
        self._heartbeat = heartbeat_seconds
        parameters = self._parameters("publish")
        self._place = place(parameters)
        self._confirm_timeout = confirm_timeout_seconds
        self._publisher = Publisher(parameters, confirm_timeout_seconds=confirm_timeout_seconds)
        self._replies: Publisher | None = None
        self._lock = threading.Lock()
        self._consumptions: list[RabbitMQConsumption] = []

    def publish(self, messages: Sequence[WireMessage]) -> None:
        """Return when all are confirmed and routed. Raises PublishFailed naming the others."""
        direct = [message for message in messages if message.is_direct]
        if not direct:
            self._publisher.publish(messages)
            return
        failed: dict[UUID, str] = {}
        try:
            self._publisher.publish([message for message in messages if not message.is_direct])
        except PublishFailed as error:
            failed.update(error.failed)
        failed.update(self._reply(direct))
        if failed:
            raise PublishFailed(failed)

    def consume(self, queue: str, prefetch: int) -> Consumption:
        """Subscribe to `queue`; the subscription is kept alive until it is closed."""
        consumption = RabbitMQConsumption(self._parameters(f"consume {queue}"), queue, prefetch)
        live = [each for each in self._consumptions if not each.is_closed]
        self._consumptions = [*live, consumption]
        consumption.start()
        return consumption

    def depth(self, queue: str) -> int:
        """Return how many messages are ready in `queue`.

        Asked on a channel of its own, because the broker closes the channel on which somebody
        asks for a queue that does not exist.
        """
        self._publisher.await_ready()
        answer: Future[int] = self._publisher.link.request(
            lambda connection, answer: _ask_depth(connection, queue, answer)
        )
        try:
            return answer.result(DEPTH_TIMEOUT_SECONDS)
        except TimeoutError:
            raise BrokerUnavailable(f"no answer from RabbitMQ at {self._place}") from None

    @property
    def is_connected(self) -> bool:
        """Whether publishing is possible now (connected, not blocked)."""
        return self._publisher.is_ready

    @property
    def is_blocked(self) -> bool:
        """Whether the broker has said that it takes nothing for now."""
        return self._publisher.link.is_blocked

    def close(self) -> None:
        """Close every connection. May be called twice."""
        for consumption in self._consumptions:
            consumption.close()
        self._publisher.close()
        with self._lock:
            if self._replies:
                self._replies.close()

    def _reply(self, messages: Sequence[WireMessage]) -> dict[UUID, str]:
        """Publish past the exchange; return what was not, and why."""
        with self._lock:
            self._replies = self._replies or Publisher(
                self._parameters("reply"),
                confirm_timeout_seconds=self._confirm_timeout,
                exchange=DEFAULT_EXCHANGE,
            )
        try:
            self._replies.publish(messages)
        except PublishFailed as error:
            return dict(error.failed)
        except (BrokerUnavailable, ConfigurationError) as error:
            lost = isinstance(error, BrokerUnavailable)
            reason = CONNECTION_LOST if lost else FORBIDDEN
            return {message.message_id: reason for message in messages if message.message_id}
        return {}

    def _parameters(self, purpose: str) -> pika.ConnectionParameters:
        return parameters_from(
            self._url,
            connection_name=f"{self._name}: {purpose}",
            heartbeat_seconds=self._heartbeat,
        )


def _ask_depth(connection: TolerantConnection, queue: str, answer: "Future[int]") -> None:
    def ask(channel: Channel) -> None:
        channel.add_on_close_callback(refuse)
        channel.queue_declare(queue, passive=True, callback=lambda frame: tell(channel, frame))

    def tell(channel: Channel, frame: pika.frame.Method) -> None:
        answer.set_result(frame.method.message_count)
        channel.close()

    def refuse(_channel: Channel, error: BaseException) -> None:
        if not answer.done():
            answer.set_exception(channel_fault(error, f"asking for the queue {queue}"))

    connection.channel(on_open_callback=ask)
