"""The sandbox shop keeps the platform's contract: its schema is a part of the real one.

The real schema and the reference operations lie beside the project, not in it; where they are
absent these tests skip.
"""

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import httpx2
import orjson
import pytest
from graphql import (
    DocumentNode,
    ExecutionResult,
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    OperationDefinitionNode,
    build_schema,
    execute_sync,
    is_required_argument,
    is_required_input_field,
    parse,
    print_ast,
    validate,
    validate_schema,
)

from services.sandbox.shopify import SandboxShopify
from services.sandbox.shopify.documents import sandbox_schema
from services.sandbox.shopify.gids import (
    address_gid,
    company_gid,
    customer_gid,
    gid,
    location_gid,
)
from tests.services.plain import PLAIN

SPECS = Path(__file__).parents[3] / "shared" / "specs" / "shopify"
VERSIONS = ("2026-07", "2026-10")
CUSTOMERS = 200

COMPANIES = 10
WRITES = (
    "MetafieldDefinitionCreate", "CustomerCreate", "CustomerUpdate", "CustomerSet",
    "CustomerDelete", "CustomerAddressCreate", "CustomerAddressUpdate", "CustomerAddressDelete",
    "CustomerUpdateDefaultAddress", "CustomerEmailConsent", "TagsAdd", "TagsRemove",
    "MetafieldsSet", "CompanyCreate", "CompanyUpdate", "CompanyLocationCreate",
    "CompanyLocationUpdate", "CompanyLocationAssignAddress", "CompanyLocationTax",
    "CompanyAssignCustomer", "CompanyContactCreate", "CompanyAssignMainContact",
    "CompanyContactAssignRole", "WebhookCreate", "WebhookDelete",
)  # fmt: skip
THEIRS = "gid://shopify/Customer/7420011223344"
KNOWN = (
    (THEIRS, customer_gid(5)),
    ("gid://shopify/MailingAddress/9912001100?model_name=CustomerAddress", address_gid(5)),
    ("gid://shopify/CompanyLocation/55001122", location_gid(1)),
    ("gid://shopify/CompanyContactRole/4401", gid("CompanyContactRole", 1)),
    ("gid://shopify/CompanyContact/77001", gid("CompanyContact", 1)),
    ("gid://shopify/Company/98765001", company_gid(1)),
    ("gid://shopify/WebhookSubscription/1234567", gid("WebhookSubscription", 1)),
)
# Some examples are about the same thing as one before; they get another.
REPLACED = {
    "CustomerDelete": [(THEIRS, customer_gid(6))],
    "CustomerAddressDelete": [
        (
            "gid://shopify/MailingAddress/9912001100?model_name=CustomerAddress",
            gid("MailingAddress", CUSTOMERS * 4 + 1),
        )
    ],
    "MetafieldsSet": [("D-10021", "D-10022")],
    "CompanyCreate": [("einkauf@", "firma@")],
    "CompanyUpdate": [("D-10021", "D-10022")],
    "CompanyContactAssignRole": [
        ("gid://shopify/CompanyContact/77001", gid("CompanyContact", 15))
    ],
}  # fmt: skip

pytestmark = pytest.mark.skipif(
    not SPECS.is_dir(), reason="the platform's schema is not beside this checkout"
)


@lru_cache
def _real(version: str) -> GraphQLSchema:
    text = (SPECS / f"admin-{version}.customers.graphql").read_text(encoding="utf-8")
    return build_schema(text)


@lru_cache
def _operations() -> str:
    return (SPECS / "operations.graphql").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def shop() -> Iterator[SandboxShopify]:
    """Run one shop with every kind of awkward customer, and companies."""
    with SandboxShopify(customers=CUSTOMERS, seed=7, companies=10, bucket=100_000) as running:
        yield running
        assert running.control.bugs() == []


@pytest.fixture(scope="module")
def client(shop: SandboxShopify) -> Iterator[httpx2.Client]:
    """Talk to it with the permanent token."""
    with httpx2.Client(headers=shop.headers(), timeout=10, verify=PLAIN) as talking:
        yield talking


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schema_is_a_faithful_part_of_the_real_one(version: str) -> None:
    """Every type, field, argument, enum value and nullability exists equally there."""
    mine, real = sandbox_schema(), _real(version)

    assert validate_schema(mine) == []
    names = [name for name in mine.type_map if not name.startswith("__")]
    assert [problem for name in names for problem in _differences(mine, real, name)] == []


@pytest.mark.parametrize("version", VERSIONS)
def test_the_reference_operations_fit_both_schemas(version: str) -> None:
    """All of them lie in the part that the sandbox offers."""
    document = _document()

    assert validate(sandbox_schema(), document) == []
    assert validate(_real(version), document) == []


def test_answers_to_reads_fit(shop: SandboxShopify, client: httpx2.Client) -> None:
    """What is answered to every reading operation, executes to itself under the real schema."""
    everything = {"first": 100, "after": None, "query": "updated_at:>='2000-01-01T00:00:00Z'"}
    shop.control.set_customer_number(5, "D-10021")
    asked: list[tuple[str, dict[str, Any]]] = [
        ("Ping", {}),
        ("CustomersChanged", everything),
        ("CompaniesChanged", everything),
        ("CompanyLocationsChanged", everything),
        ("CompanyById", {"id": company_gid(1)}),
        ("CustomerById", {"id": customer_gid(999_999)}),
        ("CustomerByIdentifier", {"identifier": {"customId": {
            "namespace": "erp", "key": "customer_number", "value": "D-10021"}}}),
        ("MetafieldDefinitions", {"ownerType": "CUSTOMER", "namespace": "erp"}),
        ("Webhooks", {"first": 50, "after": None}),
    ]  # fmt: skip
    asked += [("CustomerById", {"id": customer_gid(n)}) for n in (1, 5, 18)]

    for name, variables in asked:
        _check(name, _ask(shop, client, name, variables))


def test_answers_to_the_examples_of_writes_fit() -> None:
    """Every writing operation once with its own example, carried out, and once refused."""
    with (
        SandboxShopify(CUSTOMERS, companies=COMPANIES, defines_number=False) as shop,
        httpx2.Client(headers=shop.headers(), timeout=10, verify=PLAIN) as client,
    ):
        for name in WRITES:
            shop.control.set_points(2000)
            done = _ask(shop, client, name, _fitting(name))
            _check(name, done)
            (payload,) = done["data"].values()
            assert payload["userErrors"] == [], (name, payload)

        for name in WRITES:
            shop.control.set_points(2000)
            _check(name, _ask(shop, client, name, _examples()[name]))
        assert shop.control.bugs() == []


def test_the_examples_hold_no_other_write() -> None:
    """None was forgotten above."""
    assert {name for name in _examples() if _is_mutation(name)} == {*WRITES, "BulkExport"}


def test_a_bulk_export_runs_the_example_and_ends(
    shop: SandboxShopify, client: httpx2.Client
) -> None:
    """The query inside the example is valid, too, and its file holds what was asked for."""
    started = _ask(shop, client, "BulkExport", _examples()["BulkExport"])
    number = started["data"]["bulkOperationRunQuery"]["bulkOperation"]["id"]
    assert shop.control.bulk.wait()

    while (last := _ask(shop, client, "BulkStatus", {"id": number}))["data"]["bulkOperation"][
        "status"
    ] != "COMPLETED":
        _check("BulkStatus", last)

    _check("BulkStatus", last)
    lines = client.get(last["data"]["bulkOperation"]["url"]).content.splitlines()
    assert len(lines) == int(last["data"]["bulkOperation"]["objectCount"]) > 0


def _ask(
    shop: SandboxShopify, client: httpx2.Client, name: str, variables: dict[str, Any]
) -> dict[str, Any]:
    body = {"query": _operations(), "operationName": name, "variables": variables}
    answer: dict[str, Any] = client.post(shop.graphql_url, json=body).json()
    assert "errors" not in answer, (name, answer["errors"])
    return answer


def _check(name: str, answer: dict[str, Any]) -> None:
    """Execute an answer under the real schema: it must come out as it went in."""
    found = execute_sync(
        _real("2026-07"),
        _document(),
        root_value=answer["data"],
        operation_name=name,
        variable_values=_examples()[name],  # only what was answered is checked, not what was asked
        field_resolver=_by_response_key,
        type_resolver=lambda value, *_: "Customer" if "Customer" in value["id"] else None,
    )

    assert isinstance(found, ExecutionResult)
    assert found.errors is None, (name, found.errors)
    assert found.data == answer["data"]


def _by_response_key(source: Any, info: GraphQLResolveInfo[Any], **_: Any) -> Any:
    return source[info.path.key]


@lru_cache
def _document() -> DocumentNode:
    return parse(_operations())


@lru_cache
def _examples() -> dict[str, Any]:
    found: dict[str, Any] = orjson.loads((SPECS / "variables.examples.json").read_bytes())
    return found


def _is_mutation(name: str) -> bool:
    return any(
        each.operation.value == "mutation"
        for each in _document().definitions
        if isinstance(each, OperationDefinitionNode) and each.name and each.name.value == name
    )


def _fitting(name: str) -> dict[str, Any]:
    """Return an example with ids that this shop has, and values that are still free."""
    text = orjson.dumps(_examples()[name]).decode()
    for theirs, ours in (*REPLACED.get(name, ()), *KNOWN):
        text = text.replace(theirs, ours)
    found: dict[str, Any] = orjson.loads(text)
    return found


def _differences(mine: GraphQLSchema, real: GraphQLSchema, name: str) -> Iterator[str]:
    ours, theirs = mine.type_map[name], real.type_map.get(name)
    if type(ours) is not type(theirs):
        yield f"{name} is no such type there"
        return
    if isinstance(ours, GraphQLEnumType) and isinstance(theirs, GraphQLEnumType):
        yield from (f"{name} has no {each}" for each in ours.values if each not in theirs.values)
    if isinstance(ours, GraphQLInputObjectType) and isinstance(theirs, GraphQLInputObjectType):
        for key, field in ours.fields.items():
            if key not in theirs.fields or str(theirs.fields[key].type) != str(field.type):
                yield f"{name}.{key} differs"
        for key, wanted in theirs.fields.items():
            if is_required_input_field(wanted) and key not in ours.fields:
                yield f"{name}.{key} is missing"
        if ours.is_one_of != theirs.is_one_of:
            yield f"{name} differs in @oneOf"
    objects = GraphQLObjectType | GraphQLInterfaceType
    if isinstance(ours, objects) and isinstance(theirs, objects):
        yield from _field_differences(name, ours, theirs)


def _field_differences(
    name: str,
    ours: GraphQLObjectType | GraphQLInterfaceType,
    theirs: GraphQLObjectType | GraphQLInterfaceType,
) -> Iterator[str]:
    known = {each.name for each in theirs.interfaces}
    yield from (f"{name} is no {each}" for each in ours.interfaces if each.name not in known)
    for key, field in ours.fields.items():
        there = theirs.fields.get(key)
        if there is None or str(there.type) != str(field.type):
            yield f"{name}.{key} differs"
            continue
        for argument, given in field.args.items():
            wanted = there.args.get(argument)
            if wanted is None or _signature(wanted) != _signature(given):
                yield f"{name}.{key}({argument}) differs"
        for argument, wanted in there.args.items():
            if is_required_argument(wanted) and argument not in field.args:
                yield f"{name}.{key}({argument}) is missing"


def _signature(argument: GraphQLArgument) -> tuple[str, str]:
    default = argument.ast_node.default_value if argument.ast_node else None
    return str(argument.type), print_ast(default) if default else ""
