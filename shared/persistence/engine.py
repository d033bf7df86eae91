"""Open the database for a worker: PostgreSQL for installations, SQLite for the embedded default.

Its promise: both behave alike. Transactions are READ COMMITTED on PostgreSQL and take the write
lock at once on SQLite, nothing waits without a limit, and no error text shows parameter values.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import psycopg
import sqlalchemy as sa

_READ_ONLY = "25006"

CONNECT_TIMEOUT_SECONDS = 10
BUSY_TIMEOUT_SECONDS = 15

# Limits of a PostgreSQL session. A lock that is not free in five seconds is better asked for
# again later; a transaction left open by a hung worker must not keep its locks for ever.
_SESSION = {
    "lock_timeout": "5s",
    "statement_timeout": "30s",
    "idle_in_transaction_session_timeout": "60s",
    "timezone": "UTC",
}


def create_engine(
    url: str,
    *,
    application_name: str = "patron",
    pool_size: int = 5,
    session: Mapping[str, str] | None = None,
) -> sa.Engine:
    """Return an engine for `url`, usable by several threads; the caller disposes of it.

    `session` overrides PostgreSQL session settings such as `statement_timeout`.
    """
    address = sa.make_url(url)
    if address.get_backend_name() == "sqlite":
        return _sqlite(address, pool_size)
    return _postgresql(address, application_name, pool_size, {**_SESSION, **(session or {})})


def reading(engine: sa.Engine) -> sa.Engine:
    """Return a view of `engine` whose transactions only read, and on SQLite wait for no writer."""
    if engine.dialect.name == "sqlite":
        return engine.execution_options(only_reads=True)
    return engine.execution_options(postgresql_readonly=True)


def _postgresql(
    address: sa.URL, application_name: str, pool_size: int, session: Mapping[str, str]
) -> sa.Engine:
    asked = address.query.get("options", "")
    settings = " ".join(f"-c {name}={value}" for name, value in session.items())
    engine = sa.create_engine(
        address.set(drivername="postgresql+psycopg"),
        isolation_level="READ COMMITTED",
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=pool_size,
        max_overflow=pool_size,
        pool_recycle=1800,
        # The connection given back last has prepared what is asked most.
        pool_use_lifo=True,
        connect_args={
            "application_name": address.query.get("application_name", application_name),
            "connect_timeout": int(
                str(address.query.get("connect_timeout", CONNECT_TIMEOUT_SECONDS))
            ),
            "options": f"{settings} {asked}".strip(),
        },
    )
    sa.event.listen(engine, "handle_error", _leave_a_standby)
    return engine


def _leave_a_standby(context: sa.ExceptionContext) -> None:
    """Connect anew after a write that the server refused for being read-only.

    After a failover the old connections may lead to what is a standby now, for as long as they
    are kept; the address leads to the new primary.
    """
    if getattr(context.original_exception, "sqlstate", None) == _READ_ONLY:
        context.is_disconnect = True


@contextmanager
def pipelined(connection: sa.Connection) -> Iterator[None]:
    """Have the statements of the block sent one after the other; failures come as SQLAlchemy's.

    On SQLite, where nobody is waited for, they are executed as usual.
    """
    if connection.dialect.name != "postgresql":
        yield
        return
    driver: psycopg.Connection[Any] = connection.connection.driver_connection  # type: ignore[assignment]
    try:
        with driver.pipeline():
            yield
    except psycopg.Error as error:
        if driver.broken:
            connection.invalidate(error)
        raise sa.exc.DBAPIError.instance(
            None, None, error, psycopg.Error,
            hide_parameters=True, connection_invalidated=driver.broken, dialect=connection.dialect,
        ) from error  # fmt: skip


def in_use(engine: sa.Engine) -> float:
    """Return how many connections are taken from the pool now."""
    pool = engine.pool
    return float(pool.checkedout()) if isinstance(pool, sa.QueuePool) else 0.0


def _sqlite(address: sa.URL, pool_size: int) -> sa.Engine:
    # A database in memory lives in one connection, which the threads then take in turns.
    in_memory = address.database in {None, "", ":memory:"}
    engine = sa.create_engine(
        address,
        hide_parameters=True,
        poolclass=sa.QueuePool,
        pool_size=1 if in_memory else pool_size,
        max_overflow=0 if in_memory else pool_size,
        connect_args={"check_same_thread": False, "timeout": BUSY_TIMEOUT_SECONDS},
    )
    sa.event.listen(engine, "connect", _prepare_sqlite)
    sa.event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: Any, _record: object) -> None:
    # The driver must not begin transactions on its own: `_begin_sqlite` does.
    connection.isolation_level = None
    cursor = connection.cursor()
    try:
        cursor.execute("PRAGMA journal_mode = WAL")
        cursor.execute("PRAGMA synchronous = FULL")
        cursor.execute("PRAGMA foreign_keys = ON")
    finally:
        cursor.close()


def _begin_sqlite(connection: sa.Connection) -> None:
    # A transaction that reads first and writes later could not be given the write lock any more
    # once somebody else wrote: writers ask for it at the start and wait their turn.
    only_reads = connection.get_execution_options().get("only_reads", False)
    connection.exec_driver_sql("BEGIN" if only_reads else "BEGIN IMMEDIATE")
