"""A channel of a shop under test: its settings, its connections, and what is asked of them."""

from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from uuid import UUID

from pydantic import BaseModel

from shared.connectors.calls import RemoteCall
from shared.connectors.ports import (
    Connector,
    CustomerSource,
    Outcome,
    Page,
    RemoteRecord,
    Watermark,
)
from shared.domain.customer import Version
from shared.domain.messages import CustomerExport
from tests.conformance.shop import CHANNEL, Shop

READ_AT: Final = datetime(2026, 1, 5, 12, 0, tzinfo=UTC)
OVERLAP: Final = timedelta(minutes=5)
"""How far the importer steps back before it asks what changed."""
FULL_SIZE: Final = 17
"""Customers enough for four pages."""


def settings_of(shop: Shop, **changes: Any) -> BaseModel:
    """Parse the shop's configuration, with `changes` in its `connector` table."""
    views = [{"code": code, **remote} for code, remote in shop.views.items()]
    table = {**shop.table, **changes, "store_views": views}
    return shop.platform.settings.model_validate(table)


@dataclass
class Channel:
    """Connects to a shop as often as asked, and lets go of it all in the end."""

    shop: Shop
    calls: list[RemoteCall] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._open: list[Connector] = []

    def connect(self, *fields: str, **changes: Any) -> Connector:
        """Return a connector that writes `fields` besides, with changed settings."""
        settings = settings_of(self.shop, **changes)
        connector = self.shop.platform.connect(settings, CHANNEL, self.calls.append, fields)
        self._open.append(connector)
        return connector

    def close(self) -> None:
        """Close every connector."""
        for connector in self._open:
            connector.close()


def records_of(pages: Iterable[Page]) -> list[RemoteRecord]:
    """Return the records of pages, in their order."""
    return [record for page in pages for record in page.records]


def ids_of(pages: Iterable[Page]) -> set[str]:
    """Return whose records are on the pages."""
    return {record.external_id for record in records_of(pages)}


def fingerprints_of(records: Iterable[RemoteRecord]) -> dict[str, str]:
    """Return the last fingerprint that was seen of each customer."""
    return {record.external_id: record.fingerprint for record in records}


def stepped_back(mark: Watermark | None) -> Watermark | None:
    """Return where the importer reads on from: a little before what it has."""
    return Watermark(mark.changed_at - OVERLAP) if mark else None


def scan(source: CustomerSource, view: str, since: Watermark | None = None) -> list[Page]:
    """Return all pages of changes."""
    return list(source.changes(view, since))


def last_mark(pages: Sequence[Page]) -> Watermark:
    """Return how far the store view is imported after these pages."""
    [*_, mark] = [page.mark for page in pages if page.mark]
    return mark


def fetched(source: CustomerSource, external_id: str) -> RemoteRecord:
    """Return a record that must be there."""
    record = source.fetch(external_id)
    assert record is not None
    return record


def numbered(
    external_id: str, number: str = "D10023", *, view: str = "", **values: str
) -> CustomerExport:
    """Return the export of a customer number, or of `values`."""
    return CustomerExport(
        effect="additional_data" if values else "customer_number",
        channel=CHANNEL,
        external_id=external_id,
        store_view=view or "any",
        customer_id=UUID(int=1),
        customer_number=number,
        values=values,
        version=Version(changed_at=READ_AT, read_at=READ_AT, fingerprint="f"),
    )


def succeeded(outcome: Outcome) -> bool:
    """Say whether an export was carried out; fail with its error if it was not."""
    if outcome.error:
        raise outcome.error
    return outcome.written is not None


def text_of(error: BaseException) -> str:
    """Return everything that an error says to whoever logs it, its causes included."""
    parts = []
    seen: BaseException | None = error
    while seen is not None:
        with suppress(AttributeError):
            parts.append(repr(vars(seen)))
        parts += [str(seen), repr(seen), repr(seen.args)]
        seen = seen.__cause__ or (None if seen.__suppress_context__ else seen.__context__)
    return "\n".join(parts)
