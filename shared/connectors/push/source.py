"""Pushed customers as the importer takes in any page: a source that holds them already.

Its promise: what was pushed is translated as it was checked, whatever comes after.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, NoReturn

from shared.connectors.ports import Discovered, Page, RemoteRecord, Watermark
from shared.connectors.push.customer import PushedCustomer
from shared.domain.customer import Customer
from shared.domain.errors import ConfigurationError, UnreadableRecord

_NOTHING_TO_READ: Final = "its customers are pushed to us; there is nothing to read"


@dataclass(frozen=True, slots=True)
class PushedSource:
    """The customers of one request, by external id; the `parked` ones wait, for these problems."""

    channel: str
    customers: Mapping[str, PushedCustomer]
    parked: Mapping[str, Sequence[tuple[str, str]]]

    def to_customer(self, record: RemoteRecord, store_view: str, read_at: datetime) -> Customer:
        """Translate a record. Raises `UnreadableRecord` for one that has to wait."""
        if problems := self.parked.get(record.external_id):
            raise UnreadableRecord(problems)
        source = record.source(self.channel, store_view, read_at)
        return self.customers[record.external_id].to_customer(source)

    def changes(self, store_view: str, since: Watermark | None) -> Iterator[Page]:
        """Refuse: there is nothing to poll."""
        _refuse()

    def sweep(self, store_view: str, after: str) -> Iterator[Page]:
        """Refuse: there is nothing to sweep."""
        _refuse()

    def fetch(self, external_id: str) -> RemoteRecord | None:
        """Refuse: there is nobody to ask."""
        _refuse()

    def store_view_of(self, record: RemoteRecord) -> str | None:
        """Refuse: it was said with each customer."""
        _refuse()

    def discover(self) -> Sequence[Discovered]:
        """Refuse: there is no shop to look into."""
        _refuse()


def _refuse() -> NoReturn:
    raise ConfigurationError(_NOTHING_TO_READ)
