"""Magento's published contract, and a transport that holds every request against it."""

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import jsonschema
import orjson

from shared.connectors.deadline import DeadlineTransport
from tests.services.plain import PLAIN

SPECS = Path(__file__).parents[2].parent / "shared" / "specs" / "magento"
Match = Callable[[str], Any]
BODIES = {
    ("PUT", "/rest/{store}/V1/customers/{customerId}"): "UpdateCustomerRequest",
    ("POST", "/rest/{store}/V1/integration/admin/token"): "AdminTokenRequest",
}
LARGEST_PAGE = 300


class Spec:
    """The routes and bodies that Magento knows."""

    def __init__(self) -> None:
        endpoints: dict[str, list[dict[str, str]]]
        endpoints = orjson.loads((SPECS / "endpoints.json").read_bytes())
        self._routes: list[tuple[str, str, Match]] = [
            (route["method"], route["path"], _pattern(route["path"]))
            for route in endpoints["routes"]
        ]
        self._schemas: dict[str, Any] = orjson.loads((SPECS / "rest-schemas.json").read_bytes())

    def check(self, request: httpx2.Request) -> None:
        """Fail where a request is not what Magento's contract allows."""
        route = self._route(request)
        if request.content:
            assert request.headers["Content-Type"] == "application/json; charset=utf-8"
            name = BODIES[request.method, route]
            jsonschema.validate(
                orjson.loads(request.content), {**self._schemas, "$ref": f"#/$defs/{name}"}
            )
        if route.endswith("/search"):
            _check_search(request)

    def _route(self, request: httpx2.Request) -> str:
        path = request.url.path
        found = [p for method, p, m in self._routes if method == request.method and m(path)]
        assert found, f"Magento has no {request.method} {path}"
        return min(found, key=lambda each: each.count("{"))


class CheckedTransport(httpx2.BaseTransport):
    """Real connections; each request is checked, remembered, and may be preceded by an event."""

    def __init__(self, spec: Spec) -> None:
        self._real = DeadlineTransport(connections=4, tls=PLAIN)
        self._spec = spec
        self.requests: list[httpx2.Request] = []
        self.before: Callable[[httpx2.Request], None] = lambda _request: None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Check and pass on."""
        request.read()
        self._spec.check(request)
        self.requests.append(request)
        self.before(request)
        return self._real.handle_request(request)

    def close(self) -> None:
        """Close the connections."""
        self._real.close()


def _pattern(path: str) -> Match:
    # The store code may be left out together with its slash.
    escaped = re.escape(path).replace(r"\{store\}/", r"(?:[a-z]\w*/)?(?=V1/)")
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", escaped)).fullmatch


def _check_search(request: httpx2.Request) -> None:
    raw = request.url.query.decode()
    assert not set("[]+ ") & set(raw), "brackets and blanks are percent-encoded"
    criteria = {k.removeprefix("searchCriteria"): v for k, v in parse_qsl(raw)}
    assert 1 <= int(criteria["[pageSize]"]) <= LARGEST_PAGE
    assert criteria["[currentPage]"] == "1", "pages are never walked"
    sorts = [name for name in criteria if name.startswith("[sortOrders]")]
    for name in (name for name in sorts if name.endswith("[field]")):
        assert criteria[name.replace("[field]", "[direction]")] == "ASC"
    assert any(name.startswith(("[filter_groups]", "[sortOrders]")) for name in criteria)
