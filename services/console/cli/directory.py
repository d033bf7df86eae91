"""`patron directory`: load the customers that an ERP has already, and look customers up."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Final

import typer

from services.console.cli.directory_recover import recover
from services.console.cli.failures import EXIT_FAILED, EXIT_PARTLY, EXIT_USAGE, Refused
from services.console.cli.invocation import Invocation, invocation, operator
from services.console.cli.output import (
    Output,
    OutputOption,
    say,
    show_json,
    show_rich,
    show_rows,
    table_of,
)
from services.console.cli.staging import LimitOption
from services.console.directory_file import DirectoryFile, Entry, Fault
from services.console.directory_load import plan_batch, write_batch
from services.console.directory_totals import Totals
from services.console.tabular import FileUnreadable
from shared.domain.normalise import email_key, parse_phone, phone_key
from shared.persistence import directory_reader, directory_search

app = typer.Typer(no_args_is_help=True, help="Load or recover customers, and look them up.")

app.command()(recover)

_BATCH: Final = 1000
_FAULTS: Final = {"line": "line", "column": "column", "problem": "problem"}
_COLUMNS: Final = {
    "number": "number",
    "kind": "kind",
    "name": "name",
    "company_name": "company",
    "email": "e-mail",
    "phone": "phone",
    "place": "billing address",
    "accounts": "accounts",
}


@app.command()
def load(
    context: typer.Context,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            readable=True,
            help="CSV with a header, or JSON Lines (.jsonl); UTF-8.",
        ),
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be loaded, and load nothing.")
    ] = False,
    partial: Annotated[
        bool, typer.Option("--partial", help="Load the good records even if others are faulty.")
    ] = False,
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    """Load existing customers of the ERP, so that shop customers are matched with them.

    A customer is known by its `number`: new ones are created, known ones updated, the rest left
    alone, so a file may be loaded again. Blank cells say nothing. Number series go on behind the
    numbers that they could have written. Unless --partial is given nothing is loaded if any
    record is faulty (exit code 1; with --partial 3). docs/first-import.md has the columns.
    """  # fmt: skip
    call = invocation(context)
    templates = [template.name for template in call.installation.policy.templates]
    source = DirectoryFile(file, templates, datetime.now(UTC))
    totals = Totals(dry_run=dry_run)
    try:
        faults = _checked(source, totals)
        if not faults or partial:
            _load(call, source, totals)
    except FileUnreadable as error:
        raise Refused(f"{file.name}: {error}", exit_code=EXIT_USAGE) from None
    _show(file, totals, faults, limit, output)
    if faults:
        raise typer.Exit(EXIT_PARTLY if partial else EXIT_FAILED)


@app.command()
def find(
    context: typer.Context,
    text: Annotated[
        str | None,
        typer.Argument(metavar="[TEXT]", help="A number, or parts of names or e-mail address."),
    ] = None,
    *,
    number: Annotated[str | None, typer.Option("--number", help="Exactly this number.")] = None,
    email: Annotated[
        str | None, typer.Option("--email", help="This address, as matching compares it.")
    ] = None,
    phone: Annotated[
        str | None, typer.Option("--phone", help="This telephone number, with its country: +49…")
    ] = None,
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    """Look customers of the directory up, by text or by what matching would find them by."""
    keys = _keys(number, email, phone)
    if (text is None) == (not keys):
        raise Refused("give a text, or --number, --email or --phone", exit_code=EXIT_USAGE)
    with invocation(context).reading() as work:
        if text is not None:
            ids = directory_search.by_text(work, text.strip(), limit=limit)
        else:
            ids = directory_search.by_keys(work, limit=limit, **keys)
        cards = directory_reader.visiting_cards(work, ids)
    rows = [asdict(cards[id_]) for id_ in ids if id_ in cards]
    show_rows(rows, _COLUMNS, output, nothing="the directory has no such customer")
    if output is Output.TABLE and len(rows) == limit:
        say(f"the first {limit}; --limit shows more")


def _keys(number: str | None, email: str | None, phone: str | None) -> dict[str, str]:
    """Return the columns to look at, each with its normal form."""
    keys: dict[str, str] = {}
    if number is not None:
        keys["number"] = number.strip()
    for name, raw, key in (
        ("email_key", email, email_key(email)),
        ("phone_key", phone, phone_key(parse_phone(phone, None)[0]) if phone else None),
    ):
        if raw is not None and key is None:
            advice = "Write a telephone number with its country, such as +49 30 1234567."
            raise Refused("nobody can be found by that", advice, exit_code=EXIT_USAGE)
        if key is not None:
            keys[name] = key
    return keys


def _checked(source: DirectoryFile, totals: Totals) -> list[Fault]:
    """Read the whole file once, and return what is wrong with it."""
    faults: list[Fault] = []
    numbers: set[str] = set()
    for record in source.records():
        totals.records += 1
        if isinstance(record, list):
            faults += record
        elif record.number in numbers:
            faults.append(Fault(record.line, "number", "is given twice"))
        else:
            numbers.add(record.number)
            totals.warn(record)
    return faults


def _load(call: Invocation, source: DirectoryFile, totals: Totals) -> None:
    """Take the good records, a thousand in a transaction."""
    policy, actor, seen = call.installation.policy, operator(), set[int]()
    with call.opened() as units:
        for entries in _batches(_good(source)):
            opened = units.read() if totals.dry_run else units.begin()
            with opened as work:
                loading = plan_batch(entries, work, policy, seen, locks=not totals.dry_run)
                if not totals.dry_run:
                    write_batch(loading, work, actor=actor, file=source.path.name)
            totals.add(loading)


def _good(source: DirectoryFile) -> Iterator[Entry]:
    numbers: set[str] = set()
    for record in source.records():
        if isinstance(record, Entry) and record.number not in numbers:
            numbers.add(record.number)
            yield record


def _batches(entries: Iterable[Entry]) -> Iterator[list[Entry]]:
    batch: list[Entry] = []
    for entry in entries:
        batch.append(entry)
        if len(batch) == _BATCH:
            yield batch
            batch = []
    if batch:
        yield batch


def _show(file: Path, totals: Totals, faults: list[Fault], limit: int, output: Output) -> None:
    if output is Output.JSON:
        show_json({"file": file.name, **totals.facts(), "faults": len(faults),
                   "first_faults": [fault._asdict() for fault in faults[:limit]]})  # fmt: skip
        return
    if faults:
        show_rich(table_of([fault._asdict() for fault in faults[:limit]], _FAULTS))
        more = f", the first {limit} of them above" if len(faults) > limit else ""
        say(f"{file.name} has faults: {len(faults)}{more}", "bold red")
    if faults and not totals.is_taken:
        say(f"nothing of {totals.records} records was loaded; --partial loads the good ones")
        return
    for line in totals.lines():
        say(line)
