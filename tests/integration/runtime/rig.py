"""A worker on real connections, for tests: messages go in, what the handler saw comes out."""

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from shared.domain.messages import CustomerDeleted, Envelope, Parcel, parcel
from shared.messaging.broker import Broker
from shared.messaging.topology import PROCESSOR_QUEUE, Topology, topology_for
from shared.observability.metrics import Metrics, create_metrics
from shared.observability.tracing import NO_TRACING
from shared.persistence.tables import channel_pauses, dead_letters, foreign_messages, messages
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork, utc_now
from shared.runtime.consumer import Consumer, Subscription
from shared.runtime.failures import FailureRecorder
from shared.runtime.lifecycle import Worker
from shared.runtime.outbox import Outbox, OutboxSettings
from shared.runtime.patience import Patience
from shared.runtime.received import Handler
from shared.runtime.recoverability import Recoverability
from shared.runtime.state_gauges import StateGauges
from shared.runtime.transactional import TransactionalHandler
from tests.builders import a_source

PATIENCE_SECONDS = 20.0
TOPOLOGY = topology_for(["shop"])
QUICK = OutboxSettings(relay_every_seconds=0.05, reconcile_every_seconds=0.1)
AT_ONCE = Recoverability(
    max_attempts=3, max_bug_attempts=3, first_delay_seconds=0.0, pause_seconds=3600
)

Process = Callable[[Sequence[Envelope[Any]], UnitOfWork], None]


def a_parcel(subject: str = "1", at: datetime | None = None, **changes: Any) -> Parcel:
    """Return a message for the processor, told apart by its subject."""
    source = a_source(subject)
    body = CustomerDeleted(source=source)
    built = parcel(body, channel="shop", subject=subject, at=at or utc_now())
    return replace(built, **changes)


@dataclass
class Rig:
    """Connections, and what is needed to run consumers and an outbox on them."""

    engine: sa.Engine
    broker: Broker
    topology: Topology
    recoverability: Recoverability = AT_ONCE
    registry: CollectorRegistry = field(default_factory=CollectorRegistry)
    deaths: list[BaseException] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Build what every test uses."""
        self.units = UnitsOfWork(self.engine)
        self.metrics: Metrics = create_metrics(self.registry, version="test")
        self.failures = FailureRecorder("processor", self.recoverability, config_version="c1")
        self.outbox = self.an_outbox()
        self.seen: queue.Queue[list[str]] = queue.Queue()

    def an_outbox(self, settings: OutboxSettings = QUICK, broker: Broker | None = None) -> Outbox:
        """Return an outbox on the rig's connections."""
        return Outbox(
            broker or self.broker,
            self.units,
            self.failures,
            self.metrics,
            worker="processor",
            queues_for=self.topology.queues_for,
            gauges=StateGauges(self.metrics, {}),
            settings=settings,
        )

    def noting(self, process: Process = lambda envelopes, work: None) -> Process:
        """Return `process`, noting in `seen` the subjects of every batch that it was given."""

        def note(envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
            self.seen.put([envelope.subject for envelope in envelopes])
            process(envelopes, work)

        return note

    def transactional(self, process: Process) -> TransactionalHandler:
        """Return a handler that runs `process` in the transaction of the claim."""
        return TransactionalHandler(
            self.noting(process),
            self.units,
            self.failures,
            lambda sent: self.outbox.offer(sent),  # noqa: PLW0108 - whichever outbox runs then
        )

    @contextmanager
    def consuming(self, handler: Handler, **changes: Any) -> Iterator[Consumer]:
        """Run a consumer of the processor's queue and the outbox; end both in order."""
        gate, tracer = changes.pop("gate", None), changes.pop("tracer", NO_TRACING)
        given: dict[str, Any] = {
            "worker": "processor",
            "queue": PROCESSOR_QUEUE,
            "batch_size": 10,
            "prefetch": 30,
        }
        consumer = Consumer(
            Subscription(**(given | changes)),
            self.broker,
            self.units,
            handler,
            failures=self.failures,
            metrics=self.metrics,
            gate=gate,
            tracer=tracer,
        )
        with self.running([consumer]):
            yield consumer

    @contextmanager
    def running(self, loops: Sequence[Any] = ()) -> Iterator[None]:
        """Run `loops` and the outbox in threads of their own; none of them may die."""
        worker = Worker("processor", loops, background=[self.outbox])
        worker.start(lambda name, error: self.deaths.append(error))
        try:
            yield
        finally:
            worker.stop_intake()
            ended = worker.wait(until=time.monotonic() + PATIENCE_SECONDS)
            self.outbox = self.an_outbox()
        assert ended
        assert self.deaths == []

    def send(self, *parcels: Parcel) -> None:
        """Send as a service does: commit, then offer."""
        with self.units.begin() as work:
            work.send(parcels)
        self.outbox.offer(work.sent)

    def owe(self, *parcels: Parcel, published: bool = False) -> None:
        """Leave messages behind as a sender does that crashes right after its commit."""
        with self.units.begin() as work:
            work.store.add(parcels, available_in_seconds=0)
            if published:
                work.store.mark_published([each.message_id for each in parcels])

    def next_seen(self) -> list[str]:
        """Return the subjects of the next batch that reached the handler."""
        return self.seen.get(timeout=PATIENCE_SECONDS)

    def all_seen(self) -> list[list[str]]:
        """Return the batches that reached the handler and were not asked for yet."""
        return [self.seen.get_nowait() for _ in range(self.seen.qsize())]

    def count(self, name: str, **labels: str) -> float:
        """Return the value of a counter."""
        return self.registry.get_sample_value(f"patron_{name}", labels) or 0.0

    def settled(self, outcome: str) -> float:
        """Return how many messages were settled with `outcome`."""
        return self.count("messages_total", worker="processor", outcome=outcome)

    def owed(self) -> dict[UUID, sa.Row[Any]]:
        """Return the rows of the message store."""
        return {row.id: row for row in self._rows(messages)}

    def buried(self) -> list[sa.Row[Any]]:
        """Return the dead letters."""
        return self._rows(dead_letters)

    def foreign(self) -> list[sa.Row[Any]]:
        """Return what is remembered of messages from outside."""
        return self._rows(foreign_messages)

    def pauses(self) -> list[sa.Row[Any]]:
        """Return the channels that are paused."""
        return self._rows(channel_pauses)

    def _rows(self, table: sa.Table) -> list[sa.Row[Any]]:
        with self.units.read() as work:
            return list(work.connection.execute(sa.select(table)))


def patience() -> Patience:
    """Return patience that nobody will interrupt."""
    return Patience(threading.Event())


def eventually(holds: Callable[[], object], patience_seconds: float = PATIENCE_SECONDS) -> None:
    """Wait until `holds` is true of state that nobody announces; fail when it takes too long."""
    pause = threading.Event()
    until = time.monotonic() + patience_seconds
    while not holds():
        assert time.monotonic() < until, "waited in vain"
        pause.wait(0.01)
