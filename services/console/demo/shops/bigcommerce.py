"""The simulated BigCommerce shop of the demo."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from services.console.cli.failures import Refused
from services.console.demo.shops.port import Account, Edit
from services.console.demo.shops.site import Record, Site

STORE_HASH: Final = "sandboxstore1"
TOKEN: Final = "sandboxaccesstoken000000000000b"  # noqa: S105 - the sandbox's documented one
NUMBER_ATTRIBUTE: Final = "erp_customer_number"
ADDITIONAL: Final = ("erp_payment_terms",)
STORE_VIEW: Final = "main"
_API: Final = f"/stores/{STORE_HASH}/v3/customers"
_PAGE_SIZE: Final = 250


class BigCommerceShop:
    """One BigCommerce shop at `url`. It marks no address as billing address: the oldest is it."""

    title = "BigCommerce shop"
    is_polled = True

    def __init__(self, url: str, channel: str = "shop") -> None:
        self.url = url
        self.channel = channel
        self._site = Site(url, {"X-Auth-Token": TOKEN})

    def configuration(self) -> str:
        """Return the channel's tables."""
        return _TEXT.format(channel=self.channel, url=self.url, store_hash=STORE_HASH, token=TOKEN)

    def prepare(self) -> None:
        """Define the customer attributes that are written to."""
        wanted = [{"name": name, "type": "string"} for name in (NUMBER_ATTRIBUTE, *ADDITIONAL)]
        self._site.call("POST", f"{_API}/attributes", wanted)

    def expected(self) -> Mapping[str, int]:
        """Return how many customers there are."""
        found = self._site.call("GET", _API, limit="1")
        return {STORE_VIEW: int(found["meta"]["pagination"]["total"])}

    def accounts(self) -> Iterator[Account]:
        """Yield every customer."""
        names = self._attribute_names()
        page, pages = 1, 1
        while page <= pages:
            query = {"include": "addresses,attributes", "limit": str(_PAGE_SIZE), "page": str(page)}
            found = self._site.call("GET", _API, **query)
            yield from (_account(customer, names) for customer in found["data"])
            pages = found["meta"]["pagination"]["total_pages"]
            page += 1

    def edit_an_address(self, external_id: str, street: str) -> Edit:
        """Edit the oldest address, which leaves the change time alone."""
        shown = self._customer(external_id)
        if not shown["addresses"]:
            raise Refused(f"customer {external_id} has no address")
        address = min(shown["addresses"], key=lambda each: each["id"])
        path = f"customers/{external_id}/addresses/{address['id']}"
        self._site.control("PATCH", path, {"address1": street})
        before, after = shown["date_modified"], self._customer(external_id)["date_modified"]
        return Edit(address["address1"], street, after, is_dated=before != after)

    def close(self) -> None:
        """Let go of the connections."""
        self._site.close()

    def _customer(self, external_id: str) -> Any:
        query = {"id:in": external_id, "include": "addresses"}
        return self._site.call("GET", _API, **query)["data"][0]

    def _attribute_names(self) -> dict[int, str]:
        found = self._site.call("GET", f"{_API}/attributes", limit=str(_PAGE_SIZE))
        return {each["id"]: each["name"] for each in found["data"]}


def _account(customer: Record, names: Mapping[int, str]) -> Account:
    values = {
        names[each["attribute_id"]]: each["attribute_value"] or None
        for each in customer["attributes"]
    }
    return Account(
        external_id=str(customer["id"]),
        store_view=STORE_VIEW,
        number=values.get(NUMBER_ATTRIBUTE),
        has_billing=bool(customer["addresses"]),
        values={name: values.get(name) for name in ADDITIONAL},
    )


_TEXT: Final = """
[channels.{channel}]
platform = "bigcommerce"
additional_data = {{ erp_payment_terms = "values.payment_terms" }}

[channels.{channel}.connector]
base_url = "{url}"
b2b_base_url = "{url}"
store_hash = "{store_hash}"
access_token = "{token}"        # the sandbox's documented one; worthless anywhere else
number = {{ kind = "attribute", name = "erp_customer_number" }}

[[channels.{channel}.store_views]]
code = "main"
"""
