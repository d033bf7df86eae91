"""Replay jobs: dead letters that are sent again, and how far each job is.

For the keeper, which carries the jobs out, and the operator's desk. Its promise: a letter is in
one running job at the most, however many operators ask at once; whatever is known of a job is in
the database, so that a crash at any instant only interrupts it.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Final, Literal
from uuid import UUID

import sqlalchemy as sa

from shared.domain.ids import new_id
from shared.persistence.dead_letter_reader import Selection
from shared.persistence.sets import SetStatement
from shared.persistence.tables import Moment, dead_letters, messages, replay_items, replay_jobs
from shared.persistence.unit_of_work import UnitOfWork

JobState = Literal["running", "done", "cancelled", "stopped"]
ItemState = Literal["pending", "sent", "done", "failed", "already_done", "skipped"]
MOST_REPLAYS: Final = 5
"""After so many replays a letter is left alone unless somebody insists: it goes in circles."""
_SLICE: Final = 5_000


@dataclass(frozen=True, slots=True)
class Job:
    """A replay: who asked for it and why, how fast it may go, and at what it stops by itself.

    `failure_limit` is the share of failures, 0 to 1, at which it stops.
    """

    id: UUID
    created_at: datetime
    author: str
    reason: str
    selection: str
    state: JobState
    total: int
    rate_per_second: float
    failure_limit: float
    finished_at: datetime | None
    detail: str | None


@dataclass(frozen=True, slots=True)
class Wish:
    """What a replay is asked for with."""

    author: str
    reason: str
    selection: str
    rate_per_second: float = 50.0
    failure_limit: float = 0.5


@dataclass(frozen=True, slots=True)
class Pending:
    """A letter whose turn it is, as it has to be sent."""

    dead_letter_id: UUID
    message_id: UUID
    type: str | None
    routing_key: str | None
    schema_version: int | None
    correlation_id: UUID | None
    causation_id: UUID | None
    occurred_at: datetime | None
    channel: str | None
    subject: str | None
    traceparent: str | None
    reply_to: str | None
    reply_id: str | None
    body_size: int
    body: bytes = field(repr=False)


def start(work: UnitOfWork, wish: Wish, selection: Selection, *, insists: bool = False) -> Job:
    """Begin a job with every open letter that is selected; no other job can have these.

    Of those selected by their ids that are not open, the job tells what became of them: resolved
    is `already_done`, anything else `skipped`. `insists` takes letters that went round too often.
    """
    columns = dead_letters.c
    taken = work.connection.execute(
        sa.update(dead_letters)
        .where(*ready(insists=insists), *selection.conditions())
        .values(state="replaying")
        .returning(columns.id)
    )
    states: dict[UUID, ItemState] = dict.fromkeys(sorted(taken.scalars()), "pending")
    states |= _not_open(work, [id_ for id_ in selection.ids if id_ not in states])
    return _begin(work, wish, states)


def ready(*, insists: bool = False) -> list[sa.ColumnElement[bool]]:
    """Return what makes a letter one that can be replayed."""
    columns = dead_letters.c
    conditions = [columns.state == "open", columns.message_id.is_not(None)]
    return conditions if insists else [*conditions, columns.replays < MOST_REPLAYS]


def running(work: UnitOfWork, owner: str, until: datetime) -> list[Job]:
    """Lease the running jobs that nobody else has, oldest first."""
    columns = replay_jobs.c
    free = sa.or_(
        columns.leased_until.is_(None),
        columns.leased_until <= work.now,
        columns.lease_owner == owner,
    )
    jobs = work.connection.execute(
        _JOBS.where(columns.state == "running", free)
        .order_by(columns.created_at)
        .with_for_update(skip_locked=True)
    )
    found = [Job(*row) for row in jobs]
    lease = sa.update(replay_jobs).where(columns.id.in_([job.id for job in found]))
    if found:
        work.connection.execute(lease.values(lease_owner=owner, leased_until=until))
    return found


def is_any_running(work: UnitOfWork) -> bool:
    """Whether there is anything to do for a keeper, of whatever job."""
    is_running = sa.exists().where(replay_jobs.c.state == "running")
    return bool(work.connection.execute(sa.select(is_running)).scalar_one())


def unfinished(work: UnitOfWork) -> list[UUID]:
    """Return ended jobs whose last letters are still on their way, to be watched to the end."""
    query = (
        sa.select(replay_items.c.job_id)
        .join(replay_jobs, replay_jobs.c.id == replay_items.c.job_id)
        .where(replay_items.c.state == "sent", replay_jobs.c.state != "running")
        .distinct()
    )
    return list(work.connection.execute(query).scalars())


def pending(work: UnitOfWork, job_id: UUID, limit: int) -> list[Pending]:
    """Return the next letters of a job, in the order they came to be dead, locked."""
    letter = dead_letters.c
    query = (
        sa.select(letter.id, *(letter[each.name] for each in fields(Pending)[1:]))
        .join(replay_items, replay_items.c.dead_letter_id == letter.id)
        .where(replay_items.c.job_id == job_id, replay_items.c.state == "pending")
        .order_by(replay_items.c.position)
        .limit(limit)
        .with_for_update(of=replay_items, skip_locked=True)
    )
    return [Pending(*row) for row in work.connection.execute(query)]


def in_flight(work: UnitOfWork, message_ids: Iterable[UUID]) -> set[UUID]:
    """Return which of these messages are owed already."""
    rows = work.bulk.select((messages.c.id,), messages.c.id, message_ids)
    return {row.id for row in rows}


def mark(work: UnitOfWork, job_id: UUID, states: dict[UUID, ItemState]) -> None:
    """Note what became of letters of a job, and what that means for the letters."""
    rows = [
        {"job_id": job_id, "dead_letter_id": id_, "state": state, "at": work.now}
        for id_, state in states.items()
    ]
    work.bulk.update(replay_items, rows, key=("job_id", "dead_letter_id"))
    _count(work, [id_ for id_, state in states.items() if state == "sent"])
    _resolve(work, [id_ for id_, state in states.items() if state == "done"])
    _reopen(work, [id_ for id_, state in states.items() if state == "skipped"])


def outcomes(work: UnitOfWork, job_id: UUID) -> dict[UUID, ItemState]:
    """Return the letters sent by a job whose end is known: handled, or dead once more."""
    letter, item = dead_letters.c, replay_items.c
    owed = sa.exists().where(messages.c.id == letter.message_id)
    query = (
        sa.select(letter.id, letter.state)
        .join(replay_items, item.dead_letter_id == letter.id)
        .where(item.job_id == job_id, item.state == "sent", ~owed)
    )
    return {
        row.id: "done" if row.state == "replaying" else "failed"
        for row in work.connection.execute(query)
    }


def pass_over_gone(work: UnitOfWork, job_id: UUID) -> None:
    """Skip the letters of a job that are not there any more: an erased person's, for one."""
    item = replay_items.c
    is_there = sa.exists().where(dead_letters.c.id == item.dead_letter_id)
    work.connection.execute(
        sa.update(replay_items)
        .where(item.job_id == job_id, item.state.in_(("pending", "sent")), ~is_there)
        .values(state="skipped", at=work.now)
    )


def progress(work: UnitOfWork, job_id: UUID) -> Counter[ItemState]:
    """Return how many letters of a job are in each state."""
    item = replay_items.c
    query = sa.select(item.state, sa.func.count()).where(item.job_id == job_id)
    rows = work.connection.execute(query.group_by(item.state))
    return Counter({row[0]: row[1] for row in rows})


def end(work: UnitOfWork, job_id: UUID, state: JobState, detail: str | None = None) -> bool:
    """End a running job; what it has not sent is open again. Returns whether it was running."""
    columns = replay_jobs.c
    ended = work.connection.execute(
        sa.update(replay_jobs)
        .where(columns.id == job_id, columns.state == "running")
        .values(state=state, detail=detail, finished_at=work.now, lease_owner=None)
    )
    if not ended.rowcount:
        return False
    item = replay_items.c
    left = work.connection.execute(
        sa.update(replay_items)
        .where(item.job_id == job_id, item.state == "pending")
        .values(state="skipped", at=work.now)
        .returning(item.dead_letter_id)
    )
    _reopen(work, list(left.scalars()))
    return True


def get(work: UnitOfWork, job_id: UUID) -> Job | None:
    """Return a job."""
    row = work.connection.execute(_JOBS.where(replay_jobs.c.id == job_id)).first()
    return Job(*row) if row else None


def latest(work: UnitOfWork, limit: int) -> list[Job]:
    """Return the jobs that were begun last, newest first."""
    newest = _JOBS.order_by(replay_jobs.c.created_at.desc(), replay_jobs.c.id.desc())
    return [Job(*row) for row in work.connection.execute(newest.limit(limit))]


def _begin(work: UnitOfWork, wish: Wish, states: dict[UUID, ItemState]) -> Job:
    job_id = new_id()
    has_work = "pending" in states.values()
    row: dict[str, Any] = {
        "id": job_id,
        "created_at": work.now,
        "author": wish.author,
        "reason": wish.reason,
        "selection": wish.selection,
        "state": "running" if has_work else "done",
        "total": len(states),
        "rate_per_second": wish.rate_per_second,
        "failure_limit": wish.failure_limit,
        "finished_at": None if has_work else work.now,
        "detail": None,
    }
    work.connection.execute(sa.insert(replay_jobs), [row])
    items = [
        {"job_id": job_id, "dead_letter_id": id_, "position": position, "state": state}
        for position, (id_, state) in enumerate(states.items())
    ]
    for first in range(0, len(items), _SLICE):
        work.bulk.insert(replay_items, items[first : first + _SLICE])
    return Job(**{each.name: row[each.name] for each in fields(Job)})


def _not_open(work: UnitOfWork, ids: Sequence[UUID]) -> dict[UUID, ItemState]:
    columns = dead_letters.c
    rows = work.bulk.select((columns.id, columns.state), columns.id, ids)
    return {row.id: "already_done" if row.state == "resolved" else "skipped" for row in rows}


def _count(work: UnitOfWork, ids: Sequence[UUID]) -> None:
    _COUNT.run(work.connection, {"id": ids})


def _resolve(work: UnitOfWork, ids: Sequence[UUID]) -> None:
    _RESOLVE.run(work.connection, {"id": ids}, now=work.now)


def _reopen(work: UnitOfWork, ids: Sequence[UUID]) -> None:
    _REOPEN.run(work.connection, {"id": ids})


_JOBS: Final = sa.select(*(replay_jobs.c[each.name] for each in fields(Job)))
_IDS: Final = {"id": sa.Uuid()}
_COUNT: Final = SetStatement(
    "UPDATE dead_letters SET replays = replays + 1 WHERE id {is_given}", given=_IDS
)
_RESOLVE: Final = SetStatement(
    "UPDATE dead_letters SET state = 'resolved', resolution = 'replayed', resolved_at = {now}"
    " WHERE id {is_given} AND state = 'replaying'",
    given=_IDS,
    values={"now": Moment()},
)
_REOPEN: Final = SetStatement(
    "UPDATE dead_letters SET state = 'open' WHERE id {is_given} AND state = 'replaying'",
    given=_IDS,
)
