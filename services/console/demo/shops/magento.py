"""The simulated Magento shop of the demo, with five store views on two websites."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from services.console.cli.failures import Refused
from services.console.demo.shops.port import Account, Edit
from services.console.demo.shops.site import Record, Site

STORE_VIEWS: Final = {"de": 1, "fr": 2, "nl": 3, "uk": 4, "us": 5}
WEBSITES: Final = {"de": 1, "fr": 1, "nl": 1, "uk": 2, "us": 2}
NUMBER_ATTRIBUTE: Final = "erp_customer_number"
ADDITIONAL: Final = {"erp_template": "ERP Template", "erp_payment_terms": "ERP Payment Terms"}
_PAGE_SIZE: Final = 300


class MagentoShop:
    """One Magento shop at `url`."""

    title = "Magento shop"
    is_polled = True

    def __init__(self, url: str, channel: str = "shop") -> None:
        self.url = url
        self.channel = channel
        self._site = Site(url)
        token = self._site.control("POST", "admin_token")["token"]
        self._site.authorize(Authorization=f"Bearer {token}")

    def configuration(self) -> str:
        """Return the channel's tables."""
        return configuration(self.url, self.channel)

    def prepare(self) -> None:
        """Define the attributes that additional data is written to."""
        for code, label in ADDITIONAL.items():
            self._site.control("PUT", f"attributes/{code}", {"label": label})

    def expected(self) -> Mapping[str, int]:
        """Return how many customers each store view has."""
        return {
            code: int(self._search(number, page=1, size=1)["total_count"])
            for code, number in STORE_VIEWS.items()
        }

    def accounts(self) -> Iterator[Account]:
        """Yield every customer of every store view."""
        for code, number in STORE_VIEWS.items():
            for customer in self._customers(number):
                yield account(customer, code)

    def edit_an_address(self, external_id: str, street: str) -> Edit:
        """Edit the default billing address, which leaves the change time alone."""
        shown = self._site.call("GET", f"/rest/V1/customers/{external_id}")
        address = _billing(shown)
        if address is None:
            raise Refused(f"customer {external_id} has no default billing address")
        path = f"customers/{external_id}/addresses/{address['id']}"
        self._site.control("PATCH", path, {"street": [street]})
        edited = self._site.call("GET", f"/rest/V1/customers/{external_id}")
        before, after = shown["updated_at"], edited["updated_at"]
        return Edit(", ".join(address["street"]), street, after, is_dated=before != after)

    def close(self) -> None:
        """Let go of the connections."""
        self._site.close()

    def _customers(self, store_id: int) -> Iterator[Record]:
        page, is_more = 1, True
        while is_more:
            found = self._search(store_id, page=page, size=_PAGE_SIZE)
            yield from found["items"]
            is_more = page * _PAGE_SIZE < found["total_count"]
            page += 1

    def _search(self, store_id: int, *, page: int, size: int) -> Record:
        criteria = "searchCriteria"
        by_store = f"{criteria}[filter_groups][0][filters][0]"
        query = {
            f"{by_store}[field]": "store_id",
            f"{by_store}[value]": str(store_id),
            f"{by_store}[condition_type]": "eq",
            f"{criteria}[sortOrders][0][field]": "entity_id",
            f"{criteria}[sortOrders][0][direction]": "ASC",
            f"{criteria}[pageSize]": str(size),
            f"{criteria}[currentPage]": str(page),
        }
        found: Record = self._site.call("GET", "/rest/V1/customers/search", **query)
        return found


def account(customer: Record, store_view: str) -> Account:
    """Return a customer of the API as an account."""
    attributes = {
        each["attribute_code"]: str(each["value"]) or None
        for each in customer.get("custom_attributes", ())
    }
    return Account(
        external_id=str(customer["id"]),
        store_view=store_view,
        number=attributes.get(NUMBER_ATTRIBUTE),
        has_billing=_billing(customer) is not None,
        values={code: attributes.get(code) for code in ADDITIONAL},
    )


def configuration(url: str, channel: str = "shop") -> str:
    """Return the tables of a channel for the shop at `url`."""
    views = "".join(
        _VIEW.format(channel=channel, code=code, store_id=number, website_id=WEBSITES[code])
        for code, number in STORE_VIEWS.items()
    )
    return _TEXT.format(channel=channel, url=url) + views


def _billing(customer: Record) -> Any:
    """Return the address that bills go to, if there is one."""
    wanted = customer.get("default_billing")
    return next((a for a in customer["addresses"] if str(a["id"]) == str(wanted)), None)


_TEXT: Final = """
[channels.{channel}]
platform = "magento"
# What is written to the shop beside the customer number.
additional_data = {{ erp_template = "template", erp_payment_terms = "values.payment_terms" }}

[channels.{channel}.connector]
base_url = "{url}"

# The sandbox's documented integration; worthless anywhere else.
[channels.{channel}.connector.auth]
kind = "oauth1"
consumer_key = "sandboxconsumerkey00000000000000"
consumer_secret = "sandboxconsumersecret00000000000"
access_token = "sandboxaccesstoken00000000000000"
access_token_secret = "sandboxtokensecret00000000000000"
"""

_VIEW: Final = """
[[channels.{channel}.store_views]]
code = "{code}"
remote = {{ store_id = {store_id}, website_id = {website_id} }}
"""
