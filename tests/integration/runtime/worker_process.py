"""A whole worker process for tests, with a choice of what its handler does.

Says `handled <subject>` on standard output for every message, after whatever it does to it.
"""

import os
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry

from shared.domain.messages import Envelope, Parcel
from shared.messaging.connect import connect, is_rabbitmq
from shared.messaging.topology import PROCESSOR_QUEUE
from shared.observability.health import HealthServer
from shared.observability.logs import configure
from shared.observability.metrics import create_metrics
from shared.persistence.engine import create_engine
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from shared.runtime.checks import checks_for
from shared.runtime.consumer import Consumer, Subscription
from shared.runtime.failures import FailureRecorder
from shared.runtime.lifecycle import Process, Worker, run
from shared.runtime.outbox import Outbox, OutboxSettings
from shared.runtime.patience import Patience
from shared.runtime.received import Handler, Received, Result
from shared.runtime.recoverability import Recoverability
from shared.runtime.state_gauges import StateGauges
from shared.runtime.transactional import TransactionalHandler
from tests.integration.runtime.rig import TOPOLOGY

MOST_STARTS = 3
HANGS_SECONDS = 2.0
KILLED = 9


def handle(behaviour: str) -> Callable[[Sequence[Envelope[Any]], UnitOfWork], None]:
    """Return the handler for `behaviour`."""

    def process(envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
        for envelope in envelopes:
            if behaviour == "poison" and envelope.subject == "poison":
                os._exit(KILLED)
            if behaviour == "slow":
                say(f"begun {envelope.subject}")
                sys.stdin.readline()
            say(f"handled {envelope.subject}")

    return process


@dataclass(frozen=True)
class Hanging:
    """Hangs with a batch in hand, outside any transaction, until it is told to go on."""

    handler: Handler

    def handle(self, batch: Sequence[Received], patience: Patience) -> Sequence[Result]:
        """Hang, then handle."""
        say(f"begun {batch[0].envelope.subject}")
        sys.stdin.readline()
        return self.handler.handle(batch, patience)


def offer(behaviour: str, outbox: Outbox) -> Callable[[Sequence[Parcel]], None]:
    """Return what is done right after a commit, which may be to die."""
    if behaviour == "die-after-commit":
        return lambda parcels: os._exit(KILLED)
    return outbox.offer


def say(text: str) -> None:
    """Tell the test."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def main(broker_url: str, database_url: str, behaviour: str) -> int:
    """Run one worker until a signal."""
    configure("json", "INFO", service="processor")
    registry = CollectorRegistry()
    metrics = create_metrics(registry, version="test")
    engine = create_engine(database_url)
    broker = connect(broker_url, TOPOLOGY, "test")
    units = UnitsOfWork(engine)
    failures = FailureRecorder("processor", Recoverability())
    settings = OutboxSettings(relay_every_seconds=0.05, restores=not is_rabbitmq(broker_url))
    outbox = Outbox(
        broker,
        units,
        failures,
        metrics,
        worker="processor",
        queues_for=TOPOLOGY.queues_for,
        gauges=StateGauges(metrics, {}),
        settings=settings,
    )
    handler: Handler = TransactionalHandler(
        handle(behaviour), units, failures, offer(behaviour, outbox)
    )
    consumer = Consumer(
        Subscription("processor", PROCESSOR_QUEUE, max_starts=MOST_STARTS),
        broker,
        units,
        Hanging(handler) if behaviour == "hang" else handler,
        failures=failures,
        metrics=metrics,
    )
    process = Process(
        [Worker("processor", [consumer], background=[outbox])],
        longest_silence_seconds=HANGS_SECONDS if behaviour == "hang" else 60.0,
    )
    health = HealthServer("127.0.0.1", 0, checks_for(process, engine, broker, [consumer]), registry)
    health.start()
    return run(process, close=[broker.close, engine.dispose, health.close])


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
