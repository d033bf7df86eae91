"""BigCommerce's published contracts, as judges of answers.

An answer fits when the contract knows its path, method and status, and its body passes the schema
that stands there. Where the contracts contradict themselves, `_consistent` says how.
"""

import re
from pathlib import Path
from typing import Any

import httpx2
import yaml
from openapi_schema_validator import OAS30Validator, oas30_format_checker

SPECS = Path(__file__).parents[3] / "shared" / "specs" / "bigcommerce"
FILES = {
    "/v3/customers/subscribers": "subscribers.v3.yml",
    "/v3/customers": "customers.v3.yml",
    "/v3/hooks": "webhooks.v3.yml",
    "/v2/customer_groups": "customer_groups.v2.yml",
    "/api/v3/io/companies": "b2b_companies.v3.yml",
    "/api/v3/io/users": "b2b_users.v3.yml",
    "/api/v3/io/addresses": "b2b_addresses.v3.yml",
}
# What every route may answer although its contract leaves it out; their form is the error's.
UNWRITTEN = frozenset({400, 401, 403, 404, 409, 413, 415, 422, 429, 500})
_BASES = ("/stores/sandboxstore1", "/api/v3/io", "/v3", "/v2")


class Contracts:
    """All contracts, read once."""

    def __init__(self) -> None:
        self._documents: dict[str, dict[str, Any]] = {}

    def check(self, answer: httpx2.Response) -> int:
        """Fail where an answer is not what its contract allows; return its status."""
        path = answer.request.url.path.removeprefix("/stores/sandboxstore1")
        name = next(file for prefix, file in FILES.items() if path.startswith(prefix))
        schema = self._schema(name, path, answer)
        if schema is not None:
            problems = [f"{e.json_path}: {e.message}" for e in self._errors(name, schema, answer)]
            assert problems == [], f"{answer.request.method} {path} {answer.status_code}"
        return answer.status_code

    def properties(self, name: str, schema: str) -> set[str]:
        """Return the names that a schema gives its properties."""
        return set(self._document(name)["components"]["schemas"][schema]["properties"])

    def _document(self, name: str) -> dict[str, Any]:
        if name not in self._documents:
            text = (SPECS / name).read_text(encoding="utf-8")
            self._documents[name] = _consistent(yaml.load(text, yaml.CSafeLoader))
        return self._documents[name]

    def _schema(self, name: str, path: str, answer: httpx2.Response) -> dict[str, Any] | None:
        """Return the schema of the body, None where there is no body to judge."""
        operation = self._operation(name, path, answer.request.method.lower())
        found = operation["responses"].get(str(answer.status_code))
        if found is None:
            # An empty list of groups is a 204 that the contract does not mention either.
            assert answer.status_code in UNWRITTEN | {204}, f"{path} knows no {answer.status_code}"
            return None
        if "$ref" in found:
            found = self._document(name)["components"]["responses"][found["$ref"].split("/")[-1]]
        content = found.get("content", {}).get("application/json")
        return content["schema"] if content else None

    def _operation(self, name: str, path: str, method: str) -> dict[str, Any]:
        for base in _BASES:
            path = path.removeprefix(base)
        routes = self._document(name)["paths"]
        fitting = [
            route
            for route in routes
            if method in routes[route] and re.fullmatch(re.sub(r"\{\w+\}", r"[^/]+", route), path)
        ]
        assert fitting, f"the contract knows no {method} {path}"
        operation: dict[str, Any] = routes[min(fitting, key=lambda each: each.count("{"))][method]
        return operation

    def _errors(self, name: str, schema: dict[str, Any], answer: httpx2.Response) -> Any:
        # In a schema of its own, so that what stands beside a reference is not lost.
        judge = {"allOf": [schema], "components": self._document(name)["components"]}
        validator = OAS30Validator(judge, format_checker=oas30_format_checker)
        return validator.iter_errors(answer.json())


def _consistent(node: Any) -> Any:
    """Return a contract without its contradictions.

    Alternatives that overlap (an empty list of discount rules is one of each kind) are `oneOf`,
    and Unix seconds have the format of a time of day.
    """
    if isinstance(node, list):
        return [_consistent(each) for each in node]
    if not isinstance(node, dict):
        return node
    return {
        "anyOf" if name == "oneOf" else name: _consistent(each)
        for name, each in node.items()
        if (name, each) != ("format", "time")
    }
