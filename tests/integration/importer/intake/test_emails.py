"""Channels that know their customers by the e-mail address: one address, one customer."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import SecretStr

from shared.persistence import erasure
from shared.persistence.tables import links, push_emails, push_items, staging_customers
from shared.persistence.tombstones import Tombstones
from tests.integration.importer.intake.gate import ANN, Client, Gate, push_settings

NAMELESS: dict[str, Any] = {name: value for name, value in ANN.items() if name != "external_id"}
TOMBSTONES = Tombstones(SecretStr("t" * 40))


@pytest.fixture
def client(gate: Gate) -> Iterator[Client]:
    """Give a client before a gate that knows customers by their e-mail."""
    gate.settings = push_settings(key="email")
    gate.tombstones = TOMBSTONES
    with gate.open() as client:
        yield client


def outcome(answer: Any) -> tuple[Any, ...]:
    """Return what was answered about the only customer."""
    [item] = answer.json()["customers"]
    return item["outcome"], item.get("external_id"), [e["pointer"] for e in item.get("errors", ())]


def test_the_address_is_the_key_in_its_normal_form(gate: Gate, client: Client) -> None:
    """Trimmed and case-folded (D365-5)."""
    first = client.push(NAMELESS)
    again = client.push({**NAMELESS, "email": "  ANN.LANG@EXAMPLE.COM ", "last_name": "Long"})
    gate.process()

    assert outcome(first) == outcome(again) == ("accepted", "ann.lang@example.com", [])
    assert len(gate.rows(links)) == 1
    assert client.status("ann.lang@example.com").json()["state"] == "numbered"


def test_whoever_changes_the_address_stays_who_he_was(gate: Gate, client: Client) -> None:
    """The change follows the link, now and later, also if it is told again (D365-5)."""
    client.push(NAMELESS)
    gate.process()

    moved = {**NAMELESS, "email": "ann@new.example", "previous_email": "Ann.Lang@example.com"}
    changed, retold = client.push(moved), client.push({**moved, "first_name": "Anna"})
    later = client.push({**NAMELESS, "email": "ann@new.example", "last_name": "Long"})
    gate.process()

    assert {outcome(x)[1] for x in (changed, retold, later)} == {"ann.lang@example.com"}
    assert len(gate.rows(links)) == 1
    assert client.status("ann.lang@example.com").json()["customer_number"] == "D10001"


def test_another_customers_address_is_parked(gate: Gate, client: Client) -> None:
    """Two ids with one address: the second waits, with the reason (D365-1)."""
    first = client.push({"customers": [ANN, {**ANN, "external_id": "4712"}]}).json()
    later = client.push({**ANN, "external_id": "4713"})
    gate.process()

    assert [item["outcome"] for item in first["customers"]] == ["accepted", "parked"]
    assert outcome(later) == ("parked", "4713", ["/email"])
    status = client.status("4712").json()
    assert (status["state"], status["reason"]) == ("held", "unreadable")
    assert status["notes"] == ["email: is that of another customer of this channel"]
    assert len(gate.rows(links)) == 1


def test_an_address_that_was_given_up_is_free(gate: Gate, client: Client) -> None:
    """Whoever waited for it is taken when pushed again, unchanged as it is (D365-5)."""
    client.push(ANN)
    client.push({**ANN, "external_id": "4712"})
    client.push({**ANN, "email": "ann@new.example"})

    freed = client.push({**ANN, "external_id": "4712"})
    gate.process()

    assert outcome(freed) == ("accepted", "4712", [])
    assert {row.email_key: row.external_id for row in gate.rows(push_emails)} == {
        "ann@new.example": "4711",
        "ann.lang@example.com": "4712",
    }
    held = [row for row in gate.rows(staging_customers) if row.state == "held"]
    assert held == []


@pytest.mark.parametrize("email", [None, "", "nobody"])
def test_a_missing_address_is_parked(gate: Gate, client: Client, email: str | None) -> None:
    """Where the customer has an id; without one there is nobody to park (D365-1)."""
    parked = client.push({**ANN, "email": email})
    refused = client.push({**NAMELESS, "email": email})
    gate.process()

    assert outcome(parked) == ("parked", "4711", ["/email"])
    assert refused.status_code == 422
    assert refused.json()["errors"][0]["pointer"] == "/email"
    assert client.status("4711").json()["state"] == "held"


def test_nobody_who_was_erased_comes_back(gate: Gate, client: Client) -> None:
    """Neither by the id nor by any address that led to it; nothing is stored of the try."""
    client.push(NAMELESS)
    client.push({**NAMELESS, "email": "ann@new.example", "previous_email": "ann.lang@example.com"})
    gate.process()
    with gate.station.units.begin() as work:
        erasure.erase(work, "crm/ann.lang@example.com", TOMBSTONES, actor="test")

    by_id, by_address = (
        client.push({**NAMELESS, "email": email})
        for email in ("ann.lang@example.com", "ann@new.example")
    )

    assert (by_id.status_code, by_address.status_code) == (422, 422)
    assert gate.rows(push_emails) == []
    assert {row.external_id for row in gate.rows(push_items)} <= {None}
