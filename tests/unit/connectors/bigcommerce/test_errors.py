"""Error bodies in words that may be logged, and the families they belong to."""

from typing import Any

import httpx2
import orjson
import pytest

from shared.connectors.bigcommerce.errors import AlreadyThere, Explanation
from shared.connectors.http import Answer
from shared.domain.errors import (
    AccessDenied,
    ConfigurationError,
    PatronError,
    RemoteRejected,
    RemoteThrottled,
    RemoteUnavailable,
)
from tests.unit.connectors.bigcommerce.builders import Script, connected, refused


def explained(body: Any) -> str:
    """Return the safe words of a body."""
    explain = Explanation(("ERP Number",))
    return explain(Answer(422, httpx2.Headers(), orjson.dumps(body)))


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (
            {
                "status": 422,
                "title": "Create customers failed.",
                "type": "https://developer.bigcommerce.com/",
                "errors": {
                    ".customer_create": "Error creating customers: email"
                    " einkauf@nordwind-beispiel.de already in use"
                },
            },
            (
                "Create customers failed.; customer_create: Error creating customers: email …"
                " already in use"
            ),
        ),
        ({"errors": {"0.id": "invalid customer ID"}}, "0.id: invalid customer ID"),
        (
            {"code": 422, "data": {"errMsg": {"lastName": ["This field may not be null."]}}},
            "lastName: This field may not be null.",
        ),
        ({"code": 404, "meta": {"message": "Resource not found"}}, "Resource not found"),
        (
            [{"status": 400, "message": "The field name is invalid."}],
            "The field name is invalid.",
        ),
        ({"errors": {"erp": "ERP Number is required"}}, "…: ERP Number is required"),
        ({"title": "Petersen"}, ""),
        ("Petersen", ""),
        ({"errors": {"Petersen": "Hafenstr. 12 is invalid"}}, "…: … is invalid"),
    ],
)
def test_an_error_is_told_without_what_was_sent(body: Any, text: str) -> None:
    """The platform's own words, names of fields, places in our list: nothing else."""
    told = explained(body)

    assert told == text
    assert "nordwind" not in told.lower()


def test_what_is_no_json_is_said_to_be_none() -> None:
    """A page of HTML has words of its own."""
    assert Explanation()(Answer(500, httpx2.Headers(), b"<html>")) == "(no JSON)"
    assert Explanation()(Answer(500, httpx2.Headers(), b"")) == ""


@pytest.mark.parametrize(
    ("status", "family"),
    [
        (400, RemoteRejected),
        (401, AccessDenied),
        (403, AccessDenied),
        (404, ConfigurationError),
        (409, AlreadyThere),
        (413, RemoteRejected),
        (422, RemoteRejected),
        (423, RemoteUnavailable),
        (429, RemoteThrottled),
        (500, RemoteUnavailable),
        (501, RemoteRejected),
        (502, RemoteUnavailable),
        (503, RemoteUnavailable),
        (504, RemoteUnavailable),
        (507, ConfigurationError),
    ],
)
def test_every_status_has_its_family(status: int, family: type[PatronError]) -> None:
    """What helps decides, not the number."""
    reader = connected(Script(refused(status, {"id": "Petersen is invalid"}))).reading

    with pytest.raises(PatronError) as caught:
        reader.fetch("4711")

    assert type(caught.value) is family
    assert "Petersen" not in str(caught.value)
    assert "s3cret" not in str(caught.value)
