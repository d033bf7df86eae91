"""Webhooks: subscriptions, and deliveries as the platform signs and shapes them.

Its promise: a delivery is what the platform would send for that topic, in the shape of the legacy
API, signed over its very bytes; a redelivery repeats the event's id and its old payload.
"""

import base64
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import uuid4
from zoneinfo import ZoneInfo

import httpx2
import orjson

from services.sandbox.shopify.errors import Record, refused
from services.sandbox.shopify.gids import gid
from services.sandbox.shopify.shop import CURRENCY, Shop

SECONDS_TO_ANSWER = 5


@dataclass(frozen=True, slots=True)
class Delivery:
    """One event as it was sent, and what came back: status 0 is no answer."""

    topic: str
    event_id: str
    headers: Mapping[str, str]
    body: bytes
    status: int


def send(url: str, topic: str, body: bytes, secret: str, said: Mapping[str, str]) -> Delivery:
    """Post an event; `said` are the headers that tell of shop, version and event."""
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Shopify-Captain-Hook",
        "X-Shopify-Topic": topic,
        "X-Shopify-Hmac-Sha256": signature(body, secret),
        "X-Shopify-Webhook-Id": str(uuid4()),
        **said,
    }
    try:
        status = httpx2.post(
            url, content=body, headers=headers, timeout=SECONDS_TO_ANSWER
        ).status_code
    except httpx2.HTTPError:
        status = 0
    return Delivery(topic, headers["X-Shopify-Event-Id"], headers, body, status)


def signature(body: bytes, secret: str) -> str:
    """Return what `X-Shopify-Hmac-Sha256` holds."""
    return base64.b64encode(hmac.digest(secret.encode(), body, sha256)).decode()


def customer_body(customer: Record, zone: ZoneInfo, *, is_protected: bool = False) -> bytes:
    """Return a customer in the shape of the legacy API, without tags and consent.

    Protected data is null for an app that is not approved for it.
    """
    number = int(customer["legacyResourceId"])
    if is_protected:
        customer = customer | {
            "firstName": None, "lastName": None, "email": None, "phone": None, "_addresses": [],
        }  # fmt: skip
    book = [_address(each, number, customer) for each in customer["_addresses"]]
    return orjson.dumps(
        {
            "id": number,
            "created_at": _local(customer["createdAt"], zone),
            "updated_at": _local(customer["updatedAt"], zone),
            "first_name": customer["firstName"],
            "last_name": customer["lastName"],
            "state": customer["state"].lower(),
            "note": customer["note"],
            "verified_email": customer["verifiedEmail"],
            "multipass_identifier": customer["multipassIdentifier"],
            "tax_exempt": customer["taxExempt"],
            "email": customer["email"],
            "phone": customer["phone"],
            "currency": CURRENCY,
            "addresses": book,
            "tax_exemptions": customer["taxExemptions"],
            "admin_graphql_api_id": customer["id"],
            "default_address": next((each for each in book if each["default"]), None),
        }
    )


def deleted_body(customer_gid: str) -> bytes:
    """Return what is said of a deleted customer."""
    number = int(customer_gid.rpartition("/")[2])
    return orjson.dumps({"id": number, "admin_graphql_api_id": customer_gid, "tax_exemptions": []})


def merged_body(kept: str, deleted: str) -> bytes:
    """Return what is said of two customers that became one."""
    return orjson.dumps(
        {
            "admin_graphql_api_customer_kept_id": kept,
            "admin_graphql_api_customer_deleted_id": deleted,
            "admin_graphql_api_job_id": None,
            "status": "completed",
            "errors": [],
        }
    )


def company_body(record: Record, zone: ZoneInfo) -> bytes:
    """Return a company or a location in the shape of the legacy API."""
    return orjson.dumps(
        {
            "id": int(record["id"].rpartition("/")[2]),
            "admin_graphql_api_id": record["id"],
            "name": record["name"],
            "external_id": record["externalId"],
            "note": record["note"],
            "created_at": _local(record["createdAt"], zone),
            "updated_at": _local(record["updatedAt"], zone),
        }
    )


def subscribe(shop: Shop, given: Mapping[str, Any]) -> Record:
    """Carry out `webhookSubscriptionCreate`."""
    wanted, table = given["webhookSubscription"], shop.tables["WebhookSubscription"]
    uri = wanted.get("uri") or ""
    if not uri.startswith(("https://", "http://127.0.0.1", "http://localhost")):
        raise refused("webhookSubscription.uri", "Address is not supported")
    if any(
        row.record["topic"] == given["topic"] and row.record["uri"] == uri
        for row in table.rows.values()
    ):
        message = "Address for this topic has already been taken"
        raise refused("webhookSubscription.uri", message)
    count, now = table.next_number(), shop.now()
    newest = shop.quirks.versions[-1]
    subscription = {
        "__typename": "WebhookSubscription",
        "_number": count,
        "id": gid("WebhookSubscription", count),
        "topic": given["topic"],
        "uri": uri,
        "format": wanted.get("format") or "JSON",
        "filter": wanted.get("filter"),
        "includeFields": wanted.get("includeFields") or [],
        "apiVersion": {"handle": newest, "displayName": newest, "supported": True},
        "createdAt": now,
        "updatedAt": now,
    }
    table.put(count, subscription)
    return {"webhookSubscription": subscription, "userErrors": []}


def unsubscribe(shop: Shop, given: Mapping[str, Any]) -> Record:
    """Carry out `webhookSubscriptionDelete`."""
    subscription = shop.find("WebhookSubscription", given["id"])
    if subscription is None:
        raise refused("id", "Webhook subscription does not exist")
    shop.tables["WebhookSubscription"].drop(subscription["_number"])
    return {"deletedWebhookSubscriptionId": subscription["id"], "userErrors": []}


def _address(address: Record, customer_number: int, customer: Record) -> Record:
    return {
        "id": int(address["id"].rpartition("/")[2].partition("?")[0]),
        "customer_id": customer_number,
        "first_name": address["firstName"],
        "last_name": address["lastName"],
        "company": address["company"],
        "address1": address["address1"],
        "address2": address["address2"],
        "city": address["city"],
        "province": address["province"],
        "country": address["country"],
        "zip": address["zip"],
        "phone": address["phone"],
        "province_code": address["provinceCode"],
        "country_code": address["countryCodeV2"],
        "country_name": address["country"],
        "default": address["id"] == customer["_default"],
    }


def _local(text: str, zone: ZoneInfo) -> str:
    return datetime.fromisoformat(text).astimezone(zone).isoformat()
