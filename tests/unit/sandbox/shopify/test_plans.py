"""Plans: the same answers as graphql-core's own executor would give."""

from typing import Any

import pytest
from graphql import GraphQLResolveInfo, execute_sync, parse

from services.sandbox.shopify import Quirks
from services.sandbox.shopify.company_seeding import seed_companies
from services.sandbox.shopify.documents import Invalid, Planner, sandbox_schema
from services.sandbox.shopify.gids import company_gid, customer_gid
from services.sandbox.shopify.objects import OBJECTS
from services.sandbox.shopify.plan import Run
from services.sandbox.shopify.reading import QUERIES
from services.sandbox.shopify.seeding import Crowd
from services.sandbox.shopify.shop import Shop

RESOLVERS = {**OBJECTS, "QueryRoot": QUERIES}
DOCUMENTS = [
    "{ shop { __typename name } alias: shop { id currencyCode } }",
    """
    query Many($with: Boolean!) {
      customers(first: 20, query: "id:<=7420000000030") {
        __typename
        edges { cursor node { ...Names updatedAt @include(if: $with) note @skip(if: $with) } }
        nodes { ...Names ... on Customer { tags } ... on Node { again: id } }
        pageInfo { hasNextPage endCursor }
      }
    }
    fragment Names on Customer {
      id firstName displayName
      addressesV2(first: 2) { nodes { id city } }
      addressesV2(first: 2) { nodes { zip } pageInfo { hasNextPage } }
      companyContactProfiles { isMainContact company { name } }
      metafield(namespace: "erp", key: "customer_number") { value }
    }
    """,
    """
    query Nodes($ids: [ID!]!) {
      nodes(ids: $ids) {
        __typename
        id
        ... on Customer { email }
        ... on Company { name locationsCount { count } mainContact { customer { id } } }
      }
    }
    """,
    """
    query Company($id: ID!) {
      company(id: $id) {
        locations(first: 4) { nodes { name shippingAddress { city } taxSettings { taxExempt } } }
        contactRoles(first: 4) { nodes { name } }
        contacts(first: 4) { nodes { roleAssignments(first: 2) { nodes { role { name } } } } }
      }
    }
    """,
]
VARIABLES: dict[str, Any] = {
    "with": True,
    "ids": [customer_gid(3), company_gid(1), customer_gid(999_999)],
    "id": company_gid(2),
}


@pytest.fixture(scope="module")
def made() -> Shop:
    """Make a shop without a socket."""
    shop = Shop(40, Crowd(7), Quirks())
    seed_companies(shop, 3)
    return shop


@pytest.mark.parametrize("document", DOCUMENTS)
def test_a_plan_answers_as_graphql_core_does(made: Shop, document: str) -> None:
    """Fragments, aliases, directives, merged fields and interfaces."""
    operation, variables = Planner(RESOLVERS).prepare(document, None, VARIABLES)
    run = Run(variables, made)

    def resolve(source: Any, info: GraphQLResolveInfo[Any], **given: Any) -> Any:
        parent = info.parent_type.name
        family = "Connection" if parent.endswith("Connection") else parent
        resolver = RESOLVERS.get(family, {}).get(info.field_name)
        return resolver(source, given, run) if resolver else source.get(info.field_name)

    expected = execute_sync(
        sandbox_schema(),
        parse(document),
        variable_values=VARIABLES,
        field_resolver=resolve,
        type_resolver=lambda value, *_: value["__typename"],
        root_value={},
    )

    assert expected.errors is None
    assert operation.root.select({}, run) == expected.data


@pytest.mark.parametrize(
    ("document", "name"),
    [
        ("{ customers(first: 1) { nodes { frstName } } }", None),
        ("{ shop { name }", None),
        ("query A { shop { name } } query B { shop { id } }", None),
        ("query A { shop { name } }", "B"),
        ("{ __schema { types { name } } }", None),
        ("query A($id: ID!) { customer(id: $id) { id } }", None),
        ('{ customerByIdentifier(identifier: {id: "1", emailAddress: "a"}) { id } }', None),
    ],
)
def test_what_the_schema_does_not_know_is_refused(document: str, name: str | None) -> None:
    """Unknown fields, broken syntax, an unclear operation, missing variables."""
    with pytest.raises(Invalid):
        Planner(RESOLVERS).prepare(document, name, {})


def test_a_document_is_compiled_once(made: Shop) -> None:
    """But not where directives depend on variables: there each answer is its own."""
    planner = Planner(RESOLVERS)

    first, _ = planner.prepare(DOCUMENTS[0], None, {})
    again, _ = planner.prepare(DOCUMENTS[0], None, {})
    with_it, variables = planner.prepare(DOCUMENTS[1], None, {"with": True})
    without, _ = planner.prepare(DOCUMENTS[1], None, {"with": False})

    assert first is again
    node = with_it.root.select({}, Run(variables, made))["customers"]["edges"][0]["node"]
    assert "updatedAt" in node
    assert with_it is not without
