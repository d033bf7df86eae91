"""Which store views are imported, since when, and from where on (C365-1, C365-2).

Told by every importer at its start. Its promise: a store view that was imported before goes on
where it stopped, whatever was switched off and on in between; nothing that is due is put off.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from shared.persistence.cursors import Cursors
from shared.persistence.sets import SetStatement
from shared.persistence.tables import Moment, cursors
from shared.persistence.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Terms:
    """How a store view begins, and until when it waits for a poll and a sweep at the longest.

    `watermark_at` is where one begins that is enabled for the first time (None: with everything);
    `first_poll_at` is when. Customers who registered before `start_date` are left out.
    """

    watermark_at: datetime | None
    first_poll_at: datetime
    poll_by: datetime
    sweep_by: datetime
    start_date: datetime | None = None


def enable(work: UnitOfWork, channel: str, store_view: str, terms: Terms) -> None:
    """Have a cursor for a store view that is imported from now on, or still is.

    What is due later than the terms allow is pulled in, except for polls that wait after a failure.
    Whoever an earlier start date lets in is unknown again, for the next sweep to find (C365-3).
    """
    if _lets_more_in(work, channel, store_view, terms.start_date):
        _FORGET_LEFT_OUT.run(work.connection, {"channel": [channel], "store_view": [store_view]})
    Cursors(work).ensure(
        [(channel, store_view)], poll_due_at=terms.first_poll_at, sweep_due_at=terms.sweep_by
    )
    work.connection.execute(
        sa.update(cursors)
        .where(cursors.c.channel == channel, cursors.c.store_view == store_view)
        .values(
            enabled_at=sa.func.coalesce(cursors.c.enabled_at, _moment(work.now)),
            start_date=terms.start_date,
            watermark_at=sa.case(
                (_IS_NEW, _moment(terms.watermark_at)), else_=cursors.c.watermark_at
            ),
            poll_due_at=_pulled_in(cursors.c.poll_due_at, terms.poll_by, cursors.c.failures == 0),
            sweep_due_at=_pulled_in(cursors.c.sweep_due_at, terms.sweep_by, sa.true()),
        )
    )


def disable(work: UnitOfWork, channel: str, *, but: Collection[str]) -> None:
    """Note that no other store view of a channel is imported any more."""
    work.connection.execute(
        sa.update(cursors)
        .where(cursors.c.channel == channel, cursors.c.store_view.not_in(sorted(but)))
        .where(cursors.c.enabled_at.is_not(None))
        .values(enabled_at=None)
    )


def lag(work: UnitOfWork, channel: str) -> float:
    """Return for how many seconds the enabled view was not read that waits longest."""
    read_at = sa.func.coalesce(cursors.c.last_success_at, cursors.c.enabled_at, type_=Moment())
    oldest: datetime | None = work.connection.execute(
        sa.select(sa.func.min(read_at, type_=Moment())).where(
            cursors.c.channel == channel, cursors.c.enabled_at.is_not(None)
        )
    ).scalar()
    return max(0.0, (work.now - oldest).total_seconds()) if oldest else 0.0


def _lets_more_in(
    work: UnitOfWork, channel: str, store_view: str, start_date: datetime | None
) -> bool:
    """Whether the start date is an earlier one than when the view was last enabled."""
    columns = cursors.c
    query = sa.select(columns.start_date).where(
        columns.channel == channel, columns.store_view == store_view
    )
    before: datetime | None = work.connection.execute(query).scalar()
    return before is not None and (start_date is None or start_date < before)


# Those that nothing was decided of but that they registered too early.
_FORGET_LEFT_OUT = SetStatement(
    """
    DELETE FROM source_records WHERE EXISTS (
      SELECT 1 FROM {given} WHERE given.channel = source_records.channel
      AND given.store_view = source_records.store_view)
    AND NOT EXISTS (
      SELECT 1 FROM links WHERE links.channel = source_records.channel
      AND links.external_id = source_records.external_id)
    AND NOT EXISTS (
      SELECT 1 FROM staging_customers AS s WHERE s.channel = source_records.channel
      AND s.external_id = source_records.external_id
      AND coalesce(s.reason, '') <> 'before_start_date')
    """,
    given={"channel": sa.Text(), "store_view": sa.Text()},
)

_IS_NEW = sa.and_(
    cursors.c.enabled_at.is_(None),
    cursors.c.watermark_at.is_(None),
    cursors.c.last_success_at.is_(None),
)


def _pulled_in(
    due_at: sa.Column[datetime], by: datetime, where: sa.ColumnElement[bool]
) -> sa.ColumnElement[datetime]:
    return sa.case((sa.and_(due_at > by, where), _moment(by)), else_=due_at)


def _moment(at: datetime | None) -> sa.ColumnElement[datetime]:
    return sa.literal(at, Moment())
