"""What an operator can do about a staged customer, as commands ready to be pasted. Pure."""

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from shared.persistence.directory_reader import VisitingCard
from shared.persistence.staging import OPEN, StagingLine

_BY_CONFIGURATION: Final = frozenset(
    {
        "no_template", "incomplete_template", "no_number", "unknown_store_view",
        "no_guest_customer", "business_not_enabled",
    }
)  # fmt: skip
_MOST_SUGGESTED: Final = 5


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that can be done: the command, and what it is good for."""

    command: str
    effect: str


def steps(line: StagingLine, candidates: Sequence[VisitingCard | None]) -> list[Step]:
    """Return what can be done about a record; `candidates` are numbered from 1."""
    if line.state not in OPEN:
        return [_history(line)]
    if line.reason == "unreadable":
        return [
            Step(_import(line), "once the fields are mended in the shop: read it now"),
            _discard(line),
        ]
    return [*_ways_on(line, candidates), _discard(line)]


def _ways_on(line: StagingLine, candidates: Sequence[VisitingCard | None]) -> Iterator[Step]:
    process = f"patron staging process {line.id}"
    if line.reason == "no_billing_address":
        yield Step(_import(line), "once the shop has a default billing address: read it now")
        return
    if line.state == "ambiguous":
        yield from _choices(line, candidates)
        yield Step(f"{process} --as-new", "it is none of them: create a customer")
        yield Step(process, "try the rules again, after a correction in the directory")
        return
    if line.reason in _BY_CONFIGURATION:
        yield Step("patron config check", "after a correction; restarted, Patron decides it again")
        yield Step(process, "decide it again now")
    elif line.reason == "entity_changed":
        yield Step(process, "its customer turns as well: take it over")
        yield Step(f"{process} --as-new", "leave its customer alone: create another")
    elif line.is_existing:
        yield Step(process, "take the change over")
    else:
        yield Step(process, "link it if the rules find somebody, create it otherwise")
        yield Step(f"{process} --link-only", "link it if the rules find somebody, create nobody")
    if not line.is_existing:
        yield Step(_link(line, "--customer NUMBER"), "it is this customer, whatever the rules say")


def _choices(line: StagingLine, candidates: Sequence[VisitingCard | None]) -> Iterator[Step]:
    for position, card in enumerate(candidates[:_MOST_SUGGESTED], start=1):
        if card:
            yield Step(_link(line, f"--candidate {position}"), f"it is {called(card)}")
    yield Step(_link(line, "--customer NUMBER"), "it is another customer")


def called(card: VisitingCard) -> str:
    """Return who a customer is, in one line."""
    who = (card.number or str(card.id), card.name, card.company_name, card.email, card.place)
    return ", ".join(filter(None, who))


def _link(line: StagingLine, whom: str) -> str:
    return f"patron staging link {line.id} {whom}"


def _import(line: StagingLine) -> str:
    return f"patron import {shlex.quote(line.channel)} --customer {shlex.quote(line.external_id)}"


def _discard(line: StagingLine) -> Step:
    return Step(f"patron staging discard {line.id}", "leave it until it changes in the shop")


def _history(line: StagingLine) -> Step:
    who = shlex.quote(f"{line.channel}/{line.external_id}")
    return Step(f"patron customer history {who}", "see everything that happened to it")
