"""What was published on a channel and is not confirmed yet. Pure bookkeeping, no I/O.

Its promise: exact tags. A confirm settles the messages it names and no other, and every message
of a batch is settled once.
"""

from collections import deque
from collections.abc import Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from itertools import takewhile
from typing import Final, Generic, TypeVar
from uuid import UUID

from shared.messaging.broker import NACKED, UNROUTABLE
from shared.messaging.rabbitmq.faults import BrokerFault

Load = TypeVar("Load")
_PIECE_BYTES: Final = 256 * 1024


@dataclass(slots=True)
class Outcome:
    """What became of one batch: the failures, and the fault behind them if it was one for all."""

    failed: dict[UUID, str] = field(default_factory=dict)
    fault: BrokerFault | None = None


class Batch:
    """The messages of one call to publish; answers its future when all are settled."""

    def __init__(self, answer: "Future[Outcome]", size: int) -> None:
        self._answer = answer
        self._open = size
        self._outcome = Outcome()

    def settle(
        self, message_id: UUID, failure: str | None, fault: BrokerFault | None = None
    ) -> None:
        """Note what became of one message, and answer when it was the last."""
        if failure is not None:
            self._outcome.failed[message_id] = failure
            self._outcome.fault = fault or self._outcome.fault
        self._open -= 1
        if not self._open and not self._answer.done():
            self._answer.set_result(self._outcome)


@dataclass(slots=True)
class Item(Generic[Load]):
    """One message of a batch, with whatever the sender needs to send it."""

    batch: Batch
    message_id: UUID
    size: int
    load: Load
    is_returned: bool = False


class Window(Generic[Load]):
    """Messages waiting and in flight on one channel; in flight are at most so many, so large."""

    def __init__(self, most_messages: int, most_bytes: int) -> None:
        self._most_messages = most_messages
        self._most_bytes = most_bytes
        self._bytes = 0
        self._next_tag = 1
        self._in_flight: dict[int, Item[Load]] = {}
        self._waiting: deque[Item[Load]] = deque()

    def __len__(self) -> int:
        return len(self._in_flight) + len(self._waiting)

    def add(self, items: Sequence[Item[Load]]) -> None:
        """Let messages wait for their turn."""
        self._waiting.extend(items)

    def next_items(self) -> list[Item[Load]]:
        """Return the messages to be sent now, in one piece: what there is room for, or a part."""
        items: list[Item[Load]] = []
        size = self._bytes
        most = self._most_messages - len(self._in_flight)
        largest = min(self._most_bytes, size + _PIECE_BYTES)
        while self._waiting and len(items) < most and size < largest:
            items.append(self._waiting.popleft())
            size += items[-1].size
        return items

    def sent(self, items: Sequence[Item[Load]]) -> None:
        """Note that messages are on the wire, under the channel's next tags."""
        self._in_flight.update(enumerate(items, self._next_tag))
        self._next_tag += len(items)
        self._bytes += sum(item.size for item in items)

    def returned(self, message_id: UUID | None) -> None:
        """Note that no queue takes a message; its confirm is still to come."""
        for item in self._in_flight.values():
            if item.message_id == message_id and not item.is_returned:
                item.is_returned = True
                return

    def confirmed(self, tag: int, *, multiple: bool, positive: bool) -> None:
        """Settle what the broker acknowledged, or refused if not `positive`."""
        for each in self._meant(tag, multiple=multiple):
            item = self._in_flight.pop(each)
            self._bytes -= item.size
            failure = None if positive else NACKED
            item.batch.settle(item.message_id, UNROUTABLE if item.is_returned else failure)

    def abandon(self, failure: str, fault: BrokerFault) -> None:
        """Fail everything waiting or in flight: the channel is gone, and tags start anew."""
        unfinished = [*self._in_flight.values(), *self._waiting]
        self._in_flight.clear()
        self._waiting.clear()
        self._bytes, self._next_tag = 0, 1
        for item in unfinished:
            item.batch.settle(item.message_id, failure, fault)

    def _meant(self, tag: int, *, multiple: bool) -> Sequence[int]:
        if multiple:
            return list(takewhile(lambda each: each <= tag, self._in_flight))
        return (tag,) if tag in self._in_flight else ()
