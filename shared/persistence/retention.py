"""Deleting what was kept long enough: the archive, history, raw payloads, closed dead letters.

A thousand rows in a statement, oldest first. Its promise: nothing that is open is ever deleted;
several may delete at once, and none waits for another.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import sqlalchemy as sa

from shared.config.settings import RetentionSettings
from shared.persistence.dead_letters import DISCARDED, RESOLVED
from shared.persistence.tables import (
    dead_letters,
    history,
    import_requests,
    push_requests,
    raw_payloads,
    staging_customers,
    webhook_events,
)
from shared.persistence.unit_of_work import UnitOfWork

SLICE: Final = 1000
_REQUEST_DAYS: Final = 7
# Longer than any shop tells an event again, or a pusher tries again.
_INTAKE_DAYS: Final = 7
_ARCHIVED: Final = ("processed", "superseded", "discarded")
_CLOSED: Final = (RESOLVED, DISCARDED)


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of row that is not kept for ever, and for how many days it is."""

    name: str
    days: int
    table: sa.Table
    is_over: Callable[[datetime], sa.ColumnElement[bool]]
    order: sa.Column[Any]

    def before(self, now: datetime) -> datetime:
        """Return the moment from before which rows are deleted."""
        return now - timedelta(days=self.days)


def kinds(settings: RetentionSettings) -> list[Kind]:
    """Return what is deleted, and when, as configured."""
    staged, letters, asked = staging_customers.c, dead_letters.c, import_requests.c
    return [
        Kind(
            "archive",
            settings.archive_days,
            staging_customers,
            # `created_at` as well, which the index knows: a record is not changed before that.
            lambda at: sa.and_(
                staged.state.in_(_ARCHIVED), staged.created_at <= at, staged.updated_at <= at
            ),
            staged.created_at,
        ),
        Kind(
            "history", settings.history_days, history, lambda at: history.c.at <= at, history.c.id
        ),
        Kind(
            "raw_payloads",
            settings.raw_payload_days,
            raw_payloads,
            lambda at: raw_payloads.c.read_at <= at,
            raw_payloads.c.read_at,
        ),
        Kind(
            "dead_letters",
            settings.dead_letter_days,
            dead_letters,
            lambda at: sa.and_(
                letters.state.in_(_CLOSED),
                sa.func.coalesce(letters.resolved_at, letters.last_failed_at) <= at,
            ),
            letters.id,
        ),
        Kind(
            "import_requests",
            _REQUEST_DAYS,
            import_requests,
            lambda at: sa.and_(asked.state == "answered", asked.answered_at <= at),
            asked.id,
        ),
        Kind(
            "webhook_events",
            _INTAKE_DAYS,
            webhook_events,
            lambda at: webhook_events.c.received_at <= at,
            webhook_events.c.received_at,
        ),
        Kind(
            "push_requests",
            _INTAKE_DAYS,
            push_requests,
            lambda at: push_requests.c.received_at <= at,
            push_requests.c.received_at,
        ),
    ]


def count(work: UnitOfWork, kind: Kind) -> int:
    """Return how many rows of a kind would be deleted now."""
    query = sa.select(sa.func.count()).select_from(kind.table)
    return work.connection.execute(query.where(kind.is_over(kind.before(work.now)))).scalar_one()


def delete(work: UnitOfWork, kind: Kind, limit: int = SLICE) -> int:
    """Delete up to `limit` rows of a kind; return how many. Fewer means there are no more."""
    # A common table expression with a lock is evaluated once; a subquery might be again and again.
    old = _old(work, kind, limit).cte("old")
    key = list(kind.table.primary_key.columns)
    named = sa.select(*(old.c[column.name] for column in key))
    matches = sa.tuple_(*key).in_(named) if len(key) > 1 else key[0].in_(named)
    # Counted by us: the driver of SQLite does not, of a statement that begins otherwise.
    gone = sa.delete(kind.table).where(matches).returning(key[0])
    return len(work.connection.execute(gone).all())


def _old(work: UnitOfWork, kind: Kind, limit: int) -> sa.Select[Any]:
    """Return the query for the oldest rows that are over; those of others are left to them."""
    before = kind.before(work.now)
    if kind.table is history:
        # Ids grow with time: the oldest lines are found without an index of their moments.
        lowest = sa.select(history.c.id, history.c.at).order_by(history.c.id).limit(limit)
        slice_ = lowest.with_for_update(skip_locked=True).subquery()
        return sa.select(slice_.c.id).where(slice_.c.at <= before)
    query = sa.select(*kind.table.primary_key.columns).where(kind.is_over(before))
    return query.order_by(kind.order).limit(limit).with_for_update(skip_locked=True)
