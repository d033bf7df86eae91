"""The audit log: who asked for what at the operator's desk. Append-only."""

from collections.abc import Iterable

from shared.persistence.tables import audit_log
from shared.persistence.unit_of_work import UnitOfWork


def note(
    work: UnitOfWork,
    *,
    actor: str,
    action: str,
    subject: str,
    reason: str | None = None,
    detail: str | None = None,
) -> None:
    """Write one line, together with what it tells of. No personal data in it."""
    note_each(work, [subject], actor=actor, action=action, reason=reason, detail=detail)


def note_each(
    work: UnitOfWork,
    subjects: Iterable[str],
    *,
    actor: str,
    action: str,
    reason: str | None = None,
    detail: str | None = None,
) -> None:
    """Write one line for each of `subjects`, in one statement."""
    same = {"at": work.now, "actor": actor, "action": action, "reason": reason, "detail": detail}
    work.bulk.insert(audit_log, [{**same, "subject": subject} for subject in subjects])
