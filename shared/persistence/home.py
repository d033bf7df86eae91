"""Where a database is at home: how one that was restored from a backup, or copied, is noticed.

The database notes on which server, and as which database there, it is. A dump carries the note
along, and the place where it is restored is another one. Its promise: a database that is where it
was settled is never taken for a restored one, whatever else happens to it: failover, restart,
vacuum. Recovery to a point in time restores the place as well, and goes unnoticed; so does a file
of SQLite.
"""

import sqlalchemy as sa

from shared.persistence.tables import database_home
from shared.persistence.unit_of_work import UnitOfWork

_MAY_ASK = sa.text("SELECT has_function_privilege('pg_control_system()', 'execute')")
_SYSTEM = sa.text("SELECT system_identifier FROM pg_control_system()")
_DATABASE = sa.text("SELECT oid FROM pg_database WHERE datname = current_database()")


def place(connection: sa.Connection) -> str | None:
    """Return where the database is, or None for one that is a file."""
    if connection.dialect.name != "postgresql":
        return None
    system = connection.scalar(_SYSTEM) if connection.scalar(_MAY_ASK) else "-"
    return f"{system}/{connection.scalar(_DATABASE)}"


def is_elsewhere(connection: sa.Connection) -> bool:
    """Whether the database was settled in another place than where it is now."""
    settled = connection.scalar(sa.select(database_home.c.place))
    here = place(connection)
    return settled is not None and here is not None and not _is_same(settled, here)


def _is_same(settled: str, here: str) -> bool:
    """Whether two places may be one; a role without the right to ask knows no server."""
    (server, database), (server_here, database_here) = settled.split("/"), here.split("/")
    return database == database_here and (server == server_here or "-" in (server, server_here))


def settle(work: UnitOfWork) -> None:
    """Let the database be at home where it is."""
    if here := place(work.connection):
        work.connection.execute(sa.delete(database_home))
        row = {"place": here, "settled_at": work.now}
        work.connection.execute(sa.insert(database_home), [row])
