"""A small source of customers that a test fills, changes and breaks at will."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from shared.connectors.ports import Discovered, Page, RemoteRecord, Watermark
from shared.domain.customer import Customer, Version
from shared.domain.errors import UnreadableRecord
from tests.builders import NOON, a_customer, a_source


def a_record(number: int, *, minutes: float = 0, **payload: Any) -> RemoteRecord:
    """Return a record that changed `minutes` after noon; its payload is its content."""
    return RemoteRecord(
        external_id=str(number),
        scan_key=f"{number:06}",
        changed_at=NOON + timedelta(minutes=minutes),
        created_at=None,
        fingerprint=repr(sorted(payload.items())) or "-",
        payload=payload,
    )


@dataclass
class Shelf:
    """A `CustomerSource` of one channel; store views are named by `view` in the payload.

    `before_page` is called with the number of each page before it is yielded, `before_fetch` before
    a single record is returned; both may raise. One that `is_read_whole` reads all store views in a
    sweep and leaves out what is another one's.
    """

    records: dict[str, RemoteRecord] = field(default_factory=dict)
    page_size: int = 2
    before_page: Callable[[int], None] = lambda _number: None
    asked: list[str] = field(default_factory=list)
    before_fetch: Callable[[], None] = lambda: None
    is_read_whole: bool = False

    def put(self, *records: RemoteRecord) -> None:
        """Add records, or change them."""
        for record in records:
            self.records[record.external_id] = record

    def change(self, number: int, *, minutes: float | None = None, **payload: Any) -> None:
        """Change a record's content, and its change time if `minutes` are given."""
        before = self.records[str(number)]
        after = a_record(number, **{**before.payload, **payload})
        changed_at = before.changed_at if minutes is None else NOON + timedelta(minutes=minutes)
        self.put(replace(after, changed_at=changed_at))

    def remove(self, number: int) -> None:
        """Delete a record."""
        del self.records[str(number)]

    def changes(self, store_view: str, since: Watermark | None) -> Iterator[Page]:
        """Yield what changed after `since`."""
        self.asked.append(f"changes {store_view}")
        found = sorted(self._of(store_view), key=lambda r: (r.changed_at, r.scan_key))
        if since:
            mark = (since.changed_at, since.scan_key)
            found = [r for r in found if (r.changed_at, r.scan_key) > mark]
        yield from self._pages(found)

    def sweep(self, store_view: str, after: str) -> Iterator[Page]:
        """Yield every record after a scan key."""
        self.asked.append(f"sweep {store_view}")
        read = self.records.values() if self.is_read_whole else self._of(store_view)
        found = sorted((r for r in read if r.scan_key > after), key=lambda r: r.scan_key)
        for page in self._pages(found):
            swept_to = page.records[-1].scan_key if page.records else None
            mine = [r for r in page.records if self.store_view_of(r) == store_view]
            yield Page(mine, page.is_last, swept_to=swept_to if self.is_read_whole else None)

    def fetch(self, external_id: str) -> RemoteRecord | None:
        """Return one record."""
        self.asked.append(f"fetch {external_id}")
        self.before_fetch()
        return self.records.get(external_id)

    def store_view_of(self, record: RemoteRecord) -> str | None:
        """Return the store view that the payload names."""
        view: str | None = record.payload.get("view", "de")
        return view

    def to_customer(self, record: RemoteRecord, store_view: str, read_at: datetime) -> Customer:
        """Translate a record; `unreadable` and `bug` in the payload make that fail."""
        if record.payload.get("unreadable"):
            raise UnreadableRecord([("birth_date", "is no date")])
        if record.payload.get("bug"):
            raise LookupError("ann@example.com")
        version = Version(
            changed_at=record.changed_at, read_at=read_at, fingerprint=record.fingerprint
        )
        source = a_source(record.external_id, store_view=store_view, version=version)
        return a_customer(
            record.external_id, source=source, first_name=record.payload.get("name", "Ann")
        )

    def discover(self) -> Sequence[Discovered]:
        """Return nothing: a shelf has records only."""
        return ()

    def _of(self, store_view: str) -> list[RemoteRecord]:
        return [r for r in self.records.values() if r.payload.get("view", "de") == store_view]

    def _pages(self, found: Sequence[RemoteRecord]) -> Iterator[Page]:
        last = max(0, len(found) - 1) // self.page_size
        for number in range(last + 1):
            self.before_page(number)
            records = found[number * self.page_size : (number + 1) * self.page_size]
            mark = Watermark(records[-1].changed_at, records[-1].scan_key) if records else None
            yield Page(records, is_last=number == last, mark=mark)


def a_shelf(*numbers: int, page_size: int = 2) -> Shelf:
    """Return a shelf of German customers, one changed each minute from noon."""
    shelf = Shelf(page_size=page_size)
    shelf.put(*(a_record(number, minutes=number) for number in numbers))
    return shelf


def at_page(number: int, *errors: BaseException) -> Callable[[int], None]:
    """Return a `before_page` that raises each of `errors` in turn at one page, then no more."""
    remaining = list(errors)

    def raise_next(page: int) -> None:
        if page == number and remaining:
            raise remaining.pop(0)

    return raise_next
