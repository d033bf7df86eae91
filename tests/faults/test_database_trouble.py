"""The database refuses, is full, has no room, takes long: nothing is settled until it is over."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
import structlog

from shared.domain.messages import Envelope
from shared.messaging.provision import provision
from shared.messaging.topology import PROCESSOR_QUEUE
from shared.persistence.engine import create_engine
from shared.runtime.consumer import Consumer, Subscription
from shared.runtime.lifecycle import Worker
from shared.runtime.received import Handler
from tests.faults.books import Books, after, effect, open_books, through
from tests.faults.oracle import assert_books_balance
from tests.faults.proxy import Proxy
from tests.integration.runtime.rig import PATIENCE_SECONDS, TOPOLOGY, eventually
from tests.services import RabbitManagement

pytestmark = pytest.mark.timeout(180)
MANY = 5
HOT = 20
"""More complaints than this in a few seconds are a hot loop."""


@dataclass
class Server:
    """The database as its administrator has it, and as the worker may use it."""

    engine: sa.Engine
    worker_url: str

    @property
    def worker(self) -> str:
        """The worker's role."""
        return str(sa.make_url(self.worker_url).username)

    def run(self, *statements: str) -> None:
        """Carry out statements of an administrator, each for itself."""
        with self.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            for statement in statements:
                connection.exec_driver_sql(statement)

    def send_away(self) -> None:
        """End every session of the worker, as a failover does."""
        self.run(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            f" WHERE usename = '{self.worker}'"
        )

    def name(self) -> str:
        """Return the database's name."""
        return f'"{self.engine.url.database}"'


@pytest.fixture
def server(migrated_database_url: str) -> Iterator[Server]:
    """Give a database whose worker is an ordinary user, to whom limits apply."""
    role = f"worker_{uuid4().hex[:8]}"
    engine = create_engine(migrated_database_url)
    address = sa.make_url(migrated_database_url).set(username=role, password=role)
    options = {"options": "-c lock_timeout=200ms"}
    url = address.update_query_dict(options).render_as_string(hide_password=False)
    server = Server(engine, url)
    server.run(
        f"CREATE ROLE {role} LOGIN PASSWORD '{role}'",
        f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}",
        f"GRANT ALL ON ALL SEQUENCES IN SCHEMA public TO {role}",
    )
    yield server
    server.send_away()
    server.run(f"DROP OWNED BY {role}", f"DROP ROLE {role}")
    engine.dispose()


@pytest.fixture
def broker_url(amqp_vhost: str, rabbit_management: RabbitManagement) -> str:
    """Give a provisioned broker."""
    provision(amqp_vhost, TOPOLOGY, management_url=rabbit_management.api_url)
    return amqp_vhost


@pytest.fixture
def books(broker_url: str, server: Server) -> Iterator[Books]:
    """Give books on that database."""
    with open_books(broker_url, server.worker_url) as books:
        yield books


@pytest.fixture
def log() -> Iterator[list[Any]]:
    """Give what is logged."""
    with structlog.testing.capture_logs() as lines:
        yield lines


@contextmanager
def read_only(server: Server) -> Iterator[None]:
    """Have a server that only reads take over, and hand back to one that writes."""
    server.run(f"ALTER DATABASE {server.name()} SET default_transaction_read_only = on")
    server.send_away()
    yield
    # Who is connected by now stays where it can only read, until it connects anew.
    server.run(f"ALTER DATABASE {server.name()} RESET default_transaction_read_only")


@contextmanager
def full(server: Server) -> Iterator[None]:
    """Have no space left for whatever is written."""
    server.run(
        "CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS"
        " $$ BEGIN RAISE 'no space left on device' USING ERRCODE = '53100'; END $$",
        "CREATE TRIGGER full_disk BEFORE INSERT ON history EXECUTE FUNCTION full_disk()",
    )
    yield
    server.run("DROP FUNCTION full_disk CASCADE")


@contextmanager
def crowded(server: Server) -> Iterator[None]:
    """Have no connection left for the worker."""
    server.run(f"ALTER ROLE {server.worker} CONNECTION LIMIT 0")
    server.send_away()
    yield
    server.run(f"ALTER ROLE {server.worker} CONNECTION LIMIT -1")


Trouble = Callable[[Server], AbstractContextManager[None, None]]


@pytest.mark.parametrize("trouble", [read_only, full, crowded], ids=lambda each: each.__name__)
def test_a_database_in_trouble_is_waited_for(
    books: Books, server: Server, log: list[Any], trouble: Trouble
) -> None:
    """Nothing settled, no attempt used, no hot loop; then all is done (faults 31, 33, 34)."""
    with books.consuming(books.transactional(effect)):
        books.accept(MANY)
        eventually(lambda: books.settled("done") == MANY)
        parcels = books.accept_published(MANY)
        with trouble(server):
            books.arrive(parcels)
            eventually(lambda: troubles(books, "database_unavailable") >= 2)
            settled = [books.settled(each) for each in ("done", "retried", "dead")]
        eventually(lambda: books.settled("done") == 2 * MANY)

    assert settled == [MANY, 0, 0]
    complaints = [each for each in log if each["event"] == "database.unavailable"]
    assert 1 <= len(complaints) < HOT
    assert_books_balance(books, log)


def test_a_session_that_ends_in_the_midst_of_a_batch_undoes_it(
    books: Books, server: Server, log: list[Any]
) -> None:
    """The batch is rolled back and handled again on a fresh connection (fault 29)."""
    ends = [server.send_away]

    def end(_envelopes: Sequence[Envelope[Any]]) -> None:
        while ends:
            ends.pop()()

    parcels = books.accept_published(MANY)
    books.arrive(parcels)
    with books.consuming(books.transactional(after(end))):
        eventually(lambda: books.settled("done") == MANY)

    assert troubles(books, "database_unavailable") >= 1
    assert books.settled("retried") == 0
    assert_books_balance(books, log)


def test_a_table_that_somebody_keeps_locked_is_tried_again(
    books: Books, server: Server, log: list[Any]
) -> None:
    """The wait for a lock is bounded, and the batch is tried again on the spot (fault 35)."""
    with books.consuming(books.transactional(effect)), server.engine.begin() as idle:
        idle.exec_driver_sql("LOCK TABLE history IN SHARE MODE")
        books.accept(MANY)
        eventually(lambda: troubles(books, "database_contended") >= 2)
        done = books.settled("done")
        idle.rollback()
        eventually(lambda: books.settled("done") == MANY)

    assert done == 0
    assert_books_balance(books, log)


def test_a_commit_whose_answer_is_lost_is_not_done_again(
    broker_url: str, server: Server, log: list[Any]
) -> None:
    """It took place: the same messages again are known by their ids to be done (fault 32)."""
    has_handled, is_lost = threading.Event(), threading.Event()
    port = sa.make_url(server.worker_url).port
    assert port

    def hear(said: bytes) -> None:
        if has_handled.is_set() and not is_lost.is_set() and b"COMMIT" in said:
            is_lost.set()
            line.stall("answers")

    def note(_envelopes: Sequence[Envelope[Any]]) -> None:
        has_handled.set()

    with (
        Proxy(port, hear) as line,
        open_books(broker_url, through(line.port, server.worker_url)) as books,
    ):
        parcels = books.accept_published(MANY)
        books.arrive(parcels)
        with consuming_alone(books, books.transactional(after(note))):
            # The first batch has as many as had arrived when it was taken.
            eventually(lambda: effects_seen_from_outside(server))
            committed = effects_seen_from_outside(server)
            line.cut()
            line.flow()
            eventually(lambda: books.settled("duplicate") == committed)
            eventually(lambda: books.settled("done") == MANY - committed)

        assert troubles(books, "database_unavailable") >= 1
        assert_books_balance(books, log)


def troubles(books: Books, kind: str) -> float:
    """Return how many failures of the database were counted."""
    return books.count("database_errors_total", worker="processor", kind=kind)


def effects_seen_from_outside(server: Server) -> int:
    """Return how many effects are committed, asked past the proxy."""
    with server.engine.connect() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM history").scalar_one())


@contextmanager
def consuming_alone(books: Books, handler: Handler) -> Iterator[None]:
    """Run a consumer without an outbox beside it, so that every COMMIT is the handler's."""
    consumer = Consumer(
        Subscription("processor", PROCESSOR_QUEUE),
        books.broker,
        books.units,
        handler,
        failures=books.failures,
        metrics=books.metrics,
    )
    worker = Worker("processor", [consumer])
    worker.start(lambda name, error: books.deaths.append(error))
    try:
        yield
    finally:
        worker.stop_intake()
        assert worker.wait(until=time.monotonic() + PATIENCE_SECONDS)
    assert books.deaths == []
