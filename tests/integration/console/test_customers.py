"""`patron customer` and `patron retention` on a database that the processor has filled."""

import stat
from pathlib import Path
from uuid import uuid4

import orjson
import pytest
import sqlalchemy as sa

from shared.persistence import audit, raw_payloads
from shared.persistence.dead_letters import of_parcel
from shared.persistence.store import Retry
from shared.persistence.tables import audit_log, customers, history, messages
from tests.builders import a_customer, a_source
from tests.integration.console.conftest import Desk
from tests.integration.persistence.builders import a_parcel
from tests.integration.processor.desk import two_shops

KEY = "0123456789abcdef" * 2


def two_accounts(desk: Desk) -> None:
    """Have one person arrive in two shops, and wait in one of them."""
    outlet = a_source("9", channel="outlet", minutes=1)
    desk.process(a_customer("7", email="ann@example.com"), policy=two_shops())
    desk.process(a_customer("9", source=outlet, email="ann@example.com"), policy=two_shops())
    waiting = a_customer("7", minutes=5, email="ann@example.com", addresses=())
    desk.process(waiting, policy=two_shops())


def give_up(desk: Desk) -> None:
    """Dead-letter a message about the person."""
    sent = a_parcel(subject="7", channel="shop", type="customer.export")
    with desk.units.begin() as work:
        work.store.add([sent])
        work.store.bury([of_parcel(sent, worker="exporter", queue="q", reason="remote_rejected")])


@pytest.mark.parametrize("name", ["D10001", "shop/7", "outlet/9"])
def test_number_and_accounts_lead_to_each_other(desk: Desk, name: str) -> None:
    """From the number to all accounts, and from any account to the number (C365-14)."""
    two_accounts(desk)
    give_up(desk)

    tree = desk.patron("customer", "show", name, "-o", "json").json

    assert tree["number"] == "D10001"
    assert tree["fields"]["email"] == "ann@example.com"
    assert tree["defaults"] == {"price_group": "RETAIL"}
    assert [(link["channel"], link["external_id"]) for link in tree["links"]] == [
        ("outlet", "9"), ("shop", "7"),
    ]  # fmt: skip
    assert [(x["external_id"], x["reason"]) for x in tree["waiting"]] == [
        ("7", "no_billing_address")
    ]
    assert [letter["reason"] for letter in tree["dead_letters"]] == ["remote_rejected"]


def test_a_customer_is_shown_to_people(desk: Desk) -> None:
    """Fields, addresses with their flags, accounts, what waits and what was given up."""
    two_accounts(desk)
    give_up(desk)

    shown = desk.patron("customer", "show", "D10001").out

    for fact in (
        "customer D10001: outlet/9, shop/7", "ann@example.com", "default price group",
        "billing, shipping", "Lindenweg 4", "10115 Berlin", "synchronized",
        "no_billing_address", "remote_rejected",
    ):  # fmt: skip
        assert fact in shown


def test_what_a_shop_sent_last_is_shown(desk: Desk) -> None:
    """In the platform's own words, where it is kept."""
    desk.process(a_customer("7"))
    without = desk.patron("customer", "show", "shop/7", "--raw").out
    with desk.units.begin() as work:
        raw_payloads.keep(work, "shop", {"7": {"firstname": "Ann", "odd": [1, None]}})

    shown = desk.patron("customer", "show", "shop/7", "--raw").out
    tree = desk.patron("customer", "show", "shop/7", "--raw", "-o", "json").json

    assert "No raw payload is kept" in without
    assert '"firstname": "Ann"' in shown
    assert tree["raw_payloads"][0]["payload"] == {"firstname": "Ann", "odd": [1, None]}


def test_one_timeline_over_workers_and_accounts(desk: Desk) -> None:
    """Read, decided, given up, looked at; of both accounts, in order (NEW-10)."""
    two_accounts(desk)
    give_up(desk)
    with desk.units.begin() as work:
        audit.note(work, actor="ann", action="looked.at", subject="shop/7", reason="she rang")

    tree = desk.patron("customer", "history", "outlet/9", "-o", "json").json

    told = [(line["worker"], line["event"], line["external_id"]) for line in tree["lines"]]
    decided = [line for line in told if line[0] == "processor"]
    assert decided == [
        ("processor", "customer.created", "7"),
        ("processor", "customer.matched", "9"),
        ("processor", "customer.held", "7"),
    ]
    assert told.count(("importer", "customer.read", "7")) == 2
    assert ("exporter", "message.dead", "7") in told
    assert told[-1] == ("console", "looked.at", None)
    assert tree["lines"][-1]["detail"] == {"by": "ann", "reason": "she rang"}
    moments = [line["at"] for line in tree["lines"]]
    assert moments == sorted(moments)


def test_what_is_still_owed_stands_at_the_end(desk: Desk) -> None:
    """In which queue, since when, and why it was put off (NEW-10)."""
    desk.process(a_customer("7"))
    with desk.units.begin() as work:
        ids = work.connection.execute(sa.select(messages.c.id).order_by(messages.c.id)).scalars()
        work.store.retry([Retry(ids.all()[0], work.now, "remote_unavailable")])

    shown = desk.patron("customer", "history", "D10001").out
    tree = desk.patron("customer", "history", "D10001", "-o", "json").json

    assert "customer.export about shop/7 waits for patron.exporter.shop since" in shown
    assert "remote_unavailable, again at" in shown
    assert "customer.export about shop/7 waiting in patron.exporter.shop since" in shown
    assert [owed["queues"] for owed in tree["owed"]] == [["patron.exporter.shop"]] * 2


def test_everything_of_one_import(desk: Desk) -> None:
    """Under its correlation id, whatever it led to (NEW-10)."""
    two_accounts(desk)
    (first, *_) = desk.rows(history)

    tree = desk.patron("customer", "history", "--correlation", first.correlation_id, "-o", "json")
    nothing = desk.patron("customer", "history", "--correlation", uuid4())

    lines = tree.json["lines"]
    assert {line["correlation_id"] for line in lines} == {str(first.correlation_id)}
    assert [line["event"] for line in lines if line["worker"] == "processor"] == [
        "customer.created"
    ]
    assert {owed["type"] for owed in tree.json["owed"]} == {"customer.export"}
    assert nothing.code == 1


@pytest.mark.parametrize("words", [[], ["D10001", "--correlation", uuid4()]])
def test_a_timeline_is_of_one_thing(sqlite_desk: Desk, words: list[object]) -> None:
    """Of a customer, or of a correlation id."""
    sqlite_desk.process(a_customer("7"))

    assert sqlite_desk.patron("customer", "history", *words).code == 2


def test_a_data_request_gets_everything(desk: Desk, tmp_path: Path) -> None:
    """One document, in a file that nobody else can read; that it was is on record (ASK-20)."""
    two_accounts(desk)
    give_up(desk)
    file = tmp_path / "ann.json"

    answer = desk.patron("customer", "export", "D10001", "--file", file)
    again = desk.patron("customer", "export", "D10001", "--file", file)
    printed = desk.patron("customer", "export", "shop/7").json

    document = orjson.loads(file.read_bytes())
    assert answer.code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert (again.code, again.err) == (1, f"error: {file} exists\nName a file that does not.\n")
    assert document["customer"]["number"] == "D10001"
    assert len(document["accounts"]) == len(document["links"]) == 2
    assert document["links"][0]["snapshot"]["first_name"] == "Ann"
    assert len(document["staging"]) == 3
    assert document["staging"][0]["body"]["customer"]["email"] == "ann@example.com"
    assert [letter["reason"] for letter in document["dead_letters"]] == ["remote_rejected"]
    assert len(document["owed_messages"]) == 4
    assert len(document["history"]) == 3
    assert printed.keys() == document.keys()
    lines = [(line.action, line.subject) for line in desk.rows(audit_log)]
    assert lines == [("customer.exported", "D10001")] * 2


def test_a_person_is_erased(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said table by table, with what Patron cannot reach (ASK-20)."""
    monkeypatch.setenv("PATRON_PRIVACY__KEY", KEY)
    two_accounts(desk)

    answer = desk.patron(
        "customer", "erase", "shop/7", "--yes", "--reason", "request of the person"
    )
    after = desk.patron("customer", "show", "D10001")
    again = desk.patron("customer", "erase", "D10001", "--yes")
    gone = desk.patron("customer", "show", "shop/7")

    assert answer.code == 0
    assert "erased customer D10001: outlet/9, shop/7" in answer.out
    assert "imported again: 2" in answer.out
    assert "backups of the database" in answer.out
    assert (after.code, after.out) == (0, "customer D10001, erased\n")
    assert (again.code, again.err) == (1, "error: customer D10001 is erased already\n")
    assert (gone.code, gone.err) == (1, "error: shop/7 was erased\n")
    (line,) = desk.rows(audit_log)
    assert (line.action, line.subject, line.reason) == (
        "customer.erased", "D10001", "request of the person",
    )  # fmt: skip


def test_erasing_needs_a_key(sqlite_desk: Desk) -> None:
    """And says how to make one."""
    sqlite_desk.process(a_customer("7"))

    answer = sqlite_desk.patron("customer", "erase", "D10001", "--yes")

    assert answer.code == 2
    assert "privacy.key is not set" in answer.err
    assert "openssl rand -hex 32" in answer.err
    assert [row.state for row in sqlite_desk.rows(customers)] == ["active"]


def test_nobody_is_erased_without_being_asked(
    sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a terminal there is nobody to confirm; --yes says so."""
    monkeypatch.setenv("PATRON_PRIVACY__KEY", KEY)
    sqlite_desk.process(a_customer("7"))

    answer = sqlite_desk.patron("customer", "erase", "D10001")

    assert answer.code == 1
    assert "This erases customer D10001: shop/7" in answer.err
    assert [row.state for row in sqlite_desk.rows(customers)] == ["active"]


def test_retention_is_tried_and_run(sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """A dry run changes nothing; a real one is on record."""
    monkeypatch.setenv("PATRON_RETENTION__HISTORY_DAYS", "0")
    sqlite_desk.process(a_customer("7"), a_customer("8"))

    tried = sqlite_desk.patron("retention", "run", "--dry-run", "-o", "json").json
    kept = len(sqlite_desk.rows(history))
    answer = sqlite_desk.patron("retention", "run")

    assert {line["kind"]: line["rows"] for line in tried} == {
        "archive": 0, "history": 2, "raw_payloads": 0, "dead_letters": 0, "import_requests": 0,
        "webhook_events": 0, "push_requests": 0,
    }  # fmt: skip
    assert kept == 2
    assert "2 rows deleted" in answer.out
    assert sqlite_desk.rows(history) == []
    actions = [line.action for line in sqlite_desk.rows(audit_log)]
    assert actions == ["retention.started", "retention.finished"]
