"""`patron dead-letters export`: letters as JSON Lines or CSV, for whoever looks elsewhere.

Its promise: without --bodies nothing in it is about a person, and no cell of it is a formula.
"""

import os
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import fields
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, Final, TextIO
from uuid import UUID

import orjson
import typer

from services.console import spreadsheet
from services.console.cli.dead_letter_filters import (
    ChannelOption,
    CustomerOption,
    GroupOption,
    NewerOption,
    OlderOption,
    ReasonOption,
    StateOption,
    TypeOption,
    WorkerOption,
    selected,
)
from services.console.cli.dead_letter_show import record_of
from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.invocation import invocation, operator
from shared.persistence import audit, dead_letter_reader
from shared.persistence.dead_letter_reader import DeadLetterLine, DeadLetterRecord, Selection
from shared.persistence.unit_of_work import UnitOfWork

EXPORTED: Final = "dead_letters.exported"
# Who it is about, in a shop or by what somebody calls a question.
_PERSONAL: Final = ("subject", "reply_id")


class Form(StrEnum):
    """How letters are written."""

    JSON_LINES = "jsonl"
    CSV = "csv"


def export(
    context: typer.Context,
    *,
    form: Annotated[Form, typer.Option("--form", help="JSON Lines, or CSV.")] = Form.JSON_LINES,
    bodies: Annotated[
        bool,
        typer.Option(
            "--bodies", help="With messages and customer ids: personal data. It is written down."
        ),
    ] = False,
    file: Annotated[
        Path | None,
        typer.Option("--file", help="A new file that only you can read, instead of the output."),
    ] = None,
    state: StateOption = None,
    group: GroupOption = None,
    reason: ReasonOption = None,
    worker: WorkerOption = None,
    channel: ChannelOption = None,
    customer: CustomerOption = None,
    type_: TypeOption = None,
    older_than: OlderOption = None,
    newer_than: NewerOption = None,
) -> None:
    """Write dead letters for a spreadsheet or another program, oldest first.

    Without --bodies there is no personal data in it. CSV cells are guarded against being taken
    for formulas.
    """
    selection = selected(
        states=state, group=group, reason=reason, worker=worker, channel=channel,
        customer=customer, type_=type_, older_than=older_than, newer_than=newer_than,
    )  # fmt: skip
    with invocation(context).opened() as units, _open(file) as target:
        if bodies:
            with units.begin() as work:
                _note(work, selection)
        with units.read() as work:
            rows = _rows(work, selection, in_full=bodies)
            many = _write(target, form, rows, _columns(in_full=bodies))
    typer.echo(f"{many} dead letters written", err=True)


def _rows(work: UnitOfWork, selection: Selection, *, in_full: bool) -> Iterator[dict[str, Any]]:
    for letter in dead_letter_reader.stream(work, selection):
        yield _row(letter, in_full=in_full)


def _row(letter: DeadLetterRecord, *, in_full: bool) -> dict[str, Any]:
    row = {name: _plain(value) for name, value in record_of(letter).items()}
    if in_full:
        return {**row, "body": letter.body.decode("utf-8", "backslashreplace")}
    return {name: value for name, value in row.items() if name not in _PERSONAL}


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return value.astimezone(UTC).isoformat()
    return str(value) if isinstance(value, UUID) else value


def _columns(*, in_full: bool) -> list[str]:
    names = [*(each.name for each in fields(DeadLetterLine)), "cause", "is_whole"]
    names += [x.name for x in fields(DeadLetterRecord) if x.name not in {"line", "body"}]
    return [*names, "body"] if in_full else [name for name in names if name not in _PERSONAL]


def _write(
    target: TextIO, form: Form, rows: Iterator[dict[str, Any]], columns: Sequence[str]
) -> int:
    if form is Form.CSV:
        return spreadsheet.write(target, columns, rows)
    many = 0
    for row in rows:
        target.write(orjson.dumps(row).decode() + "\n")
        many += 1
    return many


@contextmanager
def _open(file: Path | None) -> Iterator[TextIO]:
    """Give a new file of the operator's own, or standard output."""
    if file is None:
        yield sys.stdout
        return
    try:
        handle = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        raise Refused(f"{file} is there already", exit_code=EXIT_USAGE) from None
    with os.fdopen(handle, "w", encoding="utf-8", newline="") as target:
        yield target


def _note(work: UnitOfWork, selection: Selection) -> None:
    meant = {name: value for name, value in _said(selection).items() if value}
    audit.note(
        work, actor=operator(), action=EXPORTED, subject="dead letters",
        detail=orjson.dumps(meant, default=str).decode(),
    )  # fmt: skip


def _said(selection: Selection) -> dict[str, Any]:
    """Return the filters, but not whom they name."""
    return {
        "states": selection.states, "group": selection.group, "reason": selection.reason,
        "worker": selection.worker, "channel": selection.channel, "type": selection.type,
    }  # fmt: skip
