"""Lays a decision out for people: what was decided, by which rules, and what can be done."""

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
    for note in decision.notes:
        yield _line("note", note)
    yield _line("configuration", decision.config_version)


def _line(name: str, value: str) -> Text:
    return Text.assemble((f"{name:<16}", "bold"), cell(value))
