"""Engines behave alike on both dialects: isolated, bounded, discreet."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.persistence.engine import create_engine, reading
from shared.persistence.failures import (
    ConstraintViolated,
    DatabaseContended,
    DatabaseUnavailable,
    ValueRefused,
    translated,
)
from shared.persistence.tables import number_series
from shared.persistence.unit_of_work import UnitsOfWork
from tests.integration.persistence.builders import InThread
from tests.services import PostgresCluster


@pytest.fixture
def memory() -> Iterator[sa.Engine]:
    """Give an engine on an SQLite database in memory."""
    engine = create_engine("sqlite://")
    yield engine
    engine.dispose()


def test_a_transaction_is_committed_or_rolled_back_whole(engine: sa.Engine) -> None:
    """Nothing is committed by the way: the driver begins no transactions of its own."""
    row = {"name": "ERP", "next_value": 1}

    with engine.connect() as connection:
        connection.execute(sa.insert(number_series), row)
        connection.rollback()
    with engine.begin() as connection:
        connection.execute(sa.insert(number_series), row)

    with engine.connect() as connection:
        assert connection.execute(sa.select(number_series)).all() == [("ERP", 1)]


def test_readers_do_not_wait_for_a_writer(engine: sa.Engine) -> None:
    """What is being written is invisible, and in nobody's way."""
    with engine.begin() as writer:
        writer.execute(sa.insert(number_series), {"name": "ERP", "next_value": 1})

        with reading(engine).begin() as reader:
            seen = reader.execute(sa.select(number_series)).all()

    assert seen == []


def test_writers_of_several_threads_wait_their_turn(engine: sa.Engine) -> None:
    """Read, add one, write: from four threads at once, no step is lost."""
    with engine.begin() as connection:
        connection.execute(sa.insert(number_series), {"name": "ERP", "next_value": 0})
    start = threading.Barrier(4)

    def count() -> None:
        start.wait()
        for _ in range(10):
            with engine.begin() as connection:
                value = connection.execute(
                    sa.select(number_series.c.next_value).with_for_update()
                ).scalar_one()
                connection.execute(sa.update(number_series).values(next_value=value + 1))

    for thread in [InThread(count) for _ in range(4)]:
        thread.result()

    with engine.connect() as connection:
        assert connection.execute(sa.select(number_series.c.next_value)).scalar() == 40


def test_the_embedded_database_survives_a_power_cut(migrated_sqlite_url: str) -> None:
    """SQLite writes ahead, flushes each commit and keeps foreign keys."""
    engine = create_engine(migrated_sqlite_url)
    with engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar()
            for name in ("journal_mode", "synchronous", "foreign_keys", "busy_timeout")
        }
    engine.dispose()

    assert settings == {
        "journal_mode": "wal",
        "synchronous": 2,
        "foreign_keys": 1,
        "busy_timeout": 15000,
    }


def test_a_database_in_memory_is_one_for_all_threads(memory: sa.Engine) -> None:
    """Threads take its one connection in turns."""
    with memory.begin() as connection:
        connection.execute(sa.text("CREATE TABLE seen (id INTEGER)"))

    def look() -> int:
        with memory.begin() as connection:
            connection.execute(sa.text("INSERT INTO seen VALUES (1)"))
            return int(connection.execute(sa.text("SELECT count(*) FROM seen")).scalar_one())

    assert InThread(look).result() == 1


def test_sessions_of_postgresql_are_bounded(database_url: str) -> None:
    """No statement, lock or forgotten transaction lasts for ever; the session has our name."""
    engine = create_engine(database_url, application_name="patron-processor")
    with engine.connect() as connection:
        settings = {
            name: connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in (
                "application_name",
                "transaction_isolation",
                "statement_timeout",
                "lock_timeout",
                "idle_in_transaction_session_timeout",
                "TimeZone",
            )
        }
    engine.dispose()

    assert settings == {
        "application_name": "patron-processor",
        "transaction_isolation": "read committed",
        "statement_timeout": "30s",
        "lock_timeout": "5s",
        "idle_in_transaction_session_timeout": "1min",
        "TimeZone": "UTC",
    }


def test_options_of_the_url_are_kept(database_url: str) -> None:
    """An installation may set further options, and win with them."""
    url = sa.make_url(database_url).update_query_dict(
        {"options": "-c lock_timeout=7s -c work_mem=5MB", "application_name": "mine"}
    )
    engine = create_engine(url.render_as_string(hide_password=False))
    with engine.connect() as connection:
        settings = [
            connection.exec_driver_sql(f"SHOW {name}").scalar()
            for name in ("lock_timeout", "work_mem", "application_name", "statement_timeout")
        ]
    engine.dispose()

    assert settings == ["7s", "5MB", "mine", "30s"]


def test_a_locked_row_is_contention(migrated_database_url: str) -> None:
    """Whoever waits too long for a lock is told to try again (fault 35)."""
    engine = create_engine(migrated_database_url, session={"lock_timeout": "50ms"})
    units = UnitsOfWork(engine)
    lock = sa.text("LOCK TABLE messages")

    with units.begin() as work:
        work.connection.execute(lock)
        with pytest.raises(DatabaseContended, match="55P03"), units.begin() as other:
            other.connection.execute(lock)
    engine.dispose()


def test_a_deadlock_is_contention(postgresql: sa.Engine) -> None:
    """One of two that wait for each other is rolled back and told to try again (fault 30)."""
    units = UnitsOfWork(postgresql)
    meeting = threading.Barrier(2)

    def lock(first: str, second: str) -> str:
        try:
            with units.begin() as work:
                work.lock_identities([first])
                meeting.wait()
                work.lock_identities([second])
        except DatabaseContended as error:
            return str(error)
        return "done"

    one = InThread(lambda: lock("a", "b"))
    other = InThread(lambda: lock("b", "a"))

    assert sorted([one.result(), other.result()]) == ["DeadlockDetected (40P01)", "done"]


def test_a_read_only_server_is_unavailable(postgresql: sa.Engine) -> None:
    """After a failover to a standby nothing is lost, only late (fault 31)."""
    units = UnitsOfWork(postgresql)

    with pytest.raises(DatabaseUnavailable, match="25006"):
        _execute(
            units,
            "SET TRANSACTION READ ONLY",
            "INSERT INTO number_series (name, next_value) VALUES ('x', 1)",
        )


def test_a_full_disk_is_unavailability(postgresql: sa.Engine) -> None:
    """SQLSTATE 53100 comes out as a database to be waited for (fault 33)."""
    units = UnitsOfWork(postgresql)

    with pytest.raises(DatabaseUnavailable, match="53100"):
        _execute(units, "DO $$ BEGIN RAISE 'disk full' USING ERRCODE = '53100'; END $$")


def test_a_terminated_backend_is_unavailable_and_replaced(postgresql: sa.Engine) -> None:
    """The transaction is rolled back; the next one has a fresh connection (fault 29)."""
    units = UnitsOfWork(postgresql)

    with pytest.raises(DatabaseUnavailable, match="AdminShutdown"):
        _execute(
            units,
            "INSERT INTO number_series (name, next_value) VALUES ('x', 1)",
            "SELECT pg_terminate_backend(pg_backend_pid())",
        )

    with units.begin() as work:
        assert work.connection.execute(sa.select(number_series)).all() == []


def test_a_commit_that_gets_no_answer_is_unavailability(postgresql: sa.Engine) -> None:
    """Whether it took place, the next claim of the same messages will tell (fault 32)."""
    units = UnitsOfWork(postgresql)
    _execute(
        units,
        "CREATE FUNCTION die() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN PERFORM pg_terminate_backend(pg_backend_pid()); RETURN NULL; END $$",
        "CREATE CONSTRAINT TRIGGER die AFTER INSERT ON number_series"
        " DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION die()",
    )

    with pytest.raises(DatabaseUnavailable):
        _execute(units, "INSERT INTO number_series (name, next_value) VALUES ('x', 1)")

    with units.read() as work:
        assert work.connection.execute(sa.select(number_series)).all() == []


def test_a_stopped_server_is_unavailable_until_it_is_back(
    private_postgres: PostgresCluster,
) -> None:
    """Connections of before the crash are replaced without anybody noticing (fault 28)."""
    engine = create_engine(private_postgres.url())
    units = UnitsOfWork(engine)
    question = sa.text("SELECT 1")
    with units.read() as work:
        work.connection.execute(question)

    private_postgres.kill()
    with pytest.raises(DatabaseUnavailable), units.begin() as work:
        work.connection.execute(question)
    private_postgres.start()

    with units.begin() as work:
        assert work.connection.execute(question).scalar() == 1
    engine.dispose()


def test_an_exhausted_pool_is_unavailability(sqlite_url: str) -> None:
    """Threads that find no connection wait, then say so (fault 34)."""
    engine = sa.create_engine(
        sqlite_url, poolclass=sa.QueuePool, pool_size=1, max_overflow=0, pool_timeout=0.01
    )

    with engine.connect(), pytest.raises(DatabaseUnavailable), translated():
        engine.connect()
    engine.dispose()


def test_a_violated_constraint_is_named_and_the_value_is_not(engine: sa.Engine) -> None:
    """Drivers quote the offending value; it may be somebody's e-mail address."""
    units = UnitsOfWork(engine)
    row = {"name": "ann@example.com", "next_value": 1}

    with pytest.raises(ConstraintViolated) as raised:
        _insert_twice(units, row)

    failure = raised.value
    assert failure.constraint in {"pk_number_series", "number_series.name"}
    assert "ann@" not in f"{failure!r} {failure}"
    assert failure.__suppress_context__


def test_a_value_that_no_column_can_hold_is_refused(postgresql: sa.Engine) -> None:
    """A NUL is no text to PostgreSQL; the record is at fault, not the database (fault 27)."""
    units = UnitsOfWork(postgresql)
    row = {"name": "ann\x00@example.com", "next_value": 1}

    with pytest.raises(ValueRefused) as raised:
        _insert_twice(units, row)

    assert "ann" not in str(raised.value)


def test_a_mistake_in_a_statement_is_a_bug(engine: sa.Engine) -> None:
    """It is not disguised as something that may pass."""
    with pytest.raises(sa.exc.DBAPIError), UnitsOfWork(engine).begin() as work:
        work.connection.execute(sa.text("SELECT * FROM nowhere"))


def test_a_broken_file_is_unavailable(tmp_path: Path) -> None:
    """A damaged SQLite file is nothing that a message is to blame for."""
    path = tmp_path / "patron.db"
    path.write_bytes(b"no database at all" * 100)
    engine = create_engine(f"sqlite:///{path}")

    with pytest.raises(DatabaseUnavailable, match="NOTADB"), translated():
        engine.connect()
    engine.dispose()


def _execute(units: UnitsOfWork, *statements: str) -> None:
    with units.begin() as work:
        for statement in statements:
            work.connection.execute(sa.text(statement))


def _insert_twice(units: UnitsOfWork, row: dict[str, object]) -> None:
    with units.begin() as work:
        work.bulk.insert(number_series, [row])
        work.bulk.insert(number_series, [row])
