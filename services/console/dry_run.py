"""A dry run: what an import would do, record by record, without any effect (NEW-1).

Reads the shop as the importer does, gathers as the processor does but without locks and in
transactions that only read, and decides by the very same `decide`. Its promise: nothing is
written anywhere, no number is drawn, and memory does not grow with the shop.
"""

import heapq
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final
from uuid import UUID

from services.console.earlier import Earlier
from services.console.preview import BY_NEWS, Preview, preview, removed, unreadable
from services.importer.pages import StoreViewReader
from services.processor.gather import Inquiry, Wanted, gather
from shared.connectors.ports import Page, RemoteRecord, Watermark
from shared.domain.customer import Customer, Model, SourceKey
from shared.domain.decide import decide
from shared.domain.decisions import AUTOMATIC, Create, Instruction, Update
from shared.domain.known import Known
from shared.domain.messages import CustomerImported, CustomerUnreadable
from shared.domain.policy import Policy
from shared.persistence import source_records
from shared.persistence.cursors import Cursors
from shared.persistence.unit_of_work import UnitsOfWork

_RANK: Final = {what: rank for rank, what in enumerate(BY_NEWS)}


@dataclass(frozen=True, slots=True)
class Window:
    """Which records are tried: one, all, those changed since a moment, or since the last poll.

    With `links_only` all are, as by the import that only links what is known (ASK-8).
    """

    external_id: str | None = None
    since: datetime | None = None
    sweep: bool = False
    links_only: bool = False

    @property
    def is_whole(self) -> bool:
        """Whether every record of the store view is read."""
        return self.external_id is None and (self.sweep or self.links_only)

    @property
    def even_unchanged(self) -> bool:
        """Whether records are decided that the importer has seen as they are."""
        return self.external_id is not None or self.links_only

    @property
    def instruction(self) -> Instruction:
        """What the decisions are asked for."""
        return Instruction(links_only=True) if self.links_only else AUTOMATIC


@dataclass
class Forecast:
    """What a dry run came to: counts of all, and up to `limit` records, the biggest news first."""

    limit: int
    read: int = 0
    erased: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    reasons: Counter[tuple[str, str]] = field(default_factory=Counter)
    conflicts: int = 0
    _shown: list[tuple[int, int, Preview]] = field(default_factory=list)

    def add(self, each: Preview) -> None:
        """Count a record, and keep it if it is news enough; unchanged ones are only counted."""
        self.counts[each.what] += 1
        self.conflicts += len(each.conflicts)
        if each.reason:
            self.reasons[each.what, each.reason] += 1
        if each.what == "unchanged":
            return
        entry = (-_RANK[each.what], -self.counts.total(), each)
        if len(self._shown) < self.limit:
            heapq.heappush(self._shown, entry)
        else:
            heapq.heappushpop(self._shown, entry)

    def shown(self) -> list[Preview]:
        """Return the records that are shown, the biggest news first, in the order of reading."""
        return [each for _, _, each in sorted(self._shown, key=lambda e: (-e[0], -e[1]))]


class DryRun:
    """Tries the store views of one channel, one after the other."""

    def __init__(
        self,
        units: UnitsOfWork,
        policy: Policy,
        window: Window,
        forecast: Forecast,
        earlier: Earlier,
        *,
        overlap_seconds: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._units = units
        self._policy = policy
        self._window = window
        self._forecast = forecast
        self._earlier = earlier
        self._overlap = timedelta(seconds=overlap_seconds)
        self._clock = clock

    def try_view(self, reader: StoreViewReader) -> None:
        """Try what the window holds of a store view."""
        after = ""
        for page in self._pages(reader):
            self.try_page(page.records, reader)
            if self._window.is_whole and (page.records or page.is_last):
                for external_id in self._missing(page, after, reader):
                    self._forecast.add(removed(reader.store_view, external_id))
                after = page.records[-1].scan_key if page.records else after

    def try_page(self, records: Sequence[RemoteRecord], reader: StoreViewReader) -> None:
        """Try some records together."""
        news = [each for each in records if self._earlier.is_new(each.external_id)]
        self._forecast.read += len(news)
        at = self._clock()
        bodies = [reader.read(each, at, "request").body for each in self._changed(news, reader)]
        customers = [body.customer for body in bodies if isinstance(body, CustomerImported)]
        known = self._gathered(customers)
        decided: set[UUID] = set()
        for body in bodies:
            self._forecast.add(self._decided(body, known, decided))
        self._earlier.remember(decided, known)

    def _pages(self, reader: StoreViewReader) -> Iterator[Page]:
        source, view = reader.source, reader.store_view
        if self._window.is_whole:
            return source.sweep(view, "")
        return source.changes(view, self._since(reader))

    def _since(self, reader: StoreViewReader) -> Watermark | None:
        """Return where the next poll would begin, or what was asked for."""
        if self._window.since:
            return Watermark(self._window.since)
        with self._units.read() as work:
            cursor = Cursors(work).find(reader.channel, reader.store_view)
        at = cursor.watermark_at if cursor else None
        return Watermark(at - self._overlap) if at else None

    def _changed(
        self, records: Sequence[RemoteRecord], reader: StoreViewReader
    ) -> list[RemoteRecord]:
        """Return what the importer would hand on, and count the rest."""
        accounts = [SourceKey(reader.channel, each.external_id) for each in records]
        with self._units.read() as work:
            erased = {key.external_id for key in reader.tombstones.erased(work, accounts)}
            seen = source_records.known(
                work,
                reader.channel,
                [each.external_id for each in records],
                store_view=reader.store_view,
            )
        living = [each for each in records if each.external_id not in erased]
        changed = [
            each
            for each in living
            if self._window.even_unchanged or seen.get(each.external_id) != each.fingerprint
        ]
        self._forecast.erased += len(erased)
        self._forecast.counts["unchanged"] += len(living) - len(changed)
        return changed

    def _gathered(self, customers: Sequence[Customer]) -> Known:
        if not customers:
            return Known()
        inquiries = [
            Inquiry(customer.source.key, customer, self._window.instruction)
            for customer in customers
        ]
        with self._units.read() as work:
            known = gather(inquiries, work, self._policy, locks=False)
        self._earlier.recall(Wanted(inquiries, self._policy).identities(), known)
        return known

    def _decided(self, body: Model, known: Known, decided: set[UUID]) -> Preview:
        if isinstance(body, CustomerUnreadable):
            problems = tuple(f"{each.field}: {each.problem}" for each in body.problems)
            return unreadable(body.source, problems)
        assert isinstance(body, CustomerImported)  # noqa: S101 - a reader gives these two
        decision = decide(body.customer, known, self._policy, self._window.instruction)
        shown = preview(decision, known)
        known.learn(decision)
        if isinstance(decision, Create):
            decided.add(decision.created.id)
        elif isinstance(decision, Update):
            decided.add(decision.updated.id)
        return shown

    def _missing(self, page: Page, after: str, reader: StoreViewReader) -> list[str]:
        """Return the records that the page should hold and the platform says are gone."""
        up_to = None if page.is_last else page.records[-1].scan_key
        with self._units.read() as work:
            expected = source_records.in_window(
                work, reader.channel, reader.store_view, after_key=after, up_to_key=up_to
            )
        absent = sorted(expected - {record.external_id for record in page.records})
        return [each for each in absent if reader.source.fetch(each) is None]
