"""Reading the replay jobs: how far each is, who works on it, and what became of its letters.

For the operator's desk. Its promise: nothing is changed.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields
from uuid import UUID

import sqlalchemy as sa

from shared.persistence.dead_letter_reader import Selection
from shared.persistence.dead_letters import OPEN
from shared.persistence.replays import MOST_REPLAYS, ItemState, Pending, ready
from shared.persistence.tables import dead_letters, messages, replay_items, replay_jobs
from shared.persistence.unit_of_work import UnitOfWork

_SLICE = 500


@dataclass(frozen=True, slots=True)
class LeftAlone:
    """How many open letters are meant that cannot be replayed now.

    `in_circles` were replayed too often; the `nameless` carried no id to be sent under.
    """

    in_circles: int
    nameless: int


@dataclass(frozen=True, slots=True)
class Standing:
    """A letter as it stands: its state, how often it was replayed, and which job has it."""

    id: UUID
    state: str
    replays: int
    has_message_id: bool
    job_id: UUID | None


def left_alone(work: UnitOfWork, selection: Selection, *, insists: bool = False) -> LeftAlone:
    """Count the open letters among those meant that a job would not take."""
    columns = dead_letters.c
    is_nameless = columns.message_id.is_(None)
    in_circles = sa.and_(columns.replays >= MOST_REPLAYS, ~is_nameless)
    query = sa.select(
        sa.func.coalesce(sa.func.sum(sa.case((in_circles, 1), else_=0)), 0),
        sa.func.coalesce(sa.func.sum(sa.case((is_nameless, 1), else_=0)), 0),
    ).where(columns.state == OPEN, *selection.conditions())
    circling, nameless = work.connection.execute(query).one()
    return LeftAlone(0 if insists else int(circling), int(nameless))


def ready_count(work: UnitOfWork, selection: Selection, *, insists: bool = False) -> int:
    """Return how many letters a job would take."""
    query = sa.select(sa.func.count()).select_from(dead_letters)
    query = query.where(*ready(insists=insists), *selection.conditions())
    return work.connection.execute(query).scalar_one()


def candidates(
    work: UnitOfWork, selection: Selection, *, insists: bool = False
) -> Iterator[list[Pending]]:
    """Yield the letters that a job would take, in its order, a slice at a time."""
    columns = dead_letters.c
    query = (
        sa.select(columns.id, *(columns[each.name] for each in fields(Pending)[1:]))
        .where(*ready(insists=insists), *selection.conditions())
        .order_by(columns.id)
        .limit(_SLICE)
    )
    rows = work.connection.execute(query).all()
    while rows:
        yield [Pending(*row) for row in rows]
        rows = work.connection.execute(query.where(columns.id > rows[-1].id)).all()


def standings(work: UnitOfWork, ids: Iterable[UUID]) -> dict[UUID, Standing]:
    """Return how these letters stand, with the job that has one which is being replayed."""
    wanted = list(ids)
    columns, item = dead_letters.c, replay_items.c
    rows = work.bulk.select(
        (columns.id, columns.state, columns.replays, columns.message_id), columns.id, wanted
    )
    items = work.bulk.select(
        (item.dead_letter_id, item.job_id, item.state), item.dead_letter_id, wanted
    )
    # Ids of jobs are in the order of their making.
    busy = sorted((row for row in items if row.state in _ON_ITS_WAY), key=lambda row: row.job_id)
    jobs = {row.dead_letter_id: row.job_id for row in busy}
    return {
        row.id: Standing(
            row.id, row.state, row.replays, row.message_id is not None, jobs.get(row.id)
        )
        for row in rows
    }


def progress(work: UnitOfWork, job_ids: Sequence[UUID]) -> dict[UUID, Counter[ItemState]]:
    """Return how many letters of each job are in each state."""
    item = replay_items.c
    query = (
        sa.select(item.job_id, item.state, sa.func.count())
        .where(item.job_id.in_(job_ids))
        .group_by(item.job_id, item.state)
    )
    found: defaultdict[UUID, Counter[ItemState]] = defaultdict(Counter)
    for job_id, state, count in work.connection.execute(query):
        found[job_id][state] = count
    return {job_id: found[job_id] for job_id in job_ids}


def failures(work: UnitOfWork, job_id: UUID) -> dict[str, int]:
    """Return why letters of a job failed again, the most frequent first, as they stand now."""
    item, letter = replay_items.c, dead_letters.c
    query = (
        sa.select(letter.reason, sa.func.count())
        .join(replay_items, item.dead_letter_id == letter.id)
        .where(item.job_id == job_id, item.state == "failed")
        .group_by(letter.reason)
        .order_by(sa.func.count().desc(), letter.reason)
    )
    return {row[0]: row[1] for row in work.connection.execute(query)}


def retried(work: UnitOfWork, job_id: UUID) -> dict[str, int]:
    """Return why messages that a job sent are to be tried once more, the most frequent first."""
    item, letter, message = replay_items.c, dead_letters.c, messages.c
    query = (
        sa.select(message.last_reason, sa.func.count())
        .join(dead_letters, letter.message_id == message.id)
        .join(replay_items, item.dead_letter_id == letter.id)
        .where(item.job_id == job_id, item.state == "sent", message.last_reason.is_not(None))
        .group_by(message.last_reason)
        .order_by(sa.func.count().desc(), message.last_reason)
    )
    return {row[0]: row[1] for row in work.connection.execute(query)}


def taken(work: UnitOfWork, job_id: UUID) -> frozenset[UUID]:
    """Return the letters that a job has still to send, or has on their way."""
    item = replay_items.c
    query = sa.select(item.dead_letter_id).where(
        item.job_id == job_id, item.state.in_(sorted(_ON_ITS_WAY))
    )
    return frozenset(work.connection.execute(query).scalars())


def keeper_of(work: UnitOfWork, job_id: UUID) -> str | None:
    """Return who works on a job at present, or None."""
    columns = replay_jobs.c
    query = sa.select(columns.lease_owner).where(
        columns.id == job_id, columns.leased_until > work.now
    )
    return work.connection.execute(query).scalar_one_or_none()


_ON_ITS_WAY = frozenset({"pending", "sent"})
