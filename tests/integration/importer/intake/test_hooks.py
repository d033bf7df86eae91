"""Webhooks: verified, recorded durably, and a hint to fetch."""

import pytest

from services.importer.on_demand import OnDemand
from services.importer.pages import StoreViewReader
from services.importer.requests import take_requests
from shared.domain.errors import RemoteUnavailable
from shared.persistence.tables import import_requests, webhook_events
from tests.integration.importer.intake.gate import HOOK_KEY, OLD_HOOK_KEY, Client, Gate
from tests.integration.importer.shelf import Shelf, a_shelf
from tests.integration.importer.station import CHANNEL, LEASE_SECONDS, no_beat
from tests.integration.importer.test_on_demand import a_question, failing


@pytest.fixture
def shelf() -> Shelf:
    """Give a shop with the customers 1 and 2."""
    return a_shelf(1, 2)


def fetch(gate: Gate, shelf: Shelf) -> int:
    """Fetch everybody who is due; return how many that were."""
    importer = OnDemand(
        CHANNEL,
        shelf,
        {"de": StoreViewReader(CHANNEL, "de", shelf), "uk": StoreViewReader(CHANNEL, "uk", shelf)},
        units=gate.station.units,
        offer=gate.station.sent.extend,
        metrics=gate.station.metrics,
        lease_seconds=LEASE_SECONDS,
    )
    fetched = 0
    while importer.run_next(no_beat):
        fetched += 1
    return fetched


def test_a_webhook_is_a_hint_to_fetch(gate: Gate, client: Client, shelf: Shelf) -> None:
    """Near real time, beside polling (D365-2); what it says of the customer is not believed."""
    answer = client.hook("e1", "1")
    fetched = fetch(gate, shelf)

    assert (answer.status_code, answer.json()) == (200, {"outcome": "accepted"})
    assert (fetched, shelf.asked) == (1, ["fetch 1"])
    assert gate.woken == ["shop"]
    [message] = gate.imported_messages()
    assert (message.subject, message.body.origin) == ("1", "request")


def test_an_event_that_is_told_again_has_no_effect(
    gate: Gate, client: Client, shelf: Shelf
) -> None:
    """Whatever came between; it is answered well, so that the shop stops telling it."""
    client.hook("e1", "1")
    fetch(gate, shelf)
    again = client.hook("e1", "1")

    assert (again.status_code, again.json()) == (200, {"outcome": "duplicate"})
    assert fetch(gate, shelf) == 0
    assert len(gate.rows(webhook_events)) == 1
    assert gate.counted(channel="shop", kind="webhook", outcome="duplicate") == 1


def test_what_is_unchanged_is_left_at_that(gate: Gate, client: Client, shelf: Shelf) -> None:
    """As after our own write; nobody asked what became of it."""
    client.hook("e1", "1")
    fetch(gate, shelf)
    client.hook("e2", "1")

    assert fetch(gate, shelf) == 1
    assert gate.station.subjects() == ["1"]
    assert [row.reason for row in gate.rows(import_requests) if row.state == "answered"] == [
        "unchanged"
    ]


def test_a_customer_that_is_gone_is_told_as_deleted(
    gate: Gate, client: Client, shelf: Shelf
) -> None:
    """No poll would show it; it is told once, in the store view where it was."""
    client.hook("e1", "1", "2")
    fetch(gate, shelf)
    shelf.remove(1)

    client.hook("e2", "1")
    client.hook("e3", "1", "77")
    fetch(gate, shelf)

    assert gate.station.subjects("customer.deleted") == ["1"]


def test_a_burst_about_one_customer_is_one_fetch(gate: Gate, shelf: Shelf) -> None:
    """After a moment, for all that came in it; what comes later is fetched again."""
    gate.debounce_seconds = 10

    with gate.open() as client:
        for number in range(5):
            client.hook(f"e{number}", "1")
        early = fetch(gate, shelf)
        gate.station.clock.advance(10)
        shelf.change(1, name="Anna")
        once = fetch(gate, shelf)
        client.hook("later", "1")
        gate.station.clock.advance(10)
        shelf.change(1, name="Hanna")
        again = fetch(gate, shelf)

    assert (early, once, again) == (0, 1, 1)
    assert [m.body.customer.first_name for m in gate.imported_messages()] == ["Anna", "Hanna"]


def test_each_key_of_a_rotation_holds(client: Client) -> None:
    """The old one does as long as it is configured; others do not."""
    answers = [
        client.hook(f"e {key}", "1", key=key) for key in (HOOK_KEY, OLD_HOOK_KEY, "other", "")
    ]

    assert [answer.status_code for answer in answers] == [200, 200, 401, 401]
    assert answers[2].json() == answers[3].json()


@pytest.mark.parametrize("ids", [["a\nb"], [""], ["x" * 256], ["\0"], [7], [None]])
def test_what_names_nobody_is_refused(gate: Gate, client: Client, ids: list[object]) -> None:
    """422, and nothing is remembered."""
    answer = client.http.post(
        "/v1/webhooks/shop",
        json={"event": "e1", "ids": ids},
        headers={"X-Hook-Key": HOOK_KEY},
    )

    assert answer.status_code == 422
    assert gate.rows(webhook_events) == []


def test_a_channel_without_webhooks_is_not_found(gate: Gate, client: Client) -> None:
    """Known or not, the answer is the same; metrics do not grow by what strangers write."""
    answers = [client.hook("e1", "1", channel=name) for name in ("crm", "nobody", "x%0d%0aY:%20z")]

    assert [answer.status_code for answer in answers] == [404] * 3
    assert {answer.text for answer in answers} == {answers[0].text}
    assert gate.counted(channel="-", kind="webhook", outcome="not_found") == 3


def test_a_webhook_without_anybody_is_taken_and_done(gate: Gate, client: Client) -> None:
    """Of a topic that does not concern us."""
    answer = client.hook("e1")

    assert answer.status_code == 200
    assert gate.rows(import_requests) == []


def test_a_hint_and_a_question_share_a_fetch(gate: Gate, client: Client, shelf: Shelf) -> None:
    """Whoever asked is told, though nothing has changed; overlap is safe (MYOB-4, C365-8)."""
    client.hook("e1", "1")
    fetch(gate, shelf)
    question = a_question("1")

    client.hook("e2", "1")
    with gate.station.units.begin() as work:
        take_requests([question], work, {CHANNEL})
    once = fetch(gate, shelf)

    assert once == 1
    assert gate.station.subjects() == ["1", "1"]
    states = {row.is_hint: row.state for row in gate.rows(import_requests)}
    assert states == {True: "fetched", False: "fetched"}


def test_a_hint_waits_for_a_shop_that_is_away(gate: Gate, client: Client, shelf: Shelf) -> None:
    """For a day, at longer and longer intervals; nobody is told that it took long."""
    shelf.before_fetch = failing(*[RemoteUnavailable("503")] * 50)
    client.hook("e1", "1")

    tried = []
    for minute in range(60):
        if fetch(gate, shelf):
            tried.append(minute)
        gate.station.clock.advance(60)
    shelf.before_fetch = failing()
    gate.station.clock.advance(600)

    assert 10 < len(tried) < 20
    assert fetch(gate, shelf) == 1
    assert gate.station.subjects() == ["1"]
