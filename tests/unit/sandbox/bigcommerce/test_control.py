"""The control interface: what shoppers and operators do, in Python and over HTTP."""

import ssl
from datetime import UTC, datetime

import httpx2
import pytest

from services.sandbox.bigcommerce import SandboxBigCommerce

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def test_a_shopper_registers_and_edits(shop: SandboxBigCommerce) -> None:
    """The books say who it was; the time moves with the profile, not with the address book."""
    shop.control.freeze_clock(NOON)
    new = shop.control.register(
        {"email": "new@example.com", "first_name": "Ann", "last_name": "New"}
    )
    moved = shop.control.edit_profile(5, phone="030 1")
    shop.control.advance_clock(60)
    shop.control.edit_address(5, city="Neustadt")

    after = shop.control.customer(5)
    assert (new["id"], new["date_created"]) == (401, "2026-11-01T12:00:00Z")
    assert moved["date_modified"] == after["date_modified"] == "2026-11-01T12:00:00Z"
    assert after["addresses"][0]["city"] == "Neustadt"
    assert [write.origin for write in shop.control.writes(5)] == ["shopper", "shopper"]


def test_a_merge_deletes_one_and_keeps_the_other(shop: SandboxBigCommerce) -> None:
    """The addresses move; the other id is gone without a trace in any list."""
    book = len(shop.control.customer(5)["addresses"]) + len(shop.control.customer(6)["addresses"])

    kept = shop.control.merge_customers(5, 6)

    assert len(kept["addresses"]) == book
    assert {each["customer_id"] for each in kept["addresses"]} == {5}
    assert [each.scope for each in shop.control.events()] == [
        "store/customer/deleted",
        "store/customer/updated",
    ]
    with pytest.raises(KeyError):
        shop.control.customer(6)


def test_merged_addresses_keep_their_ids(shop: SandboxBigCommerce, client: httpx2.Client) -> None:
    """An address that moved to another customer is still found and deleted by id."""
    number = shop.control.customer(6)["addresses"][0]["id"]
    shop.control.merge_customers(5, 6)

    found = client.get(f"/v3/customers/addresses?id:in={number}").json()["data"]
    shop.control.delete_address(number)

    assert [each["customer_id"] for each in found] == [5]
    assert number not in [each["id"] for each in shop.control.customer(5)["addresses"]]


def test_a_number_is_read_wherever_it_was_written(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """Attribute and metafield, of one and of all."""
    item = {"customer_id": 5, "attribute_id": 5, "value": "D-5"}
    client.put("/v3/customers/attribute-values", json=[item])
    field = {"namespace": "erp", "key": "number", "value": "D-6", "permission_set": "read"}
    client.post("/v3/customers/6/metafields", json=field)

    assert shop.control.attribute(5) == "D-5"
    assert shop.control.attribute_values() == {5: "D-5"}
    assert shop.control.metafields("erp", "number") == {6: "D-6"}
    assert shop.control.attribute(6) is None


def test_the_same_value_again_is_no_change(shop: SandboxBigCommerce, client: httpx2.Client) -> None:
    """The books tell an idempotent write from a real one."""
    item = {"customer_id": 5, "attribute_id": 5, "value": "D-5"}

    for _ in range(2):
        client.put("/v3/customers/attribute-values", json=[item])
    for _ in range(2):
        client.put("/v3/customers", json=[{"id": 5, "company": "Nordwind AG"}])

    assert [write.changed for write in shop.control.writes(5)] == [
        ("attributes",),
        (),
        ("company",),
        (),
    ]
    assert shop.control.stats()["identical_updates"] == 1


def test_the_control_interface_over_http(shop: SandboxBigCommerce, tls: ssl.SSLContext) -> None:
    """Another process can do what a test in this one can."""
    with httpx2.Client(base_url=f"{shop.url}/_sandbox", timeout=5, verify=tls) as remote:
        remote.post("/clock", json={"freeze": "2026-11-01T12:00:00+00:00"})
        new = remote.post(
            "/customers", json={"email": "n@example.com", "first_name": "A", "last_name": "N"}
        ).json()
        remote.patch("/customers/5/address", json={"city": "Neustadt"})
        remote.put("/customers/5/attributes/Loyalty Level", json={"value": "gold"})
        remote.put("/attributes/Colour", json={"kind": "string"})
        remote.post("/customers/5/merge/6")
        remote.delete("/customers/7")
        remote.put("/quota", json={"quota": 3})
        remote.patch("/quirks", json={"touches_on_address": True})
        refused = remote.post("/customers", json={"email": "x"})
        wrong = remote.get("/customers/9999")
        stats = remote.get("/stats").json()
        values = remote.get("/attributes/Loyalty Level").json()
        events = remote.get("/events").json()

    assert new["date_created"] == "2026-11-01T12:00:00Z"
    assert values["5"] == "gold"
    assert shop.control.attribute_id("Colour") == 8
    assert (stats["customers"], stats["requests_total"]) == (399, 0)
    assert (refused.status_code, wrong.status_code) == (422, 400)
    assert events[0]["scope"] == "store/customer/created"


def test_the_control_interface_forgets_and_forgives(
    shop: SandboxBigCommerce, tls: ssl.SSLContext
) -> None:
    """Token, scopes, faults and books over HTTP."""
    with httpx2.Client(base_url=f"{shop.url}/_sandbox", timeout=5, verify=tls) as remote:
        remote.delete("/token")
        remote.put("/token", json={"token": "another"})
        remote.put("/scopes", json={"scopes": ["store_v2_customers_read_only"]})
        remote.post("/faults", json={"kind": "reset", "times": 3})
        waiting = shop.control.faults_waiting()
        remote.delete("/faults")
        remote.delete("/stats")
        health = remote.get("/health").json()
        nothing = remote.get("/nothing")

    assert (shop.token, waiting, shop.control.faults_waiting()) == ("another", 3, 0)
    assert (health["status"], nothing.status_code) == ("ok", 404)
