"""How far each store view is imported, and which importer is at it.

Several importers may run: each leases a due view, works, saves its progress with the lease as a
fence, and sets when the view is due again. Its promise: progress is only ever saved by the holder
of the lease, so a slow importer cannot overwrite what a faster one, or an operator, has set.
"""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, fields, replace
from datetime import datetime, timedelta
from typing import Any, Literal
from uuid import uuid4

import sqlalchemy as sa

from shared.domain.errors import TransientError
from shared.persistence.tables import Moment, cursors
from shared.persistence.unit_of_work import UnitOfWork

Task = Literal["poll", "sweep"]
SweepMode = Literal["normal", "link_only"]
StoreViewKey = tuple[str, str]


class LeaseLost(TransientError):
    """The store view is somebody else's now; whoever holds it goes on from where we saved."""

    reason = "lease_lost"


@dataclass(frozen=True, slots=True)
class Cursor:
    """One store view's row; `watermark_at` is None before the first import.

    `failures` and `last_error` are those of polls; sweeps have their own.
    """

    channel: str
    store_view: str
    watermark_at: datetime | None
    watermark_key: str
    sweep_key: str | None
    sweep_started_at: datetime | None
    sweep_finished_at: datetime | None
    poll_due_at: datetime
    sweep_due_at: datetime
    lease_owner: str | None
    leased_until: datetime | None
    last_success_at: datetime | None
    last_error: str | None
    failures: int
    sweep_error: str | None
    sweep_failures: int
    sweep_mode: SweepMode
    sweep_requested_at: datetime | None
    enabled_at: datetime | None


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to perform `task` on the store view of `cursor`; `token` tells it from others."""

    cursor: Cursor
    task: Task
    token: str
    until: datetime

    @property
    def failures(self) -> int:
        """How often the task failed since it last succeeded."""
        return self.cursor.failures if self.task == "poll" else self.cursor.sweep_failures


class Cursors:
    """The cursors as one unit of work sees them."""

    def __init__(self, work: UnitOfWork) -> None:
        self._work = work
        self._connection = work.connection
        self._now = work.now

    def ensure(
        self,
        views: Iterable[StoreViewKey],
        *,
        poll_due_at: datetime | None = None,
        sweep_due_at: datetime | None = None,
    ) -> None:
        """Have a cursor for each of these (channel, store view); a new one is due at once."""
        rows = [
            {
                "channel": channel,
                "store_view": store_view,
                "poll_due_at": poll_due_at or self._now,
                "sweep_due_at": sweep_due_at or self._now,
            }
            for channel, store_view in views
        ]
        self._work.bulk.upsert(cursors, rows, key=("channel", "store_view"), update=())

    def find(self, channel: str, store_view: str, *, to_change: bool = False) -> Cursor | None:
        """Return one cursor, locked until the end of the transaction if it is to be changed."""
        query = _CURSORS.where(_is(channel, store_view))
        row = self._connection.execute(query.with_for_update() if to_change else query).first()
        return _cursor(row) if row else None

    def all(self) -> list[Cursor]:
        """Return every cursor, by channel and store view."""
        query = _CURSORS.order_by(cursors.c.channel, cursors.c.store_view)
        return [_cursor(row) for row in self._connection.execute(query)]

    def acquire(
        self,
        owner: str,
        seconds: float,
        *,
        among: Collection[StoreViewKey],
        may_sweep: bool = True,
    ) -> Lease | None:
        """Lease the store view that is longest due, of those `among`; None when none is.

        Of a poll and a sweep that are due, the one that has been so for longer comes first, so
        that a sweep in slices leaves room for polls, and frequent polls for the sweep. Polls of a
        view that is first to be linked only wait until that is over.
        """
        free = sa.or_(cursors.c.leased_until.is_(None), cursors.c.leased_until <= self._now)
        due_since = _DUE_SINCE if may_sweep else cursors.c.poll_due_at
        is_wanted = sa.true() if may_sweep else cursors.c.sweep_mode == "normal"
        row = self._connection.execute(
            _CURSORS.where(self._now >= due_since, is_wanted, free)
            .where(sa.tuple_(cursors.c.channel, cursors.c.store_view).in_(sorted(among)))
            .order_by(due_since, cursors.c.channel, cursors.c.store_view)
            .limit(1)
            .with_for_update(skip_locked=True)
        ).first()
        if row is None:
            return None
        cursor = _cursor(row)
        return self._lease(cursor, _task(cursor) if may_sweep else "poll", owner, seconds)

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """Prolong the lease. Raises LeaseLost."""
        return self._save(lease, seconds)

    def save_watermark(self, lease: Lease, at: datetime, key: str, *, seconds: float) -> Lease:
        """Save how far a poll has come, and prolong the lease. Raises LeaseLost."""
        return self._save(lease, seconds, watermark_at=at, watermark_key=key)

    def save_sweep(self, lease: Lease, key: str, *, seconds: float) -> Lease:
        """Save how far a sweep has come, and prolong the lease. Raises LeaseLost."""
        return self._save(lease, seconds, sweep_key=key)

    def succeed(self, lease: Lease, *, next_at: datetime, sweep_is_over: bool = True) -> None:
        """Give the lease back after success; the task is due again `next_at`.

        A sweep that is not over goes on from its key then. A request that came in meanwhile is
        not forgotten: the task stays due, a sweep in slices as soon as it is over. Raises
        LeaseLost.
        """
        due_at = _moment(next_at)
        if lease.task == "poll":
            changes: dict[str, Any] = {"failures": 0, "last_error": None}
        else:
            changes = {"sweep_failures": 0, "sweep_error": None}
            if sweep_is_over:
                changes |= self._swept(lease.cursor)
                # Asked for after it began: what was read first may have changed before that.
                is_asked_for = cursors.c.sweep_requested_at.is_not(None)
                due_at = sa.case((is_asked_for, _moment(self._now)), else_=due_at)
        self._finish(lease, due_at, last_success_at=self._now, **changes)

    def fail(self, lease: Lease, error: str, *, retry_at: datetime) -> None:
        """Give the lease back after a failure, described without personal data.

        Raises LeaseLost.
        """
        if lease.task == "poll":
            more = cursors.c.failures + 1
            self._finish(lease, _moment(retry_at), last_error=error, failures=more)
        else:
            more = cursors.c.sweep_failures + 1
            self._finish(lease, _moment(retry_at), sweep_error=error, sweep_failures=more)

    def request_now(
        self,
        channel: str,
        store_view: str | None = None,
        *,
        sweep: bool = False,
        link_only: bool = False,
    ) -> list[StoreViewKey]:
        """Make a channel's store views, or one of them, due at once; return which.

        `link_only` has everybody read from the beginning and linked to who is known, before
        anything else is imported (ASK-8). Asked for while that goes on, it goes on.
        """
        if link_only:
            return self._request_link_only(channel, store_view)
        due = {"poll_due_at": self._now}
        if sweep:
            due |= {"sweep_due_at": self._now, "sweep_requested_at": self._now}
        return self._change(channel, store_view, due)

    def set_watermark(
        self, channel: str, store_view: str, at: datetime | None, key: str = ""
    ) -> bool:
        """Import from `at` on (None: from the beginning); return whether there is such a view.

        Takes the lease from whoever is importing, who would overwrite this; the view is due.
        """
        changes = {
            "watermark_at": at,
            "watermark_key": key,
            "poll_due_at": self._now,
            "lease_owner": None,
            "leased_until": None,
        }
        return bool(self._change(channel, store_view, changes))

    def _request_link_only(self, channel: str, store_view: str | None) -> list[StoreViewKey]:
        if store_view is not None:
            self.ensure([(channel, store_view)])
        is_on = cursors.c.sweep_mode == "link_only"
        self._connection.execute(
            sa.update(cursors)
            .where(_is(channel, store_view))
            .where(sa.or_(sa.not_(is_on), cursors.c.lease_owner.is_(None)))
            .values(
                sweep_mode="link_only",
                sweep_key=sa.case((is_on, cursors.c.sweep_key), else_=sa.null()),
                sweep_due_at=self._now,
                # From whoever is reading in the ordinary way.
                lease_owner=None,
                leased_until=None,
            )
        )
        views = sa.select(cursors.c.channel, cursors.c.store_view).where(_is(channel, store_view))
        return sorted((row.channel, row.store_view) for row in self._connection.execute(views))

    def _swept(self, cursor: Cursor) -> dict[str, Any]:
        """Return what the end of a sweep changes.

        After one that only linked, polls take what has changed since it began.
        """
        changes: dict[str, Any] = {"sweep_key": None, "sweep_finished_at": self._now}
        if cursor.sweep_mode == "link_only":
            began = _moment(cursor.sweep_started_at)
            changes["sweep_mode"] = "normal"
            changes["watermark_at"] = sa.func.coalesce(cursors.c.watermark_at, began)
        return changes

    def _lease(self, cursor: Cursor, task: Task, owner: str, seconds: float) -> Lease:
        # The same importer may lose a view and get it again: owner alone would be no fence.
        token = f"{owner}/{uuid4().hex}"
        until = self._now + timedelta(seconds=seconds)
        changes: dict[str, Any] = {"lease_owner": token, "leased_until": until}
        if task == "sweep" and cursor.sweep_key is None:
            changes["sweep_started_at"] = self._now
            if cursor.sweep_mode == "normal":
                changes["sweep_requested_at"] = None
        self._change(cursor.channel, cursor.store_view, changes)
        return Lease(replace(cursor, **changes), task, token, until)

    def _save(self, lease: Lease, seconds: float, **progress: Any) -> Lease:
        until = self._now + timedelta(seconds=seconds)
        self._fenced(lease, leased_until=until, **progress)
        cursor = replace(lease.cursor, leased_until=until, **progress)
        return replace(lease, cursor=cursor, until=until)

    def _finish(self, lease: Lease, next_at: sa.ColumnElement[datetime], **changes: Any) -> None:
        column = cursors.c.poll_due_at if lease.task == "poll" else cursors.c.sweep_due_at
        was_due_at = getattr(lease.cursor, column.name)
        unless_requested = sa.case((column == was_due_at, next_at), else_=column)
        self._fenced(
            lease,
            lease_owner=None,
            leased_until=None,
            **{column.name: unless_requested},
            **changes,
        )

    def _fenced(self, lease: Lease, **changes: Any) -> None:
        cursor = lease.cursor
        result = self._connection.execute(
            sa.update(cursors)
            .where(_is(cursor.channel, cursor.store_view), cursors.c.lease_owner == lease.token)
            .values(**changes)
        )
        if not result.rowcount:
            raise LeaseLost(f"{cursor.channel}/{cursor.store_view} is leased by somebody else")

    def _change(
        self, channel: str, store_view: str | None, changes: dict[str, Any]
    ) -> list[StoreViewKey]:
        rows = self._connection.execute(
            sa.update(cursors)
            .where(_is(channel, store_view))
            .values(**changes)
            .returning(cursors.c.channel, cursors.c.store_view)
        )
        return sorted((row.channel, row.store_view) for row in rows)


_CURSORS = sa.select(*(cursors.c[field.name] for field in fields(Cursor)))
_DUE_SINCE = sa.case(
    (cursors.c.sweep_mode == "link_only", cursors.c.sweep_due_at),
    (cursors.c.poll_due_at <= cursors.c.sweep_due_at, cursors.c.poll_due_at),
    else_=cursors.c.sweep_due_at,
)


def _task(cursor: Cursor) -> Task:
    """Return what has been due for longer, as `_DUE_SINCE` has it."""
    is_poll = cursor.sweep_mode == "normal" and cursor.poll_due_at <= cursor.sweep_due_at
    return "poll" if is_poll else "sweep"


def _moment(at: datetime | None) -> sa.ColumnElement[datetime]:
    return sa.literal(at, Moment())


def _is(channel: str, store_view: str | None) -> sa.ColumnElement[bool]:
    this = cursors.c.channel == channel
    return this if store_view is None else sa.and_(this, cursors.c.store_view == store_view)


def _cursor(row: Iterable[Any]) -> Cursor:
    return Cursor(*row)
