"""How far a customer has come, whatever became of it (D365-4)."""

from dataclasses import replace
from datetime import UTC, datetime

import httpx2

from services.importer.intake.app import create_app
from services.importer.intake.server import IntakeServer
from services.importer.pages import StoreViewReader, tell_deleted
from services.processor.worker import process_batch
from shared.connectors.push.source import PushedSource
from shared.domain.policy import ChannelPolicy, StoreViewPolicy
from shared.persistence.dead_letters import of_parcel
from tests.integration.importer.intake.gate import ANN, Client, Gate, crm_policy, serving


def test_who_is_not_wanted_is_told_so(gate: Gate, client: Client) -> None:
    """With the reason, until something else becomes of it."""
    view = StoreViewPolicy("main", start_date=datetime(2026, 1, 1, tzinfo=UTC))
    policy = replace(crm_policy(), channels={"crm": ChannelPolicy("crm", {"main": view})})
    client.push({**ANN, "registered_at": "2025-12-31T00:00:00Z"})

    with gate.station.units.begin() as work:
        process_batch(gate.imported_messages(), work, policy)

    assert client.status("4711").json() == {
        "external_id": "4711", "state": "refused", "reason": "before_start_date",
    }  # fmt: skip


def test_a_load_balancer_is_told_whether_anything_can_be_recorded(gate: Gate) -> None:
    """In one word, without what is wrong; for nobody's key, and not counted as a request."""
    trouble: list[str | None] = [None]
    intake = replace(gate.intake(), readiness=lambda: trouble[0])

    with serving(IntakeServer(create_app(intake), "127.0.0.1", 0)) as url:
        ready = httpx2.get(f"{url}/readyz")
        trouble[0] = "check failed: OperationalError"
        unready = httpx2.get(f"{url}/readyz")

    assert (ready.status_code, ready.text) == (200, "ok\n")
    assert (unready.status_code, unready.text) == (503, "not ready\n")


def test_a_number_is_kept_while_a_change_waits(gate: Gate, client: Client) -> None:
    """Held by a later push, it still has the number."""
    client.push(ANN)
    gate.process()
    client.push({**ANN, "addresses": []})
    gate.process()

    status = client.status("4711").json()

    assert (status["state"], status["reason"], status["customer_number"]) == (
        "held", "no_billing_address", "D10001",
    )  # fmt: skip


def test_who_was_given_up_is_held(gate: Gate, client: Client) -> None:
    """Somebody has to look at the dead letter."""
    client.push(ANN)
    [parcel] = gate.station.sent
    with gate.station.units.begin() as work:
        letter = of_parcel(
            parcel, worker="processor", queue="patron.processor", reason="bug", attempts=3
        )
        work.store.bury([letter])

    status = client.status("4711").json()

    assert (status["state"], status["reason"]) == ("held", "bug")


def test_who_was_deleted_is_removed(gate: Gate, client: Client) -> None:
    """As a record that is gone."""
    client.push(ANN)
    reader = StoreViewReader("crm", "main", PushedSource("crm", {}, {}))
    with gate.station.units.begin() as work:
        tell_deleted(["4711"], reader, work)

    assert client.status("4711").json()["state"] == "removed"
