"""The message store: what is still owed, and who has it. See `docs/architecture` for the idea.

Every message between workers is a row of `messages` from before it is published until the
transaction that handles it deletes it. Its promise: whoever claims an id first owns its handling,
everybody else is told that it is done; and no row disappears but by being claimed or buried.

*Ours or foreign.* A message that says it was sent by Patron (AMQP `app_id` is `patron`) has had a
row: if there is none any more, it was handled. A message from outside never had one; its id is
remembered in `foreign_messages` once it is handled. An outside publisher that calls itself
`patron` is therefore taken for a duplicate: application ids are part of the contract with it.
"""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import datetime, timedelta
from operator import attrgetter
from typing import Any, Final
from uuid import UUID

import sqlalchemy as sa

from shared.domain.messages import Parcel
from shared.persistence import store_sql as sql
from shared.persistence.bulk import Bulk
from shared.persistence.dead_letters import REOPENED_COLUMNS, DeadLetter, Failed, dead_letter_row
from shared.persistence.tables import dead_letters, foreign_messages, messages

# How long the relay leaves a new message to its sender, who publishes right after the commit.
GRACE_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Retry:
    """A failed message to be tried again at `available_at`.

    `is_counted` says that `count_start` has counted this attempt already; one that is `free`
    counts for nothing, and is taken back if it was counted. A message from outside brings its
    `parcel`, so that from now on it is one of ours.
    """

    message_id: UUID
    available_at: datetime
    reason: str
    error: str | None = None
    is_counted: bool = False
    is_free: bool = False
    parcel: Parcel | None = None

    @property
    def attempts(self) -> int:
        """How many attempts are to be added."""
        return int(not self.is_free) - int(self.is_counted)


@dataclass(frozen=True, slots=True)
class Backlog:
    """How much is owed: in all, due for publishing, waiting for a retry, and since when."""

    owed: int
    oldest_at: datetime | None
    due: int
    oldest_due_at: datetime | None
    retrying: int


class MessageStore:
    """The store as one transaction sees it; `now` is that transaction's moment."""

    def __init__(self, connection: sa.Connection, now: datetime) -> None:
        self._connection = connection
        self._now = now
        self._bulk = Bulk(connection)
        self._taken: set[UUID] = set()

    # --- sending

    def add(
        self, parcels: Collection[Parcel], *, available_in_seconds: float = GRACE_SECONDS
    ) -> None:
        """Owe `parcels`; the relay publishes what its sender has not published until then."""
        available_at = self._now + timedelta(seconds=available_in_seconds)
        self._bulk.insert(messages, [self._row(parcel, available_at) for parcel in parcels])

    def due(self, limit: int) -> list[Parcel]:
        """Take up to `limit` unpublished messages that are due, oldest first.

        They are locked until the transaction ends, so that two relays never take the same.
        """
        query = (
            sql.PARCELS.where(messages.c.published_at.is_(None))
            .where(messages.c.available_at <= self._now)
            .order_by(messages.c.available_at, messages.c.id)
        )
        return self._take(query, limit)

    def stale(self, published_before: datetime, limit: int) -> list[Parcel]:
        """Take up to `limit` messages that were published before then and are still owed.

        Locked like those of `due`. Publish them again and mark them, and they are young again.
        """
        query = sql.PARCELS.where(messages.c.published_at < published_before).order_by(
            messages.c.published_at, messages.c.id
        )
        return self._take(query, limit)

    def mark_published(self, ids: Iterable[UUID]) -> None:
        """Note that the broker has confirmed `ids`.

        A message that was retried since its sender published it is left alone, or its retry would
        be lost: only those never tried are marked, and those that this transaction took.
        """
        fresh, taken = list(ids), []
        if self._taken:  # nothing is when what was just committed is published
            taken = [id_ for id_ in fresh if id_ in self._taken]
            fresh = [id_ for id_ in fresh if id_ not in self._taken]
        sql.MARK_TAKEN.run(self._connection, {"id": taken}, now=self._now)
        sql.MARK_FRESH.run(self._connection, {"id": fresh}, now=self._now)

    # --- receiving

    def claim(self, ours: Iterable[UUID], foreign: Iterable[UUID] = ()) -> set[UUID]:
        """Claim the handling of messages; those not returned were handled before."""
        rows = sql.CLAIM.run(self._connection, {"id": _unique(ours)})
        return {row.id for row in rows} | self.claim_foreign(foreign)

    def claim_foreign(self, ids: Iterable[UUID]) -> set[UUID]:
        """Claim messages from outside; those not returned were handled before."""
        return set(self._claim_foreign(ids))

    def attempts(self, ours: Iterable[UUID], foreign: Iterable[UUID] = ()) -> dict[UUID, int]:
        """Return how often messages were tried; one that is unknown or done is not in it."""
        rows = self._bulk.select((messages.c.id, messages.c.attempts), messages.c.id, ours)
        outside = self._bulk.select(
            (foreign_messages.c.id, foreign_messages.c.attempts, foreign_messages.c.done),
            foreign_messages.c.id,
            foreign,
        )
        counts = {row.id: row.attempts for row in rows}
        return counts | {row.id: row.attempts for row in outside if not row.done}

    def count_start(self, message_id: UUID, *, is_ours: bool = True) -> int:
        """Count an attempt before it begins; return how many that makes, or 0 if it is done.

        For a redelivered message, in a transaction of its own: if the handler kills the process,
        the attempt was counted all the same.
        """
        given = {"id": [message_id]}
        if is_ours:
            rows = sql.COUNT_OURS.run(self._connection, given)
        else:
            rows = sql.COUNT_FOREIGN.run(self._connection, given, now=self._now)
        return rows[0].attempts if rows else 0

    def take_back_starts(self, ids: Iterable[UUID]) -> None:
        """Take back starts of our messages that were counted and came to nothing, for no fault."""
        sql.TAKE_BACK.run(self._connection, {"id": _unique(ids)})

    # --- failing

    def retry(self, retries: Sequence[Retry], *, owner: str | None = None) -> set[UUID]:
        """Schedule further attempts; return the ids that are.

        A message that is done, or leased by somebody other than `owner`, is left alone.
        """
        outside = [retry for retry in retries if retry.parcel]
        ours = [retry for retry in retries if not retry.parcel]
        rows = sql.RETRY.run(
            self._connection,
            {
                "id": [retry.message_id for retry in ours],
                "available_at": [retry.available_at for retry in ours],
                "attempts": [retry.attempts for retry in ours],
                "reason": [retry.reason for retry in ours],
                "error": [retry.error for retry in ours],
            },
            now=self._now,
            owner=owner,
        )
        return {row.id for row in rows} | self._adopt(outside)

    def bury(self, letters: Sequence[DeadLetter]) -> set[UUID]:
        """Move messages to the dead letters, with their evidence; return the ids of those moved.

        A message that was handled or buried before is left alone.
        """
        ours = [letter.message_id for letter in letters if letter.is_ours and letter.message_id]
        foreign = [x.message_id for x in letters if not x.is_ours and x.message_id]
        failed: dict[UUID | None, Failed] = {
            row.id: Failed(row.attempts, row.first_failed_at)
            for row in sql.BURY.run(self._connection, {"id": _unique(ours)})
        }
        failed |= {id_: Failed(attempts) for id_, attempts in self._claim_foreign(foreign).items()}
        failed[None] = Failed(attempts=0)
        rows = [
            dead_letter_row(letter, failed[letter.message_id], self._now)
            for letter in letters
            if letter.message_id in failed
        ]
        # A replayed message that failed as often again is the same dead letter, open again.
        self._bulk.upsert(dead_letters, rows, key=("message_id",), update=REOPENED_COLUMNS)
        return {id_ for id_ in failed if id_}

    # --- leasing

    def lease(self, ids: Iterable[UUID], owner: str, until: datetime) -> set[UUID]:
        """Lease messages whose effect happens outside the database; return those leased.

        Not leased is what is done, what anybody has leased, and what concerns a subject of which
        somebody else has leased another message: two effects on one customer never overlap.
        """
        wanted = {"id": _unique(ids)}
        if self._connection.dialect.name == "postgresql":
            sql.LOCK_SUBJECTS.run(self._connection, wanted)
        rows = sql.LEASE.run(self._connection, wanted, owner=owner, until=until, now=self._now)
        return {row.id for row in rows}

    def extend(self, ids: Iterable[UUID], owner: str, until: datetime) -> set[UUID]:
        """Prolong leases; those not returned are not `owner`'s any more."""
        rows = sql.EXTEND.run(self._connection, {"id": _unique(ids)}, owner=owner, until=until)
        return {row.id for row in rows}

    def release(self, ids: Iterable[UUID], owner: str | None = None) -> None:
        """Give leases back; those of somebody other than `owner` stay."""
        sql.RELEASE.run(self._connection, {"id": _unique(ids)}, owner=owner)

    # --- housekeeping

    def backlog(self) -> Backlog:
        """Return how much is owed."""
        row = self._connection.execute(sql.BACKLOG, {"now": self._now}).one()
        return Backlog(*row)

    def forget_foreign(self, seen_before: datetime) -> int:
        """Forget messages from outside that no replay can bring back; return how many."""
        gone = sa.delete(foreign_messages).where(foreign_messages.c.seen_at < seen_before)
        return self._connection.execute(gone).rowcount

    def _take(self, query: sa.Select[Any], limit: int) -> list[Parcel]:
        free = sa.or_(messages.c.leased_until.is_(None), messages.c.leased_until <= self._now)
        rows = self._connection.execute(
            query.where(free).limit(limit).with_for_update(skip_locked=True)
        )
        parcels = [Parcel(*row) for row in rows]
        self._taken.update(parcel.message_id for parcel in parcels)
        return parcels

    def _claim_foreign(self, ids: Iterable[UUID]) -> dict[UUID, int]:
        rows = sql.CLAIM_FOREIGN.run(self._connection, {"id": _unique(ids)}, now=self._now)
        return {row.id: row.attempts for row in rows}

    def _adopt(self, retries: Sequence[Retry]) -> set[UUID]:
        """Make messages from outside ours: their next attempt is published by our relay."""
        counts = self._claim_foreign(retry.message_id for retry in retries)
        self._bulk.insert(
            messages,
            [
                self._row(retry.parcel, retry.available_at)
                | {
                    "attempts": max(0, counts[retry.message_id] + retry.attempts),
                    "last_reason": retry.reason,
                    "last_error": retry.error,
                    "first_failed_at": self._now,
                    "last_failed_at": self._now,
                }
                for retry in retries
                if retry.parcel and retry.message_id in counts
            ],
        )
        return set(counts)

    def _row(self, parcel: Parcel, available_at: datetime) -> dict[str, object]:
        row = dict(zip(_COLUMNS, _VALUES(parcel), strict=True))
        row["created_at"] = self._now
        row["available_at"] = available_at
        return row


_FIELDS: Final = tuple(field.name for field in fields(Parcel))
_COLUMNS: Final = tuple("id" if name == "message_id" else name for name in _FIELDS)
_VALUES: Final = attrgetter(*_FIELDS)


def _unique(ids: Iterable[UUID]) -> list[UUID]:
    return list(dict.fromkeys(ids))
