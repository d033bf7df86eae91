"""The broker port: what a worker may ask of any message broker, and no more.

The message store is the truth and the broker the fast road, so the port promises little: what
`publish` did not name as failed is stored by the broker and routed to a queue; what was delivered
and not settled is delivered again. Every method may raise `BrokerUnavailable`; a lost connection
is rebuilt by the adapter the next time it is used.
"""

from collections.abc import Mapping, Sequence
from dataclasses import field
from datetime import datetime
from typing import Protocol
from uuid import UUID

from shared.domain.errors import TransientError
from shared.domain.values import value

APP_ID = "patron"


class BrokerUnavailable(TransientError):
    """The broker cannot be reached, blocks publishers, or closed the channel."""

    reason = "broker_unavailable"


UNROUTABLE = "unroutable"
NACKED = "nacked"
CONFIRM_TIMEOUT = "confirm_timeout"
CONNECTION_LOST = "connection_lost"
FORBIDDEN = "forbidden"


class PublishFailed(TransientError):
    """Some messages are not safely with the broker; `failed` says which, and why.

    The reasons are few and stable: those above, and `not_sent: …` for a message that AMQP cannot
    carry. What was not confirmed in time, or before the connection was lost, may still have
    reached a queue: delivery is at least once.
    """

    reason = "publish_failed"

    def __init__(self, failed: Mapping[UUID, str]) -> None:
        super().__init__(f"{len(failed)} messages were not published")
        self.failed = failed


@value
class WireMessage:
    """A message as it stands on the wire: opaque bytes and the properties around them.

    `message_id` is None only on messages from outside that carry none, or none that is a UUID;
    `app_id` names the application that sent the message, `APP_ID` for our own. `reply_to` is the
    queue to which its sender wants an answer. A message to publish that `is_direct` goes to the
    very queue that its routing key names, whoever has made it.
    """

    routing_key: str
    body: bytes
    message_id: UUID | None
    type: str
    correlation_id: str | None
    timestamp: datetime | None
    content_type: str | None
    content_encoding: str | None = None
    headers: Mapping[str, object] = field(default_factory=dict)
    app_id: str | None = None
    reply_to: str | None = None
    is_direct: bool = False


@value
class Delivery:
    """A message that was delivered and waits to be settled; `tag` is the adapter's own."""

    message: WireMessage
    queue: str
    redelivered: bool
    tag: object


class Consumption(Protocol):
    """A running subscription to one queue. Used by one thread."""

    def take(self, limit: int, timeout_seconds: float) -> list[Delivery]:
        """Return up to `limit` deliveries, waiting for the first at most `timeout_seconds`.

        Never waits for more than what is already there. Empty when nothing came or
        `wake` was called. Raises ConfigurationError, after the wait, while the queue is missing
        or forbidden; a lost connection is no error here: it is being rebuilt, see `is_active`.
        """
        ...

    def settle(self, acks: Sequence[Delivery], rejects: Sequence[Delivery] = ()) -> None:
        """Acknowledge some deliveries and reject others to the dead queue, without requeueing.

        Deliveries of a connection that was lost meanwhile are passed over: they come again.
        """
        ...

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Return deliveries to the queue unhandled."""
        ...

    @property
    def is_active(self) -> bool:
        """Whether the broker has this consumer registered now (not merely a connection)."""
        ...

    def wake(self) -> None:
        """Make a waiting `take`, or else the next, return at once with nothing.

        What comes after this was called is not taken before somebody has thought again. May be
        called by any thread.
        """
        ...

    def cancel(self) -> None:
        """Stop deliveries; what was taken can still be settled."""
        ...

    def close(self) -> None:
        """Let go of the subscription; whatever was not settled is delivered again."""
        ...


class Broker(Protocol):
    """A message broker. `publish`, `depth` and `close` may be called by any thread."""

    def publish(self, messages: Sequence[WireMessage]) -> None:
        """Return when every message is confirmed and routed.

        Raises `PublishFailed` naming the messages that are not; the others are safe. Every
        message must carry an id.
        """
        ...

    def consume(self, queue: str, prefetch: int) -> Consumption:
        """Subscribe to `queue` with at most `prefetch` unsettled deliveries at a time.

        Does not fail when the broker is away: the subscription is made as soon as it is back.
        """
        ...

    def depth(self, queue: str) -> int:
        """Return how many messages wait in `queue`, those being handled not counted."""
        ...

    @property
    def is_connected(self) -> bool:
        """Whether publishing is possible now (connected, not blocked)."""
        ...

    @property
    def is_blocked(self) -> bool:
        """Whether the broker takes nothing for now, for want of memory or disk."""
        ...

    def close(self) -> None:
        """Close every connection."""
        ...
