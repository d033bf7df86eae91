"""The embedded adapter of the broker port.

The threads of a process share one `EmbeddedBroker`, and with it one connection and one lock: the
transports are not made for threads, and their calls are short.
"""

import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

import structlog
from kombu.exceptions import KombuError

from shared.domain.errors import ConfigurationError
from shared.messaging.broker import (
    CONNECTION_LOST,
    NACKED,
    UNROUTABLE,
    BrokerUnavailable,
    Consumption,
    PublishFailed,
    WireMessage,
)
from shared.messaging.embedded.consumption import EmbeddedConsumption
from shared.messaging.embedded.transport import (
    Channel,
    connection_to,
    depth_of,
    open_channel,
    to_kombu,
)
from shared.messaging.topology import EXCHANGE, PROVISION_COMMAND, Topology

log = structlog.get_logger(__name__)

POLL_SECONDS = 0.05
CAPACITY = 20_000
DEFAULT_EXCHANGE = ""


class EmbeddedBroker:
    """See `shared.messaging.broker.Broker`. Declares its queues itself, in every process.

    A queue that holds `capacity` messages refuses more, as a RabbitMQ queue does: what it refuses
    waits in the outbox instead of in memory.
    """

    def __init__(
        self, topology: Topology, url: str = "memory://", *, capacity: int = CAPACITY
    ) -> None:
        self._topology = topology
        self._url = url
        self._connection = connection_to(url)
        self._scheme = url.partition(":")[0]
        self._capacity = capacity
        self._channel: Channel | None = None
        self._consumptions: list[EmbeddedConsumption] = []
        self._is_closed = False
        self.changed = threading.Condition(threading.RLock())
        # Another process cannot wake us, so only a private transport may wait for a wake-up.
        self.poll_seconds = None if self._scheme == "memory" else POLL_SECONDS

    def publish(self, messages: Sequence[WireMessage]) -> None:
        """Return when all are in their queues. Raises PublishFailed naming the others."""
        if any(message.message_id is None for message in messages):
            raise ValueError("a message to publish must carry an id")
        failures = {}
        with self.changed:
            room = self._room(messages)
            for message in messages:
                failure = self._put(message, room)
                if failure and message.message_id:
                    failures[message.message_id] = failure
            self.changed.notify_all()
        if failures:
            raise PublishFailed(failures)

    def consume(self, queue: str, prefetch: int) -> Consumption:
        """Subscribe to `queue`."""
        consumption = EmbeddedConsumption(self, queue, prefetch)
        with self.changed:
            live = [each for each in self._consumptions if not each.is_closed]
            self._consumptions = [*live, consumption]
        return consumption

    def depth(self, queue: str) -> int:
        """Return how many messages wait in `queue`."""
        self.check_queue(queue)
        with self.changed, self.using_channel() as channel:
            return int(channel.queue_declare(queue, passive=True).message_count)

    @property
    def is_blocked(self) -> bool:
        """Never: there is no server that could run out of anything."""
        return False

    @property
    def is_connected(self) -> bool:
        """Whether publishing is possible now."""
        with self.changed:
            try:
                with self.using_channel():
                    return True
            except BrokerUnavailable:
                return False

    def close(self) -> None:
        """Return what is in hand and close the connection. May be called twice."""
        with self.changed:
            for consumption in self._consumptions:
                consumption.close()
            self._is_closed = True
            self._drop_connection()
            self.changed.notify_all()

    def check_queue(self, queue: str) -> None:
        """Raise ConfigurationError for a queue that the topology does not have."""
        if queue not in self._topology.queues:
            raise ConfigurationError(
                f"the queue {queue} does not exist; is its channel configured? "
                f"(RabbitMQ: `{PROVISION_COMMAND}`)"
            )

    @contextmanager
    def using_channel(self) -> Iterator[Channel]:
        """Give the channel to one who holds the lock, connecting first if need be.

        Raises BrokerUnavailable when the transport fails, and then lets go of the connection.
        """
        if self._is_closed:
            raise BrokerUnavailable("the broker was closed")
        errors = (
            *self._connection.connection_errors,
            *self._connection.channel_errors,
            KombuError,
            OSError,
        )
        try:
            if self._channel is None:
                self._channel = open_channel(self._connection, self._topology)
            yield self._channel
        except errors as error:
            log.warning("broker.connection_lost", broker=self._scheme, error=type(error).__name__)
            self._drop_connection()
            self._connection = connection_to(self._url)
            raise BrokerUnavailable(
                f"the {self._scheme} broker failed: {type(error).__name__}"
            ) from None

    def _drop_connection(self) -> None:
        self._channel = None
        self._connection.release()  # type: ignore[no-untyped-call]

    def _room(self, messages: Sequence[WireMessage]) -> Counter[str]:
        """Return how many more messages each of the queues takes; none if we cannot ask."""
        room: Counter[str] = Counter()
        queues = {q for each in messages for q in self._topology.queues_for(each.routing_key)}
        with suppress(BrokerUnavailable), self.using_channel() as channel:
            for queue in queues:
                waiting = channel.queue_declare(queue, passive=True).message_count
                room[queue] = max(0, self._capacity - waiting)
        return room

    def _put(self, message: WireMessage, room: Counter[str]) -> str | None:
        """Publish one message; return why it was not, if it was not."""
        if message.is_direct:
            return self._put_directly(message)
        queues = self._topology.queues_for(message.routing_key)
        if not queues:
            return UNROUTABLE
        try:
            with self.using_channel() as channel:
                if any(room[queue] <= 0 for queue in queues):
                    return NACKED
                channel.basic_publish(to_kombu(channel, message), EXCHANGE, message.routing_key)
        except BrokerUnavailable:
            return CONNECTION_LOST
        room.subtract(queues)
        return None

    def _put_directly(self, message: WireMessage) -> str | None:
        """Put a message into the queue that it names; return why not, if not."""
        queue = message.routing_key
        try:
            with self.using_channel() as channel:
                waiting = depth_of(channel, queue)
                if waiting is None:
                    return UNROUTABLE
                if waiting >= self._capacity:
                    return NACKED
                channel.basic_publish(to_kombu(channel, message), DEFAULT_EXCHANGE, queue)
        except BrokerUnavailable:
            return CONNECTION_LOST
        return None
