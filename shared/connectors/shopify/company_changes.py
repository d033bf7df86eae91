"""Finds companies that changed, or whose locations or contacts did, and reads them whole.

Shopify keeps a change time on each of the three, and does not say that a company's moves with the
others. Contacts cannot be searched: what changed of them is looked for among the customers they
are. Promise: what lies before the mark of the last page was seen in all three lists.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from shared.connectors.ports import Page, Watermark
from shared.connectors.shopify.client import Item
from shared.connectors.shopify.documents import search
from shared.connectors.shopify.reading import COMPANIES_AT_ONCE, Found, Reading
from shared.connectors.shopify.record import record_of
from shared.connectors.shopify.scan import INDEX_LAG, ChangeScan, by_id

_IDS_AT_ONCE = 250
_COMPANY = "company { id }"
Owners = Callable[[Item], Sequence[Any]]


def _of_company(item: Item) -> Sequence[Any]:
    return [item]


def _of_location(item: Item) -> Sequence[Any]:
    return [item.get("company")]


def _of_person(item: Item) -> Sequence[Any]:
    return [profile.get("company") for profile in item.get("companyContactProfiles") or ()]


_LISTS: Sequence[tuple[str, str, str, Owners]] = (
    ("CompaniesChanged", "companies", "id updatedAt", _of_company),
    ("CompanyLocationsChanged", "companyLocations", f"id updatedAt {_COMPANY}", _of_location),
    (
        "ContactsChanged",
        "customers",
        f"id updatedAt companyContactProfiles {{ {_COMPANY} }}",
        _of_person,
    ),
)


class CompanyChanges:
    """One walk through the companies that changed."""

    def __init__(
        self, reading: Reading, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ) -> None:
        self._reading = reading
        self._now = now

    def pages(self, since: datetime | None) -> Iterator[Page]:
        """Yield the companies; the mark comes at the end, for they are in no order."""
        marks: list[Watermark | None] = []
        found = self._everybody(marks) if since is None else self._changed(since, marks)
        for items in found:
            yield Page([record_of(item) for item in items], is_last=False)
        certain = [mark for mark in marks if mark is not None]
        mark = min(certain, key=lambda each: each.changed_at) if certain == marks else None
        yield Page((), is_last=True, mark=mark)

    def _everybody(self, marks: list[Watermark | None]) -> Iterator[Sequence[Item]]:
        begun = self._now()

        def companies(query: str | None, cursor: str | None, sort_key: str) -> Found:
            found = self._reading.companies(query, cursor, sort_key)
            if not marks:
                at = min(found.at or begun, begun) - INDEX_LAG
                marks.append(Watermark(at.replace(microsecond=0)))
            return found

        return by_id(companies, after=0)

    def _changed(self, since: datetime, marks: list[Watermark | None]) -> Iterator[Sequence[Item]]:
        known: set[str] = set()
        for name, connection, fields, owners in _LISTS:
            scan = ChangeScan(self._searching(name, connection, fields), since, now=self._now)
            mark: Watermark | None = None
            for step in scan.steps():
                mark = step.mark
                found = [owner for item in step.items for owner in owners(item)]
                gids = dict.fromkeys(owner["id"] for owner in found if owner)
                news = [gid for gid in gids if gid not in known]
                known.update(news)
                yield ()
                for start in range(0, len(news), COMPANIES_AT_ONCE):
                    several = news[start : start + COMPANIES_AT_ONCE]
                    yield list(self._reading.companies_of(several).values())
            marks.append(mark)

    def _searching(
        self, name: str, connection: str, fields: str
    ) -> Callable[[str | None, str | None, str], Found]:
        def ask(query: str | None, cursor: str | None, sort_key: str) -> Found:
            document = search(name, connection, sort_key, fields)
            return self._reading.search(lambda _: document, query, cursor, _IDS_AT_ONCE)

        return ask
