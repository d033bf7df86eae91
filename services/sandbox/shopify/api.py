"""The shop's Admin API: one door for every query, one for tokens, one for bulk files.

Its promise: what a query costs is taken from the bucket before it runs; whatever goes wrong
inside it is a 200 with `errors`.
"""

import re
import traceback
from collections.abc import Callable, Mapping
from typing import Any
from uuid import uuid4

import orjson
from graphql import GraphQLError

from services.sandbox.shopify.access import Gate
from services.sandbox.shopify.bulk import PATH as BULK_PATH
from services.sandbox.shopify.bulk import Bulk
from services.sandbox.shopify.cost import Bucket, actual_cost, requested_cost
from services.sandbox.shopify.documents import Invalid, Operation, Planner
from services.sandbox.shopify.errors import (
    REASONS,
    FieldError,
    Record,
    Refusal,
    internal_error,
    throttled,
    too_costly,
)
from services.sandbox.shopify.plan import Run, Selection
from services.sandbox.shopify.protection import withhold
from services.sandbox.shopify.shop import Shop
from services.sandbox.wire import Request, Response

GRAPHQL = re.compile(r"/admin/api/(?P<version>unstable|\d{4}-\d{2})/graphql\.json")
TOKENS = "/admin/oauth/access_token"
_RANGE = re.compile(r"bytes=(\d+)-(\d*)")


class Api:
    """Answers requests."""

    def __init__(
        self, shop: Shop, gate: Gate, planner: Planner, bulk: Bulk, bucket: Bucket
    ) -> None:
        self._shop = shop
        self._gate = gate
        self._planner = planner
        self._bulk = bulk
        self.bucket = bucket
        self.unavailable: int | None = None
        self.throttled = 0

    def answer(self, request: Request) -> Response:
        """Carry out one request, or refuse it."""
        try:
            return self._route(request)
        except Refusal as refusal:
            return refusal.response()
        except Exception:  # noqa: BLE001 - a bug of the sandbox: seen in its books
            self._shop.ledger.bugs.append(traceback.format_exc())
            return Response(500, b'{"errors":"Internal Server Error"}')

    def route_name(self, request: Request) -> str:
        """Return what a request asks for, for the books: the operation's name where it has one."""
        if GRAPHQL.fullmatch(request.path):
            found = re.search(rb'"operationName"\s*:\s*"(\w+)"', request.body)
            return found[1].decode() if found else "graphql"
        if request.path == TOKENS:
            return "access_token"
        return "bulk" if request.path.startswith(BULK_PATH) else "unknown"

    def _route(self, request: Request) -> Response:
        if self.unavailable:
            raise Refusal(self.unavailable, REASONS.get(self.unavailable, "Unavailable Shop"))
        if request.method == "GET" and request.path.startswith(BULK_PATH):
            return self._file(request)
        if request.method == "POST" and request.path == TOKENS:
            return self._gate.grant(request, self._shop.scopes)
        found = GRAPHQL.fullmatch(request.path)
        if request.method != "POST" or not found:
            raise Refusal(404, "Not Found")
        version = self._served(found["version"])
        self._gate.check(request)
        headers = (
            ("X-Shopify-API-Version", version),
            ("X-Request-Id", str(uuid4())),
        )
        return Response(200, orjson.dumps(self._execute(_body(request))), headers=headers)

    def _served(self, version: str) -> str:
        """Return the version that answers: a retired one is replaced without a word."""
        known = self._shop.quirks.versions
        if version == "unstable" or version in known:
            return version
        if version < known[0]:
            return known[0]
        raise Refusal(404, "Not Found")

    def _file(self, request: Request) -> Response:
        data = self._bulk.file(request.path)
        if data is None:
            raise Refusal(404, "Not Found")
        wanted = _RANGE.fullmatch(request.headers.get("range", ""))
        if wanted is None:
            return Response(200, data, "application/jsonl")
        first, last = int(wanted[1]), min(int(wanted[2] or len(data)), len(data) - 1)
        if first > last:
            return Response(416, b"", headers=(("Content-Range", f"bytes */{len(data)}"),))
        told = ("Content-Range", f"bytes {first}-{last}/{len(data)}")
        return Response(206, data[first : last + 1], "application/jsonl", headers=(told,))

    def _execute(self, body: Mapping[str, Any]) -> Record:
        try:
            operation, variables = self._planner.prepare(
                body["query"], body.get("operationName"), body.get("variables") or {}
            )
            run = Run(variables, self._shop, self._bulk)
            asked = requested_cost(operation.root, run, is_mutation=operation.is_mutation)
        except Invalid as invalid:
            return {"errors": [_syntax(each) for each in invalid.errors]}
        except GraphQLError as error:
            return {"errors": [_syntax(error)]}
        most = self._shop.quirks.max_query_cost
        if asked > most:
            return {"errors": [too_costly(asked, most).entry()]} | self._cost(asked, None)
        if not self.bucket.take(asked):
            with self._shop.lock:
                self.throttled += 1
            return {"errors": [throttled().entry()]} | self._cost(asked, None)
        data, errors = self._select(operation, run)
        used = min(asked, actual_cost(operation.root, data, is_mutation=operation.is_mutation))
        self.bucket.give_back(asked - used)
        answer: Record = {"data": data}
        if errors:
            answer["errors"] = errors
        return answer | self._cost(asked, used)

    def _cost(self, asked: int, used: int | None) -> Record:
        cost = {
            "requestedQueryCost": asked,
            "actualQueryCost": used,
            "throttleStatus": self.bucket.status(),
        }
        return {"extensions": {"cost": cost}}

    def _select(self, operation: Operation, run: Run) -> tuple[Record | None, list[Record]]:
        """Return the data, and the errors; a required field that fails takes all with it."""
        data: Record | None = {}
        errors: list[Record] = []
        with self._shop.lock:
            for field in operation.root.fields:
                one = Selection((field,), (field,))
                value, error = self._caught(lambda one=one: one.select({}, run))  # type: ignore[misc]
                if error is not None:
                    errors.append(error.entry([field.key]))
                if data is not None:
                    if value is None and field.is_required:
                        data = None
                    else:
                        data[field.key] = value[field.key] if value else None
        if data is not None and self._shop.quirks.protects_data:
            errors += withhold(operation.root, data)
        return data, errors

    def _caught(self, select: Callable[[], Record]) -> tuple[Record | None, FieldError | None]:
        try:
            return select(), None
        except FieldError as error:
            return None, error
        except Exception:  # noqa: BLE001 - the platform, too, hides its bugs behind a request id
            self._shop.ledger.bugs.append(traceback.format_exc())
            return None, internal_error(str(uuid4()))


def _body(request: Request) -> Mapping[str, Any]:
    if "json" not in request.headers.get("content-type", ""):
        raise Refusal(415, "Unsupported Media Type")
    try:
        found = orjson.loads(request.body)
    except ValueError:
        raise Refusal(400, "The request body is not valid JSON") from None
    if not isinstance(found, dict) or not isinstance(found.get("query"), str):
        raise Refusal(400, "Required parameter missing or invalid: query")
    return found


def _syntax(error: GraphQLError) -> Record:
    found: Record = {"message": error.message}
    if error.locations:
        found["locations"] = [
            {"line": each.line, "column": each.column} for each in error.locations
        ]
    return found
