"""The real processor on a real database, fed as a broker would feed it, on a bad day as well."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from threading import Event
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from services.processor.worker import process_batch
from shared.domain.messages import Envelope, Parcel
from shared.messaging.broker import Delivery
from shared.messaging.codec import decode, to_wire
from shared.messaging.topology import PROCESSOR_QUEUE
from shared.persistence.tables import OPEN_STAGING_STATES, messages
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from shared.runtime.failures import FailureRecorder
from shared.runtime.patience import Patience
from shared.runtime.received import Received
from shared.runtime.recoverability import Recoverability
from shared.runtime.transactional import TransactionalHandler
from tests.integration.persistence.builders import SettableClock
from tests.integration.processor.desk import Desk, two_shops


class Killed(BaseException):
    """The process ends here and now."""


@dataclass
class Office:
    """A processor, its store, and the directory that comes of it."""

    engine: sa.Engine
    before_commit: Callable[[], None] = field(default=lambda: None)

    def __post_init__(self) -> None:
        """Open."""
        self.units = UnitsOfWork(self.engine, SettableClock())
        self.desk = Desk(self.engine, self.units)
        failures = FailureRecorder("processor", Recoverability(), config_version="test")
        self._handler = TransactionalHandler(
            self._process, self.units, failures, lambda _sent: None
        )
        self._policy = two_shops()

    def owe(self, parcel: Parcel) -> None:
        """Put a message into the store, as an importer does, or somebody who replays it."""
        with self.units.begin() as work:
            work.store.add([parcel])

    def deliver(self, parcels: Sequence[Parcel]) -> list[str]:
        """Handle a batch; return what became of each message."""
        batch = [_received(parcel) for parcel in parcels]
        return [result.outcome for result in self._handler.handle(batch, Patience(Event()))]

    def deliver_and_die(self, parcels: Sequence[Parcel]) -> None:
        """Handle a batch up to the commit, and get no further."""
        self.before_commit = _die
        try:
            self.deliver(parcels)
        except Killed:
            pass
        finally:
            self.before_commit = lambda: None

    def owed(self) -> set[UUID]:
        """Return the ids of the messages that a processor still owes."""
        query = sa.select(messages.c.id).where(messages.c.type != "customer.export")
        with self.units.read() as work:
            return set(work.connection.execute(query).scalars())

    def waiting(self) -> list[sa.Row[Any]]:
        """Return the staging records that are open."""
        return [row for row in self.desk.staging() if row.state in OPEN_STAGING_STATES]

    def _process(self, envelopes: Sequence[Envelope[Any]], work: UnitOfWork) -> None:
        process_batch(envelopes, work, self._policy)
        self.before_commit()


def _die() -> None:
    raise Killed


def _received(parcel: Parcel) -> Received:
    wired = to_wire(parcel)
    return Received(decode(wired), Delivery(wired, PROCESSOR_QUEUE, redelivered=False, tag=None))
