"""What an exporter does with exports, and how it remembers what came of them.

What no longer holds is not written. All exports about one remote customer are written together,
and as many customers with them as the platform takes in one call; several calls run side by side in
threads. A failure, whatever it is, is that of its customer alone. What
the writes did to the remote record is noted with the importer's, so that our own change does not
come back as news (C365-20).
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import groupby, islice
from typing import Any

import orjson
import structlog

from services.exporter.fence import Lapse, lapses
from services.exporter.progress import finished
from shared.connectors.ports import CustomerSink, Written
from shared.domain.errors import PatronError, RemoteGone, UnknownType
from shared.domain.messages import CustomerExport, Envelope
from shared.observability.logs import about
from shared.observability.metrics import Metrics
from shared.observability.pulse import Feel, felt_by, pulse
from shared.observability.tracing import NO_TRACING, Tracer
from shared.persistence import history, source_records
from shared.persistence.tables import links
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from shared.runtime.loops import Beat
from shared.runtime.recoverability import BUG

LINK_KEY = ("channel", "external_id")

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of one export: what was written, why it failed, or why it was not even tried."""

    written: Written | None = None
    failure: Exception | None = None
    lapse: Lapse | None = None

    @property
    def error(self) -> Exception | None:
        """Why the export has to be tried again or looked at, or None.

        A customer that the shop deleted is an end, not a failure.
        """
        return None if self.is_gone else self.failure

    @property
    def is_gone(self) -> bool:
        """Whether the shop has no such customer any more."""
        return isinstance(self.failure, RemoteGone)

    @property
    def result(self) -> str:
        """How the metrics and the history call it."""
        if self.lapse:
            return self.lapse
        if self.failure:
            return self.failure.reason if isinstance(self.failure, PatronError) else BUG
        return "written" if self.written and self.written.changed else "unchanged"


class ChannelEffects:
    """Writes to one channel."""

    def __init__(
        self,
        channel: str,
        sink: CustomerSink,
        units: UnitsOfWork,
        threads: ThreadPoolExecutor,
        metrics: Metrics,
        *,
        tracer: Tracer = NO_TRACING,
    ) -> None:
        self._tracer = tracer
        self._channel = channel
        self._sink = sink
        self._units = units
        self._threads = threads
        self._metrics = metrics

    def perform(self, envelopes: Sequence[Envelope[Any]], beat: Beat) -> Sequence[Exported]:
        """Carry out the exports, those of one customer in one go and in their order."""
        refusal = Exported(failure=UnknownType(f"{self._channel} takes its own exports only"))
        results = dict.fromkeys(range(len(envelopes)), refusal)
        taken = [position for position, each in enumerate(envelopes) if self._takes(each)]
        by_customer: defaultdict[str, list[int]] = defaultdict(list)
        for position, lapse in zip(taken, self._lapses(envelopes, taken), strict=True):
            if lapse:
                results[position] = Exported(lapse=lapse)
            else:
                by_customer[envelopes[position].body.external_id].append(position)
        progress = threading.Event()
        futures = {
            self._threads.submit(
                self._export, [envelopes[p] for p in positions], progress.set
            ): positions
            for positions in _together(by_customer.values(), self._sink.customers_at_once)
        }
        for future in finished(futures, beat, progress):
            results.update(zip(futures[future], future.result(), strict=True))
        return list(results.values())

    def record(self, outcomes: Sequence[tuple[Envelope[Any], Exported]], work: UnitOfWork) -> None:
        """Note what the shop has now: the number on the link, the echo, a line of history."""
        mine = [pair for pair in outcomes if self._takes(pair[0])]
        done = [(envelope, exported) for envelope, exported in mine if not exported.error]
        numbered = [
            _link_row(envelope, work, exported_number=envelope.body.customer_number)
            for envelope, exported in done
            if envelope.body.effect == "customer_number" and exported.written
        ]
        work.bulk.update(links, numbered, key=LINK_KEY)
        removed = [_link_row(e, work, status="removed") for e, exported in done if exported.is_gone]
        work.bulk.update(links, removed, key=LINK_KEY)
        source_records.replace_fingerprints(work, self._channel, list(_echoes(done)))
        history.append(work.connection, [_line(*pair, work) for pair in mine])
        for envelope, exported in mine:
            self._metrics.exports.labels(self._channel, envelope.body.effect, exported.result).inc()

    def _lapses(
        self, envelopes: Sequence[Envelope[Any]], positions: Sequence[int]
    ) -> list[Lapse | None]:
        """Return why exports are not meant any more, by what is linked at this moment."""
        with self._units.read() as work:
            return lapses(self._channel, [envelopes[p].body for p in positions], work)

    def _takes(self, envelope: Envelope[Any]) -> bool:
        """Whether this is an export to this channel: ids mean nothing in another."""
        body = envelope.body
        return isinstance(body, CustomerExport) and body.channel == self._channel

    def _export(self, envelopes: Sequence[Envelope[Any]], progress: Feel) -> list[Exported]:
        """Write in a thread of its own, whose log and trace are those of the messages."""
        traceparents = (each.traceparent for each in envelopes)
        with felt_by(progress), about(envelopes), self._tracer.under(traceparents):
            pulse()
            return self._write([each.body for each in envelopes])

    def _write(self, exports: Sequence[CustomerExport]) -> list[Exported]:
        try:
            outcomes = self._sink.write(exports)
            return [Exported(o.written, o.error) for _, o in zip(exports, outcomes, strict=True)]
        except Exception as error:  # noqa: BLE001 - a bug is told, and bounded
            ids = sorted({export.external_id for export in exports})
            _log.exception("export.failed", channel=self._channel, external_ids=ids)
            if len(ids) == 1:
                return [Exported(failure=error)] * len(exports)
        # Doing it again is harmless, and shows whose record it is.
        each = groupby(exports, key=lambda export: export.external_id)
        return [exported for _, of_one in each for exported in self._write(list(of_one))]


def _together(customers: Iterable[list[int]], at_once: int) -> Iterator[list[int]]:
    """Yield the positions of what one call of the sink takes."""
    rest = iter(customers)
    while several := list(islice(rest, at_once)):
        yield [position for customer in several for position in customer]


def _link_row(envelope: Envelope[Any], work: UnitOfWork, **changes: str) -> dict[str, Any]:
    body: CustomerExport = envelope.body
    key = {"channel": body.channel, "external_id": body.external_id}
    return {**key, **changes, "updated_at": work.now}


def _echoes(
    done: Sequence[tuple[Envelope[Any], Exported]],
) -> Iterator[tuple[str, str, str]]:
    for envelope, exported in done:
        written = exported.written
        if written and written.changed and not written.unforeseen:
            yield (envelope.body.external_id, written.before, written.after)


def _line(envelope: Envelope[Any], exported: Exported, work: UnitOfWork) -> dict[str, Any]:
    body: CustomerExport = envelope.body
    return history.line(
        at=work.now,
        correlation_id=envelope.correlation_id,
        message_id=envelope.message_id,
        channel=body.channel,
        external_id=body.external_id,
        customer_id=body.customer_id,
        worker="exporter",
        event=f"{body.effect}.{exported.result}",
        detail=orjson.dumps({"fields": sorted(body.values)}).decode() if body.values else None,
    )
