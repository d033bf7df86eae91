"""Shopify's error texts, in words that are safe to log."""

import httpx2
import orjson
import pytest

from shared.connectors.http import Answer
from shared.connectors.shopify.errors import Explanation, Refusal

EXPLAIN = Explanation(["erp.customer_number"])


@pytest.mark.parametrize(
    ("errors", "text"),
    [
        (
            "[API] Invalid API key or access token (unrecognized login or wrong password)",
            "…API… Invalid API key or access token (unrecognized login or wrong password)",
        ),
        ({"customer": ["Required parameter missing"]}, "Required parameter missing"),
        (
            [{"message": "Throttled", "extensions": {"code": "THROTTLED"}}],
            "THROTTLED Throttled",
        ),
        (
            [{"message": "Email anke@example.com has already been taken"}],
            "Email … has already been taken",
        ),
        ([{"message": "x", "extensions": {"code": "PETERSEN"}}], "…"),
        ([None, 5, {"message": 5}], ""),
        (None, ""),
    ],
)
def test_only_shopifys_own_words_pass(errors: object, text: str) -> None:
    """Whatever shape they come in."""
    answer = Answer(400, httpx2.Headers(), orjson.dumps({"errors": errors}))

    explained = EXPLAIN(answer)

    assert explained == text
    assert "anke" not in explained
    assert "PETERSEN" not in explained


@pytest.mark.parametrize("body", [b"", b"<html>Anke</html>", b"[]", b"5", b"{}"])
def test_a_body_of_another_kind_says_nothing(body: bytes) -> None:
    """Least of all what stands in it."""
    assert "Anke" not in EXPLAIN(Answer(500, httpx2.Headers(), body))


def test_a_refusal_names_field_and_code() -> None:
    """And masks what shoppers typed."""
    [refusal] = EXPLAIN.refusals(
        {
            "userErrors": [
                {
                    "field": ["metafields", "3", "value"],
                    "message": "Value must be unique, D-10021 of Petersen is taken",
                    "code": "TAKEN",
                }
            ]
        }
    )

    assert refusal.element == 3
    assert refusal.text.startswith("metafields.3.value: TAKEN Value must be unique")
    assert "Petersen" not in refusal.text


@pytest.mark.parametrize(
    ("field", "element"),
    [([], None), (["metafields"], None), (["metafields", "x"], None), (["input", "1"], None)],
)
def test_a_refusal_may_name_no_element(field: list[str], element: int | None) -> None:
    """Then nobody in particular is at fault."""
    assert Refusal(field, "TAKEN", "").element is element


def test_an_element_may_be_given_by_number_alone() -> None:
    """In `elementIndex`."""
    [refusal] = EXPLAIN.refusals({"userErrors": [{"message": "x", "elementIndex": 4}]})

    assert refusal.element == 4


def test_there_is_always_a_text() -> None:
    """However little the shop says."""
    [refusal] = EXPLAIN.refusals({"userErrors": [{}]})

    assert refusal.text == "refused without a reason"
