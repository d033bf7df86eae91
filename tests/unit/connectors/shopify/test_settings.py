"""What may be configured of a Shopify channel, and what not."""

from typing import Any

import pytest
from pydantic import ValidationError

from shared.connectors.registry import PLATFORMS, settings_of
from shared.connectors.shopify.webhooks import read_notice
from tests.unit.connectors.shopify.builders import settings

VIEWS: dict[str, dict[str, Any]] = {"shop": {}}
CONNECTOR = {"base_url": "https://a.myshopify.com", "auth": {"kind": "token", "token": "s3cret"}}


def test_little_has_to_be_said() -> None:
    """An address, credentials, store views."""
    found = settings()

    assert found.api_version == "2026-07"
    assert found.number_metafield == "erp.customer_number"
    assert found.tax_id_metafield is None
    assert found.code_of("customers") == "shop"
    assert found.code_of("companies") == "b2b"


@pytest.mark.parametrize(
    "changes",
    [
        {"api_version": "2026-08"},
        {"api_version": "latest"},
        {"number_metafield": "customer_number"},
        {"number_metafield": 'erp.x") { id } evil: metafield(key: "x'},
        {"metafields": ["erp.x y"]},
        {"page_size": 251},
        {"page_size": 0},
        {"auth": {"kind": "client_credentials", "client_id": "x"}},
        {"auth": {"kind": "oauth"}},
        {"base_url": "http://a.myshopify.com"},
        {"unknown": 1},
    ],
)
def test_what_cannot_be_is_refused_without_its_value(changes: dict[str, Any]) -> None:
    """At start, by name."""
    with pytest.raises(ValidationError) as caught:
        settings_of("shopify", {**CONNECTOR, **changes}, VIEWS)

    assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(
    "views",
    [
        {},
        {"a": {}, "b": {}},
        {"a": {"entity": "companies"}, "b": {"entity": "companies"}},
        {"a": {"entity": "orders"}},
        {"a": {"store_id": 1}},
    ],
)
def test_a_shop_has_its_customers_once_and_its_companies_once(
    views: dict[str, dict[str, Any]],
) -> None:
    """Read twice they would be two customers each (XPR-2)."""
    with pytest.raises(ValidationError):
        settings_of("shopify", CONNECTOR, views)


@pytest.mark.parametrize("name", ["erp.vat", "$app.vat", "$app:erp.vat", "app--1--erp.vat-id"])
def test_metafields_are_named_with_their_namespace(name: str) -> None:
    """Further ones are read for matching (XPR-12)."""
    assert settings(metafields=[name], tax_id_metafield=name).metafields == (name,)


def test_secrets_print_as_stars() -> None:
    """In logs and errors."""
    assert "shpat_secret" not in repr(settings())


def test_shopify_sends_webhooks() -> None:
    """The registry knows who reads them."""
    assert PLATFORMS["shopify"].read_notice is read_notice
