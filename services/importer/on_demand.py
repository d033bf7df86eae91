"""Fetches the customers that somebody asks for by name, now and not at the next poll (MYOB-4).

Any number of importers may run: a question is leased while its customer is fetched. What was
fetched goes the ordinary way, through the outbox to the processor, who answers when it has
decided. The hint of a webhook is such a question that nobody asks: what is unchanged is left at
that, and who is gone is told as deleted (D365-2). Its promise: every question is answered once, at
the latest when its time is up.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final

import structlog

from services.importer.pages import StoreViewReader, take_page, tell_deleted
from shared.connectors.ports import CustomerSource, RemoteRecord
from shared.domain.errors import PatronError, TransientError
from shared.domain.messages import Parcel
from shared.observability.logs import about
from shared.observability.metrics import Metrics
from shared.observability.tracing import NO_TRACING, Tracer
from shared.persistence import import_requests
from shared.persistence.cursors import Cursors
from shared.persistence.failures import DatabaseContended, DatabaseUnavailable
from shared.persistence.import_requests import (
    STORE_VIEW_NOT_IMPORTED,
    UNKNOWN_IN_SHOP,
    ImportRequest,
    Verdict,
)
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from shared.runtime.loops import Beat
from shared.runtime.recoverability import BUG

_FIRST_WAIT: Final = timedelta(seconds=1)
_LONGEST_WAIT: Final = timedelta(seconds=15)
# Nobody waits for what a hint leads to: a shop that is down is left alone.
_LONGEST_WAIT_OF_A_HINT: Final = timedelta(minutes=5)
_UNCHANGED: Final = "unchanged"
_KEPT: Final = timedelta(days=30)
_TIDY_EVERY: Final = timedelta(hours=1)
_AT_ONCE: Final = 500
_log = structlog.get_logger()

Offer = Callable[[Sequence[Parcel]], None]


class OnDemand:
    """Fetches for one channel; `readers` are the store views whose import is on."""

    def __init__(
        self,
        channel: str,
        source: CustomerSource,
        readers: Mapping[str, StoreViewReader],
        *,
        units: UnitsOfWork,
        offer: Offer,
        metrics: Metrics,
        lease_seconds: float,
        tracer: Tracer = NO_TRACING,
    ) -> None:
        self._tracer = tracer
        self._channel = channel
        self._source = source
        self._readers = readers
        self._units = units
        self._offer = offer
        self._metrics = metrics
        self._lease_seconds = lease_seconds

    def run_next(self, beat: Beat) -> bool:
        """Fetch the customer that was asked for first; return whether there was one."""
        with self._units.read() as work:
            if not import_requests.is_due(work, self._channel):
                return False
        with self._units.begin() as work:
            requests = import_requests.claim(work, self._channel, self._lease_seconds)
        if requests:
            span = self._tracer.within(
                f"fetch {self._channel}",
                parent=requests[0].traceparent,
                attributes={
                    "patron.channel": self._channel,
                    "patron.requests": len(requests),
                    "messaging.message.conversation_id": str(requests[0].correlation_id),
                },
            )
            with about(requests[:1]), span:
                self._fetch(requests)
            beat()
        return bool(requests)

    def _fetch(self, requests: Sequence[ImportRequest]) -> None:
        try:
            record = self._source.fetch(requests[0].external_id)
            self._hand_on(requests, record)
        except (DatabaseUnavailable, DatabaseContended):
            raise
        except PatronError as error:
            self._put_off(requests, error)
            _log.warning(
                "import.fetch_failed",
                channel=self._channel,
                reason=error.reason,
                error=str(error),
                requests=len(requests),
            )
        except Exception as error:  # noqa: BLE001 - a bug is told, and bounded by the deadline
            # One customer must not keep the others from being fetched.
            self._put_off(requests, error)
            _log.exception("import.fetch_failed", channel=self._channel, reason=BUG)

    def _hand_on(self, requests: Sequence[ImportRequest], record: RemoteRecord | None) -> None:
        """Send what was fetched to the processor, or answer that it cannot be imported."""
        reader = self._reader_of(record)
        with self._units.begin() as work:
            wanted = import_requests.still_wanted(work, requests)
            if not wanted:
                return
            if record is not None and reader is not None:
                self._import(wanted, record, reader, work)
            elif record is None:
                self._tell_gone(wanted[0].external_id, work)
                _refuse(wanted, UNKNOWN_IN_SHOP, work)
            else:
                _refuse(wanted, STORE_VIEW_NOT_IMPORTED, work)
        self._offer(work.sent)
        self._tell(wanted, work)

    def _import(
        self,
        wanted: Sequence[ImportRequest],
        record: RemoteRecord,
        reader: StoreViewReader,
        work: UnitOfWork,
    ) -> None:
        cursor = Cursors(work).find(self._channel, reader.store_view)
        taken = take_page(
            [record],
            reader,
            work,
            "request",
            # A first import that only links creates nothing, whoever asks.
            mode=cursor.sweep_mode if cursor else "normal",
            even_unchanged=not all(each.is_hint for each in wanted),
            cause=wanted[0],
            traceparent=self._tracer.traceparent,
        )
        if taken.erased:
            _refuse(wanted, "erased", work)
        elif taken.unchanged:
            _refuse(wanted, _UNCHANGED, work)
        else:
            import_requests.mark_fetched(work, wanted, work.sent[0].message_id)
        records = self._metrics.import_records
        records.labels(self._channel, "changed").inc(taken.changed)
        records.labels(self._channel, "unchanged").inc(taken.unchanged)

    def _tell_gone(self, external_id: str, work: UnitOfWork) -> None:
        """Tell a customer who was known as deleted, in whichever store view that was."""
        for reader in self._readers.values():
            tell_deleted([external_id], reader, work, traceparent=self._tracer.traceparent)

    def _reader_of(self, record: RemoteRecord | None) -> StoreViewReader | None:
        view = None if record is None else self._source.store_view_of(record)
        return None if view is None else self._readers.get(view)

    def _put_off(self, requests: Sequence[ImportRequest], error: Exception) -> None:
        """Try again after as long as was waited already: twice as long each time."""
        asked = error.retry_after_seconds if isinstance(error, TransientError) else None
        with self._units.begin() as work:
            waited = work.now - requests[0].requested_at
            is_hint = all(each.is_hint for each in requests)
            longest = _LONGEST_WAIT_OF_A_HINT if is_hint else _LONGEST_WAIT
            wait = min(max(waited, _FIRST_WAIT), longest)
            if asked is not None:
                wait = max(wait, timedelta(seconds=asked))
            import_requests.put_off(work, requests, work.now + wait)

    def _tell(self, wanted: Sequence[ImportRequest], work: UnitOfWork) -> None:
        waited = max(0.0, (work.now - wanted[0].requested_at).total_seconds())
        _log.info(
            "import.fetched",
            channel=self._channel,
            requests=len(wanted),
            seconds=round(waited, 3),
        )


def _refuse(requests: Sequence[ImportRequest], reason: str, work: UnitOfWork) -> None:
    verdicts = [Verdict(request.id, "refused", reason=reason) for request in requests]
    import_requests.answer(work, verdicts)


class Deadlines:
    """Answers the questions whose time is up, of all channels, whoever has them in hand.

    A loop of its own: a shop that hangs must not keep its askers waiting for that.
    """

    def __init__(self, units: UnitsOfWork, offer: Offer) -> None:
        self._units = units
        self._offer = offer
        self._tidy_at = datetime.min.replace(tzinfo=UTC)

    def run(self, _beat: Beat) -> bool:
        """Answer with what is known; return whether there may be more."""
        with self._units.read() as work:
            is_late, is_untidy = import_requests.is_late(work), work.now >= self._tidy_at
        if is_untidy:
            self._tidy()
        return is_late and self._answer()

    def _answer(self) -> bool:
        with self._units.begin() as work:
            verdicts = import_requests.late(work, _AT_ONCE)
            answered = import_requests.answer(work, verdicts)
        self._offer(work.sent)
        if asked := [each for each in answered if not each.is_hint]:
            _log.warning("import.requests_timed_out", requests=len(asked))
        return len(verdicts) == _AT_ONCE

    def _tidy(self) -> None:
        """Forget questions that were answered long ago."""
        with self._units.begin() as work:
            import_requests.forget(work, work.now - _KEPT)
            self._tidy_at = work.now + _TIDY_EVERY
