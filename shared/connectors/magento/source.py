"""Reads a shop's customers: what changed, everything, or one.

Magento can neither page safely (rows that are touched meanwhile move to the end) nor filter by a
pair, so the cursor (T, N) takes two queries, each always for the first page: the rest of the
second T, then what changed after it. Promise: a page that does not lead on from the one before
is an error, so a cursor only ever moves forward over rows that were seen.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime

from shared.connectors.magento.catalogue import discovered
from shared.connectors.magento.client import Found, Item, MagentoClient
from shared.connectors.magento.groups import Groups
from shared.connectors.magento.mapping import translate
from shared.connectors.magento.record import record_of, stamp
from shared.connectors.magento.search import Search, Where
from shared.connectors.magento.settings import MagentoSettings, MagentoStoreView
from shared.connectors.ports import Discovered, Page, RemoteRecord, Watermark
from shared.domain.customer import Customer
from shared.domain.errors import ConfigurationError, UnreadableAnswer

Key = tuple[datetime, str]
_BEGINNING: Key = (datetime.min.replace(tzinfo=UTC), "")


class MagentoSource:
    """The reading side of a Magento channel."""

    def __init__(
        self, channel: str, settings: MagentoSettings, client: MagentoClient, groups: Groups
    ) -> None:
        self._channel = channel
        self._settings = settings
        self._client = client
        self._groups = groups

    def changes(self, store_view: str, since: Watermark | None) -> Iterator[Page]:
        """Yield what changed after `since`, oldest first, up to the shop's clock at the start.

        `since` is taken literally: whoever knows how long the shop's transactions last steps
        back by that much.
        """
        view = self._view(store_view)
        mark = _start(since)
        ends_at: datetime | None = None
        is_last = False
        while not is_last:
            # A second may hold more rows than a page: finish it before going on.
            rest = mark is not _BEGINNING
            while rest:
                found = self._found(_rest_of_second(view, mark))
                ends_at = ends_at or found.at
                page, mark, rest = self._page(found, view, mark, _by_change)
                if page.records:
                    yield _marked(page)
            found = self._found(_after_second(view, mark))
            ends_at = ends_at or found.at
            page, mark, more = self._page(found, view, mark, _by_change)
            is_last = not more or (ends_at is not None and mark[0] > ends_at)
            yield _marked(page, is_last=is_last)

    def sweep(self, store_view: str, after: str) -> Iterator[Page]:
        """Yield every customer whose scan key is greater than `after`, in their order."""
        view = self._view(store_view)
        mark = (_BEGINNING[0], after)
        more = True
        while more:
            where = Where("entity_id", "gt", int(mark[1] or 0))
            found = self._found(_search(view, (where,), ("entity_id",)))
            page, mark, more = self._page(found, view, mark, _by_id)
            yield Page(page.records, is_last=not more)

    def fetch(self, external_id: str) -> RemoteRecord | None:
        """Return one customer as it is now, or None when the shop says there is none."""
        if not (external_id.isascii() and external_id.isdigit()):
            return None
        item = self._client.customer(external_id)
        if item is None:
            return None
        record = record_of(item)
        if int(record.external_id) != int(external_id):
            raise UnreadableAnswer(f"asked for customer {external_id}, got another")
        self._groups.learn(_groups_of([item]))
        return record

    def store_view_of(self, record: RemoteRecord) -> str | None:
        """Return the configured store view of a record; None if its store is not configured."""
        store_id = record.payload.get("store_id")
        return next((v.code for v in self._settings.store_views if v.store_id == store_id), None)

    def to_customer(self, record: RemoteRecord, store_view: str, read_at: datetime) -> Customer:
        """Translate a record. Raises `UnreadableRecord` naming the fields that do not fit."""
        source = record.source(self._channel, store_view, read_at)
        return translate(
            record.payload,
            source,
            group_code=self._groups.code,
            number_attribute=self._settings.number_attribute,
        )

    def discover(self) -> Sequence[Discovered]:
        """Return the shop's store views, customer attributes and customer groups."""
        return discovered(self._client)

    def _view(self, code: str) -> MagentoStoreView:
        try:
            return self._settings.by_code[code]
        except KeyError:
            raise ConfigurationError(f"no store view {code} in {self._channel}") from None

    def _found(self, search: Callable[[int], Search]) -> Found:
        return self._client.search_customers(search(self._settings.page_size))

    def _page(
        self, found: Found, view: MagentoStoreView, mark: Key, key: Callable[[RemoteRecord], Key]
    ) -> tuple[Page, Key, bool]:
        """Return the page, the mark after it, and whether there is more to ask for."""
        if found.total > 0 and not found.items:
            raise UnreadableAnswer("the shop counts customers but shows none")
        records = []
        for item in found.items:
            if item.get("store_id") != view.store_id:
                raise UnreadableAnswer(f"asked for store {view.store_id}, got another")
            record = record_of(item)
            if key(record) <= mark:
                raise UnreadableAnswer(f"page repeats or goes back at {record.external_id}")
            mark = key(record)
            records.append(record)
        self._groups.learn(_groups_of(found.items))
        # A shop may cap pages below what we ask for, so the count decides as well.
        more = len(records) >= self._settings.page_size or found.total > len(records)
        return Page(records, is_last=False), mark, more


def _marked(page: Page, *, is_last: bool = False) -> Page:
    """Return a page of changes with the mark of its last record: they come in that order."""
    last = page.records[-1] if page.records else None
    mark = Watermark(last.changed_at, last.scan_key) if last else None
    return Page(page.records, is_last, mark)


def _start(since: Watermark | None) -> Key:
    """Return where to begin; Magento's times have no fractions, so a fraction is let go."""
    if since is None:
        return _BEGINNING
    second = since.changed_at.replace(microsecond=0)
    return second, since.scan_key if second == since.changed_at else ""


def _groups_of(items: Sequence[Item]) -> set[int]:
    return {group_id for item in items if isinstance(group_id := item.get("group_id"), int)}


def _by_change(record: RemoteRecord) -> Key:
    return record.changed_at, record.scan_key


def _by_id(record: RemoteRecord) -> Key:
    return _BEGINNING[0], record.scan_key


def _rest_of_second(view: MagentoStoreView, mark: Key) -> Callable[[int], Search]:
    second = Where("updated_at", "eq", stamp(mark[0]))
    return _search(view, (second, Where("entity_id", "gt", int(mark[1] or 0))), ("entity_id",))


def _after_second(view: MagentoStoreView, mark: Key) -> Callable[[int], Search]:
    where = () if mark is _BEGINNING else (Where("updated_at", "gt", stamp(mark[0])),)
    return _search(view, where, ("updated_at", "entity_id"))


def _search(
    view: MagentoStoreView, where: tuple[Where, ...], order_by: tuple[str, ...]
) -> Callable[[int], Search]:
    store = Where("store_id", "eq", view.store_id)
    return lambda page_size: Search((store, *where), order_by, page_size)
