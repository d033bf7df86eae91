"""A keeper at work for tests: what lies in the dead queues, and what comes of it."""

from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pika
import sqlalchemy as sa
from pydantic import SecretStr

from services.console.keeper.drain import Drain
from services.console.keeper.reading import Reader
from shared.domain.messages import Parcel
from shared.messaging.broker import Delivery, WireMessage
from shared.messaging.codec import to_wire
from shared.messaging.topology import EXCHANGE, PROCESSOR_QUEUE, dead_queue
from shared.persistence.tables import dead_letters
from shared.persistence.tombstones import Tombstones
from tests.amqp import to_properties
from tests.integration.runtime.rig import PATIENCE_SECONDS, Rig, eventually

DEAD = dead_queue("processor")


class Vault:
    """The keeper of the processor's dead letters, on a rig's connections."""

    def __init__(self, rig: Rig, amqp_url: str = "") -> None:
        self.rig = rig
        self.amqp_url = amqp_url
        self.tombstones = Tombstones(SecretStr("k" * 32))

    def a_drain(self, **changes: Any) -> Drain:
        """Return the drain of the processor's dead queue."""
        given: dict[str, Any] = {
            "worker": "processor",
            "queue": DEAD,
            "broker": self.rig.broker,
            "units": self.rig.units,
            "reader": Reader("processor", platforms={"shop": "magento"}, config_version="c2"),
            "tombstones": self.tombstones,
            "metrics": self.rig.metrics,
            "retry_seconds": 0.2,
        }
        return Drain(**(given | changes))

    @contextmanager
    def draining(self, **changes: Any) -> Iterator[Drain]:
        """Run the keeper."""
        drain = self.a_drain(**changes)
        with self.rig.running([drain]):
            yield drain

    def drain(self) -> None:
        """Run the keeper until the dead queue is empty and all of it is acknowledged."""
        taken = self.ingested()
        depth = self.rig.broker.depth(DEAD)
        with self.draining():
            eventually(lambda: self.ingested() >= taken + depth)
        eventually(lambda: self.rig.broker.depth(DEAD) == 0)

    def ingested(self, outcome: str | None = None) -> float:
        """Return how many letters came of which outcome, or of all but failures."""
        outcomes = [outcome] if outcome else ["buried", "known", "handled", "erased"]
        name = "dead_letters_ingested_total"
        return sum(self.rig.count(name, worker="processor", outcome=each) for each in outcomes)

    def letters(self) -> list[sa.Row[Any]]:
        """Return the dead letters."""
        return self.rig.buried()

    def letter(self) -> sa.Row[Any]:
        """Return the only dead letter."""
        (letter,) = self.letters()
        return letter

    def set_state(self, state: str) -> None:
        """Put every letter into a state."""
        with self.rig.units.begin() as work:
            work.connection.execute(sa.update(dead_letters).values(state=state))

    def put(self, *messages: WireMessage) -> None:
        """Leave messages in the dead queue, whoever did."""
        self.rig.broker.publish(
            [
                replace(
                    each, routing_key=DEAD, is_direct=True, message_id=each.message_id or uuid4()
                )
                for each in messages
            ]
        )

    def publish(self, *parcels: Parcel) -> None:
        """Send messages that are owed."""
        self.rig.owe(*parcels, published=True)
        self.rig.broker.publish([to_wire(each) for each in parcels])

    def publish_raw(self, *messages: WireMessage) -> None:
        """Publish as a stranger may: even without an id."""
        with closing(pika.BlockingConnection(pika.URLParameters(self.amqp_url))) as connection:
            channel = connection.channel()
            for each in messages:
                properties = to_properties(each)
                channel.basic_publish(EXCHANGE, each.routing_key, each.body, properties)

    def reject(self, many: int = 1) -> list[Delivery]:
        """Take messages from the processor's queue and reject them, as a stranger might."""
        taken: list[Delivery] = []
        with closing(self.rig.broker.consume(PROCESSOR_QUEUE, many)) as consumption:
            while len(taken) < many:
                taken += consumption.take(many - len(taken), PATIENCE_SECONDS)
            consumption.settle([], rejects=taken)
            eventually(lambda: self.rig.broker.depth(DEAD) >= many)
        return taken

    def exhaust(self) -> None:
        """Deliver what is in the processor's queue until the broker gives it up."""
        while self.rig.broker.depth(DEAD) == 0:
            with closing(self.rig.broker.consume(PROCESSOR_QUEUE, 10)) as victim:
                victim.take(10, 0.5)


def subjects(letters: Sequence[sa.Row[Any]]) -> list[str]:
    """Return whom letters are about, sorted."""
    return sorted(letter.subject for letter in letters)
