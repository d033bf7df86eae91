"""Takes pushed customers in, in one transaction: the request, its messages, what is remembered.

The same path as any page that is read: unchanged content is dropped, nobody who was erased comes
back, and the message to the processor is owed as soon as the answer is given. Its promise: a
request that is made again, whenever the first try was cut off, has the effect of one.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

from services.importer.intake.identity import Identified, identify
from services.importer.intake.problems import Problem, unauthorized
from services.importer.intake.reading import Door, Given, refused_whole
from services.importer.pages import StoreViewReader, take_page
from shared.connectors.ports import RemoteRecord
from shared.connectors.push.source import PushedSource
from shared.domain.customer import utc
from shared.domain.ids import new_id
from shared.domain.messages import Parcel
from shared.observability.metrics import Metrics
from shared.observability.tracing import NO_TRACING, Tracer
from shared.persistence import pushes, webhook_events
from shared.persistence.failures import DatabaseContended
from shared.persistence.pushes import ACCEPTED, PARKED, REFUSED, Item, PushRequest
from shared.persistence.tombstones import Tombstones, hold_off_erasures
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork

_TRIES: Final = 3
_SECRET: Final = re.compile(r"passw|passphrase|secret|token|credential", re.IGNORECASE)
Offer = Callable[[Sequence[Parcel]], None]


@dataclass(frozen=True, slots=True)
class Push:
    """A request to take customers in; `signature` is what it was signed with, if it was."""

    door: Door
    given: Sequence[Given]
    body: bytes = field(repr=False)
    idempotency_key: str | None = None
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class Receipt:
    """What became of a request; `is_repeated` when that was so already."""

    request_id: UUID
    items: Sequence[Item]
    is_repeated: bool = False


class Pushes:
    """Takes requests in, for all channels; threads may share it."""

    def __init__(
        self,
        units: UnitsOfWork,
        offer: Offer,
        tombstones: Tombstones,
        metrics: Metrics,
        *,
        tracer: Tracer = NO_TRACING,
    ) -> None:
        self._tracer = tracer
        self._units = units
        self._offer = offer
        self._tombstones = tombstones
        self._metrics = metrics

    def take(self, push: Push) -> Receipt:
        """Record a request durably, or answer as the first time. Raises `Problem`."""
        for tries in range(1, _TRIES + 1):
            try:
                with self._units.begin() as work:
                    receipt = self._take(push, work)
                break
            except DatabaseContended:
                # Two requests about the same customers may have met; one of them goes again.
                if tries == _TRIES:
                    raise
        self._offer(work.sent)
        return receipt

    def _take(self, push: Push, work: UnitOfWork) -> Receipt:
        hold_off_erasures(work)
        request = _request(push, work)
        is_replay = push.signature is not None and not webhook_events.is_news(
            work, request.channel, f"signature {push.signature}"
        )
        known = pushes.claim(work, request)
        if known.id != request.id:
            return _again(known, request, work)
        if is_replay:
            # The key is not signed: somebody has put another one to what he overheard.
            raise unauthorized()
        found = identify(push.given, push.door, self._tombstones, work)
        if not found.taken:
            # Nothing is left behind, not even the key: mended, the request may come with it.
            raise refused_whole(found.refused)
        self._import(found.taken, push.door, work)
        items = sorted(
            [*map(_taken_item, found.taken), *map(_refused_item, found.refused)],
            key=lambda item: item.position,
        )
        pushes.keep_items(work, request, items)
        return Receipt(request.id, items)

    def _import(self, taken: Sequence[Identified], door: Door, work: UnitOfWork) -> None:
        source = PushedSource(
            door.channel,
            {each.external_id: each.customer for each in taken},
            {each.external_id: each.problems for each in taken if each.problems},
        )
        for view in sorted({each.store_view for each in taken}):
            reader = StoreViewReader(door.channel, view, source, self._tombstones, door.keeps_raw)
            # In one order, so that two requests wait for each other and never in a circle.
            of_view = sorted(
                (each for each in taken if each.store_view == view), key=lambda e: e.external_id
            )
            page = take_page(
                [_record(each, work) for each in of_view],
                reader,
                work,
                "push",
                traceparent=self._tracer.traceparent,
            )
            records = self._metrics.import_records
            records.labels(door.channel, "changed").inc(page.changed)
            records.labels(door.channel, "unchanged").inc(page.unchanged)


def _request(push: Push, work: UnitOfWork) -> PushRequest:
    return PushRequest(
        id=new_id(),
        channel=push.door.channel,
        idempotency_key=push.idempotency_key,
        signature=push.signature,
        body_sha256=sha256(push.body).hexdigest(),
        received_at=work.now,
    )


def _again(known: PushRequest, request: PushRequest, work: UnitOfWork) -> Receipt:
    if known.body_sha256 != request.body_sha256:
        raise Problem(
            422,
            "key-reused",
            "this Idempotency-Key came with another body before; send a new key with a new body",
        )
    return Receipt(known.id, pushes.items(work, known.id), is_repeated=True)


def _record(each: Identified, work: UnitOfWork) -> RemoteRecord:
    customer = each.customer
    reasons = "".join(f"!{name}" for name, _ in each.problems)
    return RemoteRecord(
        external_id=each.external_id,
        scan_key=each.external_id,
        changed_at=utc(customer.updated_at) if customer.updated_at else work.now,
        created_at=customer.registered_at,
        # With what it waits for: the same content is news once nothing is in its way.
        fingerprint=f"{customer.fingerprint()}{reasons}",
        payload=_without_secrets(each.record),
    )


def _without_secrets(value: Any) -> Any:
    """Return what may be kept: a shape of the pusher's own may hold anything (ORO-6)."""
    if isinstance(value, dict):
        return {
            name: _without_secrets(inner)
            for name, inner in value.items()
            if not _SECRET.search(name)
        }
    return [_without_secrets(each) for each in value] if isinstance(value, list) else value


def _taken_item(each: Identified) -> Item:
    faults = [(f"{each.pointer}/{name}", text) for name, text in each.problems]
    return Item(each.position, each.external_id, PARKED if faults else ACCEPTED, faults)


def _refused_item(given: Given) -> Item:
    return Item(given.position, None, REFUSED, given.faults)
