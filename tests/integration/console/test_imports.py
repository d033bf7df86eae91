"""Imports that an operator asks for: what is asked, what is refused, what is answered."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from services.console.cli import import_answers
from services.importer.on_demand import OnDemand
from services.importer.pages import StoreViewReader
from services.importer.requests import take_requests
from services.processor.worker import process_batch
from shared.domain.messages import ImportRequested, Parcel
from shared.messaging.codec import decode, to_wire
from shared.observability.metrics import create_metrics
from shared.persistence.cursors import Cursors
from shared.persistence.tables import audit_log
from tests.builders import a_policy
from tests.integration.console.conftest import Desk
from tests.integration.importer.shelf import Shelf, a_record, a_shelf


class Workers:
    """An importer and a processor on the desk's database, for a shop with one customer."""

    def __init__(self, desk: Desk, shelf: Shelf, *views: str) -> None:
        self._units = desk.units
        self._on_demand = OnDemand(
            "shop",
            shelf,
            {view: StoreViewReader("shop", view, shelf) for view in views or ("de",)},
            units=desk.units,
            offer=lambda sent: None,
            metrics=create_metrics(CollectorRegistry(), version="test"),
            lease_seconds=60,
        )
        self._stopped = threading.Event()

    @contextmanager
    def running(self) -> Iterator[None]:
        """Work in a thread of their own for as long as the block lasts."""
        thread = threading.Thread(target=self._run, name="workers")
        thread.start()
        try:
            yield
        finally:
            self._stopped.set()
            thread.join()

    def _run(self) -> None:
        while not self._stopped.wait(0.02):
            with self._units.begin() as work:
                taken = self._taken(work, "import.requested")
                take_requests(taken, work, {"shop"})
            self._on_demand.run_next(lambda: None)
            with self._units.begin() as work:
                if imported := self._taken(work, "customer.imported"):
                    process_batch(imported, work, a_policy())

    def _taken(self, work: Any, kind: str) -> list[Any]:
        """Claim the messages of a kind, as a consumer does."""
        work.store._now = datetime(2100, 1, 1, tzinfo=UTC)  # whatever grace their senders have
        mine = [parcel for parcel in work.store.due(100) if parcel.type == kind]
        work.store._now = work.now
        work.store.claim([parcel.message_id for parcel in mine])
        return [decode(to_wire(parcel)) for parcel in mine]


def owed(desk: Desk) -> list[Parcel]:
    """Return the requests that are on their way."""
    with desk.units.begin() as work:
        return work.store.due(10)


def audited(desk: Desk) -> list[tuple[str, str, str | None]]:
    """Return the audit log: action, subject and detail."""
    with desk.units.read() as work:
        rows = work.connection.execute(sa.select(audit_log).order_by(audit_log.c.id)).all()
    return [(row.action, row.subject, row.detail) for row in rows]


def test_an_import_is_asked_for_through_the_outbox(desk: Desk) -> None:
    """C365-8: one message, due at once, and a line in the audit log."""
    answer = desk.patron("import", "shop", "--store-view", "fr", "--sweep")

    assert answer.code == 0
    assert answer.out == "asked for every customer of shop, fr\n"
    (parcel,) = owed(desk)
    assert ImportRequested.model_validate_json(parcel.body) == ImportRequested(
        channel="shop", store_view="fr", sweep=True
    )
    assert audited(desk) == [("import.sweep_requested", "shop/fr", None)]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["shpo"], "there is no channel 'shpo'; configured are shop"),
        (["--store-view", "ed"], "there is no store view 'ed'; configured are shop/de, shop/fr"),
    ],
)
def test_only_what_is_configured_can_be_asked_for(
    sqlite_desk: Desk, words: list[str], what: str
) -> None:
    """A request nobody will carry out is refused, not stored."""
    answer = sqlite_desk.patron("import", *words)

    assert answer.code == 2
    assert answer.err == f"error: {what}\n"
    assert owed(sqlite_desk) == []


def test_an_import_that_is_switched_off_is_refused(
    sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The store view is only written to."""
    monkeypatch.setenv("PATRON_CHANNELS__SHOP__STORE_VIEWS__1__IMPORT", "false")

    answer = sqlite_desk.patron("import", "--store-view", "fr")

    assert answer.code == 2
    assert "import = false" in answer.err


def test_changes_since_a_moment_are_asked_for(desk: Desk) -> None:
    """C365-8, C365-2: a date is its midnight in UTC; the audit log says from when."""
    answer = desk.patron("import", "shop", "--since", "2026-11-01")

    assert answer.code == 0
    assert answer.out == (
        "asked for what changed since 2026-11-01 00:00:00Z of shop, all store views\n"
    )
    (parcel,) = owed(desk)
    request = ImportRequested.model_validate_json(parcel.body)
    assert request.since == datetime(2026, 11, 1, tzinfo=UTC)
    assert audited(desk) == [("import.requested", "shop", "since 2026-11-01T00:00:00+00:00")]


def test_a_first_run_that_only_links_is_noted_where_the_importer_begins(desk: Desk) -> None:
    """C365-8, ASK-8: before it was ever started, and without a message that would come late."""
    answer = desk.patron("import", "--link-only", "--store-view", "de")

    assert answer.code == 0
    assert answer.out == "asked for links to known customers of shop, de\n"
    with desk.units.read() as work:
        found = {cursor.store_view: cursor.sweep_mode for cursor in Cursors(work).all()}
    assert found == {"de": "link_only"}
    assert owed(desk) == []
    assert audited(desk) == [("import.link_only_requested", "shop/de", None)]


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (["--customer", "1", "--sweep"], "leave --sweep away"),
        (["--customer", "1", "--store-view", "de"], "leave --store-view away"),
        (["--sweep", "--since", "2026-11-01"], "leave --since away"),
        (["--link-only", "--since", "2026-11-01"], "leave --since away"),
        (["--since", "2199-01-01"], "in the future"),
        (["--since", "yesterday"], "is no moment"),
        (["--limit", "5"], "--limit goes with --dry-run"),
        (["--channel", "shop"], "No such option: --channel"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    sqlite_desk: Desk, words: list[str], what: str
) -> None:
    """C365-8: in one sentence, before anything is asked for."""
    answer = sqlite_desk.patron("import", *words)

    assert answer.code == 2
    assert what in answer.err
    assert owed(sqlite_desk) == []


def test_a_customer_is_fetched_and_answered_with_the_number(desk: Desk) -> None:
    """MYOB-4: the only channel need not be named; the request is in the audit log."""
    with Workers(desk, a_shelf(1)).running():
        answer = desk.patron("import", "--customer", "1")
        again = desk.patron("import", "shop", "--customer", "1", "-o", "json")

    assert (answer.code, answer.out) == (0, "shop/1 is customer D10001\n")
    assert again.code == 0
    assert again.json["answer"] == "customer"
    assert again.json["customer_number"] == "D10001"
    assert audited(desk) == [("import.customer_requested", "shop/1", None)] * 2


def test_a_customer_who_is_not_in_the_shop_is_refused(desk: Desk) -> None:
    """MYOB-4: with what may be the matter."""
    with Workers(desk, a_shelf(1)).running():
        answer = desk.patron("import", "--customer", "9")

    assert answer.code == 1
    assert answer.out.startswith("shop/9 is not imported: the shop has no such customer\n")


def test_a_customer_who_waits_is_told_with_the_reason(sqlite_desk: Desk) -> None:
    """MYOB-4: imported, and what to look at."""
    shelf = Shelf()
    shelf.put(a_record(1, view="fr"))

    with Workers(sqlite_desk, shelf, "fr").running():
        answer = sqlite_desk.patron("import", "--customer", "1")

    assert answer.code == 3
    assert answer.out.startswith("shop/1 is imported and waits. ")
    assert "`patron staging list --reason unknown_store_view`" in answer.out


def test_a_request_that_nobody_takes_is_told(
    sqlite_desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """MYOB-4: it stays asked for, and trying again may help."""
    monkeypatch.setattr(import_answers, "WAIT_SECONDS", 0.2)

    answer = sqlite_desk.patron("import", "--customer", "1")
    as_json = sqlite_desk.patron("import", "--customer", "1", "-o", "json")

    assert answer.code == as_json.code == 75
    assert "no importer has taken the request" in answer.out
    assert as_json.json["reason"] == "not_taken"
    assert len(owed(sqlite_desk)) == 2


def test_nobody_needs_to_wait_for_an_answer(sqlite_desk: Desk) -> None:
    """MYOB-4: asked for, and that was all."""
    answer = sqlite_desk.patron("import", "shop", "--customer", "1", "--no-wait")

    assert (answer.code, answer.out) == (0, "asked for customer 1 of shop\n")
    (parcel,) = owed(sqlite_desk)
    assert (parcel.type, parcel.subject) == ("import.requested", "1")


@pytest.mark.parametrize("words", [["--customer", "1"], [], ["--sweep"], ["--dry-run"]])
def test_what_is_pushed_is_not_fetched(sqlite_desk: Desk, words: list[str]) -> None:
    """There is nothing to fetch from: said plainly, and nothing is asked for."""
    with Path("patron.toml").open("a", encoding="utf-8") as configuration:
        configuration.write(PUSHED)

    answer = sqlite_desk.patron("import", "crm", *words)

    assert answer.code == 2
    assert "the customers of crm are pushed to Patron and cannot be fetched" in answer.err
    assert owed(sqlite_desk) == []


def test_everything_is_everything_that_can_be_fetched(sqlite_desk: Desk) -> None:
    """An import of all channels leaves out those that are pushed."""
    with Path("patron.toml").open("a", encoding="utf-8") as configuration:
        configuration.write(PUSHED)

    answer = sqlite_desk.patron("import")

    assert answer.code == 0
    assert answer.out == "asked for new and changed customers of shop, all store views\n"
    assert [parcel.channel for parcel in owed(sqlite_desk)] == ["shop"]


def test_one_customer_of_several_channels_needs_a_channel(sqlite_desk: Desk) -> None:
    """MYOB-4: the same id is another customer in another shop."""
    with Path("patron.toml").open("a", encoding="utf-8") as configuration:
        configuration.write(SECOND_SHOP)

    answer = sqlite_desk.patron("import", "--customer", "1")

    assert answer.code == 2
    assert "--customer needs a CHANNEL; configured are outlet, shop" in answer.err


PUSHED = """
[channels.crm]
platform = "push"
store_views = [{ code = "crm" }]

[channels.crm.connector]
api_keys = ["an-api-key-of-the-crm-0123456789abcdef"]
"""
SECOND_SHOP = """
[channels.outlet]
platform = "magento"

[channels.outlet.connector]
base_url = "https://outlet.example"
auth = { kind = "bearer", token = "hunter3" }

[[channels.outlet.store_views]]
code = "de"
remote = { store_id = 1, website_id = 1 }
"""
