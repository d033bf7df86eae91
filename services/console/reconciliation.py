"""Reconciliation: both sides compared page by page, and drift told by kind (NEW-9).

Sweeps the shop as the importer does, and reads what is linked with one statement per table and
page. Its promise: it changes nothing, memory does not grow with the shop, and what is on its way
just now, or waits for an operator, is no drift.
"""

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from services.importer.pages import StoreViewReader
from services.processor.gather import Inquiry, gather
from shared.connectors.ports import Page, RemoteRecord
from shared.domain.customer import Customer, Source, SourceKey
from shared.domain.directory import DirectoryCustomer
from shared.domain.drift import Drift, drift_of, is_expected, missing
from shared.domain.known import Known
from shared.domain.messages import CustomerImported, CustomerUnreadable
from shared.domain.policy import Policy
from shared.persistence import reconciliation_reader, source_records
from shared.persistence.reconciliation_reader import Standing
from shared.persistence.unit_of_work import UnitsOfWork


@dataclass(frozen=True, slots=True)
class Found:
    """The drift of one remote record, with what was read of it: what a repair needs."""

    source: Source
    drift: tuple[Drift, ...]
    record: RemoteRecord | None = None
    body: CustomerImported | CustomerUnreadable | None = None
    existing: DirectoryCustomer | None = None


@dataclass
class Report:
    """Counts of all drift, and the first of it, up to `limit`."""

    limit: int
    compared: int = 0
    on_the_way: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    shown: list[Drift] = field(default_factory=list)

    def add(self, drift: Drift) -> None:
        """Count one difference, and keep it if there is room."""
        self.counts[drift.kind] += 1
        if len(self.shown) < self.limit:
            self.shown.append(drift)


class Reconciliation:
    """Compares the store views of one channel with the directory."""

    def __init__(
        self, units: UnitsOfWork, policy: Policy, report: Report, clock: Callable[[], datetime]
    ) -> None:
        self._units = units
        self._policy = policy
        self._report = report
        self._clock = clock

    def compare(self, reader: StoreViewReader) -> Iterator[list[Found]]:
        """Yield, page by page, the records of a store view that are not in step."""
        after = ""
        for page in reader.source.sweep(reader.store_view, ""):
            found = self._page(page.records, reader)
            if page.records or page.is_last:
                found += self._removed(self._absent(page, after, reader), reader)
                after = page.records[-1].scan_key if page.records else after
            yield self._told(found)
        after = ""
        while ids := self._unswept(reader, after):
            yield self._told(self._removed(ids, reader))
            after = ids[-1]

    def _told(self, found: list[Found]) -> list[Found]:
        """Put the drift into the report, and return those that have any."""
        for each in found:
            for drift in each.drift:
                self._report.add(drift)
        return [each for each in found if each.drift]

    def _page(self, records: Sequence[RemoteRecord], reader: StoreViewReader) -> list[Found]:
        living = self._living(records, reader)
        if not living:
            return []
        ids = [record.external_id for record in living]
        with self._units.read() as work:
            standing = reconciliation_reader.standing(work, reader.channel, ids)
            inquiries = [Inquiry(SourceKey(reader.channel, each)) for each in ids]
            known = gather(inquiries, work, self._policy, locks=False)
        self._report.compared += len(living)
        self._report.on_the_way += len(standing.owed)
        left = [r for r in living if r.external_id not in standing.owed | standing.waiting]
        return [self._compared(record, reader, standing, known) for record in left]

    def _compared(
        self, record: RemoteRecord, reader: StoreViewReader, standing: Standing, known: Known
    ) -> Found:
        body = reader.read(record, self._clock(), "operator", "repair").body
        link = known.link(SourceKey(reader.channel, record.external_id))
        is_linked = link is not None and record.external_id not in standing.removed
        is_unwanted = not is_linked and record.external_id in standing.discarded
        if isinstance(body, CustomerUnreadable):
            told = () if is_unwanted else (_unreadable(body, is_linked=is_linked),)
            return Found(body.source, told, record, body)
        assert isinstance(body, CustomerImported)  # noqa: S101 - a reader gives these two
        customer = body.customer
        if link is not None and is_linked:
            drift = tuple(drift_of(customer, known, self._policy))
            existing = known.customer(link.customer_id)
            return Found(customer.source, drift, record, body, existing)
        drift = () if is_unwanted else self._unlinked(customer)
        return Found(customer.source, drift, record, body)

    def _unlinked(self, customer: Customer) -> tuple[Drift, ...]:
        return (missing(customer),) if is_expected(customer, self._policy) else ()

    def _living(
        self, records: Sequence[RemoteRecord], reader: StoreViewReader
    ) -> list[RemoteRecord]:
        """Return the records of those who were not erased."""
        accounts = [SourceKey(reader.channel, each.external_id) for each in records]
        with self._units.read() as work:
            erased = reader.tombstones.erased(work, accounts)
        return [r for r in records if SourceKey(reader.channel, r.external_id) not in erased]

    def _absent(self, page: Page, after: str, reader: StoreViewReader) -> list[str]:
        """Return the records that the page should hold and does not."""
        up_to = None if page.is_last else page.records[-1].scan_key
        with self._units.read() as work:
            expected = source_records.in_window(
                work, reader.channel, reader.store_view, after_key=after, up_to_key=up_to
            )
        return sorted(expected - {record.external_id for record in page.records})

    def _unswept(self, reader: StoreViewReader, after: str) -> list[str]:
        with self._units.read() as work:
            return reconciliation_reader.unswept(work, reader.channel, reader.store_view, after)

    def _removed(self, external_ids: Sequence[str], reader: StoreViewReader) -> list[Found]:
        """Return those of the records that are linked and that the shop says are gone."""
        if not external_ids:
            return []
        with self._units.read() as work:
            linked = reconciliation_reader.linked_to(work, reader.channel, external_ids)
            owed = reconciliation_reader.standing(work, reader.channel, external_ids).owed
        gone = [
            each
            for each in external_ids
            if each in linked and each not in owed and reader.source.fetch(each) is None
        ]
        at = self._clock()
        return [
            Found(
                reader.vanished(each, at),
                (Drift("removed", reader.store_view, each, *linked[each]),),
            )
            for each in gone
        ]


def _unreadable(body: CustomerUnreadable, *, is_linked: bool) -> Drift:
    """Return that a record cannot be read, and that this was not noticed yet."""
    return Drift(
        "changed" if is_linked else "missing",
        body.source.store_view,
        body.source.external_id,
        fields=tuple(problem.field for problem in body.problems),
    )
