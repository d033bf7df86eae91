"""Reads a shop's customers or companies: what changed, everything, or one.

Promise: a mark only ever moves over what was seen (see `scan`), and a record that is given is
whole.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime

import structlog

from shared.connectors.ports import Discovered, Page, RemoteRecord, Watermark
from shared.connectors.shopify.bulk import BulkExport, BulkFailed, Wanted
from shared.connectors.shopify.catalogue import discovered
from shared.connectors.shopify.client import Item
from shared.connectors.shopify.company_changes import CompanyChanges
from shared.connectors.shopify.documents import COUNT_CUSTOMERS, bulk_text
from shared.connectors.shopify.ids import gid_of, is_company
from shared.connectors.shopify.mapping import translate
from shared.connectors.shopify.reading import Reading
from shared.connectors.shopify.record import record_of
from shared.connectors.shopify.scan import INDEX_LAG, ChangeScan, by_id
from shared.connectors.shopify.settings import Entity, ShopifySettings
from shared.domain.customer import Customer
from shared.domain.errors import ConfigurationError, UnreadableAnswer

_log = structlog.get_logger()


class ShopifySource:
    """The reading side of a Shopify channel."""

    def __init__(
        self, channel: str, settings: ShopifySettings, reading: Reading, bulk: BulkExport
    ) -> None:
        self._channel = channel
        self._settings = settings
        self._reading = reading
        self._bulk = bulk

    def changes(self, store_view: str, since: Watermark | None) -> Iterator[Page]:
        """Yield what changed at or after `since`, in whole seconds.

        A first run reads a large shop by a bulk operation; that has a mark on the last page only.
        """
        moment = since.changed_at if since else None
        if self._entity(store_view) == "companies":
            yield from CompanyChanges(self._reading).pages(moment)
        elif since is None and self._is_large():
            yield from self._by_bulk()
        else:
            for step in ChangeScan(self._reading.customers, moment).steps():
                yield Page(_records(step.items), step.is_last, step.mark)

    def sweep(self, store_view: str, after: str) -> Iterator[Page]:
        """Yield every record whose scan key is greater than `after`, in their order."""
        is_of_companies = self._entity(store_view) == "companies"
        search = self._reading.companies if is_of_companies else self._reading.customers
        pages = by_id(search, after=int(after or 0))
        items = next(pages)
        for following in pages:
            yield Page(_records(items), is_last=False)
            items = following
        yield Page(_records(items), is_last=True)

    def fetch(self, external_id: str) -> RemoteRecord | None:
        """Return one record as it is now, or None when the shop says there is none."""
        if (gid := gid_of(external_id)) is None:
            return None
        reading = self._reading
        read = reading.companies_of if is_company(external_id) else reading.customers_of
        item = read([gid]).get(gid)
        return record_of(item) if item else None

    def store_view_of(self, record: RemoteRecord) -> str | None:
        """Return the store view of a customer or company; None if it is not configured."""
        is_of_company = is_company(record.external_id)
        return self._settings.code_of("companies" if is_of_company else "customers")

    def to_customer(self, record: RemoteRecord, store_view: str, read_at: datetime) -> Customer:
        """Translate a record. Raises `UnreadableRecord` naming the fields that do not fit."""
        source = record.source(self._channel, store_view, read_at)
        return translate(record.payload, source)

    def discover(self) -> Sequence[Discovered]:
        """Return what a configuration may name: the two entities and the metafields."""
        return discovered(self._reading)

    def _entity(self, code: str) -> Entity:
        try:
            return self._settings.by_code[code].entity
        except KeyError:
            raise ConfigurationError(f"no store view {code} in {self._channel}") from None

    def _is_large(self) -> bool:
        most = self._settings.bulk_above
        reply = self._reading.client.ask(COUNT_CUSTOMERS, limit=most + 1)
        count = reply.data.get("customersCount")
        number = count.get("count") if isinstance(count, dict) else None
        return isinstance(number, int) and number > most

    def _by_bulk(self) -> Iterator[Page]:
        """Read everybody from a file of the shop's; page by page where it cannot write one."""
        selection = self._reading.selection
        fields = selection.customer(in_bulk=True)
        lists = ("addressesV2",) if "addressesV2" in fields else ()
        wanted = Wanted(bulk_text("customers", fields), "Customer", lists)
        mark: Watermark | None = None
        try:
            for items in self._bulk.records(wanted, self._settings.page_size):
                if begun := self._bulk.begun:
                    mark = Watermark((begun.at - INDEX_LAG).replace(microsecond=0))
                yield Page(_records(self._reading.whole_customers(items)), is_last=False)
        except (BulkFailed, UnreadableAnswer) as error:
            _log.warning("shopify.bulk_failed", channel=self._channel, error=str(error))
            self._bulk.give_up()
            for step in ChangeScan(self._reading.customers, None).steps():
                yield Page(_records(step.items), step.is_last, step.mark)
            return
        yield Page((), is_last=True, mark=mark)


def _records(items: Sequence[Item]) -> list[RemoteRecord]:
    return [record_of(item) for item in items]
