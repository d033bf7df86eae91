"""Magento's error bodies in words that are safe to log."""

from typing import Any

import httpx2
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.connectors.http import Answer
from shared.connectors.magento.errors import Explanation, is_about_missing

explain = Explanation(["erp_customer_number"])
NO_ENTITY = "No such entity with %fieldName = %fieldValue"
DUPLICATE = "A customer with the same email address already exists in an associated website."
INTERNAL = (
    "Internal Error. Details are available in Magento log file. Report ID: webapi-6959f0a1b2c3d"
)
CITY_AND_POSTCODE = (
    '"city" is required. Enter and try again.; "postcode" is required. Enter and try again.'
)
REQUIRED = '"%fieldName" is required. Enter and try again.'


def answer(body: Any) -> Answer:
    """Return an error answer with this body."""
    return Answer(400, httpx2.Headers(), orjson.dumps(body))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {
                "message": "The consumer isn't authorized to access %resources.",
                "parameters": {"resources": "Magento_Customer::customer"},
            },
            "The consumer isn't authorized to access Magento_Customer::customer.",
        ),
        (
            {"message": NO_ENTITY, "parameters": {"fieldName": "customerId", "fieldValue": 4711}},
            "No such entity with customerId = 4711",
        ),
        (
            {
                "message": "One or more input exceptions have occurred.",
                "errors": [
                    {"message": REQUIRED, "parameters": {"fieldName": "city"}},
                    {"message": REQUIRED, "parameters": {"fieldName": "postcode"}},
                ],
            },
            "One or more input exceptions have occurred.; " + CITY_AND_POSTCODE,
        ),
        (
            {
                "message": '"%1" cannot contain more than %2 lines.',
                "parameters": ["street", 2],
            },
            '"street" cannot contain more than 2 lines.',
        ),
        (
            {"message": DUPLICATE},
            DUPLICATE,
        ),
        (
            {"message": INTERNAL},
            INTERNAL,
        ),
        (
            {"messages": {"error": [{"code": 500, "message": "Internal error"}]}},
            "Internal error",
        ),
        ({"message": 'erp_customer_number is not valid'}, "erp_customer_number is not valid"),
    ],
)  # fmt: skip
def test_templates_are_filled(body: Any, text: str) -> None:
    """An operator reads the shop's own words, with the names of fields and rights."""
    assert explain(answer(body)) == text


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {"message": NO_ENTITY, "parameters": {"fieldName": "email", "fieldValue": "p@x.de"}},
            "No such entity with email = …",
        ),
        (
            {
                "message": 'Invalid value of "%value" provided for the %fieldName field.',
                "parameters": {"fieldName": "telephone", "value": "+49 30 5550142"},
            },
            'Invalid value of "…" provided for the telephone field.',
        ),
        (
            {
                "message": 'The "%1" attribute name is invalid. Reset the name and try again.',
                "parameters": ["petra"],
            },
            'The "…" attribute name is invalid. Reset the name and try again.',
        ),
        (
            {"message": "Customer Petra Lang, Lindenweg 4, +49 30 555 could not be saved"},
            "Customer … could not be saved",
        ),
    ],
)
def test_what_the_customer_typed_is_masked(body: Any, text: str) -> None:
    """Values are personal data, in parameters and in words that were filled in already."""
    assert explain(answer(body)) == text


@pytest.mark.parametrize(
    "body",
    [
        None, 5, "text", [], {}, {"message": 5}, {"message": None, "errors": "x"},
        {"errors": [1, {}, {"message": []}]}, {"messages": {"error": {}}}, {"messages": 5},
    ],
)  # fmt: skip
def test_bodies_of_no_known_shape_say_nothing(body: Any) -> None:
    """A hostile body neither breaks the explanation nor leaks through it."""
    assert explain(answer(body)) == ""


def test_a_body_that_is_not_json_is_named_so() -> None:
    """The text of an HTML page is not repeated."""
    assert explain(Answer(500, httpx2.Headers(), b"<h1>Petra</h1>")) == "(no JSON)"


def test_a_long_message_is_cut() -> None:
    """A log line stays a line."""
    assert len(explain(answer({"message": "invalid " * 1000}))) <= 500


@given(
    value=st.text(alphabet="QXZqxz0123456789éß日😀", min_size=4, max_size=30),
    where=st.sampled_from(["%value", "%1", "%fieldName", "%fieldValue"]),
)
def test_no_value_ever_passes(value: str, where: str) -> None:
    """Whatever a shopper typed, and wherever the shop puts it, it does not come out."""
    template = f'Invalid value "{where}" of {value}'
    named = {"value": value, "fieldName": value, "fieldValue": value}

    texts = [
        explain(answer({"message": template, "parameters": parameters}))
        for parameters in (named, [value, value], value, None)
    ]

    assert not any(value in text for text in texts)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        (
            {"message": NO_ENTITY, "parameters": {"fieldName": "customerId", "fieldValue": 1}},
            True,
        ),
        ({"message": "Request does not match any route."}, False),
        ("<html>", False),
        ({"message": NO_ENTITY, "parameters": []}, False),
    ],
)
def test_only_a_missing_entity_counts_as_missing(body: Any, *, expected: bool) -> None:
    """A wrong address must not make every customer look deleted."""
    assert is_about_missing(answer(body)) is expected
