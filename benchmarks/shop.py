"""The simulated shop of a measurement: a process of its own, and what it is asked about.

Its promise: asking leaves no trace in the shop's books of API requests.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import httpx2

from benchmarks.processes import Process

NUMBER: Final = "erp_customer_number"
PRICE_GROUP: Final = "erp_price_group"


class Shop:
    """A sandbox Magento with `customers` tidy customers."""

    def __init__(self, customers: int, *, environment: Mapping[str, str], log: Path) -> None:
        self.customers = customers
        self._process = Process(
            "services.sandbox", "--port", "0", "--customers", str(customers), "--tidy",
            environment=environment, log=log,
        )  # fmt: skip

    def __enter__(self) -> Self:
        words = self._process.wait_for("\n")
        found = re.search(r"http://\S+", words)
        assert found, words
        self.url = found[0]
        self._client = httpx2.Client(base_url=f"{self.url}/_sandbox/", timeout=30)
        self._ask("PATCH", "quirks", validates_names=False)
        self._ask("PUT", f"attributes/{PRICE_GROUP}")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()
        self._process.end()

    @property
    def pid(self) -> int:
        """The id of the shop's process."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the shop is still there."""
        return self._process.is_running

    def stats(self) -> dict[str, Any]:
        """Return the shop's books."""
        books: dict[str, Any] = self._ask("GET", "stats")
        return books

    def attribute(self, customer_id: int, code: str) -> str | None:
        """Return what a customer's attribute holds now."""
        customer = self._ask("GET", f"customers/{customer_id}")
        for attribute in customer.get("custom_attributes", ()):
            if attribute["attribute_code"] == code:
                return str(attribute["value"])
        return None

    def numbers(self) -> dict[str, str]:
        """Return the customer number of every customer that has one."""
        found: dict[str, str] = self._ask("GET", f"attributes/{NUMBER}")
        return found

    def rename(self, customer_id: str, lastname: str) -> None:
        """Let a shopper change the name of the account; the change time moves."""
        self._ask("PATCH", f"customers/{customer_id}", lastname=lastname)

    def move(self, customer_id: str, street: str) -> None:
        """Let a shopper edit the first address; the change time stays."""
        self._ask("PATCH", f"customers/{customer_id}/address", street=[street])

    def register(self, shopper: int) -> int:
        """Let somebody register who was never here, and return the new customer's id."""
        name = {"firstname": "Mila", "lastname": f"Jansen{shopper}"}
        address = {
            **name,
            "street": [f"Kerkstraat {shopper}"],
            "postcode": "1017 GA",
            "city": "Amsterdam",
            "country_id": "NL",
            "telephone": f"+31 20 555 {shopper:04}",
            "default_billing": True,
            "default_shipping": True,
        }
        customer = {
            **name,
            "email": f"shopper{shopper}@example.com",
            "store_id": 3,
            "website_id": 1,
            "group_id": 1,
            "addresses": [address],
        }
        return int(self._ask("POST", "customers", **customer)["id"])

    def _ask(self, method: str, path: str, **body: Any) -> Any:
        response = self._client.request(method, path, json=body or None)
        response.raise_for_status()
        return response.json()
