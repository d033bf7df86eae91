"""`patron dead-letters show`: one letter, with its evidence and everything done about it."""

from collections.abc import Sequence
from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer

from services.console.cli.failures import Refused
from services.console.cli.invocation import invocation
from services.console.cli.output import Output, OutputOption, say, show_json, show_record, show_rows
from shared.domain.causes import cause_of
from shared.persistence import dead_letter_reader
from shared.persistence.dead_letter_reader import Amendment, DeadLetterRecord
from shared.persistence.unit_of_work import UnitOfWork

IdArgument = Annotated[UUID, typer.Argument(metavar="ID", help="As `dead-letters list` shows it.")]
_AMENDMENTS = {"at": "at", "author": "by", "reason": "because", "changed": "changed"}
_REPLAYS = {
    "created_at": "asked for", "author": "by", "reason": "because", "state": "result",
    "at": "at", "job_id": "replay",
}  # fmt: skip


def show(
    context: typer.Context,
    dead_letter_id: IdArgument,
    body: Annotated[
        bool,
        typer.Option(
            "--body", help="Print the message and what was amended; both may hold personal data."
        ),
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one dead letter: the error, what the broker noted, amendments and replays."""
    with invocation(context).reading() as work:
        letter = found(work, dead_letter_id)
        amendments = dead_letter_reader.amendments_of(work, [dead_letter_id])
        replays = [asdict(each) for each in dead_letter_reader.replays_of(work, dead_letter_id)]
    changed = [_amendment(each, in_full=body) for each in amendments]
    if output is Output.JSON:
        content = {"body": _text(letter.body)} if body else {}
        show_json({**record_of(letter), **content, "amendments": changed, "replay_jobs": replays})
        return
    show_record(record_of(letter), output)
    _show("Amendments", changed, _AMENDMENTS)
    _show("Replays", replays, _REPLAYS)
    if body:
        _show_bodies(letter, amendments)


def found(work: UnitOfWork, dead_letter_id: UUID) -> DeadLetterRecord:
    """Return the letter. Raises `Refused` if there is none."""
    letter = dead_letter_reader.get(work, dead_letter_id)
    if letter is None:
        raise Refused(
            f"there is no dead letter {dead_letter_id}",
            "`patron dead-letters list` shows which are.",
        )
    return letter


def record_of(letter: DeadLetterRecord) -> dict[str, Any]:
    """Return all that is known of a letter but what it says."""
    facts = asdict(letter)
    facts = {**facts.pop("line"), **facts}
    facts.pop("body")
    facts["cause"] = cause_of(letter.line.reason)
    facts["is_whole"] = letter.is_whole
    return facts


def _amendment(amendment: Amendment, *, in_full: bool) -> dict[str, Any]:
    facts = asdict(amendment)
    original, diff = facts.pop("original_body"), orjson.loads(facts.pop("diff"))
    facts["changed"] = [change["path"] or "(all of it)" for change in diff]
    return facts | ({"diff": diff, "original_body": _text(original)} if in_full else {})


def _show(title: str, rows: Sequence[dict[str, Any]], columns: dict[str, str]) -> None:
    if rows:
        say(f"\n{title}", "bold")
        show_rows(rows, columns, Output.TABLE, nothing="")


def _show_bodies(letter: DeadLetterRecord, amendments: Sequence[Amendment]) -> None:
    for each in amendments:
        say(f"\nMessage before {each.at:%Y-%m-%d %H:%M:%SZ}", "bold")
        say(_text(each.original_body))
    say("\nMessage", "bold")
    say(_text(letter.body) if letter.is_whole else f"(too large: {letter.body_size} bytes)")


def _text(body: bytes) -> str:
    return body.decode("utf-8", "backslashreplace")
