"""Migrations bring a database to exactly what the tables say."""

import shutil
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from shared.persistence import migrate
from shared.persistence.engine import create_engine
from shared.persistence.tables import (
    Moment,
    channel_pauses,
    customers,
    links,
    messages,
    metadata,
)
from tests.integration.persistence.builders import InThread
from tests.services import Databases

_DEFINITIONS = {
    "sqlite": "SELECT name, sql FROM sqlite_master"
    " WHERE sql IS NOT NULL AND name <> 'alembic_version'",
    "postgresql": """
        SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'
        AND tablename <> 'alembic_version'
        UNION ALL
        SELECT relname, array_to_string(reloptions, ' ') FROM pg_class WHERE reloptions IS NOT NULL
        AND relnamespace = 'public'::regnamespace
        UNION ALL
        SELECT table_name || '.' || column_name,
        concat_ws(' ', data_type, is_nullable, column_default, collation_name)
        FROM information_schema.columns
        WHERE table_schema = 'public' AND table_name <> 'alembic_version'
        UNION ALL
        SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint
        WHERE connamespace = 'public'::regnamespace
        AND conrelid::regclass::text <> 'alembic_version'
    """,
}


def definitions(engine: sa.Engine) -> set[tuple[Any, ...]]:
    """Return everything that the database knows of its schema, without white space."""
    with engine.connect() as connection:
        rows = connection.exec_driver_sql(_DEFINITIONS[engine.dialect.name]).all()
    return {(name, "".join(text.replace('"', "").split())) for name, text in rows}


def test_a_new_database_is_at_no_revision(any_database_url: str) -> None:
    """An empty database is told from an old one."""
    engine = create_engine(any_database_url)

    assert migrate.current(engine) is None
    engine.dispose()


def test_upgrading_leads_to_the_expected_revision(any_database_url: str) -> None:
    """After an upgrade the database is what this version works with; again is harmless."""
    migrate.upgrade(any_database_url)
    migrate.upgrade(any_database_url)

    engine = create_engine(any_database_url)
    assert migrate.current(engine) == migrate.expected()
    engine.dispose()


def test_there_is_one_newest_revision() -> None:
    """Two branches of migrations would leave open where to go."""
    heads = ScriptDirectory.from_config(migrate.configuration()).get_heads()

    assert heads == [migrate.expected()]


def test_nothing_is_left_to_generate(engine: sa.Engine) -> None:
    """Alembic finds no difference between the migrated schema and the tables."""
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})

        assert compare_metadata(context, metadata) == []


def test_migrated_and_created_schemas_are_the_same_to_the_letter(
    engine: sa.Engine, request: pytest.FixtureRequest
) -> None:
    """Alembic overlooks predicates, collations and storage parameters; the database does not."""
    fresh = {"sqlite": _fresh_sqlite, "postgresql": _fresh_postgresql}[engine.dialect.name]
    created = create_engine(fresh(request))
    metadata.create_all(created)

    assert definitions(engine) == definitions(created)
    created.dispose()


def test_migrators_may_start_together(any_database_url: str) -> None:
    """One migrates, the others wait for it and find nothing to do."""
    migrators = [InThread(lambda: migrate.upgrade(any_database_url)) for _ in range(3)]

    for migrator in migrators:
        migrator.result()

    engine = create_engine(any_database_url)
    assert migrate.current(engine) == migrate.expected()
    engine.dispose()


def test_a_migration_can_be_undone(engine: sa.Engine) -> None:
    """Every step back works, down to the empty database."""
    with engine.begin() as connection:
        migrate.downgrade_connection(connection, "base")

    assert migrate.current(engine) is None
    assert sa.inspect(engine).get_table_names() == ["alembic_version"]


def test_a_failed_migration_changes_nothing(any_database_url: str) -> None:
    """Everything is one transaction, on SQLite too."""
    engine = create_engine(any_database_url)
    with engine.begin() as connection:
        messages.create(connection)

    with pytest.raises(sa.exc.DBAPIError):
        migrate.upgrade(any_database_url)

    assert sa.inspect(engine).get_table_names() == ["messages"]
    engine.dispose()


def test_customers_from_before_companies_are_accounts(any_database_url: str) -> None:
    """MYOB-5: who is there already was an account, has no locations and acts for nobody."""
    engine = create_engine(any_database_url)
    customer = (
        "INSERT INTO customers (id, state, kind, defaults, created_at, updated_at) VALUES"
        " (:id, 'active', 'business', :none, :now, :now)"
    )
    link = (
        "INSERT INTO links (channel, external_id, customer_id, status, store_view, changed_at,"
        " read_at, fingerprint, snapshot, created_at, updated_at) VALUES"
        " ('shop', '1', :id, 'synchronized', 'de', :now, :now, '-', :none, :now, :now)"
    )
    given = {"id": uuid4(), "now": datetime(2026, 11, 1, tzinfo=UTC), "none": b"{}"}
    types: list[sa.BindParameter[Any]] = [
        sa.bindparam("id", type_=sa.Uuid()),
        sa.bindparam("now", type_=Moment()),
    ]
    with engine.begin() as connection:
        migrate.upgrade_connection(connection, "0003")
        for statement in (customer, link):
            connection.execute(sa.text(statement).bindparams(*types), given)
        migrate.upgrade_connection(connection)

    with engine.connect() as connection:
        row = connection.execute(sa.select(customers)).one()
        assert (row.entity, row.locations) == ("account", 0)
        assert connection.execute(sa.select(links.c.is_contact)).scalars().all() == [False]
    engine.dispose()


def test_a_migration_is_drafted_from_what_the_tables_say(
    any_migrated_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It holds the difference, in types of the database rather than ours, and it works."""
    monkeypatch.setattr(
        migrate, "_MIGRATIONS", shutil.copytree(migrate._MIGRATIONS, tmp_path / "migrations")
    )
    engine = create_engine(any_migrated_url)
    with engine.begin() as connection:
        channel_pauses.drop(connection)

    path = migrate.draft(any_migrated_url, "Pause channels")
    migrate.upgrade(any_migrated_url)

    text = path.read_text()
    assert path.name == f"{int(migrate.expected()) + 1:04d}_pause_channels.py"
    assert "sa.DateTime(timezone=True)" in text
    assert "shared" not in text
    assert sa.inspect(engine).has_table("channel_pauses")
    engine.dispose()


def _fresh_sqlite(request: pytest.FixtureRequest) -> str:
    return f"sqlite:///{request.getfixturevalue('tmp_path') / 'created.db'}"


def _fresh_postgresql(request: pytest.FixtureRequest) -> str:
    databases: Databases = request.getfixturevalue("databases")
    url = databases.create()
    request.addfinalizer(lambda: databases.drop(url))
    return url
