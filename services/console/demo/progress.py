"""How far Patron has come, read from its database as any operator may."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa

from shared.persistence import owed, staging
from shared.persistence.cursors import Cursor, Cursors
from shared.persistence.staging import StateCount
from shared.persistence.tables import OPEN_STAGING_STATES, links, source_records
from shared.persistence.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Progress:
    """The state of things at one moment."""

    read: dict[str, int]
    decided: list[StateCount]
    linked: int
    numbers_written: int
    owed: int
    dead: int
    cursors: list[Cursor]

    @property
    def read_in_all(self) -> int:
        """How many customers were read."""
        return sum(self.read.values())

    @property
    def decisions(self) -> int:
        """How many staging records there are, of whatever state."""
        return sum(each.count for each in self.decided)

    @property
    def created(self) -> int:
        """How many customers are new in the directory."""
        return self._arrived(is_existing=False)

    @property
    def matched(self) -> int:
        """How many were known already, from another account."""
        return self._arrived(is_existing=True)

    def waiting(self) -> dict[tuple[str, str], int]:
        """Return how many wait, by state and reason."""
        return {
            (each.state, each.reason or ""): each.count
            for each in self.decided
            if each.state in OPEN_STAGING_STATES
        }

    def has_imported(self, polled: Collection[str], expected: int) -> bool:
        """Whether the `polled` channels were read to their end and nothing is owed any more.

        `expected` customers there must be in all, those that were pushed among them.
        """
        read = {each.channel for each in self.cursors if each.last_success_at}
        is_read = read >= set(polled) and all(each.last_success_at for each in self.cursors)
        return is_read and self.read_in_all >= expected and not self.owed

    def has_swept(self, channel: str, asked_at: datetime) -> bool:
        """Whether every view of a channel was swept since then and nothing is owed any more."""
        swept = [each.sweep_finished_at for each in self.cursors if each.channel == channel]
        return all(at is not None and at >= asked_at for at in swept) and not self.owed

    def _arrived(self, *, is_existing: bool) -> int:
        return sum(
            each.count
            for each in self.decided
            if each.state == "processed" and each.is_existing == is_existing
        )


def progress(work: UnitOfWork) -> Progress:
    """Return how far things have come, all at one moment."""
    by_view = sa.select(source_records.c.store_view, sa.func.count()).group_by(
        source_records.c.store_view
    )
    counts = work.connection.execute(
        sa.select(sa.func.count(), sa.func.count(links.c.exported_number)).select_from(links)
    ).one()
    return Progress(
        read=dict(work.connection.execute(by_view).all()),
        decided=staging.count_by_state(work),
        linked=counts[0],
        numbers_written=counts[1],
        owed=owed.in_all(work),
        dead=sum(owed.dead_by_worker(work).values()),
        cursors=Cursors(work).all(),
    )
