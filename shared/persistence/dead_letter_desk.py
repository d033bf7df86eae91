"""The operator's desk of dead letters: give up for good, take back, change what a message says.

For the console. Its promises: what is done, its line in the audit log and its line of history are
one transaction; only letters in the state that it is for are touched, however many operators are
at it; what a message said before is kept.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from hashlib import sha256
from typing import Any, Final
from uuid import UUID

import orjson
import sqlalchemy as sa

from shared.domain.ids import new_id
from shared.domain.pointers import Change
from shared.persistence import audit, history
from shared.persistence.dead_letters import DISCARDED, OPEN
from shared.persistence.tables import amendments, dead_letters
from shared.persistence.unit_of_work import UnitOfWork

SLICE: Final = 500
"""How many letters are changed in one transaction."""

DISCARD: Final = "dead_letter.discarded"
RESTORE: Final = "dead_letter.restored"
AMEND: Final = "dead_letter.amended"


@dataclass(frozen=True, slots=True)
class Target:
    """A letter that something is to be done about."""

    id: UUID
    state: str
    message_id: UUID | None
    correlation_id: UUID | None
    channel: str | None
    subject: str | None


@dataclass(frozen=True, slots=True)
class Done:
    """What was done: to which letters, and in which state those were that were left alone."""

    letters: tuple[UUID, ...]
    others: Mapping[UUID, str]


@dataclass(frozen=True, slots=True)
class Envelope:
    """What is known of a message, once it can be read, that its letter may not know yet."""

    type: str
    schema_version: int
    correlation_id: UUID
    occurred_at: datetime
    channel: str
    subject: str


@dataclass(frozen=True, slots=True)
class _Deed:
    """What was done, by whom and why."""

    action: str
    actor: str
    reason: str


def discard(work: UnitOfWork, ids: Collection[UUID], *, actor: str, reason: str) -> Done:
    """Give open letters up for good."""
    change = {"state": DISCARDED, "resolution": DISCARDED, "resolved_at": work.now}
    return _move(work, ids, OPEN, change, _Deed(DISCARD, actor, reason))


def restore(work: UnitOfWork, ids: Collection[UUID], *, actor: str, reason: str) -> Done:
    """Take discarded letters back: they are open again."""
    change = {"state": OPEN, "resolution": None, "resolved_at": None}
    return _move(work, ids, DISCARDED, change, _Deed(RESTORE, actor, reason))


def amend(
    work: UnitOfWork,
    dead_letter_id: UUID,
    body: bytes,
    diff: Sequence[Change],
    envelope: Envelope,
    *,
    seen_sha256: str,
    actor: str,
    reason: str,
) -> bool:
    """Give an open letter another body, which was checked by the caller (NEW-4).

    `seen_sha256` is the digest of the body that the change was made to. Returns False if the
    letter is not open, or has another body by now.
    """
    columns = dead_letters.c
    row = work.connection.execute(
        sa.select(*_TARGET, columns.body)
        .where(
            columns.id == dead_letter_id, columns.state == OPEN, columns.body_sha256 == seen_sha256
        )
        .with_for_update()
    ).first()
    if row is None:
        return False
    *target, original = row
    deed = _Deed(AMEND, actor, reason)
    kept = _amendment(work, dead_letter_id, original, diff, deed)
    work.bulk.insert(amendments, [kept])
    known = {name: sa.func.coalesce(columns[name], getattr(envelope, name)) for name in _KNOWN}
    work.connection.execute(
        sa.update(dead_letters)
        .where(columns.id == dead_letter_id)
        .values(
            body=body, body_size=len(body), body_sha256=sha256(body).hexdigest(),
            schema_version=envelope.schema_version, **known,
        )
    )  # fmt: skip
    changed = {"amendment": str(kept["id"]), "changed": [change.path for change in diff]}
    _tell(work, [Target(*target)], deed, changed)
    return True


def _move(
    work: UnitOfWork,
    ids: Collection[UUID],
    state: str,
    change: Mapping[str, Any],
    deed: _Deed,
) -> Done:
    """Put those of `ids` that are in `state` into another."""
    columns = dead_letters.c
    found = [
        Target(*row)
        for row in work.connection.execute(
            sa.select(*_TARGET)
            .where(columns.id.in_(sorted(ids)))
            .order_by(columns.id)
            .with_for_update()
        )
    ]
    fit = [target for target in found if target.state == state]
    work.bulk.update(dead_letters, [{"id": each.id, **change} for each in fit], key=("id",))
    _tell(work, fit, deed)
    others = {each.id: each.state for each in found if each.state != state}
    return Done(tuple(each.id for each in fit), others)


def _amendment(
    work: UnitOfWork,
    dead_letter_id: UUID,
    original: bytes,
    diff: Sequence[Change],
    deed: _Deed,
) -> dict[str, Any]:
    said = [{"op": x.op, "path": x.path, "before": x.before, "after": x.after} for x in diff]
    return {
        "id": new_id(),
        "dead_letter_id": dead_letter_id,
        "at": work.now,
        "author": deed.actor,
        "reason": deed.reason,
        "diff": orjson.dumps(said).decode(),
        "original_body": original,
    }


def _tell(
    work: UnitOfWork,
    targets: Sequence[Target],
    deed: _Deed,
    detail: Mapping[str, Any] | None = None,
) -> None:
    """Write who did it into the audit log, and what was done into each customer's history."""
    text = orjson.dumps(detail).decode() if detail else None
    subjects = [str(target.id) for target in targets]
    audit.note_each(
        work, subjects, actor=deed.actor, action=deed.action, reason=deed.reason, detail=text
    )
    lines = [
        history.line(
            at=work.now,
            correlation_id=target.correlation_id,
            message_id=target.message_id,
            channel=target.channel,
            external_id=target.subject,
            worker="console",
            event=deed.action,
            detail=text,
        )
        for target in targets
        # What never could be read is about nobody, and has no history.
        if target.correlation_id and target.channel and target.subject
    ]
    history.append(work.connection, lines)


_TARGET: Final = tuple(dead_letters.c[field.name] for field in fields(Target))
_KNOWN: Final = ("type", "correlation_id", "occurred_at", "channel", "subject")
