"""The two ways to read a store view: polling its changes, and sweeping all of it.

Each page is taken in together with the cursor, in one transaction fenced by the lease; so a page
that cannot be trusted, or a crash, leaves the cursor where it was (NEW-14).
"""

import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import timedelta

from services.importer.pages import StoreViewReader, Taken, take_page, tell_deleted
from shared.connectors.ports import Page, Watermark
from shared.domain.messages import Parcel
from shared.observability.metrics import Metrics
from shared.observability.tracing import NO_TRACING, Tracer
from shared.persistence import source_records
from shared.persistence.cursors import Cursors, Lease
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from shared.runtime.loops import Beat


@dataclass
class Run:
    """A task in progress: its lease, and what was read so far."""

    lease: Lease
    read: int = 0
    changed: int = 0
    deleted: int = 0
    timer: Callable[[], float] = time.monotonic
    began: float = field(init=False)

    def __post_init__(self) -> None:
        """Start the timer."""
        self.began = self.timer()

    @property
    def seconds(self) -> float:
        """How long the run has been going on."""
        return self.timer() - self.began


@dataclass(frozen=True, slots=True)
class Tasks:
    """Reads store views into the outbox.

    A sweep is read in slices of `slice_seconds`, and takes no more than `sweep_share` of the time:
    the shop has other visitors (NEW-9).
    """

    units: UnitsOfWork
    offer: Callable[[Sequence[Parcel]], None]
    metrics: Metrics
    lease_seconds: float
    overlap_seconds: float
    slice_seconds: float = 10.0
    sweep_share: float = 1.0
    tracer: Tracer = NO_TRACING

    def poll(self, run: Run, reader: StoreViewReader, beat: Beat) -> None:
        """Take in what changed since the watermark, less an overlap for late commits."""
        changes = reader.source.changes(reader.store_view, self._since(run.lease))
        with self._each(changes, "poll", reader) as pages:
            for page in pages:
                beat()
                with self.units.begin() as work:
                    trace = self.tracer.traceparent
                    taken = take_page(page.records, reader, work, "poll", traceparent=trace)
                    run.lease = self._advance(run.lease, page, work)
                self._tell(run, taken, reader, work.sent)

    def sweep(self, run: Run, reader: StoreViewReader, beat: Beat) -> bool:
        """Take in every record, and find those that are gone. Returns whether it is over.

        Stops after a while, so that polls get their turn; the next lease goes on from there. One
        that is to link only hands on everybody: who is known is decided by others (ASK-8).
        """
        mode = run.lease.cursor.sweep_mode
        after = run.lease.cursor.sweep_key or ""
        everybody = reader.source.sweep(reader.store_view, after)
        with self._each(everybody, "sweep", reader) as pages:
            for page in pages:
                beat()
                deleted = self._missing(page, after, reader, beat)
                with self.units.begin() as work:
                    trace = self.tracer.traceparent
                    taken = take_page(
                        page.records,
                        reader,
                        work,
                        "sweep",
                        mode=mode,
                        even_unchanged=mode == "link_only",
                        traceparent=trace,
                    )
                    run.deleted += tell_deleted(deleted, reader, work, traceparent=trace)
                    after = page.end(after)
                    cursors = Cursors(work)
                    run.lease = cursors.save_sweep(run.lease, after, seconds=self.lease_seconds)
                self._tell(run, taken, reader, work.sent)
                if run.seconds > self.slice_seconds and not page.is_last:
                    return False
        return True

    def rest_after(self, run: Run) -> timedelta:
        """Return how long sweeps rest after a slice, so that they keep to their share."""
        return timedelta(seconds=run.seconds * (1.0 - self.sweep_share) / self.sweep_share)

    def _each(
        self, pages: Iterable[Page], task: str, reader: StoreViewReader
    ) -> AbstractContextManager[Iterable[Page]]:
        """Have a trace for each page: a store view's first import would be too long for one."""
        name = f"{task} {reader.channel} {reader.store_view}"
        attributes = {"patron.channel": reader.channel, "patron.store_view": reader.store_view}
        return self.tracer.each(name, pages, attributes=attributes)

    def _since(self, lease: Lease) -> Watermark | None:
        at = lease.cursor.watermark_at
        return Watermark(at - timedelta(seconds=self.overlap_seconds)) if at else None

    def _advance(self, lease: Lease, page: Page, work: UnitOfWork) -> Lease:
        """Move the watermark on to the mark of a page, and prolong the lease.

        Never back, as a page of the overlap would; nor into the future, where a shop's wrong
        clock would have us wait for it.
        """
        cursors, before = Cursors(work), lease.cursor
        if page.mark:
            mark = min((page.mark.changed_at, page.mark.scan_key), (work.now, ""))
            if before.watermark_at is None or mark > (before.watermark_at, before.watermark_key):
                return cursors.save_watermark(lease, *mark, seconds=self.lease_seconds)
        return cursors.renew(lease, self.lease_seconds)

    def _missing(self, page: Page, after: str, reader: StoreViewReader, beat: Beat) -> list[str]:
        """Return known records that the page should hold and the platform does not have."""
        if page.end(after) == after and not page.is_last:
            return []
        up_to = None if page.is_last else page.end(after)
        with self.units.read() as work:
            expected = source_records.in_window(
                work, reader.channel, reader.store_view, after_key=after, up_to_key=up_to
            )
        gone = []
        for external_id in sorted(expected - {record.external_id for record in page.records}):
            beat()
            if reader.source.fetch(external_id) is None:
                gone.append(external_id)
        return gone

    def _tell(
        self, run: Run, taken: Taken, reader: StoreViewReader, sent: Sequence[Parcel]
    ) -> None:
        self.offer(sent)
        run.read += taken.changed + taken.unchanged + taken.erased
        run.changed += taken.changed
        records = self.metrics.import_records
        records.labels(reader.channel, "changed").inc(taken.changed)
        records.labels(reader.channel, "unchanged").inc(taken.unchanged)
        records.labels(reader.channel, "erased").inc(taken.erased)
