"""Lays a decision out for people: what was decided, by which rules, and what can be done.

Where shop and directory differed it shows both values, the rule and whose value stands.
"""

from collections.abc import Iterator
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from services.console.cli.output import cell, table_of
from services.console.explained import Explained, candidates_of, explain
from shared.persistence import directory_reader
from shared.persistence.staging import StagingRecord
from shared.persistence.unit_of_work import UnitOfWork

_RULE_COLUMNS = {
    "rule": "rule",
    "evidence": "evidence",
    "outcome": "outcome",
    "candidates": "customers",
}
_CONFLICT_COLUMNS = {
    "field": "field",
    "platform": "shop",
    "erp": "directory",
    "rule": "rule",
    "winner": "stands",
}
_SIDES = {"platform": "shop", "erp": "directory"}


def explained(record: StagingRecord, work: UnitOfWork) -> Explained:
    """Put the decision of `record` into words, customers by their numbers."""
    return explain(record, directory_reader.numbers(work, candidates_of(record)))


def laid_out(decision: Explained) -> RenderableType:
    """Return the decision as it is printed."""
    return Group(*_parts(decision))


def trials(decision: Explained) -> list[dict[str, Any]]:
    """Return the matching rules that were tried, as rows."""
    return [
        {
            "rule": trial.rule,
            "evidence": trial.evidence,
            "outcome": trial.outcome,
            "candidates": list(trial.candidates),
        }
        for trial in decision.trials
    ]


def conflicts(decision: Explained) -> list[dict[str, Any]]:
    """Return the fields in which shop and directory differed, as rows."""
    return [
        {
            "field": conflict.field,
            "platform": conflict.platform,
            "erp": conflict.erp,
            "rule": conflict.rule,
            "winner": _SIDES[conflict.winner],
        }
        for conflict in decision.conflicts
    ]


def _parts(decision: Explained) -> Iterator[RenderableType]:
    yield cell(decision.headline, "bold")
    if decision.advice:
        yield cell(decision.advice, "yellow")
    if decision.trials:
        yield Text("\nMatching rules, in order", style="bold")
        yield table_of(trials(decision), _RULE_COLUMNS)
        yield Text()
    if decision.templates_tried:
        tried = ", ".join(decision.templates_tried)
        chosen = (
            f"{decision.template} (tried: {tried})" if decision.template else f"none of {tried}"
        )
        yield _line("template", chosen)
    if decision.fields_changed:
        yield _line("fields changed", ", ".join(decision.fields_changed))
    if decision.conflicts:
        yield Text("\nShop and directory differed", style="bold")
        yield table_of(conflicts(decision), _CONFLICT_COLUMNS)
        yield Text()
    for note in decision.notes:
        yield _line("note", note)
    yield _line("configuration", decision.config_version)


def _line(name: str, value: str) -> Text:
    return Text.assemble((f"{name:<16}", "bold"), cell(value))
