"""What each role and each user may not do, and what it does only now and then."""

from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from typing import Any, Final
from uuid import uuid4

import pika
import psycopg
import pytest
from pika.adapters.blocking_connection import BlockingChannel
from pika.exceptions import ChannelClosedByBroker

from services.processor.redecide import CURABLE
from shared.config.settings import RetentionSettings
from shared.domain.customer import SourceKey
from shared.messaging.provision import provision
from shared.messaging.rights import USERS
from shared.messaging.topology import EXCHANGE, WORKERS, dead_queue, topology_for
from shared.persistence import (
    import_requests,
    pauses,
    pushes,
    retention,
    staging_desk,
    webhook_events,
)
from shared.persistence.customer_status import statuses
from shared.persistence.engine import create_engine
from shared.persistence.failures import DatabaseUnavailable
from shared.persistence.pushes import Item, PushRequest
from shared.persistence.tables import metadata
from shared.persistence.tombstones import Tombstones
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from tests.docs.pages import DOCS, text_of
from tests.integration.privileges.house import ROLES, House, run_roles_sql
from tests.services import RabbitManagement

pytestmark = [pytest.mark.timeout(120), pytest.mark.amqp, pytest.mark.postgres]

FORBIDDEN: Final = {
    "importer": (
        "UPDATE customers SET number = number",
        "INSERT INTO links SELECT * FROM links",
        "UPDATE staging_customers SET state = state",
        "UPDATE number_series SET next_value = 1",
        "INSERT INTO history SELECT * FROM history",
        "DELETE FROM history",
        "SELECT * FROM customer_addresses",
        "DELETE FROM dead_letters",
    ),
    "processor": (
        "DELETE FROM customers",
        "UPDATE history SET event = event",
        "UPDATE cursors SET last_error = NULL",
        "INSERT INTO tombstones SELECT * FROM tombstones",
        "SELECT * FROM push_emails",
        "UPDATE source_records SET seen_at = seen_at",
    ),
    "exporter": (
        "UPDATE customers SET number = number",
        "SELECT * FROM customer_addresses",
        "INSERT INTO links SELECT * FROM links",
        "DELETE FROM links",
        "UPDATE number_series SET next_value = 1",
        "UPDATE staging_customers SET state = state",
        "SELECT * FROM raw_payloads",
        "SELECT * FROM tombstones",
    ),
    "keeper": (
        "SELECT * FROM customers",
        "SELECT * FROM links",
        "UPDATE messages SET attempts = 0",
        "INSERT INTO replay_jobs SELECT * FROM replay_jobs",
        "DELETE FROM dead_letters",
        "UPDATE amendments SET diff = diff",
    ),
    "operator": ("UPDATE alembic_version SET version_num = version_num",),
    "reader": (),
}
EVERYBODY: Final = (
    "CREATE TABLE more (id integer)",
    "CREATE TEMPORARY TABLE more (id integer)",
    "DROP TABLE messages",
    "TRUNCATE messages",
    "ALTER TABLE messages ADD more integer",
    "DELETE FROM alembic_version",
    "CREATE ROLE more",
)
WORKERS_ALL: Final = ("importer", "processor", "exporter", "keeper")


@contextmanager
def acting_as(house: House, role: str) -> Iterator[UnitsOfWork]:
    """Give units of work of a role."""
    engine = create_engine(house.database_url(role))
    try:
        yield UnitsOfWork(engine)
    finally:
        engine.dispose()


@pytest.mark.parametrize(
    ("role", "statement"),
    [
        *((role, statement) for role, those in FORBIDDEN.items() for statement in those),
        *((role, statement) for role in FORBIDDEN for statement in EVERYBODY),
        *((role, "INSERT INTO audit_log SELECT * FROM audit_log") for role in WORKERS_ALL),
        *((role, "SELECT * FROM audit_log") for role in WORKERS_ALL),
    ],
)
def test_the_database_refuses(house: House, role: str, statement: str) -> None:
    """What is another's task, and what is nobody's."""
    with (
        psycopg.connect(house.database_url(role)) as connection,
        pytest.raises(psycopg.errors.InsufficientPrivilege),
    ):
        connection.execute(statement.encode())


@pytest.mark.parametrize("table", sorted(metadata.tables))
def test_readers_read_every_table_and_write_none(house: House, table: str) -> None:
    """A reader sees everything; an operator may write it, but for the revision."""
    rights = ("INSERT", "UPDATE", "DELETE", "TRUNCATE")
    query = "SELECT " + ", ".join(
        f"has_table_privilege(%s, %s, '{right}')" for right in ("SELECT", *rights)
    )
    with psycopg.connect(house.admin_database_url) as connection:
        (reader,), (operator,) = (
            connection.execute(query.encode(), [f"{house.prefix}_{role}", table] * 5).fetchall()
            for role in ("reader", "operator")
        )

    assert reader == (True, False, False, False, False)
    assert operator == (True, True, True, True, False)


def test_strangers_do_not_get_in(house: House) -> None:
    """A role of the same server that is not one of these cannot connect to the database."""
    with psycopg.connect(house.admin_database_url) as connection:
        (may,) = (
            connection.execute(
                "SELECT has_database_privilege('public', current_database(), 'CONNECT')"
            ).fetchone()
            or ()
        )

    assert may is False


def test_the_script_says_the_same_when_it_is_run_again(house: House) -> None:
    """It gives nothing twice, and what was given by hand in between is gone."""
    role = f"{house.prefix}_exporter"
    before = _rights(house)
    with psycopg.connect(house.admin_database_url) as connection:
        connection.execute(f"GRANT UPDATE ON customers TO {role}".encode())
    assert _rights(house) != before

    said = run_roles_sql(house)

    assert _rights(house) == before
    assert "ERROR" not in said
    assert len(before) > len(ROLES)


def _rights(house: House) -> list[tuple[Any, ...]]:
    query = (
        "SELECT grantee, table_name, privilege_type FROM information_schema.role_table_grants"
        " WHERE grantee LIKE %s ORDER BY 1, 2, 3"
    )
    with psycopg.connect(house.admin_database_url) as connection:
        return connection.execute(query, [f"{house.prefix}%"]).fetchall()


def _takes_pushes(work: UnitOfWork) -> None:
    request = PushRequest(uuid4(), "crm", "key", None, "hash", work.now)
    pushes.claim(work, request)
    pushes.claim(work, request)
    pushes.get(work, "crm", request.id)
    pushes.keep_items(work, request, [Item(0, "1", pushes.ACCEPTED)])
    pushes.items(work, request.id)
    pushes.claim_emails(work, "crm", {"ann@example.com": "1"})
    pushes.release_emails(work, "crm", {"1": "ann@example.org"})
    pushes.accounts_by_email(work, [SourceKey("crm", "1")])


def _tells_statuses(work: UnitOfWork) -> None:
    statuses(work, "crm", ["1"])


def _forgets_requests(work: UnitOfWork) -> None:
    import_requests.forget(work, work.now - timedelta(days=30))


def _hears_webhooks(work: UnitOfWork) -> None:
    assert webhook_events.is_news(work, "shop", "event")
    assert not webhook_events.is_news(work, "shop", "event")


def _forgets_strangers(work: UnitOfWork) -> None:
    work.store.forget_foreign(work.now - timedelta(days=90))


def _pauses(work: UnitOfWork) -> None:
    for _ in range(2):
        pauses.pause(work, "shop", reason="login", detail="refused", retry_at=work.now)


def _lifts(work: UnitOfWork) -> None:
    assert pauses.lift(work, ["shop"]) == {"shop"}


def _tidies(work: UnitOfWork) -> None:
    for kind in retention.kinds(RetentionSettings()):
        retention.delete(work, kind)


def _decides_again(work: UnitOfWork) -> None:
    staging_desk.claim_changed(work, CURABLE, "another version")


def _asks_for_the_erased(work: UnitOfWork) -> None:
    Tombstones().verify(work)


@pytest.mark.parametrize(
    ("role", "deed"),
    [
        ("importer", _takes_pushes),
        ("importer", _tells_statuses),
        ("importer", _forgets_requests),
        ("importer", _hears_webhooks),
        ("importer", _forgets_strangers),
        ("importer", _asks_for_the_erased),
        ("processor", _tidies),
        ("processor", _decides_again),
        ("processor", _forgets_strangers),
        ("processor", _asks_for_the_erased),
        ("exporter", _forgets_strangers),
        ("importer", _pauses),
        ("processor", _pauses),
        ("exporter", _pauses),
        ("exporter", _lifts),
        ("keeper", _asks_for_the_erased),
    ],
)
def test_what_is_rare_is_allowed_as_well(
    house: House, role: str, deed: Callable[[UnitOfWork], None]
) -> None:
    """A right that is needed once a week is not missed once a week."""
    with acting_as(house, role) as units, units.begin() as work:
        deed(work)


@pytest.fixture(scope="module")
def provisioned(house: House, rabbit_management: RabbitManagement) -> House:
    """Give a house whose queues are there."""
    provision(
        house.broker_url("provisioner"),
        topology_for(["shop"]),
        management_url=rabbit_management.api_url,
    )
    return house


@contextmanager
def channel_of(house: House, user: str) -> Iterator[BlockingChannel]:
    """Give a channel of a user that waits for what the broker says to a publication."""
    connection = pika.BlockingConnection(pika.URLParameters(house.broker_url(user)))
    with closing(connection):
        channel = connection.channel()
        channel.confirm_delivery()
        yield channel


def _refused(house: House, user: str, deed: Callable[[BlockingChannel], object]) -> bool:
    with channel_of(house, user) as channel:
        try:
            deed(channel)
        except ChannelClosedByBroker as error:
            return bool(error.reply_code == 403)
        return False


def _get(queue: str) -> Callable[[BlockingChannel], object]:
    return lambda channel: channel.basic_get(queue)


def _publish(exchange: str) -> Callable[[BlockingChannel], object]:
    return lambda channel: channel.basic_publish(exchange, "nobody", b"{}")


@pytest.mark.parametrize("user", [user.name for user in USERS])
def test_nobody_makes_what_is_not_ours(provisioned: House, user: str) -> None:
    """No queue, exchange or binding; the provisioner makes ours, and no other."""
    is_provisioner = user == "provisioner"

    assert _refused(provisioned, user, lambda channel: channel.queue_declare("invoices"))
    assert _refused(provisioned, user, lambda channel: channel.exchange_declare("invoices"))
    assert is_provisioner is not _refused(
        provisioned, user, lambda channel: channel.queue_bind("patron.importer", EXCHANGE, "more")
    )
    assert is_provisioner is not _refused(
        provisioned, user, lambda channel: channel.exchange_declare("patron.more")
    )


@pytest.mark.parametrize("user", [user.name for user in USERS if user.name != "provisioner"])
def test_each_reads_its_own_queues_only(provisioned: House, user: str) -> None:
    """A worker its own, the keeper the dead ones, nobody else any."""
    own = {worker: {f"patron.{worker}"} for worker in ("importer", "processor")} | {
        "exporter": {"patron.exporter.shop", "patron.exporter.canary"},
        "keeper": {dead_queue(worker) for worker in WORKERS},
    }
    queues = topology_for(["shop"]).queues

    readable = {queue for queue in queues if not _refused(provisioned, user, _get(queue))}

    assert readable == own.get(user, set())


@pytest.mark.parametrize("user", [user.name for user in USERS if user.name != "provisioner"])
def test_each_writes_where_it_must(provisioned: House, user: str) -> None:
    """Workers to the exchange and to askers' queues, publishers to the exchange, others nowhere."""
    writable = {
        exchange
        for exchange in (EXCHANGE, "", "patron.dead", "amq.topic")
        if not _refused(
            provisioned,
            user,
            _publish(exchange),
        )
    }

    assert writable == (
        {EXCHANGE, ""} if user in WORKERS else {EXCHANGE} if user == "publisher" else set()
    )


def test_the_page_tells_the_same_rights() -> None:
    """Operations shows what `patron broker users` sets."""
    page = text_of(DOCS / "operations.md")

    for user in USERS:
        cells = [f"`{right}`".replace("|", "\\|") for right in user.rights.values()]
        assert f"| {user.name} | {' | '.join(cells)} |" in page


def test_a_right_that_is_missing_is_waited_for(house: House) -> None:
    """Somebody forgot to run the script after an update: that is no message's fault."""
    with psycopg.connect(house.admin_database_url) as connection:
        connection.execute(f"REVOKE ALL ON webhook_events FROM {house.prefix}_importer".encode())

    with (
        acting_as(house, "importer") as units,
        pytest.raises(DatabaseUnavailable, match="InsufficientPrivilege"),
        units.begin() as work,
    ):
        webhook_events.is_news(work, "shop", "another")

    run_roles_sql(house)
    with acting_as(house, "importer") as units, units.begin() as work:
        assert webhook_events.is_news(work, "shop", "another")
