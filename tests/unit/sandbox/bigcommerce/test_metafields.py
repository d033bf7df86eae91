"""Metafields, form fields, subscribers, groups and hooks."""

from typing import Any

import httpx2

from services.sandbox.bigcommerce import SandboxBigCommerce

Record = dict[str, Any]
NUMBER = {"namespace": "erp", "key": "customer_number", "permission_set": "read"}


def test_a_metafield_is_unique_for_a_customer(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """A second one of the same namespace and key is a 409."""
    path = "/v3/customers/5/metafields"

    made = client.post(path, json=NUMBER | {"value": "D-1"})
    again = client.post(path, json=NUMBER | {"value": "D-2"})
    changed = client.put(f"{path}/{made.json()['data']['id']}", json={"value": "D-3"})

    assert (made.status_code, again.status_code, changed.status_code) == (200, 409, 200)
    assert shop.control.metafield(5, "erp", "customer_number") == "D-3"
    assert client.get(f"{path}?namespace=erp&key=customer_number").json()["data"][0]["id"]


def test_a_batch_may_succeed_in_part(shop: SandboxBigCommerce, client: httpx2.Client) -> None:
    """422, and yet the good ones are saved: data, errors and counts side by side."""
    path = "/v3/customers/metafields"
    client.post(path, json=[NUMBER | {"resource_id": 5, "value": "D-5"}])

    answer = client.post(
        path, json=[NUMBER | {"resource_id": n, "value": f"D-{n}"} for n in (4, 5, 6)]
    )

    body = answer.json()
    assert answer.status_code == 422
    assert [each["resource_id"] for each in body["data"]] == [4, 6]
    assert [each["status"] for each in body["errors"]] == [409]
    assert body["meta"] == {"total": 3, "success": 2, "failed": 1}
    assert shop.control.metafields("erp", "customer_number") == {4: "D-4", 5: "D-5", 6: "D-6"}


def test_there_is_no_filter_by_value(client: httpx2.Client) -> None:
    """Who wants to find a number has to read them all."""
    assert client.get("/v3/customers/metafields?value=D-1").status_code == 422


def test_metafields_want_all_four_fields(client: httpx2.Client) -> None:
    """And a permission set that exists, and a customer who does."""
    path = "/v3/customers/5/metafields"

    assert client.post(path, json=NUMBER).json()["errors"] == {"value": "error.path.missing"}
    odd = NUMBER | {"permission_set": "everybody", "value": "x"}
    assert client.post(path, json=odd).status_code == 422
    missing = client.post("/v3/customers/9999/metafields", json=NUMBER | {"value": "x"})
    assert missing.status_code == 404


def test_a_metafield_goes_with_its_customer(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """Who is deleted has none any more."""
    client.post("/v3/customers/5/metafields", json=NUMBER | {"value": "D-1"})

    shop.control.delete_customer(5)

    assert client.get("/v3/customers/metafields").json()["data"] == []


def test_form_fields_are_listed_by_name_and_owner(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """Strings, numbers and lists; of customers and of addresses."""
    path = "/v3/customers/form-field-values"
    number = shop.control.customer(5)["addresses"][0]["id"]
    shop.control.set_form_field(5, "Branchen", ["Handel", "Handwerk"])
    client.put(path, json=[{"address_id": number, "name": "Tor", "value": 7}])

    found = client.get(f"{path}?customer_id=5").json()["data"]
    of_address = client.get(f"{path}?address_id={number}").json()["data"]
    vat = client.get(f"{path}?field_name=VAT ID&limit=2").json()

    assert {"customer_id": 5, "name": "Branchen", "value": ["Handel", "Handwerk"]} in found
    assert of_address == [{"address_id": number, "name": "Tor", "value": 7}]
    assert {each["name"] for each in vat["data"]} == {"VAT ID"}


def test_deleting_subscribers_without_a_filter_deletes_everybody(client: httpx2.Client) -> None:
    """The platform's trap; with a filter only whoever it leaves."""
    path = "/v3/customers/subscribers"
    everybody = client.get(f"{path}?limit=250").json()["data"]

    client.delete(path, params={"email": everybody[0]["email"]})
    fewer = client.get(path).json()["meta"]["pagination"]["total"]
    client.delete(path)

    assert fewer == len(everybody) - 1
    assert client.get(path).json()["data"] == []


def test_a_subscriber_is_one_email_in_one_channel(client: httpx2.Client) -> None:
    """A duplicate is a 409 here; no consents is opted out."""
    path = "/v3/customers/subscribers"
    new = {"email": "new@example.com", "consents": ["marketing_newsletter"]}

    made = client.post(path, json=new).json()["data"]
    again = client.post(path, json=new)
    out = client.put(f"{path}/{made['id']}", json={"consents": []}).json()["data"]
    odd = client.post(path, json={"email": "x@example.com", "consents": ["sms"]})

    assert (again.status_code, out["consents"], odd.status_code) == (409, [], 422)


def test_groups_are_v2(client: httpx2.Client) -> None:
    """A bare array, 204 when empty, and a PUT that replaces all discount rules."""
    groups = client.get("/v2/customer_groups").json()
    none = client.get("/v2/customer_groups?name=Nobody")
    rules = [{"type": "all", "method": "fixed", "amount": "1.0000"}]
    changed = client.put("/v2/customer_groups/3", json={"discount_rules": rules}).json()
    made = client.post("/v2/customer_groups", json={"name": "VIP"}).json()

    assert [each["name"] for each in groups] == ["Wholesale", "Retailer", "Guests"]
    assert (none.status_code, none.content) == (204, b"")
    assert changed["discount_rules"] == rules
    assert client.get(f"/v2/customer_groups/{made['id']}").json()["name"] == "VIP"


def test_hooks_go_to_https_on_port_443(shop: SandboxBigCommerce, client: httpx2.Client) -> None:
    """Anything else is refused, and so is an unknown scope and an eleventh of one scope."""
    hook = {"scope": "store/customer/updated", "destination": "https://patron.example.com/1"}

    made = [
        client.post("/v3/hooks", json=hook | {"destination": f"https://p.example.com/{n}"})
        for n in range(11)
    ]
    refused = [
        client.post("/v3/hooks", json=hook | bad).status_code
        for bad in (
            {"destination": "http://p.example.com"},
            {"destination": "https://p.example.com:8443"},
            {"scope": "store/customer/sneezed"},
            {"destination": None},
        )
    ]

    assert [each.status_code for each in made] == [200] * 10 + [422]
    assert refused == [422] * 4
    assert len(shop.control.subscriptions()) == 10


def test_hooks_are_changed_and_deleted(client: httpx2.Client) -> None:
    """One that was deactivated is made active again by a PUT."""
    hook = {"scope": "store/customer/*", "destination": "https://p.example.com", "headers": {}}
    number = client.post("/v3/hooks", json=hook).json()["data"]["id"]

    off = client.put(f"/v3/hooks/{number}", json={"is_active": False}).json()["data"]
    inactive = client.get("/v3/hooks?is_active=false").json()["data"]
    gone = client.delete(f"/v3/hooks/{number}")

    assert (off["is_active"], len(inactive), gone.status_code) == (False, 1, 200)
    assert client.get(f"/v3/hooks/{number}").status_code == 404


def test_only_its_creator_sees_a_hook(shop: SandboxBigCommerce, client: httpx2.Client) -> None:
    """With a new token the old hooks are still there, and out of sight."""
    hook = {"scope": "store/customer/*", "destination": "https://p.example.com"}
    number = client.post("/v3/hooks", json=hook).json()["data"]["id"]
    shop.control.restore_token("another")
    client.headers["X-Auth-Token"] = "another"

    seen = client.get("/v3/hooks").json()["data"]
    missing = client.delete(f"/v3/hooks/{number}")

    assert (seen, missing.status_code) == ([], 404)
    assert len(shop.control.subscriptions()) == 1
