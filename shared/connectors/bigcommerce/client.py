"""The few calls of BigCommerce's REST API that the connector makes, and what their answers must be.

At most three writes run at once, as the platform allows. Promise: what a method returns has the
shape its contract says; every other answer is an error of `shared.domain.errors`.
"""

import threading
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any, Final

from shared.connectors.bigcommerce.answers import (
    Item,
    data_of,
    id_of,
    mapping_of,
    mappings,
    succeeded,
    within,
)
from shared.connectors.bigcommerce.errors import AlreadyThere
from shared.connectors.bigcommerce.query import INCLUDED, list_of, moment_of, query
from shared.connectors.bigcommerce.settings import LARGEST_PAGE, BigCommerceSettings
from shared.connectors.http import Answer, HttpClient
from shared.domain.errors import RemoteRejected, UnreadableAnswer

WRITES_AT_ONCE: Final = 3
Parameters = Mapping[str, str | int | None]


@dataclass(frozen=True, slots=True)
class Found:
    """The rows of one page, the cursor of the next (None at the end), and the shop's clock."""

    items: Sequence[Item]
    cursor: str | None
    at: datetime | None


class BigCommerceClient:
    """Speaks to one shop; threads may share it."""

    def __init__(
        self, settings: BigCommerceSettings, http: HttpClient, explain: Callable[[Answer], str]
    ) -> None:
        self._root = f"{settings.base_url}/stores/{settings.store_hash}"
        self._headers = {"X-Auth-Token": settings.access_token.get_secret_value()}
        self._page_size = settings.page_size
        self._http = http
        self._explain = explain
        self._writing = threading.BoundedSemaphore(WRITES_AT_ONCE)

    def changed_customers(self, since: datetime | None, cursor: str | None) -> Found:
        """Return a page of the customers that changed since a moment, or of all."""
        modified = {"date_modified:min": moment_of(since) if since else None}
        return self._customers({**modified, "after": cursor})

    def customers(self, customer_ids: Collection[int]) -> Sequence[Item]:
        """Return those of a page's worth of customers that there are."""
        return self._customers({"id:in": list_of(customer_ids)}).items

    def addresses(self, customer_ids: Collection[int]) -> Sequence[Item]:
        """Return all addresses of some customers."""
        of_these: Parameters = {"customer_id:in": list_of(customer_ids), "include": "formfields"}
        return [item for page in self._pages("v3/customers/addresses", of_these) for item in page]

    def attribute_values(self, customer_ids: Collection[int]) -> Sequence[Item]:
        """Return all attribute values of some customers."""
        of_these: Parameters = {"customer_id:in": list_of(customer_ids)}
        pages = self._pages("v3/customers/attribute-values", of_these)
        return [item for page in pages for item in page]

    def changed_attribute_values(self, since: datetime) -> Iterator[Sequence[Item]]:
        """Yield the attribute values that changed since a moment, page by page."""
        changed: Parameters = {"date_modified:min": moment_of(since)}
        return self._pages("v3/customers/attribute-values", changed)

    def attributes(self) -> Sequence[Item]:
        """Return the definitions of the shop's customer attributes."""
        return [item for page in self._pages("v3/customers/attributes", {}) for item in page]

    def groups(self) -> Sequence[Item]:
        """Return the shop's customer groups, which only the older API knows."""
        found: dict[int, Item] = {}
        number = 1
        while page := self._groups({"page": number, "limit": LARGEST_PAGE}):
            groups = {id_of(item): item for item in page}
            if groups.keys() <= found.keys():
                raise UnreadableAnswer("a page of customer groups repeats")
            found |= groups
            if len(page) < LARGEST_PAGE:
                break
            number += 1
        return list(found.values())

    def metafields(
        self, namespaces: Collection[str], since: datetime | None
    ) -> Iterator[Sequence[Item]]:
        """Yield the metafields of all customers, or those that changed, page by page."""
        wanted: Parameters = {
            "namespace:in": list_of(namespaces),
            "date_modified:min": moment_of(since) if since else None,
        }
        return self._pages("v3/customers/metafields", wanted, by_cursor=True)

    def metafields_of(self, customer_id: int, namespaces: Collection[str]) -> Sequence[Item]:
        """Return a customer's metafields; of no customer there are none."""
        path = f"v3/customers/{customer_id}/metafields"
        pages = self._pages(path, {"namespace:in": list_of(namespaces)}, missing_is_empty=True)
        return [item for page in pages for item in page]

    def customers_called(self, emails: Collection[str]) -> Sequence[Item]:
        """Return those of a page's worth of e-mail addresses that are of customers."""
        return self._customers({"email:in": list_of(emails)}).items

    def subscribers(self, since: datetime | None) -> Iterator[Sequence[Item]]:
        """Yield who subscribed to newsletters, or changed that, page by page."""
        changed: Parameters = {"date_modified:min": moment_of(since) if since else None}
        return self._pages("v3/customers/subscribers", changed)

    def sample(self, path: str, limit: int = LARGEST_PAGE, **filters: str) -> Sequence[Item]:
        """Return the first rows of a list."""
        answer = self._call("GET", f"{path}{query({**filters, 'limit': limit})}")
        return data_of(succeeded(answer, self._explain))

    def put_attribute_values(self, values: Sequence[Item]) -> None:
        """Set attribute values of ten customers at the most."""
        self._write("PUT", "v3/customers/attribute-values", values)

    def put_customers(self, customers: Sequence[Item]) -> None:
        """Change ten customers at the most; what is not sent stays."""
        self._write("PUT", "v3/customers", customers)

    def create_metafields(self, metafields: Sequence[Item]) -> None:
        """Create metafields of several customers. Raises `AlreadyThere` when that is refused."""
        try:
            self._write("POST", "v3/customers/metafields", metafields)
        except RemoteRejected as error:
            # What is a 409 alone is a 422 among several: it takes a look to tell.
            raise AlreadyThere(str(error)) from error

    def update_metafields(self, metafields: Sequence[Item]) -> None:
        """Change metafields of several customers."""
        self._write("PUT", "v3/customers/metafields", metafields)

    def _customers(self, parameters: Parameters) -> Found:
        page: Parameters = {"limit": self._page_size, "include": list_of(INCLUDED)}
        answer = self._call("GET", f"v3/customers{query({**parameters, **page})}")
        body = mapping_of(succeeded(answer, self._explain))
        items = mappings(body.get("data"))
        pages = within(body, "meta", "cursor_pagination")
        cursor = within(body, "meta", "cursor_pagination", "end_cursor")
        if not items and within(body, "meta", "pagination", "total"):
            raise UnreadableAnswer("the shop counts customers but shows none")
        goes_on = items and isinstance(cursor, str) and within(pages, "links", "next")
        return Found(items, cursor if goes_on else None, answer.date)

    def _groups(self, parameters: Parameters) -> list[Item]:
        answer = self._call("GET", f"v2/customer_groups{query(parameters)}")
        if answer.status == HTTPStatus.NO_CONTENT:
            return []
        return mappings(succeeded(answer, self._explain).json())

    def _pages(
        self,
        path: str,
        parameters: Parameters,
        *,
        by_cursor: bool = False,
        missing_is_empty: bool = False,
    ) -> Iterator[Sequence[Item]]:
        """Yield the pages of a list, from cursor to cursor where the shop gives them."""
        number, before = 1, 0
        place: Parameters = {"page": 1}
        while True:
            placed: Parameters = {**parameters, **place, "limit": LARGEST_PAGE}
            answer = self._call("GET", f"{path}{query(placed)}")
            if missing_is_empty and answer.status == HTTPStatus.NOT_FOUND:
                return
            body = mapping_of(succeeded(answer, self._explain))
            items = mappings(body.get("data"))
            if not items:
                return
            if id_of(items[0]) == before:
                raise UnreadableAnswer("a page repeats")
            yield items
            number, before = number + 1, id_of(items[0])
            cursor = within(body, "meta", "cursor_pagination", "end_cursor")
            total = within(body, "meta", "pagination", "total_pages")
            if by_cursor and isinstance(cursor, str):
                is_over = not within(body, "meta", "cursor_pagination", "links", "next")
                place = {"after": cursor}
            else:
                is_over = number > total if isinstance(total, int) else len(items) < LARGEST_PAGE
                place = {"page": number}
            if is_over:
                return

    def _write(self, method: str, path: str, body: Sequence[Item]) -> None:
        with self._writing:
            answer = succeeded(self._call(method, path, body), self._explain)
        if answer.body:
            mapping_of(answer)  # A page of HTML is no success.

    def _call(self, method: str, path: str, body: Any = None) -> Answer:
        url = f"{self._root}/{path}"
        return self._http.request(method, url, headers=lambda: self._headers, json=body)
