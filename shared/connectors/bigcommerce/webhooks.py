"""Reads BigCommerce's webhooks: who sent one, and whom it is about.

They are signed the Standard Webhooks way, with the client secret of the app that subscribed, over
id, time and body. A webhook holds ids only. Promise: nothing is said about a request whose
signature, or whose time, does not hold.
"""

import hmac
from base64 import b64encode
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any, Final

import orjson

from shared.connectors.bigcommerce.companies.record import external_id
from shared.connectors.ports import Notice
from shared.domain.errors import NoticeRefused, UnreadableRecord

TOLERANCE: Final = timedelta(minutes=5)
_VERSION: Final = "v1"
_CUSTOMER: Final = "store/customer/"
_COMPANY: Final = "store/company/"


def read_notice(
    headers: Mapping[str, str], body: bytes, keys: Sequence[str], at: datetime
) -> Notice:
    """Verify a webhook by one of `keys`, the apps' client secrets, and return whom it is about.

    A topic that is about no customer, such as a subscriber's, names none.
    """
    message_id = headers.get("webhook-id", "")
    _verify(message_id, headers, body, keys, at)
    payload = _payload(body)
    topic = payload.get("scope")
    if not isinstance(topic, str):
        raise UnreadableRecord([("scope", "missing")])
    data = payload.get("data")
    digest = payload.get("hash")
    return Notice(
        # The platform's own hash is the same on a second delivery.
        event_id=digest if isinstance(digest, str) and digest else message_id,
        topic=topic,
        external_ids=_external_ids(topic, data if isinstance(data, dict) else {}),
    )


def _verify(
    message_id: str, headers: Mapping[str, str], body: bytes, keys: Sequence[str], at: datetime
) -> None:
    stamp = headers.get("webhook-timestamp", "")
    sent_at = _moment(stamp)
    if not message_id or sent_at is None:
        raise NoticeRefused("without webhook-id or webhook-timestamp")
    signed = f"{message_id}.{stamp}.".encode() + body
    expected = [_signature(key, signed) for key in keys]
    given = [entry.partition(",") for entry in headers.get("webhook-signature", "").split()]
    claims = [value.encode() for version, _, value in given if version == _VERSION]
    # Every pair is compared, so that the time taken tells nothing.
    if not sum([hmac.compare_digest(claim, each) for claim in claims for each in expected]):
        raise NoticeRefused("no signature fits a key")
    if abs(at - sent_at) > TOLERANCE:
        raise NoticeRefused("signed too long ago, or in the future")


def _signature(key: str, signed: bytes) -> bytes:
    return b64encode(hmac.digest(key.encode(), signed, sha256))


def _moment(stamp: str) -> datetime | None:
    try:
        return datetime.fromtimestamp(int(stamp), UTC)
    except (ValueError, OverflowError, OSError):
        return None


def _payload(body: bytes) -> dict[str, Any]:
    try:
        payload = orjson.loads(body)
    except orjson.JSONDecodeError:
        raise UnreadableRecord([("body", "no JSON")]) from None
    if not isinstance(payload, dict):
        raise UnreadableRecord([("body", "not an object")])
    return payload


def _external_ids(topic: str, data: Mapping[str, Any]) -> Sequence[str]:
    if topic.startswith(_COMPANY):
        rest = topic.removeprefix(_COMPANY)
        is_itself = "/" not in rest
        number = _number(data.get("companyId")) or _number(data.get("company_id"))
        number = number or _number(data.get("id") if is_itself else None)
        return [external_id(number)] if number else []
    if topic.startswith(_CUSTOMER):
        is_itself = "/" not in topic.removeprefix(_CUSTOMER)
        address = data.get("address")
        owner = address.get("customer_id") if isinstance(address, dict) else None
        number = _number(owner) or _number(data.get("customer_id"))
        number = number or _number(data.get("id") if is_itself else None)
        return [str(number)] if number else []
    return []


def _number(value: Any) -> int | None:
    text = str(value) if isinstance(value, int | str) and not isinstance(value, bool) else ""
    return int(text) if text.isascii() and text.isdigit() and int(text) else None
