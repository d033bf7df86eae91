"""Shopify's published schema, and a transport that holds every request against it."""

from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import httpx2
import orjson
from graphql import (
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    parse,
    validate,
)
from graphql.execution.values import VariableValues, get_variable_values

from shared.connectors.deadline import DeadlineTransport
from tests.services.plain import PLAIN

SPECS = Path(__file__).parents[2].parent / "shared" / "specs" / "shopify"
VERSIONS = ("2026-07", "2026-10")


@lru_cache
def schema_of(version: str) -> GraphQLSchema:
    """Return Shopify's schema of a version."""
    return build_schema((SPECS / f"admin-{version}.customers.graphql").read_text())


def check(text: str, variables: dict[str, Any], name: str) -> None:
    """Fail where a document or its variables are not what Shopify's schema allows."""
    for version in VERSIONS:
        operation = checked_document(version, text)
        assert operation.name
        assert operation.name.value == name
        definitions = operation.variable_definitions or ()
        coerced = get_variable_values(schema_of(version), definitions, variables)
        assert isinstance(coerced, VariableValues), (name, coerced)
        if name == "BulkExport":
            checked_document(version, variables["query"])


@cache
def checked_document(version: str, text: str) -> OperationDefinitionNode:
    """Return the one operation of a document that Shopify's schema allows."""
    document = parse(text)
    assert not validate(schema_of(version), document), f"not valid in {version}: {text[:60]}"
    [operation] = document.definitions
    assert isinstance(operation, OperationDefinitionNode)
    return operation


class CheckedTransport(httpx2.BaseTransport):
    """Real connections; each query is checked, remembered, and may be preceded by an event."""

    def __init__(self) -> None:
        self._real = DeadlineTransport(connections=4, tls=PLAIN)
        self.operations: list[str] = []
        self.notes_costs = False
        self.costs: dict[str, float] = {}
        self.before: Callable[[str], None] = lambda _operation: None

    def handle_request(self, request: httpx2.Request) -> httpx2.Response:
        """Check and pass on."""
        request.read()
        if not request.url.path.endswith("/graphql.json"):
            return self._real.handle_request(request)
        assert request.method == "POST"
        assert request.headers["Content-Type"].startswith("application/json")
        assert request.headers["X-Shopify-Access-Token"]
        body = orjson.loads(request.content)
        name = body["operationName"]
        check(body["query"], body["variables"], name)
        self.operations.append(name)
        self.before(name)
        response = self._real.handle_request(request)
        if self.notes_costs:
            cost = orjson.loads(response.read())["extensions"]["cost"]["requestedQueryCost"]
            self.costs[name] = max(cost, self.costs.get(name, 0))
        return response

    def close(self) -> None:
        """Close the connections."""
        self._real.close()
