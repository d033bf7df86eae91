"""The one consumer loop of all workers: take, decode, handle, settle.

Its promises: a delivery is settled exactly once, after everything about it is committed; bytes
that are no message are dead-lettered at once and stop nobody; a message that was delivered before
runs alone, its start counted first, so that one which kills the process is given up after a
number of starts and takes no neighbour along.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Protocol

import structlog

from shared.domain.errors import ConfigurationError, PatronError
from shared.messaging.broker import Broker, Consumption, Delivery
from shared.messaging.codec import decode, is_ours
from shared.observability.logs import about
from shared.observability.metrics import Metrics
from shared.observability.tracing import NO_TRACING, Tracer
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.failures import FailureRecorder
from shared.runtime.loops import Beat
from shared.runtime.patience import Patience, Stopping
from shared.runtime.publisher import is_republished
from shared.runtime.received import Handler, Received, Result
from shared.runtime.tally import Tally, tell
from shared.runtime.traced import traced

_TAKE_SECONDS = 1.0
_MISCONFIGURED_SECONDS = 5.0
_log = structlog.get_logger()


class Gate(Protocol):
    """Holds a consumer back, as a circuit breaker or a channel's pause does."""

    def closed_for(self) -> float:
        """Return for how many seconds nothing should be taken; 0 when the way is free."""
        ...

    def look_again(self) -> None:
        """Take nothing known for granted any more: something was just paused."""
        ...


class OpenGate:
    """Holds nobody back."""

    def closed_for(self) -> float:
        """Return 0."""
        return 0.0

    def look_again(self) -> None:
        """Stay open."""


@dataclass(frozen=True, slots=True)
class Subscription:
    """Which queue a consumer reads, for which worker, and how much at a time.

    `number` tells the consumers of one queue in one process apart.
    """

    worker: str
    queue: str
    batch_size: int = 100
    prefetch: int = 250
    max_starts: int = 5
    number: int = 1

    @property
    def name(self) -> str:
        """What the consumer's loop is called."""
        return f"consumer.{self.queue}" + (f".{self.number}" if self.number > 1 else "")


class Consumer:
    """Feeds one queue's messages to a handler until stopped. A `Loop`."""

    def __init__(
        self,
        subscription: Subscription,
        broker: Broker,
        units: UnitsOfWork,
        handler: Handler,
        *,
        failures: FailureRecorder,
        metrics: Metrics,
        gate: Gate | None = None,
        tracer: Tracer = NO_TRACING,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self.name = subscription.name
        self._subscription = subscription
        self._broker = broker
        self._units = units
        self._handler = traced(handler, tracer)
        self._failures = failures
        self._metrics = metrics
        self._gate = gate or OpenGate()
        self._tally = Tally(subscription.worker, metrics, clock, is_traced=tracer.is_on)
        self._stopped = threading.Event()
        self._consumption: Consumption | None = None
        self._in_hand_since: float | None = None
        show_activity(metrics, [self])

    @property
    def subscription(self) -> Subscription:
        """What is consumed, and how."""
        return self._subscription

    @property
    def is_active(self) -> bool:
        """Whether the broker has this consumer registered now."""
        consumption = self._consumption
        return consumption is not None and consumption.is_active

    def readiness(self) -> str | None:
        """Say whether the consumer takes nothing. A health check."""
        return None if self.is_active else f"not consuming {self._subscription.queue}"

    def stop(self) -> None:
        """Take nothing more; end after the batch in hand."""
        self._stopped.set()
        if consumption := self._consumption:
            consumption.wake()

    def look_again(self) -> None:
        """Ask the gate before anything more is taken: it was just closed, or opened.

        May be called by any thread.
        """
        self._gate.look_again()
        if consumption := self._consumption:
            consumption.wake()

    def run(self, beat: Beat) -> None:
        """Consume until stopped."""
        subscription = self._subscription
        patience = Patience(self._stopped, beat=beat, on_trouble=self._tally.count_trouble)
        consumption = self._broker.consume(subscription.queue, subscription.prefetch)
        self._consumption = consumption
        try:
            while not self._stopped.is_set():
                beat()
                if closed := patience.through(self._gate.closed_for):
                    self._stopped.wait(min(closed, _TAKE_SECONDS))
                    continue
                if deliveries := self._take(consumption):
                    self._take_charge(deliveries, consumption, patience)
        except Stopping:
            _log.info("consumer.stopped_during_outage", queue=subscription.queue)
        finally:
            self._consumption = None
            consumption.close()

    def _take(self, consumption: Consumption) -> list[Delivery]:
        """Take what is there; a queue that is missing or forbidden is waited for, loudly."""
        try:
            return consumption.take(self._subscription.batch_size, _TAKE_SECONDS)
        except ConfigurationError as error:
            _log.error("consumer.misconfigured", reason=error.reason, error=str(error))
            self._stopped.wait(_MISCONFIGURED_SECONDS)
            return []

    def _take_charge(
        self, deliveries: Sequence[Delivery], consumption: Consumption, patience: Patience
    ) -> None:
        """Handle a taken batch: what came before one by one, the rest together."""
        received = self._decoded(deliveries, consumption, patience)
        together = [each for each in received if not _came_before(each.delivery)]
        if together:
            self._handle(together, consumption, patience)
        for each in received:
            # When stopping, the rest is left to the next process: each of these may take long.
            if _came_before(each.delivery) and not self._stopped.is_set():
                patience.beat()
                self._handle_alone(each, consumption, patience)

    def _decoded(
        self, deliveries: Sequence[Delivery], consumption: Consumption, patience: Patience
    ) -> list[Received]:
        """Return the messages; what is none goes to the dead letters now."""
        received = []
        for delivery in deliveries:
            message = delivery.message
            try:
                envelope = decode(message)
            except PatronError as error:
                result = self._bury_undecodable(delivery, error, patience)
                self._settle([delivery], [result], consumption)
            else:
                received.append(Received(envelope, delivery, is_foreign=not is_ours(message)))
        return received

    def _bury_undecodable(
        self, delivery: Delivery, error: PatronError, patience: Patience
    ) -> Result:
        def commit() -> Result:
            with self._units.begin() as work:
                return self._failures.bury_undecodable(delivery, error, work)

        result = patience.through(commit)
        given = delivery.message.message_id
        tell(result, queue=delivery.queue, message_id=str(given) if given else None)
        return result

    def _handle_alone(
        self, received: Received, consumption: Consumption, patience: Patience
    ) -> None:
        """Count the start of a message that was delivered before, then handle it if it may."""

        def count_start() -> Result | None:
            with self._units.begin() as work:
                return self._failures.count_start(received, self._subscription.max_starts, work)

        given_up = patience.through(count_start)
        if given_up:
            self._settle([received.delivery], [given_up], consumption)
            tell(given_up, received)
        else:
            self._handle([replace(received, is_counted=True)], consumption, patience)

    def _handle(
        self, batch: Sequence[Received], consumption: Consumption, patience: Patience
    ) -> None:
        began = time.monotonic()
        in_progress = self._metrics.messages_in_progress.labels(self._subscription.worker)
        in_progress.inc(len(batch))
        self._in_hand_since = began
        try:
            # Several at once are told apart where something is said of one of them.
            with about([received.envelope for received in batch] if len(batch) == 1 else ()):
                results = self._handler.handle(batch, patience)
        finally:
            self._in_hand_since = None
            in_progress.dec(len(batch))
        if any(result.outcome == "paused" for result in results):
            self._gate.look_again()
        self._settle([received.delivery for received in batch], results, consumption)
        self._tally.measure(batch, results, time.monotonic() - began)

    def _settle(
        self, deliveries: Sequence[Delivery], results: Sequence[Result], consumption: Consumption
    ) -> None:
        """Acknowledge what is taken care of, send what is dead to the broker's dead letters."""
        both = list(zip(deliveries, results, strict=True))
        consumption.settle(
            acks=[delivery for delivery, result in both if result.outcome != "dead"],
            rejects=[delivery for delivery, result in both if result.outcome == "dead"],
        )
        self._tally.count(results)

    @property
    def seconds_in_hand(self) -> float:
        """For how long the batch in hand has been worked on; 0 when there is none."""
        since = self._in_hand_since
        return 0.0 if since is None else time.monotonic() - since


def show_activity(metrics: Metrics, consumers: Sequence[Consumer]) -> None:
    """Show whether the consumers of one queue take what is there, and the oldest batch in hand."""
    worker, queue = consumers[0].subscription.worker, consumers[0].subscription.queue
    metrics.consumer_active.labels(worker, queue).set_function(
        lambda: float(all(each.is_active for each in consumers))
    )
    metrics.message_in_progress_oldest_seconds.labels(worker, queue).set_function(
        lambda: max(each.seconds_in_hand for each in consumers)
    )
    # From the start: a worker without this is taken for one that does not run.
    metrics.messages_in_progress.labels(worker)


def _came_before(delivery: Delivery) -> bool:
    """Whether an earlier start of this message may have ended badly."""
    return delivery.redelivered or is_republished(delivery.message)
