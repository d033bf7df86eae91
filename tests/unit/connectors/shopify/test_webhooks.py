"""Shopify's webhooks: verified by the raw body, read for whose record may have changed."""

from datetime import timedelta
from typing import Any

import orjson
import pytest

from shared.connectors.ports import Notice
from shared.connectors.shopify.webhooks import read_notice, sign
from shared.domain.errors import NoticeRefused, UnreadableRecord
from tests.unit.connectors.shopify.builders import COMPANY, GID, NOW, NUMBER

KEY = "shpss_secret"


def read(topic: str, payload: Any, *, keys: tuple[str, ...] = (KEY,), **headers: Any) -> Notice:
    """Read a webhook as it would come."""
    body = payload if isinstance(payload, bytes) else orjson.dumps(payload)
    given = {
        "x-shopify-topic": topic,
        "x-shopify-hmac-sha256": sign(body, KEY),
        "x-shopify-event-id": "event-1",
        "x-shopify-webhook-id": "delivery-1",
        "x-shopify-triggered-at": NOW.isoformat(),
        **{name.replace("_", "-"): value for name, value in headers.items()},
    }
    present = {name: value for name, value in given.items() if value is not None}
    return read_notice(present, body, keys, NOW)


@pytest.mark.parametrize(
    ("topic", "payload", "ids"),
    [
        ("customers/update", {"id": NUMBER, "admin_graphql_api_id": GID}, [str(NUMBER)]),
        ("customers/create", {"id": 5}, ["5"]),
        ("customers/delete", {"id": 5, "admin_graphql_api_id": "gid://shopify/Customer/5"}, ["5"]),
        (
            "customers/merge",
            {
                "admin_graphql_api_customer_kept_id": "gid://shopify/Customer/5",
                "admin_graphql_api_customer_deleted_id": "gid://shopify/Customer/6",
            },
            ["5", "6"],
        ),
        ("customer.tags_added", {"customerId": GID, "tags": ["vip"]}, [str(NUMBER)]),
        ("customers_email_marketing_consent/update", {"customer_id": 5}, ["5"]),
        ("customers/redact", {"shop_id": 1, "customer": {"id": 5}}, ["5"]),
        ("shop/redact", {"shop_id": 1, "id": 3}, []),
        ("companies/update", {"admin_graphql_api_id": COMPANY}, ["company:98765001"]),
        ("companies/delete", {"id": 98765001}, ["company:98765001"]),
        (
            "company_locations/update",
            {
                "id": 55,
                "admin_graphql_api_id": "gid://shopify/CompanyLocation/55",
                "company": {"admin_graphql_api_id": COMPANY},
            },
            ["company:98765001"],
        ),
        ("company_locations/delete", {"id": 55}, []),
        (
            "company_contacts/create",
            {"company": {"id": 98765001}, "customer_admin_graphql_api_id": GID},
            ["company:98765001", str(NUMBER)],
        ),
        (
            "company_contact_roles/assign",
            {"company_id": 98765001, "customer": {"id": 5}},
            ["company:98765001", "5"],
        ),
        ("customers/update", {"id": True}, []),
        ("customers/update", {"id": "5"}, []),
    ],
)
def test_a_webhook_names_whose_record_may_have_changed(
    topic: str, payload: dict[str, Any], ids: list[str]
) -> None:
    """Customers and companies, both of a merge; a location or contact by its company."""
    notice = read(topic, payload)

    assert list(notice.external_ids) == ids
    assert (notice.topic, notice.event_id) == (topic, "event-1")


def test_a_rotated_secret_holds_beside_the_new_one() -> None:
    """The old one signs for up to an hour."""
    assert read("customers/update", {"id": 5}, keys=("new", KEY)).external_ids == ("5",)


@pytest.mark.parametrize(
    "headers",
    [
        {"x_shopify_hmac_sha256": None},
        {"x_shopify_hmac_sha256": ""},
        {"x_shopify_hmac_sha256": "not base64!"},
        {"x_shopify_hmac_sha256": sign(b"{}", "another")},
        {"x_shopify_hmac_sha256": sign(b"{ }", KEY)},
        {"x_shopify_triggered_at": "yesterday"},
        {"x_shopify_triggered_at": (NOW - timedelta(hours=7)).isoformat()},
        {"x_shopify_triggered_at": (NOW + timedelta(hours=1)).isoformat()},
    ],
)
def test_a_request_that_does_not_hold_is_refused(headers: dict[str, Any]) -> None:
    """No signature, somebody else's, that of another body, or an old one."""
    with pytest.raises(NoticeRefused):
        read("customers/update", b"{}", **headers)


@pytest.mark.parametrize("keys", [(), ("",)])
def test_without_a_key_nothing_holds(keys: tuple[str, ...]) -> None:
    """An empty one is none."""
    body = b"{}"
    headers = {"x-shopify-hmac-sha256": sign(body, "")}

    with pytest.raises(NoticeRefused):
        read_notice(headers, body, keys, NOW)


def test_an_event_that_is_delivered_again_four_hours_later_holds() -> None:
    """With the time that it happened at first."""
    earlier = (NOW - timedelta(hours=4)).isoformat()

    assert read("customers/update", {"id": 5}, x_shopify_triggered_at=earlier).external_ids


def test_a_request_without_a_time_holds() -> None:
    """Not all say when."""
    assert read("customers/update", {"id": 5}, x_shopify_triggered_at=None).external_ids


def test_an_event_without_an_id_is_known_by_its_delivery_or_its_body() -> None:
    """So that it can be told from others."""
    by_delivery = read("customers/update", {"id": 5}, x_shopify_event_id=None)
    by_body = read(
        "customers/update", {"id": 5}, x_shopify_event_id=None, x_shopify_webhook_id=None
    )

    assert by_delivery.event_id == "delivery-1"
    assert len(by_body.event_id) == 64


@pytest.mark.parametrize("body", [b"", b"<html>", b"[]", b"5"])
def test_a_body_that_is_none_of_shopifys_is_unreadable(body: bytes) -> None:
    """Though its signature holds."""
    with pytest.raises(UnreadableRecord):
        read("customers/update", body)
