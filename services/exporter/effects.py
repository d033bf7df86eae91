"""What an exporter does with exports, and how it remembers what came of them.

All exports about one remote customer are written together, customers side by side in threads.
What the writes did to the remote record is noted with the importer's, so that our own change does
not come back as news (C365-20).
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any

import orjson

from shared.connectors.ports import CustomerSink, Outcome
from shared.domain.errors import PatronError, RemoteGone, UnknownType
from shared.domain.messages import CustomerExport, Envelope
from shared.observability.metrics import Metrics
from shared.persistence import history, source_records
from shared.persistence.tables import links
from shared.persistence.unit_of_work import UnitOfWork
from shared.runtime.loops import Beat

LINK_KEY = ("channel", "external_id")


@dataclass(frozen=True, slots=True)
class Exported:
    """What came of one export. A customer that the shop deleted is an end, not a failure."""

    outcome: Outcome

    @property
    def error(self) -> PatronError | None:
        """Why the export has to be tried again or looked at, or None."""
        return None if self.is_gone else self.outcome.error

    @property
    def is_gone(self) -> bool:
        """Whether the shop has no such customer any more."""
        return isinstance(self.outcome.error, RemoteGone)

    @property
    def result(self) -> str:
        """How the metrics and the history call it."""
        if self.outcome.error:
            return self.outcome.error.reason
        return "written" if self.outcome.written and self.outcome.written.changed else "unchanged"


class ChannelEffects:
    """Writes to one channel."""

    def __init__(
        self, channel: str, sink: CustomerSink, threads: ThreadPoolExecutor, metrics: Metrics
    ) -> None:
        self._channel = channel
        self._sink = sink
        self._threads = threads
        self._metrics = metrics

    def perform(self, envelopes: Sequence[Envelope[Any]], beat: Beat) -> Sequence[Exported]:
        """Carry out the exports, those of one customer in one go and in their order."""
        by_customer: defaultdict[str, list[int]] = defaultdict(list)
        for position, envelope in enumerate(envelopes):
            by_customer[envelope.subject].append(position)
        results: dict[int, Exported] = {}
        futures: dict[Future[list[Exported]], list[int]] = {
            self._threads.submit(self._write, [envelopes[p].body for p in positions]): positions
            for positions in by_customer.values()
        }
        for future in _finished(futures, beat):
            results.update(zip(futures[future], future.result(), strict=True))
        return [results[position] for position in range(len(envelopes))]

    def record(self, outcomes: Sequence[tuple[Envelope[Any], Exported]], work: UnitOfWork) -> None:
        """Note what the shop has now: the number on the link, the echo, a line of history."""
        done = [(envelope, exported) for envelope, exported in outcomes if not exported.error]
        numbered = [
            _link_row(envelope, work, exported_number=envelope.body.customer_number)
            for envelope, exported in done
            if envelope.body.effect == "customer_number" and not exported.is_gone
        ]
        work.bulk.update(links, numbered, key=LINK_KEY)
        removed = [_link_row(e, work, status="removed") for e, exported in done if exported.is_gone]
        work.bulk.update(links, removed, key=LINK_KEY)
        source_records.replace_fingerprints(work, self._channel, list(_echoes(done)))
        history.append(work.connection, [_line(*pair, work) for pair in outcomes])
        for envelope, exported in outcomes:
            self._metrics.exports.labels(
                envelope.channel, envelope.body.effect, exported.result
            ).inc()

    def _write(self, bodies: Sequence[Any]) -> list[Exported]:
        if not all(isinstance(body, CustomerExport) for body in bodies):
            error = UnknownType("the exporter takes exports only")
            return [Exported(Outcome(body, error=error)) for body in bodies]
        return [Exported(outcome) for outcome in self._sink.write(bodies)]


def _finished(
    futures: dict[Future[list[Exported]], list[int]], beat: Beat
) -> Iterator[Future[list[Exported]]]:
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=2.0, return_when="FIRST_COMPLETED")
        beat()
        yield from done


def _link_row(envelope: Envelope[Any], work: UnitOfWork, **changes: str) -> dict[str, Any]:
    body: CustomerExport = envelope.body
    key = {"channel": body.channel, "external_id": body.external_id}
    return {**key, **changes, "updated_at": work.now}


def _echoes(
    done: Sequence[tuple[Envelope[Any], Exported]],
) -> Iterator[tuple[str, str, str]]:
    for envelope, exported in done:
        written = exported.outcome.written
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
