"""Take in a page of remote records: drop what is unchanged, hand on the rest.

Works in the caller's transaction, together with the cursor, so that a crash repeats a page and
never loses one.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime

from shared.connectors.ports import CustomerSource, RemoteRecord
from shared.domain.customer import FieldWarning, Model, Source, Version
from shared.domain.errors import UnreadableRecord
from shared.domain.messages import (
    CustomerDeleted,
    CustomerImported,
    CustomerUnreadable,
    Origin,
    parcel,
)
from shared.domain.normalise import normalise_customer
from shared.persistence import source_records
from shared.persistence.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class StoreViewReader:
    """One store view, and the source that it is read from."""

    channel: str
    store_view: str
    source: CustomerSource

    def read(self, record: RemoteRecord, read_at: datetime, origin: Origin) -> Model:
        """Translate a record into the message body that tells of it."""
        try:
            customer = self.source.to_customer(record, self.store_view, read_at)
            return CustomerImported(customer=normalise_customer(customer), origin=origin)
        except UnreadableRecord as error:
            problems = [FieldWarning(field=field, problem=text) for field, text in error.problems]
            version = Version(
                changed_at=record.changed_at, read_at=read_at, fingerprint=record.fingerprint
            )
            source = self._source(record.external_id, version)
            return CustomerUnreadable(source=source, problems=tuple(problems))

    def vanished(self, external_id: str, at: datetime) -> Source:
        """Return the source of a record that was found missing at `at`."""
        return self._source(external_id, Version(changed_at=at, read_at=at, fingerprint="deleted"))

    def _source(self, external_id: str, version: Version) -> Source:
        return Source(
            channel=self.channel,
            store_view=self.store_view,
            external_id=external_id,
            version=version,
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """How many records of a page were handed on, and how many were known as they are."""

    changed: int
    unchanged: int


def take_page(
    records: Sequence[RemoteRecord], reader: StoreViewReader, work: UnitOfWork, origin: Origin
) -> Taken:
    """Send a message for every new or changed record, and remember what was seen."""
    known = source_records.known(
        work,
        reader.channel,
        [record.external_id for record in records],
        store_view=reader.store_view,
    )
    changed = [r for r in records if known.get(r.external_id) != r.fingerprint]
    work.send(
        [
            parcel(
                reader.read(record, work.now, origin),
                channel=reader.channel,
                subject=record.external_id,
                at=work.now,
            )
            for record in changed
        ]
    )
    source_records.record(work, [_seen(record, reader) for record in changed])
    return Taken(len(changed), len(records) - len(changed))


def tell_deleted(external_ids: Collection[str], reader: StoreViewReader, work: UnitOfWork) -> int:
    """Send a message for every record of the store view that the platform no longer has."""
    news = source_records.mark_deleted(
        work, reader.channel, external_ids, store_view=reader.store_view
    )
    work.send(
        [
            parcel(
                CustomerDeleted(source=reader.vanished(external_id, work.now)),
                channel=reader.channel,
                subject=external_id,
                at=work.now,
            )
            for external_id in sorted(news)
        ]
    )
    return len(news)


def _seen(record: RemoteRecord, reader: StoreViewReader) -> source_records.Seen:
    return source_records.Seen(
        channel=reader.channel,
        external_id=record.external_id,
        store_view=reader.store_view,
        scan_key=record.scan_key,
        fingerprint=record.fingerprint,
    )
