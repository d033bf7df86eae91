"""From what the outside world says to what becomes of the message: the whole table, end to end.

Each row is a real failure as platform, database or broker report it, put through the adapter that
knows them; the family it ends in decides. `again`: tried later, an attempt used up. `wait`: handled
once the database is back, no attempt used. `dead`: given up at once. `pause`: the channel waits.
"""

import sqlite3
from datetime import UTC, datetime
from typing import Any, Final

import httpx2
import psycopg
import pytest
import sqlalchemy as sa
from pika import exceptions as amqp

from shared.connectors.magento.client import MagentoClient
from shared.domain.errors import PatronError
from shared.messaging.rabbitmq.faults import channel_fault, connection_fault
from shared.persistence.failures import DatabaseContended, DatabaseUnavailable, translate
from shared.runtime.recoverability import GiveUp, PauseChannel, Recoverability, TryAgain
from tests.unit.connectors.builders import Script, answering, item, magento

NOW: Final = datetime(2026, 11, 22, 12, tzinfo=UTC)
POLICY: Final = Recoverability(max_attempts=5, max_bug_attempts=3)
NOBODY: Final = {
    "message": "No such entity with %fieldName = %fieldValue",
    "parameters": {"fieldName": "customerId", "fieldValue": 17},
}
NO_ROUTE: Final = {"message": "Request does not match any route."}
INVALID: Final = {
    "message": "One or more input exceptions have occurred.",
    "errors": [{"message": '"%fieldName" is required.', "parameters": {"fieldName": "lastname"}}],
}
TAKEN: Final = {"message": "A customer with the same email address already exists."}

STATUSES: Final[dict[tuple[int, str], str]] = {
    (301, "empty"): "pause configuration",
    (302, "empty"): "pause configuration",
    (307, "empty"): "pause configuration",
    (308, "empty"): "pause configuration",
    (400, "invalid"): "dead remote_rejected",
    (400, "taken"): "dead remote_rejected",
    (400, "html"): "dead remote_rejected",
    (401, "empty"): "pause access_denied",
    (403, "empty"): "pause access_denied",
    (404, "nobody"): "dead remote_gone",
    (404, "no_route"): "pause configuration",
    (404, "html"): "pause configuration",
    (405, "empty"): "dead remote_rejected",
    (408, "empty"): "again remote_unavailable",
    (409, "taken"): "dead remote_rejected",
    (410, "empty"): "dead remote_rejected",
    (413, "empty"): "dead remote_rejected",
    (415, "empty"): "dead remote_rejected",
    (422, "invalid"): "dead remote_rejected",
    (425, "empty"): "again remote_unavailable",
    (429, "empty"): "again remote_throttled",
    (500, "empty"): "again remote_unavailable",
    (500, "html"): "again remote_unavailable",
    (502, "html"): "again remote_unavailable",
    (503, "html"): "again remote_unavailable",
    (504, "empty"): "again remote_unavailable",
    (520, "html"): "again remote_unavailable",
    (200, "html"): "again unreadable_answer",
    (200, "empty"): "again unreadable_answer",
    (200, "list"): "again unreadable_answer",
}
CODES: Final = {
    "08000": "wait database_unavailable",
    "08006": "wait database_unavailable",
    "0A000": "bug",
    "21000": "bug",
    "22001": "dead value_refused",
    "22021": "dead value_refused",
    "23502": "bug constraint_violated",
    "23503": "bug constraint_violated",
    "23505": "bug constraint_violated",
    "23514": "bug constraint_violated",
    "25006": "wait database_unavailable",
    "25P02": "bug",
    "25P03": "wait database_unavailable",
    "28000": "wait database_unavailable",
    "28P01": "wait database_unavailable",
    "3D000": "wait database_unavailable",
    "40001": "retry database_contended",
    "40P01": "retry database_contended",
    "42501": "wait database_unavailable",
    "42P01": "bug",
    "42601": "bug",
    "53100": "wait database_unavailable",
    "53200": "wait database_unavailable",
    "53300": "wait database_unavailable",
    "54000": "bug",
    "55006": "retry database_contended",
    "55P03": "retry database_contended",
    "57014": "retry database_contended",
    "57P01": "wait database_unavailable",
    "57P02": "wait database_unavailable",
    "57P03": "wait database_unavailable",
    "58030": "wait database_unavailable",
    "F0000": "wait database_unavailable",
    "P0001": "bug",
    "XX000": "wait database_unavailable",
}
BROKER: Final[list[tuple[str, Exception, str]]] = [
    ("connection", amqp.ConnectionClosedByBroker(320, "forced"), "again broker_unavailable"),
    ("connection", amqp.ConnectionClosedByBroker(501, "frame"), "again broker_unavailable"),
    ("connection", amqp.ConnectionClosedByBroker(541, "internal"), "again broker_unavailable"),
    ("connection", amqp.ConnectionClosedByBroker(403, "refused"), "pause access_denied"),
    ("connection", amqp.ConnectionClosedByBroker(530, "vhost"), "pause access_denied"),
    ("connection", amqp.ProbableAuthenticationError("x"), "pause access_denied"),
    ("connection", amqp.ProbableAccessDeniedError("x"), "pause access_denied"),
    ("connection", amqp.IncompatibleProtocolError("x"), "again broker_unavailable"),
    ("connection", amqp.AMQPHeartbeatTimeout(), "again broker_unavailable"),
    ("connection", ConnectionResetError(104, "reset"), "again broker_unavailable"),
    ("channel", amqp.ChannelClosedByBroker(403, "refused"), "pause access_denied"),
    ("channel", amqp.ChannelClosedByBroker(404, "no queue"), "pause configuration"),
    ("channel", amqp.ChannelClosedByBroker(405, "locked"), "again broker_unavailable"),
    ("channel", amqp.ChannelClosedByBroker(406, "timeout"), "again broker_unavailable"),
    ("channel", amqp.StreamLostError("x"), "again broker_unavailable"),
]


@pytest.mark.parametrize(("status", "body"), STATUSES, ids=str)
def test_every_answer_of_a_platform_leads_somewhere(status: int, body: str) -> None:
    """By status and, where that is not enough, by the platform's own error shape."""
    client = magento(Script(_answer(status, body)))

    assert _fate(_raised(client)) == STATUSES[status, body]


def test_no_status_is_left_to_chance() -> None:
    """Every status from 300 on, with a body that says nothing, has a family."""
    for status in range(300, 600):
        error = _raised(magento(Script(_answer(status, "empty"))))

        assert _fate(error).partition(" ")[0] in {"again", "dead", "pause"}, status


@pytest.mark.parametrize(
    "failure",
    [
        httpx2.ConnectTimeout("x"),
        httpx2.ReadTimeout("x"),
        httpx2.ConnectError("refused"),
        httpx2.ReadError("reset"),
        httpx2.RemoteProtocolError("closed"),
    ],
    ids=lambda failure: type(failure).__name__,
)
def test_no_answer_at_all_is_tried_again(failure: Exception) -> None:
    """Whether it was carried out is looked up by the next attempt."""
    assert _fate(_raised(magento(Script(failure)))) == "again remote_unavailable"


@pytest.mark.parametrize("code", CODES)
def test_every_class_of_sqlstate_leads_somewhere(code: str) -> None:
    """Away: waited for. Contended: again at once. The rest is about the message, or a bug."""
    driver_error = psycopg.errors.lookup(code)("Key (email)=(ann@example.com) exists")

    error = translate(sa.exc.DBAPIError("INSERT", {}, driver_error))

    assert _fate(error) == CODES[code]
    assert "ann@" not in str(error) or not isinstance(error, PatronError)


@pytest.mark.parametrize(
    ("name", "fate"),
    [
        ("SQLITE_BUSY", "retry database_contended"),
        ("SQLITE_FULL", "wait database_unavailable"),
        ("SQLITE_IOERR_READ", "wait database_unavailable"),
        ("SQLITE_CORRUPT", "wait database_unavailable"),
        ("SQLITE_ERROR", "bug"),
    ],
)
def test_every_code_of_sqlite_leads_somewhere(name: str, fate: str) -> None:
    """The embedded database is waited for and retried like a server."""
    driver_error = sqlite3.OperationalError("text")
    driver_error.sqlite_errorname = name

    assert _fate(translate(sa.exc.OperationalError("INSERT", {}, driver_error))) == fate


@pytest.mark.parametrize(("where", "failure", "fate"), BROKER, ids=repr)
def test_every_failure_of_the_broker_leads_somewhere(
    where: str, failure: Exception, fate: str
) -> None:
    """What may pass is tried again; rights and missing queues need somebody."""
    about = connection_fault if where == "connection" else channel_fault

    assert _fate(about(failure, "reading a queue")) == fate


def _answer(status: int, body: str) -> httpx2.Response:
    shapes: dict[str, Any] = {
        "nobody": NOBODY,
        "no_route": NO_ROUTE,
        "invalid": INVALID,
        "taken": TAKEN,
        "list": [item(17)],
    }
    if body in shapes:
        return answering(status, shapes[body])
    return httpx2.Response(status, content=b"<h1>Sorry</h1>" if body == "html" else b"")


def _raised(client: MagentoClient) -> Exception:
    """Return what a write ends with."""
    with pytest.raises(PatronError) as raised:
        client.update_customer("17", {"id": 17})
    return raised.value


def _fate(error: Exception) -> str:
    """Say what becomes of a message that failed so, the way the consumer would do it."""
    if isinstance(error, DatabaseUnavailable):
        return f"wait {error.reason}"
    if isinstance(error, DatabaseContended):
        return f"retry {error.reason}"
    first, third = POLICY.decide(error, 0, NOW), POLICY.decide(error, 2, NOW)
    match first, third:
        case GiveUp(reason), _:
            return f"dead {reason}"
        case PauseChannel(_, reason), _:
            return f"pause {reason}"
        case TryAgain(_, reason), TryAgain():
            return f"again {reason}"
        case TryAgain(_, reason), _:
            return "bug" if reason == "bug" else f"bug {reason}"
    raise AssertionError(first)
