"""Handing messages to the broker, and writing down what became of each.

For the outbox. Its promise: what it calls confirmed the broker has stored and routed; everything
else is named, with the reason.
"""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from uuid import UUID

import structlog

from shared.domain.errors import Oversized
from shared.domain.messages import Parcel
from shared.messaging.broker import (
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
_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Publication:
    """What became of the parcels of one batch."""

    confirmed: set[UUID] = field(default_factory=set)
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
            self._tell(error)
        except BrokerUnavailable:
            self._metrics.publish.labels("unavailable").inc(len(batch))
            raise
        self._metrics.publish_confirm_seconds.observe(time.monotonic() - began)
        self._metrics.publish.labels("confirmed").inc(len(batch) - len(publication.failed))
        sent = {parcel.message_id for parcel in parcels}
        publication.confirmed.update(sent - publication.failed.keys() - publication.refused.keys())
        return publication

    def _tell(self, error: PublishFailed) -> None:
        by_kind = Counter(reason.partition(":")[0] for reason in error.failed.values())
        for kind, many in by_kind.items():
            self._metrics.publish.labels(kind).inc(many)
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
