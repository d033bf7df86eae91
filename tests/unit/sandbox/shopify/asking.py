"""Puts GraphQL to the sandbox as a client would."""

from typing import Any

import httpx2

from services.sandbox.shopify import SandboxShopify

CUSTOMERS = """
query Customers(
  $first: Int = 50, $after: String, $query: String, $sort: CustomerSortKeys = ID,
  $reverse: Boolean = false
) {
  customers(first: $first, after: $after, query: $query, sortKey: $sort, reverse: $reverse) {
    nodes { id updatedAt }
    pageInfo { hasNextPage hasPreviousPage endCursor }
  }
}
"""
CUSTOMER = """
query Customer($id: ID!) {
  customer(id: $id) {
    id updatedAt firstName lastName note tags locale email phone displayName
    defaultEmailAddress { emailAddress marketingState }
    defaultAddress { id }
    addressesV2(first: 10) {
      nodes { id address1 city company countryCodeV2 provinceCode phone name }
    }
    metafield(namespace: "erp", key: "customer_number") { value type compareDigest }
  }
}
"""
CREATE = """
mutation CustomerCreate($input: CustomerInput!) {
  customerCreate(input: $input) { customer { id updatedAt } userErrors { field message } }
}
"""
UPDATE = """
mutation CustomerUpdate($input: CustomerInput!) {
  customerUpdate(input: $input) {
    customer { id updatedAt firstName lastName note tags phone email }
    userErrors { field message }
  }
}
"""
SET_METAFIELDS = """
mutation MetafieldsSet($metafields: [MetafieldsSetInput!]!) {
  metafieldsSet(metafields: $metafields) {
    metafields { value compareDigest }
    userErrors { field message code }
  }
}
"""


class Asking:
    """One client of a running shop."""

    def __init__(self, shop: SandboxShopify, client: httpx2.Client) -> None:
        self._shop = shop
        self._client = client
        self.headers = shop.headers()

    def post(self, document: str, /, **variables: Any) -> httpx2.Response:
        """Return the whole answer."""
        body = {"query": document, "variables": variables}
        return self._client.post(self._shop.graphql_url, json=body, headers=self.headers)

    def answer(self, document: str, /, **variables: Any) -> dict[str, Any]:
        """Return the body of the answer, errors included."""
        found: dict[str, Any] = self.post(document, **variables).json()
        return found

    def __call__(self, document: str, /, **variables: Any) -> Any:
        """Return the one root field of an answer without errors."""
        found = self.answer(document, **variables)
        assert "errors" not in found, found["errors"]
        (value,) = found["data"].values()
        return value

    def get(self, url: str) -> httpx2.Response:
        """Fetch a file, with no token."""
        return self._client.get(url)

    def found(self, query: str = "", **variables: Any) -> list[str]:
        """Return the ids of the customers that a search finds."""
        return [each["id"] for each in self(CUSTOMERS, query=query, **variables)["nodes"]]
