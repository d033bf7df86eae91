"""Taking in what lies in the broker's dead queues, and what becomes of it.

For the keeper. A copy of a letter that its worker has buried only adds what the broker noted; what
the broker gave up by itself is buried now; what was handled after all is nobody's concern. Its
promise: a batch is a handful of statements however large it is; afterwards nothing is both owed
and dead, and no message has two letters, however often it arrives.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal
from uuid import UUID

from shared.domain.customer import SourceKey
from shared.persistence.dead_letters import REPLAYING, DeadLetter
from shared.persistence.sets import Found
from shared.persistence.tables import dead_letters, messages
from shared.persistence.tombstones import Tombstones, hold_off_erasures
from shared.persistence.unit_of_work import UnitOfWork

Fate = Literal["buried", "known", "handled", "erased"]
"""Buried now; had a letter already; was handled; is about a person who was erased."""

# RabbitMQ notes moments to the second, by its own clock.
_BLUR: Final = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Find:
    """A message found in a dead queue, as it would be buried.

    `ids` are those that its worker may have buried it under, its own first. `is_readable` says
    that it is a message; `is_rejected` that a consumer sent it here and not the broker.
    """

    letter: DeadLetter
    ids: tuple[UUID, ...]
    is_readable: bool
    is_rejected: bool
    died_at: datetime | None = None
    account: SourceKey | None = None


def take_in(work: UnitOfWork, finds: Sequence[Find], tombstones: Tombstones) -> list[Fate]:
    """Store what is not known yet; return what became of each find."""
    hold_off_erasures(work)
    erased = tombstones.erased(work, {find.account for find in finds if find.account})
    known, owed = _known(work, finds), _owed(work, finds)
    fates: list[Fate | None] = []
    new: dict[UUID, Find] = {}
    for find in finds:
        letter = next((known[id_] for id_ in find.ids if id_ in known), None)
        if (letter and not _died_again(find, letter, owed)) or find.ids[0] in new:
            fates.append("known")
        elif find.account in erased:
            fates.append("erased")
        else:
            new[find.ids[0]] = find
            fates.append(None)
    _note(work, finds, known)
    buried = _bury(work, new.values())
    return [
        fate or ("buried" if find.ids[0] in buried else "handled")
        for find, fate in zip(finds, fates, strict=True)
    ]


def _known(work: UnitOfWork, finds: Iterable[Find]) -> dict[UUID, Found]:
    """Return the letters there are, by the ids of their messages."""
    columns = dead_letters.c
    rows = work.bulk.select(
        (columns.id, columns.message_id, columns.state, columns.broker_reason),
        columns.message_id,
        (id_ for find in finds for id_ in find.ids),
    )
    return {row.message_id: row for row in rows}


def _owed(work: UnitOfWork, finds: Iterable[Find]) -> dict[UUID, datetime]:
    """Return since when these messages are owed, if they are."""
    ids = [find.ids[0] for find in finds]
    rows = work.bulk.select((messages.c.id, messages.c.created_at), messages.c.id, ids)
    return {row.id: row.created_at for row in rows}


def _died_again(find: Find, letter: Found, owed: dict[UUID, datetime]) -> bool:
    """Whether the broker gave up a message that is being replayed.

    Not so if this is a copy from before the replay, which is on its way.
    """
    since = owed.get(find.ids[0])
    if letter.state != REPLAYING or find.is_rejected or since is None or find.died_at is None:
        return False
    return find.died_at > since - _BLUR


def _note(work: UnitOfWork, finds: Iterable[Find], known: dict[UUID, Found]) -> None:
    """Add what the broker says to the letters that there are."""
    said = {
        letter.id: find.letter.broker_reason
        for find in finds
        for id_ in find.ids
        if (letter := known.get(id_)) and letter.broker_reason != find.letter.broker_reason
    }
    rows = [{"id": id_, "broker_reason": reason} for id_, reason in said.items() if reason]
    work.bulk.update(dead_letters, rows, key=("id",))


def _bury(work: UnitOfWork, finds: Iterable[Find]) -> set[UUID]:
    """Bury what was not handled.

    What only looks like ours was never owed, but if nobody can read it somebody must see it.
    """
    buried = work.store.bury([find.letter for find in finds])
    strays = [
        replace(find.letter, is_ours=False)
        for find in finds
        if find.letter.is_ours and not find.is_readable and find.ids[0] not in buried
    ]
    return buried | work.store.bury(strays) if strays else buried
