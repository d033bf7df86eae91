"""Why a replay leaves letters alone that were asked for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from shared.persistence import replay_reader
from shared.persistence.dead_letter_reader import Selection
from shared.persistence.dead_letters import DISCARDED, OPEN, REPLAYING, RESOLVED
from shared.persistence.replay_reader import Standing
from shared.persistence.replays import MOST_REPLAYS
from shared.persistence.unit_of_work import UnitOfWork

Result = Literal[
    "already_done", "being_replayed", "discarded", "in_circles", "no_id", "missing", "not_open"
]
_CIRCLES: Final = f"replayed {MOST_REPLAYS} times already; see what fails, or --insist"
_NAMELESS: Final = "came without an id to be sent under; the publisher has to send again"


@dataclass(frozen=True, slots=True)
class Refusal:
    """Letters that are left alone: one that was named, or how many of those that were meant."""

    result: Result
    why: str
    letter: UUID | None = None
    count: int = 1

    @property
    def letters(self) -> str:
        """Which letters, in words."""
        return str(self.letter) if self.letter else in_number(self.count)


def in_number(count: int) -> str:
    """Return so many letters, in words."""
    return f"{count} letter" if count == 1 else f"{count} letters"


def refusals(
    work: UnitOfWork, selection: Selection, taken: frozenset[UUID] = frozenset(), *, insists: bool
) -> list[Refusal]:
    """Return what a job leaves alone of those meant; `taken` are the letters that it has."""
    if selection.ids:
        return _of_named(work, [id_ for id_ in selection.ids if id_ not in taken])
    left = replay_reader.left_alone(work, selection, insists=insists)
    found = [
        Refusal("in_circles", _CIRCLES, count=left.in_circles),
        Refusal("no_id", _NAMELESS, count=left.nameless),
    ]
    return [each for each in found if each.count]


def _of_named(work: UnitOfWork, ids: Sequence[UUID]) -> list[Refusal]:
    standings = replay_reader.standings(work, ids)
    return [_of(id_, standings.get(id_)) for id_ in ids]


def _of(id_: UUID, standing: Standing | None) -> Refusal:
    result, why = _MISSING if standing is None else _reason(standing)
    return Refusal(result, why, id_)


def _reason(standing: Standing) -> tuple[Result, str]:
    if standing.state != OPEN:
        result, why = _CLOSED[standing.state]
        return result, why.format(job=standing.job_id)
    if not standing.has_message_id:
        return "no_id", _NAMELESS
    if standing.replays >= MOST_REPLAYS:
        return "in_circles", _CIRCLES
    return "not_open", "was not open a moment ago; ask again"


_MISSING: Final[tuple[Result, str]] = ("missing", "there is no such dead letter")
_CLOSED: Final[Mapping[str, tuple[Result, str]]] = {
    RESOLVED: ("already_done", "already done; it is not done again"),
    REPLAYING: ("being_replayed", "being replayed by {job}"),
    DISCARDED: ("discarded", "discarded; restore it first"),
}
