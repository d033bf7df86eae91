"""The simulated Shopify shop of the demo: customers, and companies with their locations."""

import time
from collections.abc import Iterator, Mapping
from typing import Any, Final

from services.console.cli.failures import Refused
from services.console.demo.shops.port import Account, Edit
from services.console.demo.shops.site import Record, Site

TOKEN: Final = "shpat_sandboxaccesstoken000000000"  # noqa: S105 - the sandbox's documented one
_API: Final = "/admin/api/2026-07/graphql.json"

_TRIES: Final = 30

_CUSTOMERS: Final = """
query Customers($after: String) {
  customers(first: 250, after: $after) {
    nodes {
      legacyResourceId
      defaultAddress { id }
      metafield(namespace: "erp", key: "customer_number") { value }
    }
    pageInfo { hasNextPage endCursor }
  }
}
"""
_COMPANIES: Final = """
query Companies($after: String) {
  companies(first: 50, after: $after) {
    nodes { id externalId locations(first: 1) { nodes { billingAddress { id } } } }
    pageInfo { hasNextPage endCursor }
  }
}
"""
_ONE: Final = """
query One($id: ID!) { customer(id: $id) { updatedAt defaultAddress { address1 } } }
"""


class ShopifyShop:
    """One Shopify shop at `url`."""

    title = "Shopify shop"
    is_polled = True

    def __init__(self, url: str, channel: str = "shop") -> None:
        self.url = url
        self.channel = channel
        self._site = Site(url, {"X-Shopify-Access-Token": TOKEN})

    def configuration(self) -> str:
        """Return the channel's tables."""
        return _TEXT.format(channel=self.channel, url=self.url, token=TOKEN)

    def prepare(self) -> None:
        """Define the metafield that takes the number: of type id, so that it is unique."""
        self._site.control("PUT", "metafield_definition")

    def expected(self) -> Mapping[str, int]:
        """Return how many customers and companies there are."""
        return {
            "online": sum(1 for _ in self._nodes(_CUSTOMERS, "customers")),
            "companies": sum(1 for _ in self._nodes(_COMPANIES, "companies")),
        }

    def accounts(self) -> Iterator[Account]:
        """Yield every customer, then every company."""
        for node in self._nodes(_CUSTOMERS, "customers"):
            number = node["metafield"] and node["metafield"]["value"]
            has_billing = node["defaultAddress"] is not None
            yield Account(str(node["legacyResourceId"]), "online", number, has_billing)
        for node in self._nodes(_COMPANIES, "companies"):
            has_billing = any(each["billingAddress"] for each in node["locations"]["nodes"])
            external_id = f"company:{node['id'].rpartition('/')[2]}"
            yield Account(external_id, "companies", node["externalId"], has_billing)

    def edit_an_address(self, external_id: str, street: str) -> Edit:
        """Edit the default address, which leaves the change time alone."""
        shown = self._customer(external_id)
        if shown["defaultAddress"] is None:
            raise Refused(f"customer {external_id} has no default address")
        self._site.control("PATCH", f"customers/{external_id}/address", {"address1": street})
        before, after = shown["updatedAt"], self._customer(external_id)["updatedAt"]
        street_before = shown["defaultAddress"]["address1"]
        return Edit(street_before, street, after, is_dated=before != after)

    def close(self) -> None:
        """Let go of the connections."""
        self._site.close()

    def _customer(self, external_id: str) -> Any:
        return self._ask(_ONE, id=f"gid://shopify/Customer/{external_id}")["customer"]

    def _nodes(self, query: str, field: str) -> Iterator[Record]:
        after, is_more = None, True
        while is_more:
            found = self._ask(query, after=after)[field]
            yield from found["nodes"]
            after, is_more = found["pageInfo"]["endCursor"], found["pageInfo"]["hasNextPage"]

    def _ask(self, query: str, **variables: str | None) -> Any:
        for _ in range(_TRIES):
            answer = self._site.call("POST", _API, {"query": query, "variables": variables})
            if "errors" not in answer:
                return answer["data"]
            if not _is_throttled(answer):
                break
            # Patron has used up the points; they come back by the second.
            time.sleep(1.0)
        raise Refused("the shop refused a query of the demo")


def _is_throttled(answer: Record) -> bool:
    codes = {error.get("extensions", {}).get("code") for error in answer["errors"]}
    return codes == {"THROTTLED"}


_TEXT: Final = """
[channels.{channel}]
platform = "shopify"

[channels.{channel}.connector]
base_url = "{url}"

[channels.{channel}.connector.auth]
kind = "token"
token = "{token}"        # the sandbox's documented one; worthless anywhere else

[[channels.{channel}.store_views]]
code = "online"
remote = {{ entity = "customers" }}

[[channels.{channel}.store_views]]
code = "companies"
remote = {{ entity = "companies" }}
"""
