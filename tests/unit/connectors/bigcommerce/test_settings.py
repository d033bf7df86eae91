"""What an operator may configure, and what is refused before anything is asked."""

from typing import Any

import pytest
from pydantic import ValidationError

from tests.unit.connectors.bigcommerce.builders import settings


def test_little_has_to_be_said() -> None:
    """The platform's addresses and the attribute of the number are known."""
    parsed = settings()

    assert parsed.base_url == "https://api.bigcommerce.com"
    assert parsed.b2b_base_url == "https://api-b2b.bigcommerce.com"
    assert parsed.number.name == "erp_customer_number"
    assert parsed.company_view is None


def test_the_token_prints_as_stars() -> None:
    """Whoever logs the settings gives nothing away."""
    assert "s3cret" not in repr(settings())


def test_a_metafield_of_the_number_is_read_with_the_others() -> None:
    """Its namespace need not be named twice."""
    number = {"kind": "metafield", "namespace": "erp", "key": "no"}

    parsed = settings(number=number, metafields=["crm", "erp"])

    assert parsed.namespaces == ("crm", "erp")
    assert parsed.number.name == "erp.no"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"store_hash": "../abc"}, "store_hash"),
        ({"base_url": "http://shop.example"}, "base_url"),
        ({"b2b_base_url": "http://shop.example"}, "b2b_base_url"),
        ({"b2b_base_url": "https://user:word@shop.example"}, "b2b_base_url"),
        ({"page_size": 251}, "page_size"),
        ({"overlap_minutes": 14}, "overlap_minutes"),
        ({"number": {"kind": "metafield", "namespace": "n" * 65}}, "namespace"),
        ({"client_secret": "s3cret"}, "client_secret"),
    ],
)
def test_what_cannot_work_is_refused_by_name(changes: dict[str, Any], named: str) -> None:
    """And without the value."""
    with pytest.raises(ValidationError) as caught:
        settings(**changes)

    assert named in str(caught.value)
    assert "word@" not in str(caught.value)


@pytest.mark.parametrize(
    "views",
    [
        {"a": {}, "b": {}},
        {"a": {"channel_id": 1}, "b": {"channel_id": 1}},
        {"a": {"entity": "companies"}, "b": {"entity": "companies"}},
        {"a": {"entity": "companies", "channel_id": 1}},
        {},
    ],
)
def test_store_views_share_no_customer(views: dict[str, Any]) -> None:
    """One entity and storefront each, so that a record has one view (XPR-2)."""
    with pytest.raises(ValidationError):
        settings(views)


def test_customers_and_companies_are_views_of_their_own() -> None:
    """The one does not become the other (MYOB-5)."""
    parsed = settings({"b2c": {"channel_id": 1}, "rest": {}, "b2b": {"entity": "companies"}})

    assert parsed.company_view is parsed.by_code["b2b"]
