"""Reads whole customers and companies: the answers' lists complete, the app's approval respected.

Promise: a record either has all of its addresses, locations and contacts, or is not returned; and
no query costs more than a query may, since fewer records are asked for where it would.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from shared.connectors.shopify.approval import Approval
from shared.connectors.shopify.client import Item, Reply, ShopifyClient
from shared.connectors.shopify.documents import (
    MOST_NESTED,
    Document,
    Selection,
    by_ids,
    rest_of,
    search,
)
from shared.connectors.shopify.errors import CostExceeded, FieldsDenied
from shared.connectors.shopify.settings import MetafieldKey, ShopifySettings
from shared.connectors.shopify.wire import alias
from shared.domain.errors import ConfigurationError, UnreadableAnswer

COMPANIES_AT_ONCE = 20
_LATEST = 50
_LOOK_AGAIN_SECONDS = 3600.0
_MOST_PAGES = 10_000
Build = Callable[[Selection], Document]


@dataclass(frozen=True, slots=True)
class Found:
    """A page of a search, where it goes on (None: nowhere), and the shop's clock."""

    items: Sequence[Item]
    cursor: str | None
    at: datetime | None


class Reading:
    """Reads records of one shop; threads may share it."""

    def __init__(
        self,
        client: ShopifyClient,
        settings: ShopifySettings,
        additional: Sequence[MetafieldKey] = (),
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.client = client
        self.approval = Approval(clock=clock)
        self._selection = _selection(settings, additional)
        self._page_size = settings.page_size
        self._clock = clock
        self._lock = threading.Lock()
        self._largest: dict[str, int] = {}
        self._looked_at: float | None = None

    @property
    def selection(self) -> Selection:
        """What may be read of records at present."""
        return self._selection._replace(denied=self.approval.denied)

    def customers(self, query: str | None, cursor: str | None, sort_key: str) -> Found:
        """Return a page of whole customers."""
        name = "CustomersChanged" if sort_key == "UPDATED_AT" else "CustomersById"
        found = self.search(
            lambda selection: search(name, "customers", sort_key, selection.customer()),
            query,
            cursor,
            self._page_size,
        )
        return Found(self.whole_customers(found.items), found.cursor, found.at)

    def companies(self, query: str | None, cursor: str | None, sort_key: str) -> Found:
        """Return a page of whole companies."""
        found = self.search(
            lambda selection: search("CompaniesById", "companies", sort_key, selection.company()),
            query,
            cursor,
            min(self._page_size, COMPANIES_AT_ONCE),
        )
        return Found([self._whole_company(item) for item in found.items], found.cursor, found.at)

    def customers_of(self, gids: Sequence[str]) -> dict[str, Item]:
        """Return those of the customers that exist, by their gid."""

        def build(selection: Selection) -> Document:
            return by_ids("CustomersOfIds", "Customer", selection.customer())

        return _by_gid(self.whole_customers(self._of(build, gids)))

    def companies_of(self, gids: Sequence[str]) -> dict[str, Item]:
        """Return those of the companies that exist, by their gid."""

        def build(selection: Selection) -> Document:
            return by_ids("CompaniesOfIds", "Company", selection.company())

        return _by_gid([self._whole_company(item) for item in self._of(build, gids)])

    def search(self, build: Build, query: str | None, cursor: str | None, first: int) -> Found:
        """Return a page of a search, of fewer records than `first` if those cost too much."""
        name = build(self.selection).name
        while True:
            size = min(first, self._largest.get(name, first))
            try:
                reply = self.ask(build, first=size, after=cursor, query=query)
                return connection(reply.data.get("found"), reply.at)
            except CostExceeded as error:
                if size == 1:
                    text = "one record costs more than a query may: read fewer metafields"
                    raise ConfigurationError(text) from error
                self._largest[name] = size // 2

    def ask(self, build: Build, **variables: Any) -> Reply:
        """Send a document, without the personal data that the app may not read."""
        while True:
            try:
                return self.client.ask(build(self.selection), **variables)
            except FieldsDenied as error:
                if not self.approval.deny(error.protected):
                    raise

    def whole_customers(self, items: Sequence[Item]) -> list[Item]:
        """Return customers with all of their addresses, and without nulls that say nothing."""

        def addresses(selection: Selection) -> Document:
            return rest_of("CustomerAddresses", "Customer", "addressesV2", selection.address())

        whole = [self._completed(item, "addressesV2", addresses) for item in items]
        self._learn(whole)
        return [self.approval.spoken(item) for item in whole]

    def _whole_company(self, item: Item) -> Item:
        def locations(selection: Selection) -> Document:
            return rest_of("CompanyLocations", "Company", "locations", selection.location())

        def contacts(selection: Selection) -> Document:
            return rest_of("CompanyContacts", "Company", "contacts", selection.contact())

        whole = self._completed(self._completed(item, "locations", locations), "contacts", contacts)
        people = [contact.get("customer") or {} for contact in whole.get("contacts", ())]
        self._learn(people)
        spoken = [
            {**contact, "customer": self.approval.spoken(person)}
            for contact, person in zip(whole.get("contacts", ()), people, strict=True)
        ]
        return {**whole, "contacts": spoken}

    def _completed(self, item: Item, field: str, build: Build) -> Item:
        """Return the item with the connection `field` as a whole list."""
        if not isinstance(item.get(field), dict):
            return item
        found = connection(item[field], None)
        nodes = list(found.items)
        for _ in range(_MOST_PAGES):
            if found.cursor is None:
                return {**item, field: nodes}
            before = found.cursor
            reply = self.ask(build, id=item.get("id"), first=MOST_NESTED, after=before)
            node = reply.data.get("node")
            if not isinstance(node, dict):
                raise UnreadableAnswer("a record vanished while it was read")
            found = connection(node.get("found"), None)
            if found.cursor == before:
                raise UnreadableAnswer(f"a page of {field} repeats")
            nodes += found.items
        raise UnreadableAnswer(f"{field} without end")

    def _of(self, build: Build, gids: Sequence[str]) -> list[Item]:
        if not gids:
            return []
        try:
            reply = self.ask(build, ids=list(gids))
        except CostExceeded as error:
            if len(gids) == 1:
                text = "one record costs more than a query may: read fewer metafields"
                raise ConfigurationError(text) from error
            middle = len(gids) // 2
            return self._of(build, gids[:middle]) + self._of(build, gids[middle:])
        nodes = reply.data.get("nodes")
        if not isinstance(nodes, list) or len(nodes) != len(gids):
            raise UnreadableAnswer("not one record for each id")
        for gid, node in zip(gids, nodes, strict=True):
            # An id of another kind comes as an empty object: that record is not there either.
            if node and node.get("id") != gid:
                raise UnreadableAnswer("asked for one record, got another")
        return [node for node in nodes if node]

    def _learn(self, customers: Sequence[Item]) -> None:
        """Learn what may be read; ask others for what nobody has shown, once in a while."""
        self.approval.learn(customers)
        if not customers or self.approval.unseen <= self.approval.denied:
            return
        with self._lock:
            now = self._clock()
            if self._looked_at is not None and now - self._looked_at < _LOOK_AGAIN_SECONDS:
                return
            self._looked_at = now
        self.approval.learn(self.latest_customers())

    def latest_customers(self) -> Sequence[Item]:
        """Return some customers that were made last, with the first of their addresses."""

        def build(selection: Selection) -> Document:
            fields = selection.customer()
            return search("CustomersLatest", "customers", "CREATED_AT", fields, reverse=True)

        found = self.search(build, None, None, _LATEST)
        return [_flat(item, "addressesV2") for item in found.items]


def connection(value: Any, at: datetime | None) -> Found:
    """Read a page of a list. Raises `UnreadableAnswer` for what is none, or leads nowhere."""
    info = value.get("pageInfo") if isinstance(value, dict) else None
    nodes = value.get("nodes") if isinstance(value, dict) else None
    if not isinstance(nodes, list) or not isinstance(info, dict):
        raise UnreadableAnswer("not a page where one is due")
    if not all(isinstance(node, dict) for node in nodes):
        raise UnreadableAnswer("not a list of records where one is due")
    if not info.get("hasNextPage"):
        return Found(nodes, None, at)
    cursor = info.get("endCursor")
    if not nodes or not isinstance(cursor, str) or not cursor:
        raise UnreadableAnswer("the shop says that there is more but shows none")
    return Found(nodes, cursor, at)


def _flat(item: Item, field: str) -> Item:
    value = item.get(field)
    return {**item, field: connection(value, None).items} if isinstance(value, dict) else item


def _by_gid(items: Sequence[Item]) -> dict[str, Item]:
    return {item["id"]: item for item in items}


def _selection(settings: ShopifySettings, additional: Sequence[MetafieldKey]) -> Selection:
    further = dict.fromkeys((*map(MetafieldKey.of, settings.metafields), *additional))
    aliased = [(alias(number), name) for number, name in enumerate(further)]
    of_customer = [("number", MetafieldKey.of(settings.number_metafield)), *aliased]
    if settings.tax_id_metafield:
        of_customer.insert(1, ("taxId", MetafieldKey.of(settings.tax_id_metafield)))
    return Selection(of_customer, aliased)
