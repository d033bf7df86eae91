"""What the shop answers when it will not: raw templates with `parameters`, as the platform does.

The caller fills `%fieldName` from an object and `%1` from an array; this shop never does it for
them. Its promise: every refusal of the sandbox is one of these.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from services.sandbox.wire import HTML_TYPE, Response

Parameters = dict[str, Any] | list[Any]

REQUIRED = '"%fieldName" is required. Enter and try again.'
NOT_SUPPORTED = '"%fieldName" is not supported. Correct the field name and try again.'
NO_SUCH_ENTITY = "No such entity with %fieldName = %fieldValue"
MAINTENANCE_PAGE = (
    b"<!doctype html><html><head><title>Service Temporarily Unavailable</title></head>"
    b"<body><h1>We'll be back soon</h1><p>The store is down for maintenance.</p></body></html>"
)


class Refusal(Exception):
    """The shop refuses a request, with the body it answers."""

    def __init__(
        self,
        status: int,
        message: str,
        parameters: Parameters | None = None,
        errors: Sequence[tuple[str, Parameters]] = (),
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.parameters = parameters
        self.errors = errors

    def response(self) -> Response:
        """Return the answer as it goes over the wire."""
        body: dict[str, Any] = {"message": self.message}
        if self.errors:
            body["errors"] = [
                {"message": message, "parameters": parameters}
                for message, parameters in self.errors
            ]
        if self.parameters:
            body["parameters"] = self.parameters
        return Response(self.status, orjson.dumps(body))


def not_authorized(resource: str) -> Refusal:
    """Return the 401 for a missing or expired token and for a missing right alike."""
    message = "The consumer isn't authorized to access %resources."
    return Refusal(401, message, {"resources": resource})


def oauth_refused(message: str, *parameters: Any) -> Refusal:
    """Return the 401 for a signed request that does not hold."""
    return Refusal(401, message, list(parameters))


def no_such_entity(field: str, value: object) -> Refusal:
    """Return the 404 for an entity that is not there."""
    return Refusal(404, NO_SUCH_ENTITY, {"fieldName": field, "fieldValue": value})


def no_such_route() -> Refusal:
    """Return the 404 for a path the web API does not know."""
    return Refusal(404, "Request does not match any route.")


def fields_required(fields: Sequence[str]) -> Refusal:
    """Return the 400 that names what is missing: one plain error, or a list of them."""
    if len(fields) == 1:
        return Refusal(400, REQUIRED, {"fieldName": fields[0]})
    return Refusal(
        400,
        "One or more input exceptions have occurred.",
        errors=[(REQUIRED, {"fieldName": field}) for field in fields],
    )


def rules_broken(messages: Sequence[str]) -> Refusal:
    """Return the 400 of attribute rules: one message, the rules joined by newlines."""
    return Refusal(400, "\n".join(messages))


def wrong_type(value: object, expected: str) -> Refusal:
    """Return the 400 for a value that cannot be cast."""
    message = (
        'The "%value" value\'s type is invalid. The "%type" type was expected. '
        "Verify and try again."
    )
    return Refusal(400, message, {"value": str(value), "type": expected})


def unknown_attribute(name: str) -> Refusal:
    """Return the 400 for a filter or sort field that does not exist."""
    message = 'The "%1" attribute name is invalid. Reset the name and try again.'
    return Refusal(400, message, [name])


def internal_error(report_id: str) -> Refusal:
    """Return the 500 that points into a log file nobody outside can read."""
    message = f"Internal Error. Details are available in Magento log file. Report ID: {report_id}"
    return Refusal(500, message)


def maintenance() -> Response:
    """Return the page of a shop under maintenance; HTML, whatever was asked for."""
    headers = (("Retry-After", "120"),)
    return Response(503, MAINTENANCE_PAGE, HTML_TYPE, headers)
