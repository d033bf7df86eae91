"""Who sent a webhook, and whom it is about."""

import base64
import hmac
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Any

import orjson
import pytest

from shared.connectors.bigcommerce.webhooks import read_notice
from shared.domain.errors import NoticeRefused, UnreadableRecord

SECRET = "the app's client secret"
AT = datetime(2026, 11, 20, 8, 3, 17, tzinfo=UTC)
UPDATED = {
    "scope": "store/customer/updated",
    "store_id": "1025646",
    "data": {"type": "customer", "id": 4711},
    "hash": "416ca9c0",
    "created_at": 1763625797,
    "producer": "stores/abc123",
}


def signed(
    body: bytes, *secrets: str, at: datetime = AT, changes: dict[str, str] | None = None
) -> dict[str, str]:
    """Return the headers of a signed webhook."""
    stamp = str(int(at.timestamp()))
    content = f"msg_1.{stamp}.".encode() + body
    digests = [hmac.digest(secret.encode(), content, sha256) for secret in secrets or (SECRET,)]
    signatures = " ".join(f"v1,{base64.b64encode(digest).decode()}" for digest in digests)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": stamp,
        "webhook-signature": signatures,
        **(changes or {}),
    }
    return {name: value for name, value in headers.items() if value}


def body_of(scope: str = "store/customer/updated", **data: Any) -> bytes:
    """Return the body of a webhook."""
    return orjson.dumps({**UPDATED, "scope": scope, **({"data": data} if data else {})})


def test_a_customer_is_named() -> None:
    """The hash is the same when it comes again."""
    body = body_of()

    notice = read_notice(signed(body), body, [SECRET], AT)

    assert notice.external_ids == ["4711"]
    assert notice.topic == "store/customer/updated"
    assert notice.event_id == "416ca9c0"


@pytest.mark.parametrize(
    ("scope", "data", "ids"),
    [
        ("store/customer/created", {"id": 5}, ["5"]),
        ("store/customer/deleted", {"id": "5"}, ["5"]),
        ("store/customer/address/updated", {"id": 9001, "address": {"customer_id": 5}}, ["5"]),
        ("store/customer/address/updated", {"id": 9001}, []),
        ("store/customer/channel/login/access/updated", {"customer_id": 5}, ["5"]),
        ("store/subscriber/updated", {"id": 5}, []),
        ("store/company/updated", {"type": "company", "id": 7}, ["company:7"]),
        ("store/company/statusUpdated", {"companyId": 7}, ["company:7"]),
        ("store/company/user/created", {"id": 3, "companyId": 7}, ["company:7"]),
        ("store/company/address/updated", {"id": 3, "companyId": 7}, ["company:7"]),
        ("store/company/address/updated", {"id": 3}, []),
        ("store/order/created", {"id": 5}, []),
        ("store/customer/updated", {"id": None}, []),
    ],
)
def test_every_topic_names_its_customers(scope: str, data: dict[str, Any], ids: list[str]) -> None:
    """Of what is no customer, nobody is named."""
    body = body_of(scope, **data)

    assert list(read_notice(signed(body), body, [SECRET], AT).external_ids) == ids


def test_any_of_several_keys_and_signatures_will_do() -> None:
    """While a secret is changed, both are in use."""
    body = body_of()

    notice = read_notice(signed(body, "old", SECRET), body, ["new", SECRET], AT)

    assert notice.external_ids == ["4711"]


@pytest.mark.parametrize(
    "headers",
    [
        signed(body_of(), "another"),
        signed(body_of(scope="store/customer/deleted")),
        signed(body_of(), changes={"webhook-id": "msg_2"}),
        signed(body_of(), changes={"webhook-id": ""}),
        signed(body_of(), changes={"webhook-timestamp": ""}),
        signed(body_of(), changes={"webhook-timestamp": "soon"}),
        signed(body_of(), changes={"webhook-timestamp": "9" * 30}),
        signed(body_of(), changes={"webhook-signature": ""}),
        signed(body_of(), changes={"webhook-signature": "v1,ü"}),
        signed(body_of(), changes={"webhook-signature": "v2,AAAA"}),
        signed(body_of(), at=AT - timedelta(minutes=6)),
        signed(body_of(), at=AT + timedelta(minutes=6)),
        {},
    ],
)
def test_what_does_not_hold_is_refused(headers: dict[str, str]) -> None:
    """Another key, body, id or time; nothing is said of the content."""
    with pytest.raises(NoticeRefused):
        read_notice(headers, body_of(), [SECRET], AT)


def test_without_a_key_nothing_is_believed() -> None:
    """Not even what an empty key would sign."""
    with pytest.raises(NoticeRefused):
        read_notice(signed(body_of(), ""), body_of(), [], AT)


@pytest.mark.parametrize("body", [b"<html>", b"[]", b"{}", b'{"scope": 5}'])
def test_what_is_no_webhook_of_the_platform_is_unreadable(body: bytes) -> None:
    """Though it is signed."""
    with pytest.raises(UnreadableRecord):
        read_notice(signed(body), body, [SECRET], AT)


def test_without_a_hash_the_message_id_tells_repetitions_apart() -> None:
    """It stays the same when the message is delivered again."""
    body = orjson.dumps({k: v for k, v in UPDATED.items() if k != "hash"})

    assert read_notice(signed(body), body, [SECRET], AT).event_id == "msg_1"
