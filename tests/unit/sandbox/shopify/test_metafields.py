"""Metafields: all or nothing, unique, and locked by a digest."""

from datetime import UTC, datetime
from typing import Any

import httpx2
import pytest

from services.sandbox.shopify import SandboxShopify
from services.sandbox.shopify.gids import company_gid, customer_gid, location_gid
from tests.unit.sandbox.shopify.asking import CUSTOMER, SET_METAFIELDS, Asking

DEFINE = """
mutation Define($definition: MetafieldDefinitionInput!) {
  metafieldDefinitionCreate(definition: $definition) {
    createdDefinition { id type { name } capabilities { uniqueValues { enabled } } }
    userErrors { field message code }
  }
}
"""


def _number(count: int, value: str, **more: Any) -> dict[str, Any]:
    return {
        "ownerId": customer_gid(count),
        "namespace": "erp",
        "key": "customer_number",
        "type": "id",
        "value": value,
    } | more


def test_a_number_is_written_read_and_found(shop: SandboxShopify, ask: Asking) -> None:
    """The change time stays: a metafield is no field of the customer."""
    shop.control.freeze_clock(datetime(2026, 11, 20, tzinfo=UTC))
    before = ask(CUSTOMER, id=customer_gid(2))

    answer = ask(SET_METAFIELDS, metafields=[_number(1, "D-1"), _number(2, "D-2")])

    assert [each["value"] for each in answer["metafields"]] == ["D-1", "D-2"]
    after = ask(CUSTOMER, id=customer_gid(2))
    assert after["updatedAt"] == before["updatedAt"]
    assert after["metafield"]["compareDigest"] == answer["metafields"][1]["compareDigest"]
    assert shop.control.customer_numbers() == {customer_gid(1): "D-1", customer_gid(2): "D-2"}


def test_a_taken_number_refuses_all_of_them(shop: SandboxShopify, ask: Asking) -> None:
    """Held by another, or twice in one request."""
    shop.control.set_customer_number(1, "D-1")

    held = ask(SET_METAFIELDS, metafields=[_number(2, "D-2"), _number(3, "D-1")])
    twice = ask(SET_METAFIELDS, metafields=[_number(4, "D-4"), _number(5, "D-4")])

    for answer in (held, twice):
        (error,) = answer["userErrors"]
        assert (error["code"], error["field"]) == ("TAKEN", ["metafields", "1", "value"])
        assert answer["metafields"] is None
    assert shop.control.customer_numbers() == {customer_gid(1): "D-1"}


def test_a_taken_number_may_have_another_code(shop: SandboxShopify, ask: Asking) -> None:
    """It is not known which."""
    shop.control.set_quirks(duplicate_number_code="CAPABILITY_VIOLATION")
    shop.control.set_customer_number(1, "D-1")

    answer = ask(SET_METAFIELDS, metafields=[_number(2, "D-1")])

    assert answer["userErrors"][0]["code"] == "CAPABILITY_VIOLATION"


def test_the_digest_is_a_lock(shop: SandboxShopify, ask: Asking) -> None:
    """Null means: not there yet. A digest that is not the current one is stale."""
    first = ask(SET_METAFIELDS, metafields=[_number(1, "D-1", compareDigest=None)])
    again = ask(SET_METAFIELDS, metafields=[_number(1, "D-2", compareDigest=None)])
    known = first["metafields"][0]["compareDigest"]
    right = ask(SET_METAFIELDS, metafields=[_number(1, "D-3", compareDigest=known)])
    stale = ask(SET_METAFIELDS, metafields=[_number(1, "D-4", compareDigest=known)])

    assert first["userErrors"] == right["userErrors"] == []
    assert again["userErrors"][0]["code"] == stale["userErrors"][0]["code"] == "STALE_OBJECT"
    assert shop.control.customer_number(1) == "D-3"


def test_the_same_number_again_changes_nothing(shop: SandboxShopify, ask: Asking) -> None:
    """A repeated write-back is harmless, and the books tell it."""
    first = ask(SET_METAFIELDS, metafields=[_number(1, "D-1")])
    shop.control.advance_clock(5)

    again = ask(SET_METAFIELDS, metafields=[_number(1, "D-1")])

    assert again == first
    assert [each.is_identical for each in shop.control.writes(1)] == [False, True]


@pytest.mark.parametrize(
    ("given", "code"),
    [
        (_number(999, "D-1"), "INVALID"),
        (_number(1, " "), "BLANK"),
        (_number(1, "D-1", type="single_line_text_field"), "INVALID_TYPE"),
        (_number(1, "D-1", key="unknown", type=None), "BLANK"),
        (_number(1, "D-1", key="unknown"), "INVALID_TYPE"),
    ],
)
def test_what_is_wrong_is_named(ask: Asking, given: dict[str, Any], code: str) -> None:
    """Owner, value and type."""
    assert ask(SET_METAFIELDS, metafields=[given])["userErrors"][0]["code"] == code


def test_at_most_25_at_once(ask: Asking) -> None:
    """One more is one too many."""
    many = [_number(count, f"D-{count}") for count in range(1, 27)]

    assert ask(SET_METAFIELDS, metafields=many)["userErrors"][0]["code"] == (
        "LESS_THAN_OR_EQUAL_TO"
    )
    assert ask(SET_METAFIELDS, metafields=many[:25])["userErrors"] == []


def test_the_definition_is_made_once(http: httpx2.Client) -> None:
    """Type `id` is unique by itself, for customers only; a second one is taken."""
    wanted = {"name": "ERP customer number", "namespace": "erp", "key": "customer_number",
              "ownerType": "CUSTOMER", "type": "id"}  # fmt: skip
    with SandboxShopify(customers=3, defines_number=False) as shop:
        ask = Asking(shop, http)
        unset = ask(SET_METAFIELDS, metafields=[_number(1, "D-1")])
        first = ask(DEFINE, definition=wanted)
        second = ask(DEFINE, definition=wanted)
        firm = ask(DEFINE, definition=wanted | {"ownerType": "COMPANY"})

    assert unset["userErrors"][0]["code"] == "INVALID_TYPE"
    assert first["createdDefinition"]["capabilities"] == {"uniqueValues": {"enabled": True}}
    assert second["userErrors"][0]["code"] == "TAKEN"
    assert firm["userErrors"][0]["code"] == "INCLUSION"


def test_companies_and_locations_have_metafields_too(ask: Asking) -> None:
    """Plain ones, several owners in one request."""
    given = {"namespace": "erp", "key": "terms", "type": "single_line_text_field", "value": "30"}
    owners = [company_gid(1), location_gid(1), customer_gid(1)]

    ask(SET_METAFIELDS, metafields=[given | {"ownerId": each} for each in owners])

    read = ask(
        """query Read($ids: [ID!]!) { nodes(ids: $ids) { ... on HasMetafields {
           metafield(namespace: "erp", key: "terms") { value ownerType }
           metafields(first: 5, keys: ["erp.terms"]) { nodes { key } } } } }""",
        ids=owners,
    )
    assert [each["metafield"]["ownerType"] for each in read] == [
        "COMPANY", "COMPANY_LOCATION", "CUSTOMER",
    ]  # fmt: skip
    assert all(each["metafields"]["nodes"] == [{"key": "terms"}] for each in read)


@pytest.mark.parametrize("with_values", [True, False])
def test_the_definition_goes_with_the_values_or_without(
    shop: SandboxShopify, *, with_values: bool
) -> None:
    """What stays behind is a plain metafield, unique no more."""
    shop.control.set_customer_number(1, "D-1")

    shop.control.remove_metafield_definition(with_values=with_values)

    assert shop.control.customer_number(1) == (None if with_values else "D-1")
