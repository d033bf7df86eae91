"""What webhooks tell and do not tell, and how they are signed."""

import base64
import hmac
import json
from collections.abc import Iterator
from hashlib import sha256
from typing import Any, Self

import httpx2
import pytest

from services.sandbox.bigcommerce import SandboxBigCommerce
from services.sandbox.wire import Request, Response, Server

Record = dict[str, Any]


class Receiver:
    """A receiver of notices on a socket of its own."""

    def __init__(self) -> None:
        self.status = 200
        self.received: list[Request] = []
        self._server = Server(self._take)

    @property
    def url(self) -> str:
        """Where to post."""
        return f"{self._server.url}/hooks/bigcommerce?shop=1"

    def _take(self, request: Request) -> Response:
        self.received.append(request)
        return Response(self.status, b"")

    def __enter__(self) -> Self:
        self._server.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.close()


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    """Run a receiver for one test."""
    with Receiver() as running:
        yield running


def scopes(shop: SandboxBigCommerce) -> list[str]:
    """Return what happened, by scope."""
    return [each.scope for each in shop.control.events()]


def is_signed(request: Request, secret: str) -> bool:
    """Verify a notice as Standard Webhooks describe it."""
    content = f"{request.headers['webhook-id']}.{request.headers['webhook-timestamp']}.".encode()
    digest = hmac.new(secret.encode(), content + request.body, sha256).digest()
    return request.headers["webhook-signature"] == f"v1,{base64.b64encode(digest).decode()}"


def test_which_changes_are_told(shop: SandboxBigCommerce, client: httpx2.Client) -> None:
    """A customer's own fields, births and deaths, and address books."""
    customers = "/v3/customers"
    client.post(customers, json=[{"email": "a@example.com", "first_name": "A", "last_name": "B"}])
    client.put(customers, json=[{"id": 5, "company": "Nordwind AG"}])
    shop.control.edit_address(5, city="Neustadt")
    client.delete(f"{customers}?id:in=6")
    shop.control.set_attribute(5, "Loyalty Level", "gold")

    events = shop.control.events()

    assert [each.scope for each in events] == [
        "store/customer/created",
        "store/customer/updated",
        "store/customer/address/updated",
        "store/customer/deleted",
        "store/customer/updated",
    ]
    number = shop.control.customer(5)["addresses"][0]["id"]
    assert events[2].data == {"type": "customer", "id": number, "address": {"customer_id": 5}}


def test_which_changes_are_not_told(shop: SandboxBigCommerce, client: httpx2.Client) -> None:
    """Form fields, attributes by API, metafields, and updates that change nothing."""
    client.put(
        "/v3/customers/attribute-values",
        json=[{"customer_id": 5, "attribute_id": 5, "value": "D-1"}],
    )
    client.put("/v3/customers", json=[{"id": 5, "form_fields": [{"name": "x", "value": "y"}]}])
    client.put(
        "/v3/customers", json=[{"id": 5, "last_name": shop.control.customer(5)["last_name"]}]
    )
    shop.control.set_form_field(5, "x", "z")

    assert scopes(shop) == []


def test_companies_are_told_unless_created_in_bulk(
    shop: SandboxBigCommerce, b2b: httpx2.Client
) -> None:
    """The bulk route is silent about births, not about changes."""
    company = {
        "companyName": "Neu GmbH", "companyPhone": "1", "companyEmail": "neu@example.com",
        "country": "Germany", "adminFirstName": "N", "adminLastName": "E",
    }  # fmt: skip
    b2b.post("/companies/bulk", json=[company | {"adminEmail": "n1@example.com"}])
    b2b.post("/companies", json=company | {"adminEmail": "n2@example.com"})

    told = [each for each in scopes(shop) if each.startswith("store/company")]

    assert told == ["store/company/created"]


def test_a_notice_is_signed_and_holds_only_ids(
    shop: SandboxBigCommerce, receiver: Receiver
) -> None:
    """HMAC-SHA256 over id, time and body, with the client secret's bytes."""
    status, event = shop.control.send_webhook(receiver.url, "store/customer/updated", 5)

    request = receiver.received[0]
    body = json.loads(request.body)
    assert (status, request.path) == (200, "/hooks/bigcommerce")
    assert is_signed(request, shop.client_secret)
    assert body["data"] == {"type": "customer", "id": 5}
    assert (body["producer"], body["hash"]) == (f"stores/{shop.store_hash}", event.hash)


def test_a_redelivery_repeats_the_hash(shop: SandboxBigCommerce, receiver: Receiver) -> None:
    """Another notice of the same customer has another."""
    _, event = shop.control.send_webhook(receiver.url, "store/customer/updated", 5)
    shop.control.send_webhook(receiver.url, event.scope, 5, redeliver=event)
    shop.control.send_webhook(receiver.url, "store/customer/updated", 5)

    hashes = [json.loads(each.body)["hash"] for each in receiver.received]

    assert hashes[0] == hashes[1] != hashes[2]


def test_a_notice_can_be_forged_and_stale(shop: SandboxBigCommerce, receiver: Receiver) -> None:
    """What a receiver has to refuse."""
    shop.control.send_webhook(receiver.url, "store/customer/updated", 5, secret="guessed")
    shop.control.send_webhook(receiver.url, "store/customer/updated", 5, timestamp=1_700_000_000)

    forged, stale = receiver.received
    assert not is_signed(forged, shop.client_secret)
    assert is_signed(stale, shop.client_secret)
    assert stale.headers["webhook-timestamp"] == "1700000000"


def test_hooks_are_told_what_happened_since(
    shop: SandboxBigCommerce, client: httpx2.Client, receiver: Receiver
) -> None:
    """Only what their scope covers, with their own headers, and each thing once."""
    shop.control.set_quirks(accepts_plain_destinations=True)
    hook = {
        "scope": "store/customer/*", "destination": receiver.url, "headers": {"X-Own": "secret"},
    }  # fmt: skip
    assert client.post("/v3/hooks", json=hook).status_code == 200
    shop.control.edit_profile(5, company="Nordwind AG")
    shop.control.edit_company(shop.control.company_ids()[0], companyName="Nordwind AG")

    first = shop.control.deliver_webhooks()
    second = shop.control.deliver_webhooks()

    assert first == [("store/customer/updated", receiver.url, 200)]
    assert second == []
    assert receiver.received[0].headers["x-own"] == "secret"


def test_nobody_at_the_destination_is_status_0(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """The delivery fails, the store goes on."""
    with Receiver() as gone:
        url = gone.url
    shop.control.set_quirks(accepts_plain_destinations=True)
    client.post("/v3/hooks", json={"scope": "store/customer/deleted", "destination": url})
    shop.control.delete_customer(5)

    assert shop.control.deliver_webhooks() == [("store/customer/deleted", url, 0)]
