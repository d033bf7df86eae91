"""Bring a database to the schema that this version of Patron expects.

Alembic is imported only to migrate: a worker compares two revisions, and starts sooner without.

Its promise: any number of migrators may start at once; one migrates, the others wait and then
find nothing left to do. A failed migration leaves the database as it was.
"""

from pathlib import Path
from typing import TYPE_CHECKING, Final

import sqlalchemy as sa

from shared.persistence.engine import create_engine

if TYPE_CHECKING:
    from alembic.config import Config

HEAD: Final = "0007"
"""The newest migration."""

_MIGRATIONS = Path(__file__).parent / "migrations"
# Any number will do, as long as every version of Patron uses the same.
_MIGRATION_LOCK = 0x70_61_74_72_6F_6E


def upgrade(url: str) -> None:
    """Migrate the database at `url` to the newest revision."""
    # Rewriting a large table, or waiting for another migrator, may take its time.
    engine = create_engine(
        url,
        application_name="patron-migrate",
        session={"lock_timeout": "0", "statement_timeout": "0"},
    )
    try:
        with engine.begin() as connection:
            upgrade_connection(connection)
    finally:
        engine.dispose()


def upgrade_connection(connection: sa.Connection, revision: str = "head") -> None:
    """Migrate in the transaction of `connection`."""
    if connection.dialect.name == "postgresql":
        connection.execute(sa.select(sa.func.pg_advisory_xact_lock(_MIGRATION_LOCK)))
        # Only the wait for other migrators is open-ended: a table in use must not be waited for
        # while everybody else queues up behind us.
        connection.execute(sa.text("SET LOCAL lock_timeout = '30s'"))
    from alembic import command

    command.upgrade(configuration(connection), revision)


def downgrade_connection(connection: sa.Connection, revision: str) -> None:
    """Migrate back in the transaction of `connection`. Tables that go take their rows along."""
    from alembic import command

    command.downgrade(configuration(connection), revision)


def current(engine: sa.Engine) -> str | None:
    """Return the revision the database is at, or None when it is empty."""
    with engine.connect() as connection:
        if not sa.inspect(connection).has_table("alembic_version"):
            return None
        found = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
        return None if found is None else str(found)


def expected() -> str:
    """Return the revision that this version of Patron works with."""
    return HEAD


def draft(url: str, subject: str) -> Path:
    """Write the migration from the newest revision, where `url` is, to what the tables say.

    For developers: read it, correct it, name it in `HEAD`, commit it.
    """
    from alembic import command

    revision = f"{int(expected()) + 1:04d}"
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            command.revision(configuration(connection), subject, autogenerate=True, rev_id=revision)
    finally:
        engine.dispose()
    (path,) = (_MIGRATIONS / "versions").glob(f"{revision}_*.py")
    return path


def configuration(connection: sa.Connection | None = None) -> "Config":
    """Return Alembic's configuration; it lives in no file, so that an installed wheel migrates."""
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config
