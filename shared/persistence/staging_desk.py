"""The operator's desk of staging: have waiting records decided, or take them out.

For the console, and for a processor whose configuration changed. Its promises: what is asked for,
its line in the audit log and its line of history are one transaction; asking about a record that
is not open any more does nothing.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields, replace
from typing import Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from shared.domain.customer import SourceKey
from shared.domain.messages import Choice, Parcel, StagingProcess, parcel
from shared.persistence import audit, history
from shared.persistence.staging import OPEN, Selection
from shared.persistence.tables import staging_customers
from shared.persistence.unit_of_work import UnitOfWork

SLICE: Final = 500
_REDECISION: Final = "staging.redecision"


@dataclass(frozen=True, slots=True)
class Target:
    """A staging record that something is to be done about; `message_id` is what led to it."""

    id: UUID
    channel: str
    external_id: str
    state: str
    reason: str | None
    correlation_id: UUID
    message_id: UUID

    @property
    def can_be_decided(self) -> bool:
        """Whether it waits, and there is a customer to decide about."""
        return self.state in OPEN and self.reason != "unreadable"


def by_id(work: UnitOfWork, staging_ids: Iterable[UUID]) -> list[Target]:
    """Return those records that exist, in whatever state, oldest first."""
    rows = work.bulk.select(_COLUMNS, staging_customers.c.id, staging_ids)
    return sorted((Target(*row) for row in rows), key=lambda target: target.id)


def after(
    work: UnitOfWork, selection: Selection, staging_id: UUID | None, limit: int = SLICE
) -> list[Target]:
    """Return the next records of a selection, in the order of their ids; None begins it."""
    query = sa.select(*_COLUMNS).where(*selection.conditions())
    if staging_id is not None:
        query = query.where(staging_customers.c.id > staging_id)
    rows = work.connection.execute(query.order_by(staging_customers.c.id).limit(limit))
    return [Target(*row) for row in rows]


def ask(
    work: UnitOfWork,
    targets: Sequence[Target],
    *,
    actor: str,
    choice: Choice = "rules",
    customer_id: UUID | None = None,
) -> dict[UUID, UUID]:
    """Have those of `targets` that can be decided decided as an operator wants it.

    Returns the ids of the messages by those of the records. The messages are due at once.
    """
    open_ = [target for target in targets if target.can_be_decided]
    detail = {"choice": choice} | ({"customer_id": str(customer_id)} if customer_id else {})
    parcels = [
        _parcel(work, target, choice=choice, customer_id=customer_id, by="operator")
        for target in open_
    ]
    work.store.add(parcels, available_in_seconds=0)
    _tell(work, open_, actor, "staging.process_asked", detail=detail, customer_id=customer_id)
    return {target.id: sent.message_id for target, sent in zip(open_, parcels, strict=True)}


def discard(
    work: UnitOfWork, staging_ids: Collection[UUID], *, actor: str, why: str | None
) -> list[Target]:
    """Take open records out of the way; return all that exist as they were found.

    Nobody decides about them meanwhile: whoever is at it is waited for. A later change of the
    customer in the shop is staged anew.
    """
    sources = {str(SourceKey(each.channel, each.external_id)) for each in by_id(work, staging_ids)}
    work.lock_identities(sources)
    found = by_id(work, staging_ids)
    open_ = [target for target in found if target.state in OPEN]
    change = {"state": "discarded", "reason": "operator", "updated_at": work.now}
    rows = [{"id": target.id, **change} for target in open_]
    work.bulk.update(staging_customers, rows, key=("id",))
    _tell(work, open_, actor, "staging.discarded", why=why)
    return found


def claim_changed(
    work: UnitOfWork, reasons: Collection[str], config_version: str, limit: int = SLICE
) -> int:
    """Have held records decided by this version of the configuration; return how many.

    Only those held for one of `reasons` by another version. Each is claimed once for a version,
    however many processors look at the same time; one that is being decided now is left alone.
    """
    work.lock_identities([_REDECISION])
    columns = staging_customers.c
    rows = work.connection.execute(
        sa.select(*_COLUMNS)
        .where(
            columns.state == "held",
            columns.reason.in_(sorted(reasons)),
            columns.config_version != config_version,
        )
        .order_by(columns.id)
        .limit(limit)
        .with_for_update(skip_locked=True)
    )
    targets = [Target(*row) for row in rows]
    claimed = [{"id": target.id, "config_version": config_version} for target in targets]
    work.bulk.update(staging_customers, claimed, key=("id",))
    work.send([_parcel(work, target, choice="rules", by="configuration") for target in targets])
    return len(targets)


def ask_waiting(work: UnitOfWork, accounts: Sequence[SourceKey], reason: str) -> int:
    """Have those of `accounts` decided by the rules that are held for `reason`; return how many."""
    columns = staging_customers.c
    key = (columns.channel, columns.external_id)
    rows = work.bulk.select(_COLUMNS, key, accounts)
    targets = [Target(*row) for row in rows if row.state == "held" and row.reason == reason]
    work.send([_parcel(work, target, choice="rules", by="configuration") for target in targets])
    return len(targets)


def _parcel(work: UnitOfWork, target: Target, **said: object) -> Parcel:
    """Return the message that `target` is to be decided, under the correlation of its import."""
    source = {"channel": target.channel, "external_id": target.external_id}
    body = StagingProcess.model_validate({**source, "staging_id": target.id, **said})
    sent = parcel(body, channel=target.channel, subject=target.external_id, at=work.now)
    return replace(sent, correlation_id=target.correlation_id, causation_id=target.message_id)


def _tell(
    work: UnitOfWork,
    targets: Sequence[Target],
    actor: str,
    event: str,
    *,
    detail: dict[str, str] | None = None,
    customer_id: UUID | None = None,
    why: str | None = None,
) -> None:
    """Write who did it into the audit log, and what was done into each customer's history."""
    text = orjson.dumps(detail).decode() if detail else None
    subjects = [str(target.id) for target in targets]
    audit.note_each(work, subjects, actor=actor, action=event, reason=why, detail=text)
    history.append(
        work.connection,
        [
            history.line(
                at=work.now,
                correlation_id=target.correlation_id,
                channel=target.channel,
                external_id=target.external_id,
                customer_id=customer_id,
                worker="console",
                event=event,
                detail=text,
            )
            for target in targets
        ],
    )


_COLUMNS: Final = tuple(staging_customers.c[field.name] for field in fields(Target))
