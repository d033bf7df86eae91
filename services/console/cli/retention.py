"""`patron retention`: deleting what was kept long enough, now and not when its hour has come."""

from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Annotated, Final

import orjson
import typer

from services.console.cli.invocation import invocation, operator
from services.console.cli.output import Output, OutputOption, say, show_rows
from shared.persistence import audit, retention
from shared.persistence.retention import Kind
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork

app = typer.Typer(no_args_is_help=True, help="Delete what was kept long enough.")

_STARTED: Final = "retention.started"
_FINISHED: Final = "retention.finished"
_COLUMNS: Final = {"kind": "kind", "days": "kept for days", "before": "older than", "rows": "rows"}


@dataclass(frozen=True, slots=True)
class Line:
    """One kind of row, from before when it goes, and how many there are or were."""

    kind: str
    days: int
    before: datetime
    rows: int


@app.command("run")
def run_retention(
    context: typer.Context,
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only say what would be deleted.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Delete what is older than [retention] says: archive, history, raw payloads, dead letters.

    The processor does this by itself every hour. What waits for anybody is never deleted: open
    staging records, open dead letters, questions without an answer.
    """
    call = invocation(context)
    kinds = retention.kinds(call.installation.settings.retention)
    with call.opened() as units:
        if dry_run:
            with units.read() as work:
                lines = [_line(kind, work, retention.count(work, kind)) for kind in kinds]
        else:
            lines = _delete(units, kinds)
    show_rows([asdict(line) for line in lines], _COLUMNS, output, nothing="nothing")
    if output is Output.TABLE:
        many = sum(line.rows for line in lines)
        say(f"{many} rows would be deleted" if dry_run else f"{many} rows deleted")


def _delete(units: UnitsOfWork, kinds: list[Kind]) -> list[Line]:
    """Delete slice by slice; the audit log says when it began, and what came of it."""
    _note(units, _STARTED, {kind.name: kind.days for kind in kinds})
    lines = [_delete_kind(units, kind) for kind in kinds]
    _note(units, _FINISHED, {line.kind: line.rows for line in lines})
    return lines


def _delete_kind(units: UnitsOfWork, kind: Kind) -> Line:
    rows, is_more = 0, True
    while is_more:
        with units.begin() as work:
            deleted = retention.delete(work, kind)
            line = _line(kind, work, rows + deleted)
        rows, is_more = line.rows, deleted == retention.SLICE
    return line


def _line(kind: Kind, work: UnitOfWork, rows: int) -> Line:
    return Line(kind.name, kind.days, kind.before(work.now), rows)


def _note(units: UnitsOfWork, action: str, facts: dict[str, int]) -> None:
    with units.begin() as work:
        audit.note(
            work, actor=operator(), action=action, subject="retention",
            detail=orjson.dumps(facts).decode(),
        )  # fmt: skip
