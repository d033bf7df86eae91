"""Bring a database to the schema that this version of Patron expects.

Its promise: any number of migrators may start at once; one migrates, the others wait and then
find nothing left to do. A failed migration leaves the database as it was.
"""

from pathlib import Path

import sqlalchemy as sa
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from shared.persistence.engine import create_engine

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
    command.upgrade(configuration(connection), revision)


def downgrade_connection(connection: sa.Connection, revision: str) -> None:
    """Migrate back in the transaction of `connection`. Tables that go take their rows along."""
    command.downgrade(configuration(connection), revision)


def current(engine: sa.Engine) -> str | None:
    """Return the revision the database is at, or None when it is empty."""
    with engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision()


def expected() -> str:
    """Return the revision that this version of Patron works with."""
    head = ScriptDirectory.from_config(configuration()).get_current_head()
    if head is None:
        raise LookupError("no migrations are installed")
    return head


def draft(url: str, subject: str) -> Path:
    """Write the migration from the newest revision, where `url` is, to what the tables say.

    For developers: read it, correct it, commit it.
    """
    revision = f"{int(expected()) + 1:04d}"
    engine = create_engine(url)
    try:
        with engine.begin() as connection:
            command.revision(configuration(connection), subject, autogenerate=True, rev_id=revision)
    finally:
        engine.dispose()
    (path,) = (_MIGRATIONS / "versions").glob(f"{revision}_*.py")
    return path


def configuration(connection: sa.Connection | None = None) -> Config:
    """Return Alembic's configuration; it lives in no file, so that an installed wheel migrates."""
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    config.set_main_option("file_template", "%%(rev)s_%%(slug)s")
    config.attributes["connection"] = connection
    return config
