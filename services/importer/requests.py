"""Imports on demand: what an operator or another system asks for is due now (C365-8, MYOB-4).

A request for a channel or a store view only makes it due; it is read on the ordinary path. One for
a customer becomes a question that is fetched and answered. Asking twice, or while an import runs,
is harmless.
"""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

import structlog

from shared.domain.errors import UnknownType
from shared.domain.messages import Envelope, ImportRequested
from shared.observability.logs import about
from shared.persistence import import_requests
from shared.persistence.cursors import Cursors
from shared.persistence.import_requests import UNKNOWN_CHANNEL, ImportRequest, Verdict
from shared.persistence.unit_of_work import UnitOfWork
from shared.runtime.patience import Patience
from shared.runtime.received import Handler, Received, Result

_log = structlog.get_logger()


def take_requests(
    messages: Sequence[Envelope[Any]], work: UnitOfWork, channels: Collection[str]
) -> None:
    """Take in what was asked for. Raises `UnknownType` for a message of another kind."""
    for message in messages:
        body = message.body
        if not isinstance(body, ImportRequested):
            raise UnknownType(f"the importer does not take {message.type}")
        if body.external_id is not None:
            _ask(message, body.external_id, work, channels)
        elif body.channel in channels:
            _make_due(body, work)
        else:
            with about([message]):
                _log.warning("import.unknown_channel")


class WakingHandler:
    """Handles requests, and then wakes the loops of the channels that are asked for."""

    def __init__(self, handler: Handler, wake: Mapping[str, Sequence[Callable[[], None]]]) -> None:
        self._handler = handler
        self._wake = wake

    def handle(self, batch: Sequence[Received], patience: Patience) -> Sequence[Result]:
        """Handle the batch; once it is committed nobody has to wait for the next look."""
        results = self._handler.handle(batch, patience)
        for channel in {received.envelope.channel for received in batch}:
            for wake in self._wake.get(channel, ()):
                wake()
        return results


def _ask(
    message: Envelope[Any], external_id: str, work: UnitOfWork, channels: Collection[str]
) -> None:
    """Note the question; answer it at once where nobody can be fetched."""
    body: ImportRequested = message.body
    request = ImportRequest(
        id=message.message_id,
        correlation_id=message.correlation_id,
        channel=body.channel,
        external_id=external_id,
        reply_to=message.reply_to,
        reply_id=message.reply_id,
        requested_at=work.now,
        answer_by=work.now + timedelta(seconds=body.answer_within_seconds),
        due_at=work.now,
    )
    import_requests.add(work, [request])
    if body.channel not in channels:
        import_requests.answer(work, [Verdict(request.id, "refused", reason=UNKNOWN_CHANNEL)])


def _make_due(body: ImportRequested, work: UnitOfWork) -> None:
    cursors = Cursors(work)
    if body.since is not None:
        _set_back(body, body.since, work)
    if body.link_only:
        cursors.request_now(body.channel, body.store_view, sweep=True, link_only=True)
    else:
        cursors.request_now(body.channel, body.store_view, sweep=body.sweep)


def _set_back(body: ImportRequested, since: datetime, work: UnitOfWork) -> None:
    """Set the watermarks of what was asked for back to `since`, never forward (C365-2)."""
    cursors = Cursors(work)
    meant = (
        {body.store_view}
        if body.store_view
        else {cursor.store_view for cursor in cursors.all() if cursor.channel == body.channel}
    )
    for store_view in sorted(meant):
        cursor = cursors.find(body.channel, store_view, to_change=True)
        if cursor and cursor.watermark_at and since < cursor.watermark_at:
            cursors.set_watermark(body.channel, store_view, since)
