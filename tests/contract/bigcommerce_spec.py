"""BigCommerce's published contract, and a transport that holds every request against it."""

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import orjson
import yaml
from openapi_schema_validator import OAS30Validator

from shared.connectors.deadline import DeadlineTransport
from tests.services.plain import PLAIN

SPECS = Path(__file__).parents[2].parent / "shared" / "specs" / "bigcommerce"
MOCK = SPECS / "bigcommerce.mock.yml"
MOST_ITEMS = 10
Match = Callable[[str], Any]


class Spec:
    """The routes, parameters and bodies of the shop, its older API and its B2B Edition."""

    def __init__(self) -> None:
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        # The contract is trusted, and the loader is a safe one.
        self._root: dict[str, Any] = yaml.load(MOCK.read_text("utf-8"), Loader=loader)  # noqa: S506
        paths = self._root["paths"]
        self._routes: list[tuple[str, Match]] = [
            (path, _pattern(path)) for path in sorted(paths, key=_placeholders)
        ]

    def check(self, request: httpx2.Request) -> None:
        """Fail where a request is not what BigCommerce's contract allows."""
        route = self._route(request.url.path)
        item = self._root["paths"][route]
        assert request.method.lower() in item, f"BigCommerce has no {request.method} {route}"
        operation = item[request.method.lower()]
        self._check_headers(request)
        self._check_query(request, [*item.get("parameters", ()), *operation.get("parameters", ())])
        if request.content:
            self._check_body(request, operation["requestBody"])

    def _route(self, path: str) -> str:
        found = next((route for route, match in self._routes if match(path)), None)
        assert found is not None, f"BigCommerce has no {path}"
        return found

    def _check_headers(self, request: httpx2.Request) -> None:
        assert request.headers["X-Auth-Token"]
        assert request.headers["Accept"] == "application/json"
        if request.url.path.startswith("/api/v3/io"):
            assert request.headers["X-Store-Hash"]

    def _check_query(self, request: httpx2.Request, parameters: list[Any]) -> None:
        raw = request.url.query.decode()
        assert "%3A" not in raw.upper(), "a colon stays a colon, or date filters are passed over"
        known = {p["name"]: p for p in map(self._resolved, parameters) if p["in"] == "query"}
        given = parse_qsl(raw, keep_blank_values=True)
        assert len(dict(given)) == len(given), "each parameter once"
        for name, text in given:
            assert name in known, f"{request.url.path} has no parameter {name}"
            schema = self._resolved(known[name]["schema"])
            self._validate(_value(text, schema), schema, name)
        assert not {n for n, p in known.items() if p.get("required")} - dict(given).keys()

    def _check_body(self, request: httpx2.Request, body: Mapping[str, Any]) -> None:
        assert request.headers["Content-Type"] == "application/json; charset=utf-8"
        sent = orjson.loads(request.content)
        schema = self._resolved(body)["content"]["application/json"]["schema"]
        self._validate(sent, schema, request.url.path)
        assert not isinstance(sent, list) or 1 <= len(sent) <= MOST_ITEMS

    def _validate(self, value: Any, schema: Mapping[str, Any], place: str) -> None:
        whole = {**schema, "components": self._root.get("components", {})}
        problems = [error.message for error in OAS30Validator(whole).iter_errors(value)]
        assert not problems, f"{place}: {problems}"

    def _resolved(self, node: Any) -> Any:
        while "$ref" in node:
            target: Any = self._root
            for key in node["$ref"].removeprefix("#/").split("/"):
                target = target[key]
            node = target
        return node


class CheckedTransport(httpx2.BaseTransport):
    """Real connections; each request is checked, remembered, and may be preceded by an event."""

    def __init__(self, spec: Spec) -> None:
        self._real = DeadlineTransport(connections=8, tls=PLAIN)
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

    def count(self, method: str, ending: str) -> int:
        """Return how many requests there were of a method whose path ends so."""
        found = [r for r in self.requests if r.method == method and r.url.path.endswith(ending)]
        return len(found)


def _placeholders(path: str) -> int:
    return path.count("{")


def _pattern(path: str) -> Match:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path))).fullmatch


def _value(text: str, schema: Mapping[str, Any]) -> Any:
    """Read the text of a parameter as its schema takes it."""
    kind = schema.get("type")
    if kind == "array":
        return [_value(part, schema.get("items", {})) for part in text.split(",")]
    if kind in {"integer", "number"} and re.fullmatch(r"-?\d+", text):
        return int(text)
    if kind == "boolean" and text in {"true", "false"}:
        return text == "true"
    return text
