"""The simulated shop as the demo uses it: over HTTP, as its own people would.

Reads go through the shop's API with an administrator's token, so they are not Patron's own
view of things. Edits go through the sandbox's control interface, as a shopper's would.
"""

from collections.abc import Iterator
from types import TracebackType
from typing import Any, Final, Self

import httpx2

from services.console.cli.failures import Refused

PAGE_SIZE: Final = 300
Customer = dict[str, Any]


class Shop:
    """One shop at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx2.Client(base_url=url, timeout=30)
        token = self._control("POST", "admin_token")["token"]
        self._client.headers["Authorization"] = f"Bearer {token}"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def add_attribute(self, code: str, label: str) -> None:
        """Define a customer attribute, as the shop's operator does once."""
        self._control("PUT", f"attributes/{code}", {"label": label})

    def count(self, store_id: int) -> int:
        """Return how many customers a store has."""
        return int(self._search(store_id, page=1, size=1)["total_count"])

    def customers(self, store_id: int) -> Iterator[Customer]:
        """Yield every customer of a store as the shop shows it."""
        page, is_more = 1, True
        while is_more:
            found = self._search(store_id, page=page, size=PAGE_SIZE)
            yield from found["items"]
            is_more = page * PAGE_SIZE < found["total_count"]
            page += 1

    def customer(self, customer_id: str) -> Customer:
        """Return one customer."""
        return self._answer(self._client.get(f"/rest/V1/customers/{customer_id}"))

    def edit_address(self, customer_id: str, address_id: int, **changes: Any) -> None:
        """Let the shopper edit an address; the shop does not date that."""
        self._control("PATCH", f"customers/{customer_id}/addresses/{address_id}", changes)

    def _search(self, store_id: int, *, page: int, size: int) -> Customer:
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
        return self._answer(self._client.get("/rest/V1/customers/search", params=query))

    def _control(self, method: str, path: str, body: Customer | None = None) -> Customer:
        return self._answer(self._client.request(method, f"/_sandbox/{path}", json=body))

    @staticmethod
    def _answer(response: httpx2.Response) -> Customer:
        if not response.is_success:
            path, status = response.request.url.path, response.status_code
            raise Refused(f"the shop answered {status} to {response.request.method} {path}")
        answer: Customer = response.json()
        return answer


def attribute(customer: Customer, code: str) -> str | None:
    """Return a custom attribute of a customer, None when it has none."""
    for each in customer.get("custom_attributes", ()):
        if each["attribute_code"] == code:
            return str(each["value"]) or None
    return None


def default_billing(customer: Customer) -> Customer | None:
    """Return the address that bills go to, if there is one."""
    wanted = customer.get("default_billing")
    return next((a for a in customer["addresses"] if str(a["id"]) == str(wanted)), None)
