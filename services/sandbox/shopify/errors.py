"""How the shop refuses: as an HTTP status, as a GraphQL error, or as a `userErrors` entry.

Its promise: every refusal of the sandbox is one of these three, shaped as the platform's.
"""

from collections.abc import Sequence
from typing import Any

import orjson

from services.sandbox.wire import Response

Record = dict[str, Any]

BAD_TOKEN = "[API] Invalid API key or access token (unrecognized login or wrong password)"  # noqa: S105
THROTTLED_HELP = "https://shopify.dev/api/usage/rate-limits"
DENIED_HELP = "https://shopify.dev/api/usage/access-scopes"
PROTECTED_HELP = "https://shopify.dev/apps/launch/protected-customer-data"
REASONS = {
    402: "Unavailable Shop",
    403: "This shop is unavailable.",
    404: "Not Found",
    423: "This shop is unavailable.",
}


class Refusal(Exception):
    """The request is refused before any GraphQL; `errors` in the body is a string."""

    def __init__(self, status: int, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.text = text

    def response(self) -> Response:
        """Return the answer as it goes over the wire."""
        return Response(self.status, orjson.dumps({"errors": self.text}))


class FieldError(Exception):
    """A field cannot be answered: it becomes null, and this an entry of `errors`."""

    def __init__(self, message: str, code: str = "", **extensions: Any) -> None:
        super().__init__(message)
        self.message = message
        self.extensions = ({"code": code} if code else {}) | extensions

    def entry(self, path: Sequence[str | int] = ()) -> Record:
        """Return the entry of `errors`."""
        found: Record = {"message": self.message}
        if path:
            found["path"] = list(path)
        if self.extensions:
            found["extensions"] = self.extensions
        return found


class Problems(Exception):
    """A mutation is refused by its `userErrors`; what it had begun is undone."""

    def __init__(self, *problems: Record) -> None:
        super().__init__(problems[0]["message"])
        self.entries = list(problems)


def problem(field: Sequence[str] | None, message: str, code: str | None = None) -> Record:
    """Return an entry of `userErrors`; which of it is answered, the selection decides."""
    return {
        "field": list(field) if field is not None else None,
        "message": message,
        "code": code,
        "elementIndex": None,
    }


def refused(field: str | None, message: str, code: str | None = None) -> Problems:
    """Return the refusal that has one problem; `field` with its parts joined by dots."""
    return Problems(problem(field.split(".") if field else None, message, code))


def throttled() -> FieldError:
    """Return the error of an empty bucket."""
    return FieldError("Throttled", "THROTTLED", documentation=THROTTLED_HELP)


def too_costly(cost: int, most: int) -> FieldError:
    """Return the error of a query that would be refused with a full bucket, too."""
    return FieldError(
        f"Query cost is {cost}, which exceeds the single query max cost limit ({most}).\n\n"
        f"See {THROTTLED_HELP} for more information on how the cost of a query is calculated.",
        "MAX_COST_EXCEEDED",
        cost=cost,
        maxCost=most,
        documentation=THROTTLED_HELP,
    )


def access_denied(field: str, scopes: str) -> FieldError:
    """Return the error of a missing access scope."""
    required = f"{scopes} access scope."
    return FieldError(
        f"Access denied for {field} field. Required access: {required}",
        "ACCESS_DENIED",
        documentation=DENIED_HELP,
        requiredAccess=required,
    )


def protected(what: str) -> FieldError:
    """Return the error of personal data that the app is not approved for."""
    return FieldError(
        f"This app is not approved to use the {what} field. See {PROTECTED_HELP} for more details.",
        "ACCESS_DENIED",
        documentation=PROTECTED_HELP,
    )


def internal_error(request_id: str) -> FieldError:
    """Return the error of a bug, which only the platform's support can look up."""
    return FieldError(
        "Internal error. Looks like something went wrong on our end.\nRequest ID: "
        f"{request_id} (include this in support requests).",
        "INTERNAL_SERVER_ERROR",
        requestId=request_id,
    )
