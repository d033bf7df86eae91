"""Reads the companies of the B2B Edition: what changed, everything, or one.

A company is read together with its addresses and users, whose changes leave its own time alone.
The shop counts rows by offset and in an order of its own, so the whole list is read before the
first page is given, in the order of ids. Promise: a mark comes with the last page only.
"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

from shared.connectors.bigcommerce.answers import Item, id_of
from shared.connectors.bigcommerce.companies.client import CompaniesClient
from shared.connectors.bigcommerce.companies.mapping import translate_company
from shared.connectors.bigcommerce.companies.record import company_record
from shared.connectors.bigcommerce.earlier import Earlier
from shared.connectors.bigcommerce.settings import BigCommerceSettings
from shared.connectors.ports import Page, RemoteRecord, Watermark
from shared.domain.customer import Customer, Source

_PAGE: Final = 25


class CompanyReader:
    """The reading side of the B2B Edition."""

    def __init__(self, settings: BigCommerceSettings, client: CompaniesClient) -> None:
        self._settings = settings
        self._client = client
        self._overlap = timedelta(minutes=settings.overlap_minutes)
        self._earlier = Earlier()

    def changes(self, since: datetime | None) -> Iterator[Page]:
        """Yield what changed since a moment, or everything; the last page has the mark."""
        self._earlier.begin()
        listed = self._client.companies(since)
        began_at = listed.at or datetime.now(UTC)
        yield Page((), is_last=False)  # Each list may take its time.
        addresses = self._client.addresses(since=since)
        yield Page((), is_last=False)
        users = self._client.users(since=since)
        companies = {id_of(item, "companyId"): item for item in listed.items}
        if since:
            yield from _pages(self._changed(companies, [*addresses, *users]))
        else:
            yield from _pages(_assembled(companies, addresses, users))
        yield Page((), is_last=True, mark=Watermark(began_at - self._overlap))
        # Whoever comes for more has taken in the last page.
        self._earlier.end()

    def sweep(self, after: str) -> Iterator[Page]:
        """Yield every company whose scan key is greater than `after`, in their order."""
        companies = {id_of(item, "companyId"): item for item in self._client.companies().items}
        rest = sorted(number for number in companies if number > int(after or 0))
        yield from _pages(self._whole(companies[number]) for number in rest)
        yield Page((), is_last=True)

    def fetch(self, company_id: int) -> RemoteRecord | None:
        """Return one company as it is now, or None when the shop says there is none."""
        company = self._client.company(company_id)
        return None if company is None else self._whole(company)

    def to_customer(self, record: RemoteRecord, source: Source) -> Customer:
        """Translate a record. Raises `UnreadableRecord` naming the fields that do not fit."""
        return translate_company(record.payload, source, self._settings)

    def _changed(
        self, companies: Mapping[int, Item], touched: Sequence[Item]
    ) -> Iterator[RemoteRecord]:
        news = self._earlier.news([*companies.values(), *touched])
        for number in sorted(_by_company(news)):
            company = companies.get(number) or self._client.company(number)
            if company is not None:
                yield self._whole(company)

    def _whole(self, company: Item) -> RemoteRecord:
        number = id_of(company, "companyId")
        addresses = self._client.addresses(company_id=number)
        return company_record(company, addresses, self._client.users(company_id=number))


def _assembled(
    companies: Mapping[int, Item], addresses: Sequence[Item], users: Sequence[Item]
) -> Iterator[RemoteRecord]:
    places, buyers = _by_company(addresses), _by_company(users)
    for number in sorted(companies):
        yield company_record(companies[number], places[number], buyers[number])


def _by_company(rows: Sequence[Item]) -> defaultdict[int, list[Item]]:
    found: defaultdict[int, list[Item]] = defaultdict(list)
    for row in rows:
        found[id_of(row, "companyId")].append(row)
    return found


def _pages(records: Iterator[RemoteRecord]) -> Iterator[Page]:
    page: list[RemoteRecord] = []
    for record in records:
        page.append(record)
        if len(page) == _PAGE:
            yield Page(page, is_last=False)
            page = []
    if page:
        yield Page(page, is_last=False)
