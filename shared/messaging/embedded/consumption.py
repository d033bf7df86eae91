"""A subscription to one queue of the embedded broker.

It polls, because a virtual transport cannot push; what this process publishes or returns wakes it
at once.
"""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager, suppress
from typing import Protocol

from shared.messaging.broker import BrokerUnavailable, Delivery
from shared.messaging.embedded.transport import Channel, from_kombu


class Source(Protocol):
    """What a consumption needs of its broker."""

    changed: threading.Condition
    poll_seconds: float | None

    def using_channel(self) -> AbstractContextManager[Channel]:
        """Give the channel to one who holds the lock. Raises BrokerUnavailable."""

    def check_queue(self, queue: str) -> None:
        """Raise ConfigurationError for a queue that there is not."""


class EmbeddedConsumption:
    """See `shared.messaging.broker.Consumption`."""

    def __init__(self, source: Source, queue: str, prefetch: int) -> None:
        self._source = source
        self._changed = source.changed
        self._queue = queue
        self._prefetch = prefetch
        self._in_hand: dict[object, Channel] = {}
        self._is_cancelled = False
        self._is_closed = False
        self._is_woken = False
        self._is_reachable = True

    @property
    def is_active(self) -> bool:
        """Whether this consumption takes messages."""
        return self._is_reachable and not self._is_cancelled

    @property
    def is_closed(self) -> bool:
        """Whether nothing will ever come of it again."""
        return self._is_closed

    def take(self, limit: int, timeout_seconds: float) -> list[Delivery]:
        """Return up to `limit` deliveries, waiting for the first at most `timeout_seconds`."""
        deadline = time.monotonic() + timeout_seconds
        with self._changed:
            while not self._is_woken and not self._is_cancelled:
                if taken := self._fetch(min(limit, self._prefetch - len(self._in_hand))):
                    return taken
                left = deadline - time.monotonic()
                if left <= 0:
                    self._source.check_queue(self._queue)
                    break
                self._changed.wait(min(left, self._source.poll_seconds or left))
            self._is_woken = False
        return []

    def settle(self, acks: Sequence[Delivery], rejects: Sequence[Delivery] = ()) -> None:
        """Acknowledge or drop; what came over a lost connection is passed over."""
        self._strike(_tags(rejects), lambda channel, tag: channel.basic_reject(tag, requeue=False))
        self._strike(_tags(acks), lambda channel, tag: channel.basic_ack(tag))

    def give_back(self, deliveries: Sequence[Delivery]) -> None:
        """Return deliveries to the queue unhandled, to its end."""
        self._give_back(_tags(deliveries))

    def wake(self) -> None:
        """Make a waiting `take`, or else the next, return at once with nothing."""
        with self._changed:
            self._is_woken = True
            self._changed.notify_all()

    def cancel(self) -> None:
        """Stop taking; what was taken can still be settled."""
        with self._changed:
            self._is_cancelled = True
            self._changed.notify_all()

    def close(self) -> None:
        """Return whatever is in hand to the queue. May be called twice."""
        self.cancel()
        self._is_closed = True
        self._give_back(list(self._in_hand))

    def _give_back(self, tags: Iterable[object]) -> None:
        self._strike(tags, lambda channel, tag: channel.basic_reject(tag, requeue=True))
        with self._changed:
            self._changed.notify_all()

    def _fetch(self, limit: int) -> list[Delivery]:
        """Return what is there; nothing if the transport is away, and then the caller waits."""
        taken: list[Delivery] = []
        try:
            with self._source.using_channel() as channel:
                while len(taken) < limit and (message := channel.basic_get(self._queue)):
                    self._in_hand[message.delivery_tag] = channel
                    taken.append(
                        Delivery(
                            message=from_kombu(message),
                            queue=self._queue,
                            redelivered=message.is_redelivered,
                            tag=message.delivery_tag,
                        )
                    )
        except BrokerUnavailable:
            # What was fetched of this round went with the connection, and comes again.
            self._is_reachable = False
            return []
        self._is_reachable = True
        return taken

    def _strike(self, tags: Iterable[object], verb: Callable[[Channel, object], None]) -> None:
        """Settle what is in hand and came over the present channel."""
        with self._changed, suppress(BrokerUnavailable), self._source.using_channel() as channel:
            for tag in tags:
                if self._in_hand.pop(tag, None) is channel:
                    verb(channel, tag)


def _tags(deliveries: Sequence[Delivery]) -> list[object]:
    return [delivery.tag for delivery in deliveries]
