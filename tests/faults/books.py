"""A rig whose books can be balanced: every message has one effect, written with its claim.

The effect is a line of history in the handler's transaction, so that what was done twice shows as
two lines and what was lost as none.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import sqlalchemy as sa

from shared.domain.messages import Envelope, Parcel
from shared.messaging.codec import to_wire
from shared.messaging.rabbitmq import RabbitMQBroker
from shared.persistence import history
from shared.persistence.engine import create_engine
from shared.persistence.tables import history as lines
from shared.persistence.unit_of_work import UnitOfWork
from tests.integration.runtime.rig import TOPOLOGY, Rig, a_parcel

EFFECT = "effect"


class Books(Rig):
    """A rig that remembers what it accepted."""

    def __post_init__(self) -> None:
        """Begin with empty books."""
        super().__post_init__()
        self.accepted: list[Parcel] = []

    def accept(self, many: int) -> list[Parcel]:
        """Commit messages to be sent, as a service does, and leave the publishing to the outbox."""
        parcels = self._new(many)
        self.send(*parcels)
        return parcels

    def accept_owed(self, many: int) -> list[Parcel]:
        """Commit messages as a sender does that crashes right after: the relay has them."""
        parcels = self._new(many)
        self.owe(*parcels)
        return parcels

    def accept_published(self, many: int) -> list[Parcel]:
        """Commit messages as if they were published; they come when `arrive` says so."""
        parcels = self._new(many)
        self.owe(*parcels, published=True)
        return parcels

    def arrive(self, parcels: Sequence[Parcel]) -> None:
        """Have messages come from the broker."""
        self.broker.publish([to_wire(each) for each in parcels])

    def effects(self) -> list[str]:
        """Return whom each effect was about."""
        with self.units.read() as work:
            query = sa.select(lines.c.external_id).where(lines.c.event == EFFECT)
            return list(work.connection.execute(query).scalars())

    def _new(self, many: int) -> list[Parcel]:
        parcels = [a_parcel(str(len(self.accepted) + n)) for n in range(1, many + 1)]
        self.accepted += parcels
        return parcels


def effect(envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
    """Leave the one trace that handling a message has."""
    history.append(
        work.connection,
        [
            history.line(
                at=work.now,
                correlation_id=each.correlation_id,
                message_id=each.message_id,
                channel=each.channel,
                external_id=each.subject,
                worker="processor",
                event=EFFECT,
            )
            for each in envelopes
        ],
    )


def after(
    hook: Callable[[Sequence[Envelope[Any]]], None],
) -> Callable[[Sequence[Envelope[Any]], UnitOfWork], None]:
    """Return a handler that has the effect and then calls `hook`, before the commit."""

    def process(envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
        effect(envelopes, work)
        hook(envelopes)

    return process


@contextmanager
def open_books(
    broker_url: str, database_url: str, *, heartbeat_seconds: int = 30
) -> Iterator[Books]:
    """Give books on a provisioned broker and a migrated database."""
    engine = create_engine(database_url)
    broker = RabbitMQBroker(
        broker_url, name="books", heartbeat_seconds=heartbeat_seconds, confirm_timeout_seconds=5
    )
    with closing(broker):
        try:
            yield Books(engine, broker, TOPOLOGY)
        finally:
            engine.dispose()


def through(port: int, url: str) -> str:
    """Return `url` with another port, such as that of a proxy."""
    address = sa.make_url(url)
    return address.set(port=port).render_as_string(hide_password=False)
