"""The audit log: who asked for what at the operator's desk. Append-only."""

import sqlalchemy as sa

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
    line = {"at": work.now, "actor": actor, "action": action, "subject": subject,
            "reason": reason, "detail": detail}  # fmt: skip
    work.connection.execute(sa.insert(audit_log), [line])
