"""The services that other tests rely on are real: they keep, answer and survive."""

import os
import select
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest
from amqp.exceptions import AccessRefused
from kombu.connection import Connection
from sqlalchemy import create_engine, inspect, text

from tests.services import PostgresCluster, RabbitManagement, RabbitNode

ROOT = Path(__file__).parents[2]
QUORUM = {"x-queue-type": "quorum"}


def test_a_message_goes_through_the_broker(amqp_vhost: str) -> None:
    """What is published to a virtual host of one's own can be got from it."""
    with _connect(amqp_vhost) as connection:
        queue = connection.SimpleQueue("hello")

        queue.put({"who": "world"})

        assert queue.get(timeout=10).payload == {"who": "world"}
        queue.close()


def test_virtual_hosts_are_deleted_after_use(rabbit_management: RabbitManagement) -> None:
    """A test's virtual host is gone when the test is over."""
    with rabbit_management.temporary_vhost() as url:
        during = _vhosts(rabbit_management)

    name = url.rpartition("/")[2]
    assert name in during
    assert name not in _vhosts(rabbit_management)


def test_a_user_without_rights_is_refused(
    rabbit_management: RabbitManagement, amqp_vhost: str
) -> None:
    """Permissions are the broker's own, so tests may rely on being refused."""
    vhost = amqp_vhost.rpartition("/")[2]
    rabbit_management.add_user("reader", "secret")
    rabbit_management.set_permissions("reader", vhost=vhost, configure="^$", write="^$")
    url = rabbit_management.url(vhost=vhost, user="reader", password="secret")

    with _connect(url) as connection, pytest.raises(AccessRefused):
        connection.SimpleQueue("forbidden")

    rabbit_management.delete_user("reader")


def test_postgresql_answers(database_url: str) -> None:
    """The database of a test is PostgreSQL and empty."""
    engine = create_engine(database_url)

    with engine.connect() as connection:
        version = connection.execute(text("select version()")).scalar_one()

    assert version.startswith("PostgreSQL ")
    assert inspect(engine).get_table_names() == []
    engine.dispose()


def test_both_dialects_are_served(any_database_url: str) -> None:
    """A test of `any_database_url` may write to either database."""
    engine = create_engine(any_database_url)

    with engine.begin() as connection:
        connection.execute(text("create table t (n integer)"))
        connection.execute(text("insert into t values (1)"))

    with engine.connect() as connection:
        assert connection.execute(text("select n from t")).scalars().all() == [1]
    engine.dispose()


def test_a_durable_message_survives_kill(private_rabbit: RabbitNode) -> None:
    """A confirmed message in a quorum queue is there again after `kill -9`."""
    with _connect(private_rabbit.url()) as connection:
        channel = connection.channel()
        channel.queue_declare("kept", durable=True, auto_delete=False, arguments=QUORUM)
        message = channel.prepare_message(b"safe", properties={"delivery_mode": 2})
        channel.basic_publish(message, routing_key="kept")

    private_rabbit.register_queues()
    private_rabbit.kill()
    assert not private_rabbit.is_running
    private_rabbit.start()

    with _connect(private_rabbit.url()) as connection:
        kept: list[bytes] = []
        connection.channel().basic_consume(
            "kept", no_ack=True, callback=lambda message: kept.append(message.body)
        )
        connection.drain_events(timeout=30)
    assert kept == [b"safe"]


def test_committed_rows_survive_an_immediate_stop_and_a_kill(
    private_postgres: PostgresCluster,
) -> None:
    """A private cluster recovers what was committed, however it went down."""
    engine = create_engine(private_postgres.create_database())
    with engine.begin() as connection:
        connection.execute(text("create table t (n integer)"))

    private_postgres.stop(immediate=True)
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(private_postgres.url().replace("+psycopg", ""))
    private_postgres.start()
    private_postgres.kill()
    private_postgres.start()

    engine.dispose()
    assert inspect(engine).get_table_names() == ["t"]
    engine.dispose()


def test_a_server_ends_with_its_owner() -> None:
    """Nothing outlives a process that is killed before it can tidy up."""
    with subprocess.Popen(
        [sys.executable, "-c", _A_LIFE_WITH_POSTGRES], cwd=ROOT, stdout=subprocess.PIPE, text=True
    ) as owner:
        assert owner.stdout
        directory = Path(owner.stdout.readline().strip())
        server = os.pidfd_open(int((directory / "data/postmaster.pid").read_text().split()[0]))

        owner.kill()

    assert select.select([server], [], [], 30)[0], "PostgreSQL outlives its owner"
    os.close(server)


_A_LIFE_WITH_POSTGRES = """
import time
from tests.services import PostgresCluster
cluster = PostgresCluster(durable=False)
cluster.start()
print(cluster.directory, flush=True)
time.sleep(300)
"""


def _vhosts(management: RabbitManagement) -> set[str]:
    return {vhost["name"] for vhost in management.call("GET", "vhosts")}


def _connect(url: str) -> Any:
    """Connect so that every publish waits for the broker's confirmation."""
    return Connection(url, transport_options={"confirm_publish": True})  # type: ignore[no-untyped-call]
