"""Take in a page of remote records: drop what is unchanged or erased, hand on the rest.

Works in the caller's transaction, together with the cursor, so that a crash repeats a page and
never loses one. Of somebody who was erased nothing is stored or sent (NEW-11).
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime

import structlog

from shared.connectors.ports import CustomerSource, RemoteRecord
from shared.domain.contacts import accounts_of, names_any, without_contacts
from shared.domain.customer import (
    Customer,
    FieldWarning,
    Model,
    Source,
    SourceKey,
    Version,
    replaced,
)
from shared.domain.errors import PatronError, UnreadableRecord
from shared.domain.messages import (
    Cause,
    CustomerDeleted,
    CustomerImported,
    CustomerUnreadable,
    Mode,
    Origin,
    parcel,
)
from shared.domain.normalise import normalise_customer
from shared.observability.evidence import evidence
from shared.persistence import raw_payloads, source_records
from shared.persistence.tombstones import Tombstones, hold_off_erasures
from shared.persistence.unit_of_work import UnitOfWork

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Reading:
    """What a record came to. `is_final` is False when a bug of ours kept it from being read."""

    body: Model
    is_final: bool = True


@dataclass(frozen=True, slots=True)
class StoreViewReader:
    """One store view, and the source that it is read from.

    `tombstones` say who was erased; `keeps_raw` keeps the platform's own words of what is handed
    on, for diagnosis.
    """

    channel: str
    store_view: str
    source: CustomerSource
    tombstones: Tombstones = field(default_factory=Tombstones)
    keeps_raw: bool = False

    def read(
        self, record: RemoteRecord, read_at: datetime, origin: Origin, mode: Mode = "normal"
    ) -> Reading:
        """Translate a record into the message body that tells of it.

        Raises what the platform raises when it has to be asked again.
        """
        if record.changed_at > read_at:
            # By a wrong clock: nothing that is read later must be older than this.
            record = replace(record, changed_at=read_at)
        try:
            customer = self.source.to_customer(record, self.store_view, read_at)
            customer = normalise_customer(customer)
            return Reading(CustomerImported(customer=customer, origin=origin, mode=mode))
        except UnreadableRecord as error:
            return Reading(self._unreadable(record, read_at, error.problems))
        except PatronError:
            raise
        except Exception as error:  # noqa: BLE001 - a bug is told, and bounded
            # One record must not keep a whole store view from being imported.
            _log.exception(
                "import.record_failed", channel=self.channel, external_id=record.external_id
            )
            problems = [("record", evidence(error).text)]
            return Reading(self._unreadable(record, read_at, problems), is_final=False)

    def vanished(self, external_id: str, at: datetime) -> Source:
        """Return the source of a record that was found missing at `at`."""
        return self._source(external_id, Version(changed_at=at, read_at=at, fingerprint="deleted"))

    def _unreadable(
        self, record: RemoteRecord, read_at: datetime, problems: Sequence[tuple[str, str]]
    ) -> CustomerUnreadable:
        version = Version(
            changed_at=record.changed_at, read_at=read_at, fingerprint=record.fingerprint
        )
        return CustomerUnreadable(
            source=self._source(record.external_id, version),
            problems=tuple(FieldWarning(field=name, problem=text) for name, text in problems),
        )

    def _source(self, external_id: str, version: Version) -> Source:
        return Source(
            channel=self.channel,
            store_view=self.store_view,
            external_id=external_id,
            version=version,
        )


@dataclass(frozen=True, slots=True)
class Taken:
    """How many records of a page were handed on, known as they are, or of erased persons."""

    changed: int
    unchanged: int
    erased: int = 0


def take_page(
    records: Sequence[RemoteRecord],
    reader: StoreViewReader,
    work: UnitOfWork,
    origin: Origin,
    *,
    mode: Mode = "normal",
    even_unchanged: bool = False,
    cause: Cause | None = None,
    traceparent: str | None = None,
) -> Taken:
    """Send a message for every new or changed record, and remember what was seen.

    `even_unchanged` sends one for every record: somebody wants to know what becomes of it, and
    `cause` is his question. `traceparent` is the trace in which the page was read.
    """
    living = _living(records, reader, work)
    known = source_records.known(
        work,
        reader.channel,
        [record.external_id for record in living],
        store_view=reader.store_view,
    )
    changed = [r for r in living if even_unchanged or known.get(r.external_id) != r.fingerprint]
    readings = [reader.read(record, work.now, origin, mode) for record in changed]
    readings, redacted = _without_erased(readings, changed, reader, work)
    work.send(
        [
            parcel(
                reading.body,
                channel=reader.channel,
                subject=record.external_id,
                at=work.now,
                cause=cause,
                traceparent=traceparent,
            )
            for record, reading in zip(changed, readings, strict=True)
        ]
    )
    # What a bug kept us from reading counts as unseen, so that the next sweep tries again.
    source_records.record(
        work,
        [
            _seen(record, reader)
            for record, reading in zip(changed, readings, strict=True)
            if reading.is_final
        ],
    )
    if reader.keeps_raw:
        whole = (record for record in changed if record.external_id not in redacted)
        raw_payloads.keep(work, reader.channel, {r.external_id: r.payload for r in whole})
    return Taken(len(changed), len(living) - len(changed), len(records) - len(living))


def tell_deleted(
    external_ids: Collection[str],
    reader: StoreViewReader,
    work: UnitOfWork,
    *,
    traceparent: str | None = None,
) -> int:
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
                traceparent=traceparent,
            )
            for external_id in sorted(news)
        ]
    )
    return len(news)


def _living(
    records: Sequence[RemoteRecord], reader: StoreViewReader, work: UnitOfWork
) -> Sequence[RemoteRecord]:
    """Return the records of those who were not erased; whoever erases waits for our commit."""
    hold_off_erasures(work)
    accounts = {SourceKey(reader.channel, record.external_id) for record in records}
    erased = reader.tombstones.erased(work, accounts)
    return [r for r in records if SourceKey(reader.channel, r.external_id) not in erased]


def _without_erased(
    readings: list[Reading],
    records: Sequence[RemoteRecord],
    reader: StoreViewReader,
    work: UnitOfWork,
) -> tuple[list[Reading], set[str]]:
    """Leave those who were erased out of companies that name them; return which companies do."""
    companies = [_company(reading) for reading in readings]
    named = {account for company in companies for account in accounts_of(company)}
    erased = reader.tombstones.erased(work, named) if named else frozenset()
    redacted: set[str] = set()
    for position, company in enumerate(companies):
        if company and names_any(company, erased):
            left = without_contacts(company, erased)
            body = replaced(readings[position].body, customer=left)
            readings[position] = replace(readings[position], body=body)
            redacted.add(records[position].external_id)
    return readings, redacted


def _company(reading: Reading) -> Customer | None:
    """Return the customer of a reading if it names contacts."""
    body = reading.body
    return body.customer if isinstance(body, CustomerImported) and body.customer.contacts else None


def _seen(record: RemoteRecord, reader: StoreViewReader) -> source_records.Seen:
    return source_records.Seen(
        channel=reader.channel,
        external_id=record.external_id,
        store_view=reader.store_view,
        scan_key=record.scan_key,
        fingerprint=record.fingerprint,
    )
