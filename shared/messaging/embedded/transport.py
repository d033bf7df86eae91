"""kombu's virtual transports, tamed: what `embedded` needs of them and nothing else.

Its promise: bytes in, the same bytes out; nothing is unpickled or inflated on the way, and two
`memory://` brokers of one process do not see each other.
"""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, Protocol
from uuid import UUID

from kombu.connection import Connection
from kombu.exceptions import ChannelError, KombuError
from kombu.transport import memory, virtual

from shared.domain.errors import ConfigurationError
from shared.messaging.broker import WireMessage
from shared.messaging.topology import Topology


class RawMessage(virtual.Message):
    """A message as it is on the wire; the base class would inflate what says it is compressed."""

    def __init__(self, payload: Mapping[str, Any], channel: Any = None, **kwargs: Any) -> None:
        headers = payload.get("headers") or {}
        plain = {key: value for key, value in headers.items() if key != "compression"}
        super().__init__(  # type: ignore[no-untyped-call]
            {**payload, "headers": plain}, channel=channel, **kwargs
        )
        self.headers = headers

    @property
    def is_redelivered(self) -> bool:
        """Whether it was delivered before; transports keep that in different places."""
        return bool(self._raw.get("redelivered") or self.delivery_info.get("redelivered"))


class Channel(Protocol):
    """What we use of a virtual channel."""

    def basic_get(self, queue: str) -> RawMessage | None:
        """Return the next message, if there is one."""

    def basic_ack(self, delivery_tag: object) -> None:
        """Be done with a message."""

    def basic_reject(self, delivery_tag: object, requeue: bool) -> None:  # noqa: FBT001
        """Drop a message, or return it to its queue."""

    def basic_publish(self, message: object, exchange: str, routing_key: str) -> None:
        """Put a prepared message into the queues it is routed to."""

    def prepare_message(self, body: bytes, **properties: object) -> object:
        """Return the message in the transport's own form."""

    def queue_declare(self, queue: str, passive: bool) -> Any:  # noqa: FBT001
        """Return the queue's `message_count`, among others."""


def connection_to(url: str) -> Connection:
    """Return a connection, not yet made, to whatever transport `url` names.

    Raises ConfigurationError if kombu has none, or if it is no virtual one.
    """
    scheme = url.partition(":")[0]
    try:
        if scheme == "memory":
            return Connection(url, transport=_private_memory())  # type: ignore[no-untyped-call]
        connection = Connection(url)  # type: ignore[no-untyped-call]
        transport = connection.transport
    except (KombuError, ImportError, KeyError, ValueError, AttributeError) as error:
        raise ConfigurationError(
            f"broker URL: no transport {scheme!r} ({type(error).__name__})"
        ) from None
    if not isinstance(transport, virtual.Transport):
        raise ConfigurationError(f"broker URL: for RabbitMQ write amqp://, not {scheme}://")
    return connection


def open_channel(connection: Connection, topology: Topology) -> Channel:
    """Open a channel that knows the topology: virtual transports bind within the process."""
    channel = connection.channel()  # type: ignore[no-untyped-call]
    channel.Message = RawMessage
    for exchange in topology.exchanges:
        channel.exchange_declare(exchange.name, exchange.kind, durable=True)
    for queue in topology.queues:
        channel.queue_declare(queue, durable=True)
    for binding in topology.bindings:
        channel.queue_bind(binding.queue, binding.exchange, binding.routing_key)
    opened: Channel = channel
    return opened


def depth_of(channel: Channel, queue: str) -> int | None:
    """Return how many messages wait in any queue, or None if there is no such queue.

    Only a private transport knows which there are; the others make one for whoever asks.
    """
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except ChannelError:
        return None


def to_kombu(channel: Channel, message: WireMessage) -> object:
    """Return `message` as the channel publishes it."""
    return channel.prepare_message(
        message.body,
        content_type=message.content_type,
        content_encoding=message.content_encoding,
        headers=dict(message.headers),
        properties={
            "message_id": None if message.message_id is None else str(message.message_id),
            "correlation_id": message.correlation_id,
            "type": message.type,
            "timestamp": None if message.timestamp is None else int(message.timestamp.timestamp()),
            "app_id": message.app_id,
            "reply_to": message.reply_to,
            "delivery_mode": 2,
        },
    )


def from_kombu(message: RawMessage) -> WireMessage:
    """Return what was received; what does not fit our types is left out."""
    properties = message.properties
    body = message.body or b""
    return WireMessage(
        routing_key=str(message.delivery_info.get("routing_key", "")),
        body=body.encode() if isinstance(body, str) else bytes(body),
        message_id=_uuid(properties.get("message_id")),
        type=str(properties.get("type") or ""),
        correlation_id=_text(properties.get("correlation_id")),
        timestamp=_moment(properties.get("timestamp")),
        content_type=_text(message.content_type),
        content_encoding=_text(message.content_encoding),
        headers=message.headers,
        app_id=_text(properties.get("app_id")),
        reply_to=_text(properties.get("reply_to")),
    )


def _private_memory() -> type[memory.Transport]:
    """Return a memory transport of its own: kombu keeps the queues on the class."""

    class PrivateChannel(memory.Channel):
        queues: dict[str, Any] = {}  # noqa: RUF012 - this very class is made anew each time

    class PrivateTransport(memory.Transport):
        Channel = PrivateChannel
        global_state = virtual.BrokerState()  # type: ignore[no-untyped-call]

    return PrivateTransport


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _uuid(value: object) -> UUID | None:
    try:
        return UUID(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _moment(value: object) -> datetime | None:
    try:
        return datetime.fromtimestamp(value, UTC) if isinstance(value, int) else None
    except (ValueError, OverflowError, OSError):
        return None
