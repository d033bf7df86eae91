"""A keeper that is killed between its commit and its acknowledgement, for tests.

Kills itself as `kill -9` would, in the place of the first acknowledgement.
"""

import os
import signal
import sys
import threading
from collections.abc import Sequence
from typing import Any

from prometheus_client import CollectorRegistry
from pydantic import SecretStr

from services.console.keeper.drain import Drain
from services.console.keeper.reading import Reader
from shared.messaging.broker import Delivery
from shared.messaging.connect import connect
from shared.messaging.topology import dead_queue
from shared.observability.metrics import create_metrics
from shared.persistence.engine import create_engine
from shared.persistence.tombstones import Tombstones
from shared.persistence.unit_of_work import UnitsOfWork
from tests.integration.runtime.rig import TOPOLOGY


class Doomed:
    """A broker whose consumers do not live to acknowledge anything."""

    def __init__(self, broker: Any) -> None:
        self._inner = broker

    def consume(self, queue: str, prefetch: int) -> "Doomed":
        """Subscribe."""
        return Doomed(self._inner.consume(queue, prefetch))

    def settle(self, acks: Sequence[Delivery], rejects: Sequence[Delivery] = ()) -> None:
        """Die."""
        os.kill(os.getpid(), signal.SIGKILL)
        threading.Event().wait()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._inner, name)


def main(broker_url: str, database_url: str) -> None:
    """Drain the processor's dead queue until death."""
    broker: Any = Doomed(connect(broker_url, TOPOLOGY, "doomed"))
    drain = Drain(
        "processor",
        dead_queue("processor"),
        broker,
        UnitsOfWork(create_engine(database_url)),
        reader=Reader("processor", platforms={}, config_version=None),
        tombstones=Tombstones(SecretStr("k" * 32)),
        metrics=create_metrics(CollectorRegistry(), version="test"),
    )
    drain.run(lambda: None)


if __name__ == "__main__":
    main(*sys.argv[1:])
