"""The B2B Edition's own form: `{code, data, meta}`, camel case, Unix seconds, limit and offset.

Its promise: whatever the B2B Edition answers or refuses has this envelope.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import orjson

from services.sandbox.bigcommerce.call import Call
from services.sandbox.bigcommerce.errors import Refusal
from services.sandbox.wire import Response

T = TypeVar("T")
Record = dict[str, Any]

DEFAULT_LIMIT, LIMIT_BELOW = 10, 250
MOST_ITEMS = 10
_MESSAGES = {
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found Error",
    413: "Request Entity Too Large",
    422: "Parameter Error",
    429: "Too Many Requests",
}
_NULL = "This field may not be null."


class B2BRefusal(Refusal):
    """A refusal in the B2B Edition's form."""

    def __init__(self, status: int, problem: Any = "", message: str = "") -> None:
        super().__init__(status)
        self.problem = problem
        self.message = message or _MESSAGES.get(status, "Error")

    def response(self) -> Response:
        """Return the answer as it goes over the wire."""
        data = {"errMsg": self.problem} if self.problem else {}
        body = {"code": self.status, "data": data, "meta": {"message": self.message}}
        return Response(self.status, orjson.dumps(body))


def in_this_form(refusal: Refusal) -> B2BRefusal:
    """Return what the store refused, said as the B2B Edition says it."""
    if isinstance(refusal, B2BRefusal):
        return refusal
    return B2BRefusal(refusal.status, refusal.errors or refusal.title)


def enveloped(data: Any, pagination: Record | None = None) -> Record:
    """Return a successful answer."""
    meta: Record = {"message": "SUCCESS"}
    if pagination is not None:
        meta["pagination"] = pagination
    return {"code": 200, "data": data, "meta": meta}


def page(found: Sequence[T], call: Call, show: Callable[[T], Record]) -> Record:
    """Cut the page that limit and offset ask for; the limit must be below 250."""
    limit, offset = whole(call, "limit", DEFAULT_LIMIT), whole(call, "offset", 0)
    if not 0 < limit < LIMIT_BELOW:
        problem = f"Ensure this value is less than {LIMIT_BELOW}."
        raise B2BRefusal(422, {"limit": [problem]})
    data = [show(each) for each in found[offset : offset + limit]]
    return enveloped(data, {"totalCount": len(found), "limit": limit, "offset": offset})


def whole(call: Call, name: str, otherwise: int) -> int:
    """Return a whole number of the query."""
    given = call.query.text(name)
    try:
        return int(given) if given else otherwise
    except ValueError:
        raise B2BRefusal(422, {name: ["A valid integer is required."]}) from None


def within(call: Call, created: int, modified: int) -> bool:
    """Whether the times lie between `minCreated`, `maxCreated`, `minModified`, `maxModified`."""
    forever = 1 << 62
    return whole(call, "minCreated", 0) <= created <= whole(call, "maxCreated", forever) and whole(
        call, "minModified", 0
    ) <= modified <= whole(call, "maxModified", forever)


def demand(given: Mapping[str, Any], *names: str) -> None:
    """Raise the 422 that names every field that is not there."""
    if absent := {name: [_NULL] for name in names if given.get(name) in (None, "")}:
        raise B2BRefusal(422, absent)


def few(items: Any) -> list[Record]:
    """Return the items of a bulk body, at most ten."""
    if not isinstance(items, list):
        raise B2BRefusal(422, "Expected a list of items.")
    if len(items) > MOST_ITEMS:
        raise B2BRefusal(413, "Add up to ten data at a time")
    return items
