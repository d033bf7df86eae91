"""Repair: drift mended by the ordinary pipeline, through messages in the outbox (NEW-9).

What the shop says is imported again in the mode `repair`, numbers and additional data are
exported again, and who is gone is told as gone. Its promise: a page's messages, what was seen of
its records and the line in the audit log are one transaction; nothing else is touched.
"""

from collections import Counter
from collections.abc import Iterator, Sequence

import orjson

from services.console.reconciliation import Found
from services.importer.pages import StoreViewReader
from shared.domain.customer import Model
from shared.domain.drift import IMPORTED_ANEW, defaults_for
from shared.domain.messages import CustomerDeleted, CustomerExport, Effect, parcel
from shared.domain.policy import Policy
from shared.persistence import audit, source_records
from shared.persistence.source_records import Seen
from shared.persistence.unit_of_work import UnitOfWork


def repair(
    found: Sequence[Found], reader: StoreViewReader, work: UnitOfWork, policy: Policy, *, actor: str
) -> int:
    """Ask for what mends the drift of some records; return how many messages that takes."""
    bodies = [(each, body) for each in found for body in _bodies(each, policy)]
    work.store.add(
        [
            parcel(body, channel=reader.channel, subject=each.source.external_id, at=work.now)
            for each, body in bodies
        ],
        available_in_seconds=0,
    )
    _remember(found, reader, work)
    kinds = Counter(drift.kind for each in found for drift in each.drift)
    audit.note(
        work,
        actor=actor,
        action="reconcile.repair_requested",
        subject=f"{reader.channel}/{reader.store_view}",
        detail=orjson.dumps(dict(kinds)).decode(),
    )
    return len(bodies)


def _bodies(found: Found, policy: Policy) -> Iterator[Model]:
    """Yield what has to be sent about one record."""
    kinds = {drift.kind for drift in found.drift}
    if "removed" in kinds:
        yield CustomerDeleted(source=found.source)
    if kinds & IMPORTED_ANEW and found.body:
        yield found.body
    if "number" in kinds:
        yield from _export("customer_number", found, {})
    if "defaults" in kinds and found.existing:
        values = defaults_for(found.existing, policy, found.source.channel)
        yield from _export("additional_data", found, values)


def _export(effect: Effect, found: Found, values: dict[str, str]) -> Iterator[CustomerExport]:
    existing, source = found.existing, found.source
    if existing and existing.number:
        yield CustomerExport(
            effect=effect,
            channel=source.channel,
            external_id=source.external_id,
            store_view=source.store_view,
            customer_id=existing.id,
            customer_number=existing.number,
            values=values,
            version=source.version,
        )


def _remember(found: Sequence[Found], reader: StoreViewReader, work: UnitOfWork) -> None:
    """Note what was seen, so that the next poll has nothing to tell of it."""
    source_records.record(
        work,
        [
            Seen(
                channel=reader.channel,
                external_id=each.record.external_id,
                store_view=reader.store_view,
                scan_key=each.record.scan_key,
                fingerprint=each.record.fingerprint,
            )
            for each in found
            if each.record
        ],
    )
    gone = [each.source.external_id for each in found if each.record is None]
    source_records.mark_deleted(work, reader.channel, gone)
