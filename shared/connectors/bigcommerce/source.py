"""Reads a BigCommerce channel: the shop's customers, and the companies of its B2B Edition.

Each store view has the one or the other, and neither becomes the other (MYOB-5): a company's id
begins with "company:".
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime

from shared.connectors.bigcommerce.companies.reader import CompanyReader
from shared.connectors.bigcommerce.companies.record import company_id_of
from shared.connectors.bigcommerce.customers import CustomerReader
from shared.connectors.bigcommerce.settings import BigCommerceSettings, BigCommerceStoreView
from shared.connectors.ports import Discovered, Page, RemoteRecord, Watermark
from shared.domain.customer import Customer
from shared.domain.errors import ConfigurationError


class BigCommerceSource:
    """The reading side of a BigCommerce channel."""

    def __init__(
        self,
        channel: str,
        settings: BigCommerceSettings,
        customers: CustomerReader,
        companies: CompanyReader,
        discover: Callable[[], Sequence[Discovered]],
    ) -> None:
        self._channel = channel
        self._settings = settings
        self._customers = customers
        self._companies = companies
        self._discover = discover

    def changes(self, store_view: str, since: Watermark | None) -> Iterator[Page]:
        """Yield what changed after `since`; the last page has the mark."""
        view = self._view(store_view)
        moment = since.changed_at if since else None
        if view.entity == "companies":
            return self._companies.changes(moment)
        return self._customers.changes(view, moment)

    def sweep(self, store_view: str, after: str) -> Iterator[Page]:
        """Yield every record whose scan key is greater than `after`, in their order."""
        view = self._view(store_view)
        if view.entity == "companies":
            return self._companies.sweep(after)
        return self._customers.sweep(view, after)

    def fetch(self, external_id: str) -> RemoteRecord | None:
        """Return one record as it is now, or None when the shop says there is none."""
        if (company_id := company_id_of(external_id)) is not None:
            return self._companies.fetch(company_id)
        if not (external_id.isascii() and external_id.isdigit()):
            return None
        return self._customers.fetch(int(external_id))

    def store_view_of(self, record: RemoteRecord) -> str | None:
        """Return the configured store view that a record belongs to; None if to none."""
        if company_id_of(record.external_id) is not None:
            view = self._settings.company_view
            return view.code if view else None
        return self._customers.view_of(record.payload)

    def to_customer(self, record: RemoteRecord, store_view: str, read_at: datetime) -> Customer:
        """Translate a record. Raises `UnreadableRecord` naming the fields that do not fit."""
        source = record.source(self._channel, store_view, read_at)
        if company_id_of(record.external_id) is not None:
            return self._companies.to_customer(record, source)
        return self._customers.to_customer(record, source)

    def discover(self) -> Sequence[Discovered]:
        """Return the shop's storefronts, attributes, form fields, metafields and groups."""
        return self._discover()

    def _view(self, code: str) -> BigCommerceStoreView:
        try:
            return self._settings.by_code[code]
        except KeyError:
            raise ConfigurationError(f"no store view {code} in {self._channel}") from None
