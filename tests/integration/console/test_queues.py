"""Queues and dead letters."""

from datetime import timedelta

import pytest
import sqlalchemy as sa

from shared.domain.messages import ImportAnswered, parcel
from shared.messaging.provision import provision
from shared.messaging.topology import topology_for
from shared.persistence import pauses
from shared.persistence.dead_letters import of_parcel
from shared.persistence.store import Retry
from shared.persistence.tables import messages
from tests.builders import NOON, a_customer
from tests.integration.console.conftest import Desk
from tests.services import RabbitManagement
from tests.services.ports import free_ports
from tests.unit.console.runner import Patron


def row_of(desk: Desk, queue: str) -> dict[str, object]:
    """Return what `patron queues` tells of one queue."""
    rows = desk.patron("queues", "--output", "json").json["queues"]
    return next(row for row in rows if row["queue"] == queue)


def test_what_is_owed_is_shown_by_queue_and_state(desk: Desk) -> None:
    """Two exports: one on the broker, one that failed and waits for its next attempt."""
    desk.process(a_customer("1"))
    with desk.units.begin() as work:
        first, second = work.connection.execute(sa.select(messages.c.id)).scalars()
        work.store.mark_published([first])
        later = work.now + timedelta(hours=1)
        work.store.retry([Retry(second, later, "remote_unavailable", "timeout")])

    row = row_of(desk, "patron.exporter.shop")

    assert (row["published"], row["retrying"], row["to_publish"]) == (1, 1, 0)
    assert row["oldest_at"] is not None
    assert row["on_broker"] is None


def test_a_paused_channel_says_so(sqlite_desk: Desk) -> None:
    """With the reason, and until when, beside its queue."""
    with sqlite_desk.units.begin() as work:
        until = work.now + timedelta(minutes=1)
        pauses.pause(work, "shop", reason="access_denied", detail="401", retry_at=until)

    row = row_of(sqlite_desk, "patron.exporter.shop")
    assert row["paused"] == "access_denied: 401"
    assert row["paused_until"] == until.isoformat()


def test_messages_of_a_channel_that_is_configured_no_more_are_shown(sqlite_desk: Desk) -> None:
    """They belong to no queue, and must not be overlooked."""
    sqlite_desk.process(a_customer("1"))
    with sqlite_desk.units.begin() as work:
        work.connection.execute(sa.update(messages).values(routing_key="customer.export.gone"))

    assert row_of(sqlite_desk, "(no queue: not configured)")["to_publish"] == 2


@pytest.mark.amqp
def test_depths_come_from_rabbitmq(
    sqlite_desk: Desk,
    amqp_vhost: str,
    rabbit_management: RabbitManagement,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What waits on the broker stands beside what is owed; before provisioning it is named."""
    monkeypatch.setenv("AMQP_URL", amqp_vhost)

    early = sqlite_desk.patron("queues")
    missing = sqlite_desk.patron("broker", "check")
    provision(amqp_vhost, topology_for(["shop"]), management_url=rabbit_management._url)
    in_order = sqlite_desk.patron("broker", "check")

    assert (early.code, missing.code, in_order.code) == (1, 1, 0)
    assert "run `patron broker provision`" in missing.out
    assert row_of(sqlite_desk, "patron.processor")["on_broker"] == 0


@pytest.mark.amqp
def test_provisioning_tells_what_it_made(
    patron: Patron,
    amqp_vhost: str,
    rabbit_management: RabbitManagement,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Queues and policies; repeating it is harmless; no password is printed."""
    monkeypatch.setenv("AMQP_URL", amqp_vhost)
    if rabbit_management._url:
        monkeypatch.setenv("PATRON_BROKER__MANAGEMENT_URL", rabbit_management._url)

    first, again = patron("broker", "provision"), patron("broker", "provision")

    assert (first.code, again.code) == (0, 0)
    assert "2 exchanges and 7 queues" in first.out
    assert "4 policies set by management" in first.out
    password = amqp_vhost.partition("://")[2].partition("@")[0].rpartition(":")[2]
    assert f":{password}@" not in first.out


@pytest.mark.parametrize("words", [["broker", "provision"], ["broker", "check"], ["queues"]])
def test_a_broker_that_is_away_is_temporary(
    sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch, words: list[str]
) -> None:
    """75, and the password is not in the text."""
    monkeypatch.setenv("AMQP_URL", f"amqp://patron:hunter2@127.0.0.1:{free_ports(1)[0]}/")

    answer = sqlite_desk.patron(*words)

    assert answer.code == 75
    assert "hunter2" not in answer.out + answer.err
    assert "Traceback" not in answer.err


def test_dead_letters_are_listed_and_shown_with_their_evidence(desk: Desk) -> None:
    """The body only when asked for: it may hold personal data."""
    desk.process(a_customer("1"))
    with desk.units.begin() as work:
        work.connection.execute(sa.update(messages).values(available_at=NOON))
        (parcel,) = work.store.due(1)
        letter = of_parcel(
            parcel, worker="exporter", queue="patron.exporter.shop", reason="remote_rejected",
            error="status 400: First Name is not valid!", error_class="RemoteRejected",
        )  # fmt: skip
        work.store.bury([letter])

    (line,) = desk.patron("dead-letters", "list", "--reason", "remote_rejected", "-o", "json").json
    none = desk.patron("dead-letters", "list", "--worker", "importer")
    shown = desk.patron("dead-letters", "show", line["id"])
    with_body = desk.patron("dead-letters", "show", line["id"], "--body")
    tree = desk.patron("dead-letters", "show", line["id"], "-o", "json").json

    assert (line["worker"], line["subject"]) == ("exporter", "1")
    assert none.out == "there are no such dead letters\n"
    assert "status 400: First Name is not valid!" in shown.out
    assert '"customer_number":"D10001"' not in shown.out
    assert '"customer_number":"D10001"' in with_body.out
    assert "body" not in tree
    assert "1 open dead letters" in desk.patron("queues").out


def test_answers_on_their_way_have_a_line_of_their_own(sqlite_desk: Desk) -> None:
    """MYOB-4: they go to queues of other programs, and are no fault of the configuration."""
    body = ImportAnswered(channel="shop", external_id="1", answer="waiting", reason="timeout")
    with sqlite_desk.units.begin() as work:
        work.send([parcel(body, channel="shop", subject="1", at=work.now, reply_to="answers")])

    assert row_of(sqlite_desk, "(answers to other programs)")["to_publish"] == 1
