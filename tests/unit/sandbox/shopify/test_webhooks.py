"""Webhooks: signed over the very bytes, told apart by event, shaped as the legacy API."""

import base64
import hashlib
import hmac
from collections.abc import Iterator
from datetime import UTC, datetime

import orjson
import pytest

from services.sandbox.shopify import SandboxShopify
from services.sandbox.shopify.gids import company_gid, customer_gid
from services.sandbox.wire import Request, Response, Server
from tests.unit.sandbox.shopify.asking import Asking

SUBSCRIBE = """
mutation Subscribe($uri: String!, $topic: WebhookSubscriptionTopic = CUSTOMERS_UPDATE) {
  webhookSubscriptionCreate(topic: $topic, webhookSubscription: {uri: $uri, format: JSON}) {
    webhookSubscription { id topic uri format } userErrors { field message }
  }
}
"""


class Inbox:
    """Somebody who listens, and keeps what came."""

    def __init__(self) -> None:
        self.requests: list[Request] = []
        self.status = 200
        self._server = Server(self._take)
        self._server.start()
        self.url = f"{self._server.url}/hooks/shopify"

    def close(self) -> None:
        """Stop listening."""
        self._server.close()

    def _take(self, request: Request) -> Response:
        self.requests.append(request)
        return Response(self.status, b"")


@pytest.fixture
def inbox() -> Iterator[Inbox]:
    """Listen for one test."""
    listening = Inbox()
    yield listening
    listening.close()


def test_a_change_is_told_as_the_platform_tells_it(shop: SandboxShopify, inbox: Inbox) -> None:
    """Every header, local times, and no tags or consent."""
    shop.control.freeze_clock(datetime(2026, 11, 20, 8, 3, 17, tzinfo=UTC))
    known = shop.control.touch(5)

    sent = shop.control.send_webhook(inbox.url, "customers/update", 5)

    (request,) = inbox.requests
    body = orjson.loads(request.body)
    assert sent.status == 200
    assert request.headers["x-shopify-topic"] == "customers/update"
    assert request.headers["x-shopify-shop-domain"] == "sandbox.myshopify.com"
    assert request.headers["x-shopify-api-version"] == "2026-10"
    assert request.headers["x-shopify-triggered-at"] == "2026-11-20T08:03:17Z"
    assert request.headers["x-shopify-webhook-id"] != request.headers["x-shopify-event-id"]
    assert body["admin_graphql_api_id"] == customer_gid(5)
    assert body["id"] == int(known["legacyResourceId"])
    assert body["updated_at"] == "2026-11-20T09:03:17+01:00"
    assert body["first_name"] == known["firstName"]
    assert [each["city"] for each in body["addresses"]] == [
        each["city"] for each in known["addresses"]
    ]
    assert body["default_address"]["default"]
    assert not {"tags", "email_marketing_consent"} & set(body)


def test_the_signature_is_over_the_raw_body(shop: SandboxShopify, inbox: Inbox) -> None:
    """With the app's client secret, or the one before it, for an hour."""
    old = shop.client_secret
    shop.control.set_client_secret("shpss_new")
    shop.control.send_webhook(inbox.url, "customers/update", 5)
    shop.control.send_webhook(inbox.url, "customers/update", 5, secret=old)

    for request, secret in zip(inbox.requests, ("shpss_new", old), strict=True):
        digest = hmac.new(secret.encode(), request.body, hashlib.sha256).digest()
        assert request.headers["x-shopify-hmac-sha256"] == base64.b64encode(digest).decode()


def test_a_redelivery_has_the_old_event_and_payload(shop: SandboxShopify, inbox: Inbox) -> None:
    """A new webhook id, the same event id, and what was true then."""
    inbox.status = 500
    first = shop.control.send_webhook(inbox.url, "customers/update", 5)
    shop.control.edit_customer(5, lastName="Later")
    inbox.status = 200

    second = shop.control.redeliver(inbox.url, first)

    one, two = inbox.requests
    assert (first.status, second.status) == (500, 200)
    assert one.body == two.body
    assert one.headers["x-shopify-event-id"] == two.headers["x-shopify-event-id"]
    assert one.headers["x-shopify-webhook-id"] != two.headers["x-shopify-webhook-id"]


def test_deletes_merges_and_companies_have_their_own_shapes(
    shop: SandboxShopify, inbox: Inbox
) -> None:
    """What is gone is told by its id alone."""
    shop.control.delete_customer(6)
    shop.control.merge(5, 7)
    shop.control.send_webhook(inbox.url, "customers/delete", 6)
    shop.control.send_webhook(inbox.url, "customers/merge", 5, merged=customer_gid(7))
    shop.control.send_webhook(inbox.url, "companies/update", company_gid(1))

    deleted, merged, company = (orjson.loads(each.body) for each in inbox.requests)
    assert deleted["admin_graphql_api_id"] == customer_gid(6)
    assert merged["admin_graphql_api_customer_kept_id"] == customer_gid(5)
    assert merged["admin_graphql_api_customer_deleted_id"] == customer_gid(7)
    assert company["admin_graphql_api_id"] == company_gid(1)


def test_nobody_listens(shop: SandboxShopify, inbox: Inbox) -> None:
    """A delivery without an answer has status 0, as on the platform's list of failures."""
    inbox.close()

    assert shop.control.send_webhook(inbox.url, "customers/update", 5).status == 0


def test_subscriptions_are_made_listed_and_removed(shop: SandboxShopify, ask: Asking) -> None:
    """Each address once for a topic; only https, or this machine."""
    made = ask(SUBSCRIBE, uri="https://sync.example.com/hooks")["webhookSubscription"]
    again = ask(SUBSCRIBE, uri="https://sync.example.com/hooks")
    plain = ask(SUBSCRIBE, uri="http://sync.example.com/hooks")
    ask(SUBSCRIBE, uri="http://127.0.0.1:1/hooks", topic="CUSTOMERS_DELETE")
    listed = ask("{ webhookSubscriptions(first: 9, topics: [CUSTOMERS_UPDATE]) { nodes { id } } }")

    assert "already been taken" in again["userErrors"][0]["message"]
    assert plain["webhookSubscription"] is None
    assert listed == {"nodes": [{"id": made["id"]}]}
    assert len(shop.control.subscriptions()) == 2
    remove = """mutation R($id: ID!) { webhookSubscriptionDelete(id: $id) {
      deletedWebhookSubscriptionId userErrors { field } } }"""
    assert ask(remove, id=made["id"])["deletedWebhookSubscriptionId"] == made["id"]
    assert ask(remove, id=made["id"])["userErrors"][0]["field"] == ["id"]
    shop.control.delete_subscriptions()
    assert shop.control.subscriptions() == []


def test_protected_data_is_withheld_here_too(shop: SandboxShopify, inbox: Inbox) -> None:
    """Null in the payload, as in any answer."""
    shop.control.set_quirks(protects_data=True)

    shop.control.send_webhook(inbox.url, "customers/update", 5)

    body = orjson.loads(inbox.requests[0].body)
    assert (body["first_name"], body["email"], body["addresses"]) == (None, None, [])
    assert body["admin_graphql_api_id"] == customer_gid(5)
