"""`patron dead-letters`: messages that were given up, and why."""

from dataclasses import asdict
from enum import StrEnum
from typing import Annotated
from uuid import UUID

import typer

from services.console.cli.failures import Refused
from services.console.cli.invocation import invocation
from services.console.cli.output import Output, OutputOption, say, show_json, show_record, show_rows
from services.console.cli.staging import LimitOption
from services.console.cli.workers import WorkerName
from shared.persistence import dead_letter_reader

app = typer.Typer(no_args_is_help=True, help="See messages that were given up, and why.")


class LetterState(StrEnum):
    """Whether a dead letter still waits for somebody."""

    OPEN = "open"
    ALL = "all"


_COLUMNS = {
    "id": "id",
    "worker": "worker",
    "reason": "reason",
    "type": "type",
    "channel": "channel",
    "subject": "customer",
    "attempts": "attempts",
    "last_failed_at": "last failed",
    "error": "error",
}


@app.command("list")
def list_dead_letters(
    context: typer.Context,
    *,
    state: Annotated[
        LetterState, typer.Option("--state", help="Those that wait for somebody, or all.")
    ] = LetterState.OPEN,
    worker: Annotated[
        WorkerName | None, typer.Option("--worker", help="Only what this worker gave up.")
    ] = None,
    reason: Annotated[str | None, typer.Option("--reason", help="Only this reason.")] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="Only this channel.")] = None,
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    """List dead letters, the last failed first."""
    with invocation(context).reading() as work:
        selection = dead_letter_reader.Selection(
            states=() if state is LetterState.ALL else (state.value,),
            worker=worker and worker.value,
            reason=reason,
            channel=channel,
        )
        lines = dead_letter_reader.find(work, selection, limit=limit)
    rows = [asdict(line) for line in lines]
    show_rows(rows, _COLUMNS, output, nothing="there are no such dead letters")


@app.command()
def show(
    context: typer.Context,
    dead_letter_id: Annotated[
        UUID, typer.Argument(metavar="ID", help="As `dead-letters list` shows it.")
    ],
    body: Annotated[
        bool,
        typer.Option("--body", help="Print the message as well; it may hold personal data."),
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one dead letter with its evidence: the error, the attempts, the message."""
    with invocation(context).reading() as work:
        letter = dead_letter_reader.get(work, dead_letter_id)
    if letter is None:
        raise Refused(
            f"there is no dead letter {dead_letter_id}",
            "`patron dead-letters list` shows which are.",
        )
    record = asdict(letter)
    record = {**record.pop("line"), **record}
    content = record.pop("body").decode("utf-8", "backslashreplace")
    if output is Output.JSON:
        show_json({**record, "body": content} if body else record)
        return
    show_record(record, output)
    if body:
        say("\nMessage", "bold")
        say(content)
