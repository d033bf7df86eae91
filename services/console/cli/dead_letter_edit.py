"""`patron dead-letters edit`: correct what a dead letter says, within its schema (NEW-4)."""

import os
import shlex
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import orjson
import typer

from services.console.cli.dead_letter_filters import BecauseOption, said
from services.console.cli.dead_letter_show import IdArgument, found
from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.invocation import invocation, operator
from services.console.cli.output import Output, OutputOption, printable, say, show_json
from shared.domain.pointers import Change, PointerInvalid
from shared.persistence.dead_letter_reader import DeadLetterRecord
from shared.runtime import amending
from shared.runtime.amending import Amendment, NotAmended

_EDITOR: Final = "vi"


def edit(
    context: typer.Context,
    dead_letter_id: IdArgument,
    *,
    because: BecauseOption = None,
    values: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="POINTER=JSON",
            help="Set one value, such as /customer/email='\"ann@example.com\"'. Repeatable.",
        ),
    ] = None,
    file: Annotated[
        Path | None, typer.Option("--file", help="Take the whole message from this file.")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only check it and show what would change.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Correct what an open dead letter says; without --set and --file in $EDITOR.

    The message must stay one that its type allows, about the same record. What it said before is
    kept, with who changed what and why. It is not sent: `replay` does that. The output may hold
    personal data.
    """  # fmt: skip
    why = "" if dry_run else said(because)
    if values and file:
        raise Refused("--set and --file exclude each other", exit_code=EXIT_USAGE)
    with invocation(context).opened() as units:
        with units.read() as work:
            letter = found(work, dead_letter_id)
        amendment = _amendment(letter, values, file)
        if output is Output.TABLE:
            _show(amendment.diff)
        if not dry_run:
            with units.begin() as work:
                _store(lambda: amending.amend(work, amendment, actor=operator(), reason=why))
    if output is Output.JSON:
        show_json({"id": dead_letter_id, "is_stored": not dry_run, "diff": _rows(amendment.diff)})
    else:
        say("nothing was stored" if dry_run else "amended; `patron dead-letters replay` sends it")


def _amendment(
    letter: DeadLetterRecord, values: Sequence[str] | None, file: Path | None
) -> Amendment:
    """Return the checked change. Raises `Refused`."""
    try:
        if values:
            return amending.amended_values(letter, [_setting(text) for text in values])
        if file:
            return amending.amended_text(letter, _read(file))
        amending.check_open(letter)
        return _edited(letter)
    except (NotAmended, PointerInvalid) as error:
        raise Refused(str(error), "Nothing was changed.") from None


def _setting(text: str) -> tuple[str, Any]:
    pointer, _, value = text.partition("=")
    try:
        return pointer, orjson.loads(value)
    except orjson.JSONDecodeError:
        raise typer.BadParameter(
            f"what follows {pointer}= is no JSON; texts are quoted: {pointer}='\"text\"'",
            param_hint="--set",
        ) from None


def _read(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Refused(f"{file} cannot be read: {error.strerror}", exit_code=EXIT_USAGE) from None


def _edited(letter: DeadLetterRecord) -> Amendment:
    """Have the message edited until it can be stored, or the operator gives up."""
    if not sys.stdin.isatty():
        text = "there is no terminal for an editor"
        raise Refused(text, "Use --set or --file.", exit_code=EXIT_USAGE)
    with tempfile.TemporaryDirectory(prefix="patron-") as folder:
        path = Path(folder, f"{letter.line.id}.json")
        path.touch(0o600)
        path.write_bytes(before := _pretty(letter))
        while True:
            _run_editor(path)
            if (edited := path.read_bytes()) == before:
                raise NotAmended("nothing is changed")
            try:
                return amending.amended_text(letter, edited)
            except NotAmended as error:
                say(str(error))
                typer.confirm("Edit again?", abort=True, default=True, err=True)


def _pretty(letter: DeadLetterRecord) -> bytes:
    document = amending.readable(letter)
    if document is None:
        return letter.body
    return orjson.dumps(document, option=orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def _run_editor(path: Path) -> None:
    editor = os.environ.get("VISUAL") or os.environ.get("EDITOR") or _EDITOR
    try:
        done = subprocess.run([*shlex.split(editor), str(path)], check=False)  # noqa: S603
    except (OSError, ValueError):
        raise Refused(f"the editor {editor} cannot be run", "Set EDITOR.") from None
    if done.returncode:
        raise Refused(f"the editor ended with {done.returncode}", "Nothing was changed.")


def _store(store: Any) -> None:
    try:
        store()
    except NotAmended as error:
        raise Refused(str(error), "Nothing was changed.") from None


def _show(diff: Sequence[Change]) -> None:
    for change in diff:
        say(change.path or "(all of it)", "bold")
        if change.op != "add":
            say(f"  - {_shown(change.before)}", "red")
        if change.op != "remove":
            say(f"  + {_shown(change.after)}", "green")


def _shown(value: Any) -> str:
    return printable(orjson.dumps(value).decode())


def _rows(diff: Sequence[Change]) -> list[dict[str, Any]]:
    return [{"op": x.op, "path": x.path, "before": x.before, "after": x.after} for x in diff]
