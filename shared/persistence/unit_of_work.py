"""Do everything a batch changes in one transaction: state, claims, and messages to be sent.

Its promise: either all of it is committed or none, and failures of the database come as those of
`shared.persistence.failures`.
"""

from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from hashlib import blake2b
from struct import unpack

import sqlalchemy as sa

from shared.domain.messages import Parcel
from shared.persistence.bulk import Bulk
from shared.persistence.engine import pipelined, reading
from shared.persistence.failures import translated
from shared.persistence.sets import SetStatement
from shared.persistence.store import MessageStore

Clock = Callable[[], datetime]


def utc_now() -> datetime:
    """Return the current moment in UTC."""
    return datetime.now(UTC)


class UnitOfWork:
    """One transaction, and the moment that it calls now. Used by one thread."""

    def __init__(self, connection: sa.Connection, now: datetime) -> None:
        self.connection = connection
        self.now = now
        self.bulk = Bulk(connection)
        self.store = MessageStore(connection, now)
        self.sent: list[Parcel] = []

    def send(self, parcels: Collection[Parcel]) -> None:
        """Owe `parcels`; `sent` has them for publishing once the transaction is committed."""
        self.store.add(parcels)
        self.sent.extend(parcels)

    @contextmanager
    def pipelined(self) -> Iterator[None]:
        """Send the statements of the block without waiting for the answer to each.

        While PostgreSQL works on one the next is prepared. None of them may return rows, and how
        many rows they changed is not known; the failure of any is raised by the end of the block.
        """
        with pipelined(self.connection):
            yield

    def lock_identities(self, keys: Iterable[str]) -> None:
        """Keep others from deciding about these identities until the transaction ends.

        On SQLite a transaction that writes keeps everybody else out anyway.
        """
        if self.connection.dialect.name != "postgresql":
            return
        # Sorted, so that two batches wait for each other in one order only.
        _LOCK.run(self.connection, {"key": sorted(set(_lock_keys(keys)))})


class UnitsOfWork:
    """Begins transactions on `engine`; may be shared by threads."""

    def __init__(self, engine: sa.Engine, clock: Clock = utc_now) -> None:
        self._engine = engine
        self._reading = reading(engine)
        self._clock = clock

    @contextmanager
    def begin(self) -> Iterator[UnitOfWork]:
        """Commit when the block ends, roll back when it raises."""
        with translated(), self._engine.begin() as connection:
            yield UnitOfWork(connection, self._clock())

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """Read without changing anything, and without waiting for writers."""
        with translated(), self._reading.begin() as connection:
            yield UnitOfWork(connection, self._clock())


_LOCK = SetStatement(
    "SELECT pg_advisory_xact_lock(given.key) FROM {given}", given={"key": sa.BigInteger()}
)


def _lock_keys(identities: Iterable[str]) -> tuple[int, ...]:
    """Return the key of each; whoever works beside us, in an older version too, has the same."""
    digests = b"".join([blake2b(each.encode(), digest_size=8).digest() for each in identities])
    return unpack(f">{len(digests) // 8}q", digests)
