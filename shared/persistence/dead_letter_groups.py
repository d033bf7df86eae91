"""Dead letters by cause: one group for each reason, error, place in the code, platform and channel.

For the operator's desk. Its promise: one statement, however many letters; nothing is changed.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import sqlalchemy as sa

from shared.domain.causes import Cause, cause_of
from shared.persistence.dead_letter_reader import ALL, Selection
from shared.persistence.dead_letters import OPEN
from shared.persistence.tables import dead_letters
from shared.persistence.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Group:
    """Letters with the same cause; `example_id` is the one that failed last.

    `reconfigured` counts those that failed under another configuration than the present one: where
    the set-up was wrong, that may have been mended since (NEW-5).
    """

    key: str
    reason: str
    error_class: str | None
    frame: str | None
    platform: str | None
    channel: str | None
    count: int
    oldest_at: datetime
    newest_at: datetime
    example_id: UUID
    reconfigured: int

    @property
    def cause(self) -> Cause:
        """What the reason points to."""
        return cause_of(self.reason)

    @property
    def may_be_cured(self) -> bool:
        """Whether a changed configuration may have removed the cause of some."""
        return self.cause == "setup" and self.reconfigured > 0


@dataclass(frozen=True, slots=True)
class Waiting:
    """How many open letters a worker has with one reason, and when the oldest failed first."""

    worker: str
    reason: str
    count: int
    oldest_at: datetime


def groups(
    work: UnitOfWork,
    selection: Selection = ALL,
    *,
    config_version: str | None = None,
    limit: int = 200,
) -> list[Group]:
    """Return up to `limit` groups among the letters meant, the largest first.

    `config_version` is that of the configuration now.
    """
    columns = dead_letters.c
    was_other = sa.case((columns.config_version.is_distinct_from(config_version), 1), else_=0)
    its = columns.group_key
    newest_first = (columns.last_failed_at.desc(), columns.id.desc())
    ranked = (
        sa.select(
            columns.group_key, columns.reason, columns.error_class, columns.frame,
            columns.platform, columns.channel,
            sa.func.count().over(partition_by=its).label("count"),
            sa.func.min(columns.first_failed_at).over(partition_by=its).label("oldest_at"),
            sa.func.max(columns.last_failed_at).over(partition_by=its).label("newest_at"),
            columns.id,
            sa.func.sum(was_other).over(partition_by=its).label("reconfigured"),
            sa.func.row_number().over(partition_by=its, order_by=newest_first).label("rank"),
        )
        .where(*selection.conditions())
        .subquery()
    )  # fmt: skip
    query = (
        sa.select(*(column for column in ranked.c if column.name != "rank"))
        .where(ranked.c.rank == 1)
        .order_by(ranked.c.count.desc(), ranked.c.newest_at.desc(), ranked.c.group_key)
        .limit(limit)
    )
    return [Group(*row) for row in work.connection.execute(query)]


def waiting(work: UnitOfWork) -> list[Waiting]:
    """Return what is open, by worker and reason."""
    columns = dead_letters.c
    query = (
        sa.select(
            columns.worker, columns.reason, sa.func.count(), sa.func.min(columns.first_failed_at)
        )
        .where(columns.state == OPEN)
        .group_by(columns.worker, columns.reason)
    )
    return [Waiting(*row) for row in work.connection.execute(query)]
