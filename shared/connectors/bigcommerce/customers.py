"""Reads the customers of a shop: what changed, everything, or one.

The shop pages by id alone, whatever is filtered, so that no row moves while pages are read. What
changed is read from its times, and then whose attributes changed besides, because that leaves the
customer's own time alone. A run is done only when it has come to its end: only then has it a mark,
the shop's time at its start less an overlap.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from shared.connectors.bigcommerce.answers import Item, id_of
from shared.connectors.bigcommerce.assembly import Assembly
from shared.connectors.bigcommerce.client import BigCommerceClient, Found
from shared.connectors.bigcommerce.earlier import Earlier
from shared.connectors.bigcommerce.mapping import Dictionary, translate
from shared.connectors.bigcommerce.query import cursor_after
from shared.connectors.bigcommerce.settings import BigCommerceSettings, BigCommerceStoreView
from shared.connectors.ports import Page, RemoteRecord, Watermark
from shared.domain.customer import Customer, Source
from shared.domain.errors import UnreadableAnswer


class CustomerReader:
    """The reading side of the shop's customers."""

    def __init__(
        self, settings: BigCommerceSettings, client: BigCommerceClient, assembly: Assembly
    ) -> None:
        self._settings = settings
        self._client = client
        self._assembly = assembly
        self._overlap = timedelta(minutes=settings.overlap_minutes)
        self._earlier: defaultdict[str, Earlier] = defaultdict(Earlier)

    def changes(self, view: BigCommerceStoreView, since: datetime | None) -> Iterator[Page]:
        """Yield who changed since a moment, or everybody; the last page has the mark."""
        scan = Scan(self._client, since)
        earlier = self._earlier[view.code]
        earlier.begin()
        seen: set[int] = set()
        for _ in self._assembly.begin():
            yield Page((), is_last=False)
        for items in scan.pages(None):
            seen |= {id_of(item) for item in items}
            yield self._page(view, self._assembly.whole(items))
        if since:
            for customer_ids in self._assembly.touched_since(since, earlier):
                if news := customer_ids - seen:
                    yield self._page(view, self._assembly.listed(news))
                    seen |= news
        yield Page((), is_last=True, mark=Watermark(scan.began_at - self._overlap))
        # Whoever comes for more has taken in the last page.
        earlier.end()

    def sweep(self, view: BigCommerceStoreView, after: str) -> Iterator[Page]:
        """Yield every customer whose scan key is greater than `after`, in their order."""
        for _ in self._assembly.begin(anew=not after):
            yield Page((), is_last=False)
        for items in Scan(self._client).pages(int(after or 0)):
            records = self._assembly.whole(items)
            # All of them may be another storefront's; the sweep has come past them all the same.
            swept_to = records[-1].scan_key if records else None
            yield replace(self._page(view, records), swept_to=swept_to)
        yield Page((), is_last=True)

    def fetch(self, customer_id: int) -> RemoteRecord | None:
        """Return one customer as it is now, or None when the shop says there is none."""
        return self._assembly.read([customer_id]).get(customer_id)

    def view_of(self, item: Mapping[str, Any]) -> str | None:
        """Return the store view that has a customer: the one of its storefront, or of the rest."""
        views = {
            v.channel_id: v.code for v in self._settings.store_views if v.entity == "customers"
        }
        channels = item.get("channel_ids")
        mine = [item.get("origin_channel_id"), *(channels if isinstance(channels, list) else [])]
        named = next((views[channel] for channel in mine if channel and channel in views), None)
        return named or views.get(None)

    def to_customer(self, record: RemoteRecord, source: Source) -> Customer:
        """Translate a record. Raises `UnreadableRecord` naming the fields that do not fit."""
        names = Dictionary(self._assembly.groups.name, self._assembly.attributes.name)
        return translate(record.payload, source, self._settings, names)

    def _page(self, view: BigCommerceStoreView, records: Iterable[RemoteRecord]) -> Page:
        mine = [record for record in records if self.view_of(record.payload) == view.code]
        return Page(mine, is_last=False)


class Scan:
    """One way through the customers, by cursor; `began_at` is the shop's clock at its start."""

    def __init__(self, client: BigCommerceClient, since: datetime | None = None) -> None:
        self._client = client
        self._since = since
        self.began_at = datetime.now(UTC)
        self._has_begun = False

    def pages(self, after: int | None) -> Iterator[Sequence[Item]]:
        """Yield pages of customers with ids greater than `after`, in the order of their ids."""
        cursor = None if after is None else cursor_after(after)
        last = after or 0
        while True:
            found = self._found(cursor)
            for item in found.items:
                if id_of(item) <= last:
                    raise UnreadableAnswer(f"page repeats or goes back at {id_of(item)}")
                last = id_of(item)
            if found.items:
                yield found.items
            if found.cursor is None:
                return
            cursor = found.cursor

    def _found(self, cursor: str | None) -> Found:
        found = self._client.changed_customers(self._since, cursor)
        if not self._has_begun:
            self.began_at = found.at or self.began_at
            self._has_begun = True
        return found
