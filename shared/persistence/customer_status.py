"""How far customers of a channel have come, for whoever sent them: number, waiting, or why not.

A few statements for any number of customers. Its promise: a number is told as soon as it is
committed, and no value of a customer is.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import orjson
import sqlalchemy as sa

from shared.persistence.dead_letters import OPEN
from shared.persistence.sets import Found
from shared.persistence.tables import (
    OPEN_STAGING_STATES,
    customers,
    dead_letters,
    history,
    links,
    source_records,
    staging_customers,
)
from shared.persistence.unit_of_work import UnitOfWork

State = Literal["numbered", "waiting", "held", "refused", "removed", "unknown"]
_IGNORED: Final = "customer.ignored"
_KEPT: Final = frozenset({"unchanged", "superseded"})


@dataclass(frozen=True, slots=True)
class CustomerStatus:
    """Where a customer stands.

    `numbered`: it has its customer number. `waiting`: it is on its way. `held`: it needs somebody,
    for `reason`, with `notes` on its fields. `refused`: it is not wanted, for `reason`.
    `removed`: it was deleted. `unknown`: it was never heard of. A customer that was known before
    keeps its number in every state.
    """

    external_id: str
    state: State
    customer_number: str | None = None
    reason: str | None = None
    notes: Sequence[str] = ()


def statuses(
    work: UnitOfWork, channel: str, external_ids: Iterable[str]
) -> dict[str, CustomerStatus]:
    """Return how far each of these customers has come."""
    about = _About(work, channel, tuple(dict.fromkeys(external_ids)))
    staged, letter, record = staging_customers.c, dead_letters.c, source_records.c
    waiting = about.rows(staged.external_id, staged.state, staged.reason, staged.explanation)
    letters = about.rows(letter.subject, letter.state, letter.reason)
    facts = _Facts(
        numbers=_numbers(about),
        held={key: row for key, row in waiting if row.state in OPEN_STAGING_STATES},
        dead={key: row.reason for key, row in letters if row.state == OPEN},
        seen=dict(about.rows(record.external_id, record.deleted_at)),
        refused=_refusals(about),
    )
    return {key: _status(key, facts) for key in about.ids}


class _Facts(NamedTuple):
    """What is known of several customers, by external id."""

    numbers: Mapping[str, str]
    held: Mapping[str, Found]
    dead: Mapping[str, str]
    seen: Mapping[str, Found]
    refused: Mapping[str, str]


def _status(key: str, facts: _Facts) -> CustomerStatus:
    number, seen = facts.numbers.get(key), facts.seen.get(key)
    if held := facts.held.get(key):
        return CustomerStatus(
            key, "held", number, held.reason or held.state, _notes(held.explanation)
        )
    if key in facts.dead:
        return CustomerStatus(key, "held", number, facts.dead[key])
    if seen and seen.deleted_at:
        return CustomerStatus(key, "removed", number)
    if number:
        return CustomerStatus(key, "numbered", number)
    if key in facts.refused:
        return CustomerStatus(key, "refused", None, facts.refused[key])
    return CustomerStatus(key, "waiting" if seen else "unknown")


class _About(NamedTuple):
    """Which customers are meant, and where they are looked up."""

    work: UnitOfWork
    channel: str
    ids: Sequence[str]

    def rows(
        self, external_id: sa.Column[Any], *columns: sa.Column[Any]
    ) -> list[tuple[str, Found]]:
        """Return what one table has of them, by external id."""
        by = (external_id.table.c.channel, external_id)
        wanted = ((self.channel, each) for each in self.ids)
        return [(row[0], row) for row in self.work.bulk.select((external_id, *columns), by, wanted)]


def _numbers(about: _About) -> dict[str, str]:
    linked = about.rows(links.c.external_id, links.c.customer_id, links.c.status)
    owners = {key: row.customer_id for key, row in linked if row.status != "removed"}
    columns = (customers.c.id, customers.c.number)
    rows = about.work.bulk.select(columns, customers.c.id, set(owners.values()))
    numbers = {row.id: row.number for row in rows if row.number}
    return {key: numbers[owner] for key, owner in owners.items() if owner in numbers}


def _refusals(about: _About) -> dict[str, str]:
    """Return why customers were ignored, where that is the last that was heard of them."""
    line = history.c
    lines = about.rows(line.external_id, line.id, line.event, line.detail)
    last = dict(sorted(lines, key=lambda pair: pair[1].id))
    reasons = {
        key: orjson.loads(row.detail or "{}").get("reason")
        for key, row in last.items()
        if row.event == _IGNORED
    }
    return {key: reason for key, reason in reasons.items() if reason and reason not in _KEPT}


def _notes(explanation: bytes) -> Sequence[str]:
    notes = orjson.loads(explanation).get("notes")
    return tuple(note for note in notes if isinstance(note, str)) if notes else ()
