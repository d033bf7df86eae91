"""Reading what is owed: the messages not handled yet, by road and state.

For the operator's desk. Its promise: one statement however much is owed, and nothing is changed
but by `publish_again`.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal
from uuid import UUID

import sqlalchemy as sa

from shared.persistence.tables import dead_letters, messages
from shared.persistence.unit_of_work import UnitOfWork

OwedState = Literal["to_publish", "published", "leased", "retrying"]
STATES: Final[tuple[OwedState, ...]] = ("to_publish", "published", "leased", "retrying")


@dataclass(frozen=True, slots=True)
class Owed:
    """How many messages of one routing key are in one state, and since when the oldest is owed.

    `to_publish` is on its way to the broker, `published` is there, `leased` is being carried out,
    `retrying` waits for its next attempt.
    """

    routing_key: str
    state: OwedState
    count: int
    oldest_at: datetime


def by_road(work: UnitOfWork) -> list[Owed]:
    """Return what is owed, by routing key and state."""
    columns = messages.c
    state = sa.case(
        (columns.leased_until > work.now, "leased"),
        (columns.published_at.is_not(None), "published"),
        (columns.attempts > 0, "retrying"),
        else_="to_publish",
    ).label("state")
    query = (
        sa.select(columns.routing_key, state, sa.func.count(), sa.func.min(columns.created_at))
        .group_by(columns.routing_key, state)
        .order_by(columns.routing_key, state)
    )
    return [Owed(*row) for row in work.connection.execute(query)]


def in_all(work: UnitOfWork) -> int:
    """Return how many messages are owed."""
    return work.connection.execute(sa.select(sa.func.count()).select_from(messages)).scalar_one()


def publish_again(work: UnitOfWork) -> int:
    """Count everything that was published as unpublished; return how many messages that are.

    For a broker that has lost them. What it has after all comes twice, and is known by its id.
    """
    statement = sa.update(messages).where(messages.c.published_at.is_not(None))
    return work.connection.execute(statement.values(published_at=None)).rowcount


def among(work: UnitOfWork, message_ids: Iterable[UUID]) -> dict[UUID, str | None]:
    """Return which of these messages are not handled yet, each with why its last try failed."""
    columns = messages.c
    rows = work.bulk.select((columns.id, columns.last_reason), columns.id, message_ids)
    return {row.id: row.last_reason for row in rows}


def dead_by_worker(work: UnitOfWork) -> dict[str, int]:
    """Return how many dead letters are open, by worker."""
    columns = dead_letters.c
    query = (
        sa.select(columns.worker, sa.func.count())
        .where(columns.state == "open")
        .group_by(columns.worker)
    )
    return dict(work.connection.execute(query).all())
