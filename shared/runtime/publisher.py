"""Handing messages to the broker, and writing down what became of each.

For the outbox. Its promise: what it calls confirmed the broker has stored and routed; everything
else is named, with the reason.

A reply is done with once it is published: nobody of ours will claim it. If nobody is there to take
it either, it is dropped, not kept for somebody who has left.
"""

import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import structlog

from shared.domain.errors import Oversized
from shared.domain.messages import Parcel
from shared.messaging.broker import (
    CONFIRM_TIMEOUT,
    CONNECTION_LOST,
    UNROUTABLE,
    Broker,
    BrokerUnavailable,
    PublishFailed,
    WireMessage,
)
from shared.messaging.codec import to_wire
from shared.observability.metrics import Metrics
from shared.persistence.tables import messages
from shared.persistence.unit_of_work import UnitOfWork
from shared.runtime.failures import FailureRecorder

_REPUBLISHED = "x-patron-republished"
_UNROUTABLE_DELAY = timedelta(seconds=60)
_REFUSED_DELAY = timedelta(seconds=5)
_MAY_PASS = frozenset({CONFIRM_TIMEOUT, CONNECTION_LOST})
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Publication:
    """What became of the parcels of one batch; `replied` are the replies to be forgotten."""

    confirmed: list[UUID] = field(default_factory=list)
    replied: list[UUID] = field(default_factory=list)
    failed: dict[UUID, str] = field(default_factory=dict)
    refused: dict[UUID, tuple[Parcel, Oversized]] = field(default_factory=dict)


class Publisher:
    """Publishes batches of parcels."""

    def __init__(self, broker: Broker, failures: FailureRecorder, metrics: Metrics) -> None:
        self._broker = broker
        self._failures = failures
        self._metrics = metrics

    def publish(self, parcels: Sequence[Parcel], *, again: bool = False) -> Publication:
        """Hand parcels to the broker in one batch and say what became of each."""
        publication = Publication()
        batch = self._on_wire(parcels, publication)
        if again:
            batch = [_flagged(message) for message in batch]
        if not batch:
            return publication
        began = time.monotonic()
        try:
            self._broker.publish(batch)
        except PublishFailed as error:
            publication.failed.update(error.failed)
            self._drop_replies(parcels, publication)
            self._tell(publication.failed)
        except BrokerUnavailable:
            self._metrics.publish.labels("unavailable").inc(len(batch))
            raise
        self._metrics.publish_confirm_seconds.observe(time.monotonic() - began)
        over = {*publication.failed, *publication.refused, *publication.replied}
        sent = [each for each in parcels if each.message_id not in over] if over else parcels
        self._metrics.publish.labels("confirmed").inc(len(sent))
        for parcel in sent:
            kind = publication.replied if parcel.is_reply else publication.confirmed
            kind.append(parcel.message_id)
        return publication

    def _drop_replies(self, parcels: Sequence[Parcel], publication: Publication) -> None:
        """Give up the replies that nobody takes; those that met an outage are tried again."""
        for parcel in parcels:
            reason = publication.failed.get(parcel.message_id)
            if not parcel.is_reply or reason is None or reason in _MAY_PASS:
                continue
            del publication.failed[parcel.message_id]
            publication.replied.append(parcel.message_id)
            self._metrics.publish.labels("reply_dropped").inc()
            _log.warning(
                "reply.dropped",
                reason=reason,
                channel=parcel.channel,
                message_id=str(parcel.message_id),
                correlation_id=str(parcel.correlation_id),
                request_id=str(parcel.causation_id),
            )

    def _tell(self, failed: Mapping[UUID, str]) -> None:
        by_kind = Counter(reason.partition(":")[0] for reason in failed.values())
        for kind, many in by_kind.items():
            self._metrics.publish.labels(kind).inc(many)
        if by_kind:
            _log.error("outbox.not_published", **by_kind)

    def _on_wire(self, parcels: Sequence[Parcel], publication: Publication) -> list[WireMessage]:
        batch = []
        for parcel in parcels:
            try:
                batch.append(to_wire(parcel))
            except Oversized as error:
                publication.refused[parcel.message_id] = (parcel, error)
        return batch

    def record(self, publication: Publication, work: UnitOfWork) -> None:
        """Write down what became of each: published, or never to be sent."""
        work.store.mark_published(publication.confirmed)
        work.store.claim(publication.replied)
        for parcel, error in publication.refused.values():
            self._failures.bury_unsendable(parcel, error, work)

    def put_off(self, publication: Publication, work: UnitOfWork) -> None:
        """Have what the broker did not take wait, so that it does not stand before the others."""
        unroutable = work.now + _UNROUTABLE_DELAY
        refused = work.now + _REFUSED_DELAY
        rows = [
            {
                "id": id_,
                "available_at": unroutable if reason == UNROUTABLE else refused,
                "published_at": None,
            }
            for id_, reason in publication.failed.items()
        ]
        work.bulk.update(messages, rows, key=("id",))


def _flagged(message: WireMessage) -> WireMessage:
    return replace(message, headers={**message.headers, _REPUBLISHED: True})


def is_republished(message: WireMessage) -> bool:
    """Whether the message was published again because its first publication led to nothing."""
    return _REPUBLISHED in message.headers
