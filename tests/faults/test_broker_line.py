"""The way to the broker is cut, or something on it is gone: no message is lost or done twice."""

import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit

import pika
import pytest
import sqlalchemy as sa
import structlog
from pika.adapters.blocking_connection import BlockingChannel

from shared.domain.errors import RemoteRejected
from shared.domain.messages import Envelope
from shared.messaging.provision import provision
from shared.messaging.rabbitmq import RabbitMQBroker
from shared.messaging.topology import EXCHANGE, PROCESSOR_QUEUE, dead_queue
from shared.runtime.outbox import OutboxSettings
from shared.runtime.transactional import TransactionalHandler
from tests.faults.books import Books, after, effect, open_books
from tests.faults.oracle import assert_books_balance
from tests.faults.proxy import Proxy
from tests.integration.runtime.rig import TOPOLOGY, eventually
from tests.services import RabbitManagement

pytestmark = pytest.mark.timeout(180)
MANY = 5
DEAD = dead_queue("processor")
HEARTBEAT_SECONDS = 3
# More than RabbitMQ waits for a client that owes it heartbeats.
STARVED_SECONDS = 12.0


@pytest.fixture
def broker_url(amqp_vhost: str, rabbit_management: RabbitManagement) -> str:
    """Give a provisioned broker."""
    provision(amqp_vhost, TOPOLOGY, management_url=rabbit_management.api_url)
    return amqp_vhost


@pytest.fixture
def books(broker_url: str, migrated_database_url: str) -> Iterator[Books]:
    """Give books with nothing between them and the broker."""
    with open_books(broker_url, migrated_database_url) as books:
        yield books


@pytest.fixture
def log() -> Iterator[list[Any]]:
    """Give what is logged."""
    with structlog.testing.capture_logs() as lines:
        yield lines


def test_confirms_that_are_lost_are_made_good_by_publishing_again(
    broker_url: str, migrated_database_url: str, log: list[Any]
) -> None:
    """RST between publish and confirm: published again, and the copies absorbed (fault 4)."""
    is_published = threading.Event()

    def hear(said: bytes) -> None:
        if b"customer.deleted" in said and not is_published.is_set():
            line.stall("answers")
            is_published.set()

    with (
        Proxy(port_of(broker_url), hear) as line,
        open_books(over(line, broker_url), migrated_database_url) as books,
        closing(RabbitMQBroker(broker_url, name="onlooker")) as onlooker,
    ):
        books.accept_owed(MANY)
        with books.running():
            assert is_published.wait(20)
            eventually(lambda: onlooker.depth(PROCESSOR_QUEUE) == MANY)
            line.cut()
            line.flow()
            eventually(lambda: onlooker.depth(PROCESSOR_QUEUE) == 2 * MANY)
        with books.consuming(books.transactional(effect)):
            eventually(lambda: books.settled("duplicate") == MANY)

        assert books.settled("done") == MANY
        assert_books_balance(books, log)


def test_an_acknowledgement_that_is_lost_repeats_nothing(
    broker_url: str, migrated_database_url: str, log: list[Any]
) -> None:
    """Cut right after the commit: what is delivered again is known to be done (fault 7)."""
    with (
        Proxy(port_of(broker_url)) as line,
        open_books(over(line, broker_url), migrated_database_url) as books,
    ):
        cuts = [line.cut]

        def cut_once(_sent: Sequence[Any]) -> None:
            while cuts:
                cuts.pop()()

        parcels = books.accept_published(MANY)
        books.arrive(parcels)
        handler = TransactionalHandler(
            books.noting(effect), books.units, books.failures, offer=cut_once
        )
        with books.consuming(handler):
            eventually(lambda: books.settled("done") == MANY and books.settled("duplicate") > 0)

        assert_books_balance(books, log)


def test_a_binding_that_is_gone_loses_nothing(
    books: Books, broker_url: str, log: list[Any]
) -> None:
    """Unroutable is counted and told, the rows stay, and pass once it is bound (fault 12)."""
    with administering(broker_url) as channel:
        channel.queue_unbind(PROCESSOR_QUEUE, EXCHANGE, "customer.deleted")

    with books.consuming(books.transactional(effect)):
        books.accept(MANY)
        eventually(lambda: books.count("publish_total", result="unroutable") >= MANY)
        owed = len(books.owed())
        provision(broker_url, TOPOLOGY)
        hurried(books, lambda: books.settled("done") == MANY)

    assert owed == MANY
    assert [each for each in log if each["event"] == "outbox.not_published"]
    assert_books_balance(books, log)


def test_a_queue_that_is_deleted_with_its_messages_is_made_good(
    books: Books, broker_url: str, log: list[Any]
) -> None:
    """Not ready and loud while it is gone; then what was in it comes again (fault 13)."""
    books.outbox = books.an_outbox(
        OutboxSettings(
            relay_every_seconds=0.05, reconcile_every_seconds=0.1, unfinished_after_seconds=0.1
        )
    )
    begun, may_end = threading.Event(), threading.Event()

    def hold(_envelopes: Sequence[Envelope[Any]]) -> None:
        begun.set()
        assert may_end.wait(20)

    books.arrive(books.accept_published(MANY))
    handler = books.transactional(after(hold))
    with books.consuming(handler, batch_size=1, prefetch=1) as consumer:
        assert begun.wait(20)
        with administering(broker_url) as channel:
            channel.queue_delete(PROCESSOR_QUEUE)
        eventually(lambda: consumer.readiness() is not None)
        may_end.set()
        provision(broker_url, TOPOLOGY)
        eventually(lambda: consumer.readiness() is None)
        hurried(books, lambda: len(books.effects()) == MANY)
        eventually(lambda: books.owed() == {})

    lost = [each for each in log if each["event"] == "consumer.lost"]
    assert any(PROCESSOR_QUEUE in each["error"] for each in lost)
    assert_books_balance(books, log)


def test_heartbeats_go_on_while_a_handler_takes_long(
    broker_url: str, migrated_database_url: str, log: list[Any]
) -> None:
    """A handler that outlasts many heartbeats keeps its connection, and runs once (fault 17)."""
    slept = threading.Event()

    def sleep(_envelopes: Sequence[Envelope[Any]]) -> None:
        began = time.monotonic()
        while not slept.is_set():
            slept.wait(0.1)
            if time.monotonic() - began > STARVED_SECONDS:
                slept.set()

    with open_books(
        broker_url, migrated_database_url, heartbeat_seconds=HEARTBEAT_SECONDS
    ) as books:
        parcels = books.accept_published(MANY)
        with books.consuming(books.transactional(after(sleep))) as consumer:
            books.arrive(parcels)
            eventually(lambda: books.settled("done") == MANY)
            assert consumer.readiness() is None

        assert books.settled("duplicate") == 0
        assert not [each for each in log if each["event"].endswith("lost")]
        assert_books_balance(books, log)


def missing(broker_url: str, _management: RabbitManagement) -> None:
    """Have no queue for the processor's dead letters."""
    with administering(broker_url) as channel:
        channel.queue_delete(DEAD)


def full(broker_url: str, management: RabbitManagement) -> None:
    """Have a queue for dead letters that takes none."""
    management.set_policy(
        "full",
        vhost=vhost_of(broker_url),
        pattern=f"^{DEAD}$",
        definition={"max-length": 0, "overflow": "reject-publish"},
    )


@pytest.mark.parametrize("trouble", [missing, full])
def test_a_dead_letter_needs_no_queue(
    books: Books,
    broker_url: str,
    rabbit_management: RabbitManagement,
    log: list[Any],
    trouble: Callable[[str, RabbitManagement], None],
) -> None:
    """It is committed before the broker is told, and its neighbours go on (fault 19)."""
    trouble(broker_url, rabbit_management)

    def refuse_one(envelopes: Sequence[Envelope[Any]]) -> None:
        if any(each.subject == "2" for each in envelopes):
            raise RemoteRejected("the data of 2")

    with books.consuming(books.transactional(after(refuse_one))) as consumer:
        books.accept(MANY)
        eventually(lambda: books.settled("done") == MANY - 1 and books.settled("dead") == 1)
        books.accept(MANY)
        eventually(lambda: books.settled("done") == 2 * MANY - 1)
        assert consumer.readiness() is None

    assert [(each.subject, each.reason) for each in books.buried()] == [("2", "remote_rejected")]
    assert_books_balance(books, log)


def hurried(books: Books, holds: Callable[[], bool]) -> None:
    """Wait until `holds`, having what was put off be due now, as an operator may."""
    due_now = sa.text("UPDATE messages SET available_at = :now WHERE published_at IS NULL")

    def holds_now() -> bool:
        with books.units.begin() as work:
            work.connection.execute(due_now, {"now": work.now})
        return holds()

    eventually(holds_now)


@contextmanager
def administering(url: str) -> Iterator[BlockingChannel]:
    """Give an administrator's channel."""
    with closing(pika.BlockingConnection(pika.URLParameters(url))) as connection:
        yield connection.channel()


def vhost_of(url: str) -> str:
    """Return the virtual host of an AMQP URL."""
    return unquote(urlsplit(url).path[1:])


def port_of(url: str) -> int:
    """Return the port of a URL, which must have one."""
    port = urlsplit(url).port
    assert port
    return port


def over(line: Proxy, url: str) -> str:
    """Return the URL that leads over the line."""
    return url.replace(f":{port_of(url)}/", f":{line.port}/")
