"""`patron db`, and what every command says of a database that is not there."""

import os
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.domain.errors import DatabaseRestored
from shared.persistence import home, migrate
from shared.persistence.engine import create_engine
from shared.persistence.tables import audit_log, database_home
from shared.runtime.foundation import verify_database
from shared.runtime.installation import configuration_path, load_installation
from tests.builders import NOON
from tests.services.ports import free_ports
from tests.unit.console.runner import Patron

READING = (
    ["staging", "list"], ["staging", "show", "00000000-0000-0000-0000-000000000001"],
    ["customer", "explain", "shop/1"], ["customer", "history", "shop/1"], ["queues"],
    ["cursor", "list"], ["dead-letters", "list"], ["import"], ["db", "current"],
)  # fmt: skip


def test_upgrade_creates_an_sqlite_database_with_its_directory(
    patron: Patron, tmp_path: Path
) -> None:
    """And says where it is and at which revision; doing it again changes nothing."""
    first = patron("db", "upgrade")
    again = patron("db", "upgrade")
    current = patron("db", "current", "--check", "--output", "json")

    assert (first.code, again.code, current.code) == (0, 0, 0)
    assert (tmp_path / ".patron" / "patron.db").exists()
    assert first.out.strip().endswith(f"is now at revision {migrate.expected()}")
    assert again.out.strip().endswith(f"stays at revision {migrate.expected()}")
    assert current.json["up_to_date"] is True


@pytest.mark.postgres
def test_upgrade_migrates_postgresql(
    patron: Patron, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From an empty database; what is shown has no password in it."""
    monkeypatch.setenv("DATABASE_URL", database_url)

    before = patron("db", "current", "--check")
    done = patron("db", "upgrade")
    after = patron("db", "current", "--check")

    assert (before.code, done.code, after.code) == (1, 0, 0)
    password = sa.make_url(database_url).password
    assert password is None or str(password) not in before.out + done.out + after.out


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_database_that_is_not_there_is_not_created_in_passing(
    patron: Patron, tmp_path: Path, words: list[str]
) -> None:
    """Whoever looks at the wrong place is told, and leaves nothing there."""
    answer = patron(*words)

    assert answer.code == 1
    assert answer.err.startswith("error: there is no database yet at .patron/patron.db\n")
    assert "patron db upgrade" in answer.err
    assert not (tmp_path / ".patron").exists()


def test_a_database_of_another_version_is_refused(patron: Patron, tmp_path: Path) -> None:
    """With the command that helps."""
    (tmp_path / "old.db").touch()
    (tmp_path / "old.toml").write_text('[database]\nurl = "sqlite:///old.db"\n', encoding="utf-8")

    answer = patron("-c", "old.toml", "queues")

    assert answer.code == 2
    assert "the database is at revision none" in answer.err
    assert "patron db upgrade" in answer.err


@pytest.mark.parametrize("words", [*READING, ["db", "upgrade"], ["run", "processor"]], ids=" ".join)
def test_a_database_that_does_not_answer_is_temporary(
    patron: Patron, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """75, so that a scheduler tries again; the password is not in the text."""
    url = f"postgresql://patron:hunter2@127.0.0.1:{free_ports(1)[0]}/patron"
    monkeypatch.setenv("DATABASE_URL", url)
    monkeypatch.setenv("AMQP_URL", "amqp://127.0.0.1:1/")

    answer = patron(*words)

    assert answer.code == 75
    assert answer.out == ""
    assert answer.err
    assert "hunter2" not in answer.err
    assert "Traceback" not in answer.err


def test_a_desk_reads_while_a_worker_writes(patron: Patron, tmp_path: Path) -> None:
    """On SQLite too, a look does not wait for the writer."""
    patron("db", "upgrade")
    engine = create_engine(f"sqlite:///{tmp_path}/.patron/patron.db")

    with engine.begin():
        answer = patron("staging", "list")

    engine.dispose()
    assert answer.code == 0


@pytest.mark.postgres
def test_a_restored_database_is_worked_on_once_somebody_has_said_so(
    patron: Patron, migrated_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Workers refuse it with 2 and the commands that help; accepted and audited they start."""
    monkeypatch.setenv("DATABASE_URL", migrated_database_url)
    engine = create_engine(migrated_database_url)
    with engine.begin() as connection:
        connection.exec_driver_sql("INSERT INTO database_home VALUES ('elsewhere/1', now())")
    installation = load_installation(configuration_path(None, os.environ), os.environ)

    with pytest.raises(DatabaseRestored, match="patron directory recover"):
        verify_database(installation, "processor")
    accepted = patron("db", "accept-restore", "--because", "moved")
    again = patron("db", "accept-restore", "--because", "moved")
    verify_database(installation, "processor")

    with engine.connect() as connection:
        lines = connection.execute(sa.select(audit_log.c.action, audit_log.c.reason)).all()
    engine.dispose()
    assert (accepted.code, again.code) == (0, 0)
    assert "nothing to accept" in again.out
    assert lines == [("database.restore_accepted", "moved")]


@pytest.mark.postgres
def test_a_role_that_may_not_ask_for_the_server_goes_by_the_database(
    migrated_database_url: str,
) -> None:
    """Whoever settled it may have known more, or less: the same database is no restored one."""
    engine = create_engine(migrated_database_url)
    with engine.begin() as connection:
        here = home.place(connection)
        assert here
        database = here.partition("/")[2]
        connection.execute(database_home.insert().values(place=f"-/{database}", settled_at=NOON))

        assert not home.is_elsewhere(connection)
    engine.dispose()


def test_a_migrated_database_is_at_home(any_database_url: str) -> None:
    """Nobody has to say so; nor for SQLite, where a copied file is not noticed."""
    migrate.upgrade(any_database_url)

    engine = create_engine(any_database_url)
    with engine.connect() as connection:
        assert not home.is_elsewhere(connection)
        settled = connection.scalar(sa.select(database_home.c.place))
        assert settled == home.place(connection)
    engine.dispose()
