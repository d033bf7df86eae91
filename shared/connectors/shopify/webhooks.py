"""Reads Shopify's webhooks: whose record may have changed. What it is now is fetched.

The signature is that of the raw body. What stands in the headers is not signed: the topic only says
how to read the body, and a changed body does not verify. Promise: nothing is parsed before the
signature holds.
"""

import hmac
from base64 import b64decode, b64encode
from binascii import Error as NotBase64
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import orjson

from shared.connectors.content import moment
from shared.connectors.ports import Notice
from shared.connectors.shopify.ids import COMPANY_PREFIX, external_id, number_of
from shared.domain.errors import NoticeRefused, UnreadableRecord

OLDEST: Final = timedelta(hours=6)
"""Shopify delivers the event again for four hours, with the time that it happened at first."""

NEWEST: Final = timedelta(minutes=10)
_ABOUT_COMPANIES: Final = ("companies/", "company_")
_IDS_OF_CUSTOMERS: Final = (
    "admin_graphql_api_customer_kept_id",
    "admin_graphql_api_customer_deleted_id",
    "customer_admin_graphql_api_id",
    "customerId",
    "customer_id",
)


def read_notice(
    headers: Mapping[str, str], body: bytes, keys: Sequence[str], at: datetime
) -> Notice:
    """Verify a webhook by one of the app's client secrets, and return what it says."""
    _verify(headers.get("x-shopify-hmac-sha256", ""), body, keys)
    _look_at_time(headers.get("x-shopify-triggered-at"), at)
    topic = headers.get("x-shopify-topic", "").strip()[:100]
    payload = _parsed(body)
    event_id = headers.get("x-shopify-event-id") or headers.get("x-shopify-webhook-id")
    return Notice(
        event_id=(event_id or sha256(body).hexdigest())[:200],
        topic=topic,
        external_ids=tuple(dict.fromkeys(_ids(topic, payload))),
    )


def _verify(signature: str, body: bytes, keys: Sequence[str]) -> None:
    try:
        given = b64decode(signature, validate=True)
    except (NotBase64, ValueError):
        given = b""
    # All keys are tried, so that the time taken does not tell which one it was.
    holds = [
        hmac.compare_digest(given, hmac.digest(key.encode(), body, "sha256")) for key in keys if key
    ]
    if not any(holds):
        raise NoticeRefused("the signature does not hold")


def _look_at_time(text: str | None, at: datetime) -> None:
    if text is None:
        return
    triggered_at = moment(text)
    if triggered_at is None:
        raise NoticeRefused("the time is none")
    if not at - OLDEST <= triggered_at <= at + NEWEST:
        raise NoticeRefused("the time is out of bounds")


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise UnreadableRecord([("body", "is no JSON")]) from None
    if not isinstance(payload, dict):
        raise UnreadableRecord([("body", "is no object")])
    return payload


def _ids(topic: str, payload: Mapping[str, Any]) -> Iterator[str]:
    if topic.startswith("shop/"):
        return
    if topic.startswith("companies/"):
        yield from _one(payload, "Company")
    elif topic.startswith(_ABOUT_COMPANIES):
        # A location or a contact: what changed is its company, and perhaps the person.
        yield from _one(payload.get("company"), "Company")
        yield from _one({"id": payload.get("company_id")}, "Company")
        yield from _one(payload.get("customer"), "Customer")
    else:
        customer = payload.get("customer")
        yield from _one(customer if isinstance(customer, dict) else payload, "Customer")
    yield from (found for key in _IDS_OF_CUSTOMERS if (found := _customer(payload.get(key))))


def _one(record: Any, kind: str) -> Iterator[str]:
    """Yield what a record in a payload is called here, if it says so."""
    if not isinstance(record, dict):
        return
    gid, number = record.get("admin_graphql_api_id"), record.get("id")
    if number_of(gid, kind) is not None:
        yield str(external_id(gid))
    elif isinstance(number, int) and not isinstance(number, bool) and number > 0:
        yield f"{COMPANY_PREFIX if kind == 'Company' else ''}{number}"


def _customer(value: Any) -> str | None:
    if number_of(value, "Customer") is not None:
        return external_id(value)
    is_number = isinstance(value, int) and not isinstance(value, bool) and value > 0
    return str(value) if is_number else None


def sign(body: bytes, key: str) -> str:
    """Return the signature of a body, as Shopify makes it."""
    return b64encode(hmac.digest(key.encode(), body, "sha256")).decode()
