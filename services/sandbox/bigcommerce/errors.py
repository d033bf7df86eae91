"""What the store answers when it will not: `{"status", "title", "type", "errors"}`.

Its promise: every refusal of the sandbox is one of these, or the B2B Edition's own form.
"""

from collections.abc import Mapping
from typing import Any

import orjson

from services.sandbox.wire import HTML_TYPE, Response

TYPE = "https://developer.bigcommerce.com/api-docs/getting-started/api-status-codes"
MISSING = "error.path.missing"
_UNAVAILABLE_PAGE = (
    b"<!doctype html><html><head><title>503 Service Unavailable</title></head>"
    b"<body><h1>503 Service Unavailable</h1></body></html>"
)
_TEXTS = {
    400: "The request was malformed.",
    401: "You are not authorized to access this resource.",
    403: "You don't have a required scope to access the endpoint",
    404: "The requested resource was not found.",
    413: "The maximum number of items allowed in the array is 10.",
    429: "You have exceeded the rate limit for this store.",
    500: "Internal Server Error",
}


class Refusal(Exception):
    """The store refuses a request, with the body it answers."""

    def __init__(
        self,
        status: int,
        title: str = "",
        errors: Mapping[str, Any] | None = None,
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        super().__init__(status, title)
        self.status = status
        self.title = title or _TEXTS.get(status, "Error")
        self.errors = errors
        self.headers = headers

    def response(self) -> Response:
        """Return the answer as it goes over the wire."""
        body: dict[str, Any] = {"status": self.status, "title": self.title, "type": TYPE}
        if self.errors is not None:
            body["errors"] = dict(self.errors)
        return Response(self.status, orjson.dumps(body), headers=self.headers)


def malformed(errors: Mapping[str, Any]) -> Refusal:
    """Return the 422 for a body that cannot be read; keys are paths."""
    return Refusal(422, "JSON data is missing or invalid", errors)


def missing(path: str) -> Refusal:
    """Return the 422 for a field that is not there."""
    return malformed({path: MISSING})


def invalid(title: str, path: str, problem: str) -> Refusal:
    """Return the 422 for a value that will not do."""
    return Refusal(422, title, {path: problem})


def unavailable() -> Response:
    """Return a gateway's page; HTML, whatever was asked for."""
    return Response(503, _UNAVAILABLE_PAGE, HTML_TYPE)


def server_error() -> Response:
    """Return a plain 500."""
    return Refusal(500).response()
