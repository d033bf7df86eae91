"""Customers made whole: the shop embeds ten addresses and ten attributes, the rest is read besides.

Metafields and the companies that a customer buys for are read where the configuration needs them.
Promise: whoever reads a customer, by whichever call, gets the same record of the same content.
"""

import math
from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import datetime
from typing import Final

from shared.connectors.bigcommerce.answers import Item, id_of
from shared.connectors.bigcommerce.beside import Beside
from shared.connectors.bigcommerce.client import BigCommerceClient
from shared.connectors.bigcommerce.companies.client import CompaniesClient
from shared.connectors.bigcommerce.companies.record import external_id, moment_of
from shared.connectors.bigcommerce.earlier import Earlier
from shared.connectors.bigcommerce.names import Names
from shared.connectors.bigcommerce.record import attribute_values, record_of
from shared.connectors.bigcommerce.settings import BigCommerceSettings
from shared.connectors.content import moment
from shared.connectors.ports import RemoteRecord

EMBEDDED: Final = 10
_SWEPT_SECONDS: Final = 600.0
_SUBSCRIBER: Final = ("id", "channel_id", "consents", "date_modified")


class Assembly:
    """Makes records of what the shop lists; threads may share it."""

    def __init__(
        self,
        settings: BigCommerceSettings,
        client: BigCommerceClient,
        companies: CompaniesClient,
    ) -> None:
        self._client = client
        self._page_size = settings.page_size
        self._namespaces = settings.namespaces
        self.groups = Names(client.groups)
        self.attributes = Names(client.attributes)
        self._metafields = _metafields(client, self._namespaces) if self._namespaces else None
        self._users = _users(companies) if settings.company_view else None
        self._subscribers = _subscribers(client) if settings.newsletter_consent else None
        lists = (self._metafields, self._users, self._subscribers)
        self._beside: list[Beside[int] | Beside[str]] = [rows for rows in lists if rows]

    def begin(self, *, anew: bool = False) -> Iterator[None]:
        """Read what stands beside customers, if it is not known yet, in steps of a page.

        A sweep reads it `anew`: what is deleted there leaves no trace.
        """
        for rows in self._beside:
            if rows.is_older_than(_SWEPT_SECONDS if anew else math.inf):
                while rows.load_more():
                    yield

    def read(self, customer_ids: Iterable[int]) -> dict[int, RemoteRecord]:
        """Return those of the customers that there are, each exactly as it is now."""
        items = self._listed(customer_ids)
        if self._metafields:
            for item in items:
                customer_id = id_of(item)
                metafields = self._client.metafields_of(customer_id, self._namespaces)
                self._metafields.replace(customer_id, metafields)
        for rows in self._beside:
            if rows is not self._metafields:
                rows.refresh()
        return {int(record.external_id): record for record in self._records(items)}

    def whole(self, items: Sequence[Item]) -> list[RemoteRecord]:
        """Return the records of a page of customers."""
        if items:
            for rows in self._beside:
                rows.refresh()
        return self._records(items)

    def listed(self, customer_ids: Iterable[int]) -> list[RemoteRecord]:
        """Return the records of those of the customers that there are."""
        return self.whole(self._listed(customer_ids))

    def touched_since(self, since: datetime, earlier: Earlier) -> Iterator[set[int]]:
        """Yield the customers of whom something changed that leaves their own time alone.

        What an earlier run brought, to its end, is passed over.
        """
        for page in self._client.changed_attribute_values(since):
            yield {id_of(row, "customer_id") for row in earlier.news(page)}
        if self._metafields:
            for page in self._metafields.changed_since(since):
                yield self._metafields.owners_of(earlier.news(page))
        if self._users:
            for page in self._users.changed_since(since):
                yield self._users.owners_of(earlier.news(page))
        if self._subscribers:
            for page in self._subscribers.changed_since(since):
                yield self._subscribed(earlier.news(page))

    def _subscribed(self, rows: Sequence[Item]) -> set[int]:
        emails = sorted({email for row in rows if (email := _email_of(row))})
        found: set[int] = set()
        for start in range(0, len(emails), self._page_size):
            some = emails[start : start + self._page_size]
            found |= {id_of(item) for item in self._client.customers_called(some)}
        return found

    def _listed(self, customer_ids: Iterable[int]) -> list[Item]:
        wanted = sorted(customer_ids)
        items: list[Item] = []
        for start in range(0, len(wanted), self._page_size):
            items += self._client.customers(wanted[start : start + self._page_size])
        return items

    def _records(self, items: Sequence[Item]) -> list[RemoteRecord]:
        whole = [self._with_company_and_consent(item) for item in self._with_the_rest(items)]
        self.groups.learn(group for item in whole if (group := _group_of(item)))
        self.attributes.learn(number for item in whole for number in attribute_values(item))
        return [record_of(item) for item in whole]

    def _with_the_rest(self, items: Sequence[Item]) -> list[Item]:
        of_addresses = {id_of(i) for i in items if _is_cut(i, "addresses", "address_count")}
        of_values = {id_of(i) for i in items if _is_cut(i, "attributes", "attribute_count")}
        addresses = _by_customer(self._client.addresses(of_addresses) if of_addresses else ())
        values = _by_customer(self._client.attribute_values(of_values) if of_values else ())
        whole = []
        for item in items:
            customer_id = id_of(item)
            more = {"addresses": addresses[customer_id]} if customer_id in of_addresses else {}
            if customer_id in of_values:
                more["attributes"] = values[customer_id]
            if self._metafields:
                more["metafields"] = self._metafields.of(customer_id)
            whole.append({**item, **more})
        return whole

    def _with_company_and_consent(self, item: Item) -> Item:
        more: Item = {}
        if self._users:
            users = self._users.of(id_of(item))
            more["companies"] = sorted({external_id(id_of(u, "companyId")) for u in users})
        if self._subscribers:
            rows = self._subscribers.of(_email_of(item) or "")
            more["subscribers"] = [{name: row.get(name) for name in _SUBSCRIBER} for row in rows]
        return {**item, **more}


def _is_cut(item: Item, name: str, count: str) -> bool:
    """Whether the shop embeds fewer than the customer has."""
    shown, told = item.get(name), item.get(count)
    number = len(shown) if isinstance(shown, list) else 0
    return number < told if isinstance(told, int) else number >= EMBEDDED


def _group_of(item: Item) -> int:
    number = item.get("customer_group_id")
    return number if isinstance(number, int) else 0


def _by_customer(rows: Collection[Item]) -> defaultdict[int, list[Item]]:
    found: defaultdict[int, list[Item]] = defaultdict(list)
    for row in rows:
        found[id_of(row, "customer_id")].append(row)
    return found


def _email_of(item: Item) -> str | None:
    email = item.get("email")
    return email.strip().casefold() if isinstance(email, str) and email.strip() else None


def _metafields(client: BigCommerceClient, namespaces: Collection[str]) -> Beside[int]:
    return Beside(
        lambda since: client.metafields(namespaces, since),
        owner=lambda row: id_of(row, "resource_id"),
        touched=lambda row: moment(row.get("date_modified")),
    )


def _subscribers(client: BigCommerceClient) -> Beside[str]:
    return Beside(
        client.subscribers,
        owner=_email_of,
        touched=lambda row: moment(row.get("date_modified")),
    )


def _users(companies: CompaniesClient) -> Beside[int]:
    return Beside(
        lambda since: [companies.users(since=since)],
        owner=lambda row: row.get("customerId"),
        touched=lambda row: moment_of(row.get("updatedAt")),
    )
