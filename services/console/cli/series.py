"""`patron number-series`: which number each series gives next, and going on further ahead."""

from typing import Annotated

import typer

from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.invocation import invocation, operator
from services.console.cli.output import Output, OutputOption, say, show_rows
from shared.persistence import audit, number_series

app = typer.Typer(no_args_is_help=True, help="See number series, and let one go on further ahead.")


@app.command("list")
def list_series(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List the number series of the configuration, with the number that each gives next."""
    call = invocation(context)
    with call.reading() as work:
        following = number_series.next_values(work)
    rows = [
        {"name": name, "next": series.number(following.get(name, series.start))}
        for name, series in sorted(call.installation.policy.number_series.items())
    ]
    columns = {"name": "series", "next": "next number"}
    show_rows(rows, columns, output, nothing="no number series is configured")


@app.command()
def advance(
    context: typer.Context,
    name: Annotated[str, typer.Argument(metavar="SERIES", help="The series.")],
    number: Annotated[
        str, typer.Argument(metavar="NUMBER", help="The number that it is to give next.")
    ],
    *,
    because: Annotated[
        str, typer.Option("--because", metavar="TEXT", help="Why; for the audit log.")
    ],
) -> None:
    """Let a series go on at a number further ahead; those up to it are never given.

    After a restored backup, for numbers that no shop shows: told to another program, or printed on
    an invoice. A series never goes back.
    """
    call = invocation(context)
    series = call.installation.policy.number_series.get(name)
    if series is None:
        known = ", ".join(sorted(call.installation.policy.number_series)) or "none"
        raise Refused(f"there is no series {name!r}; there are: {known}", exit_code=EXIT_USAGE)
    counter = series.counter(number)
    if counter is None or counter < series.start:
        text = f"series {name} does not give {number!r}; it begins at {series.number(series.start)}"
        raise Refused(text, exit_code=EXIT_USAGE)
    with call.opened() as units, units.begin() as work:
        before = number_series.next_values(work).get(name, series.start)
        if counter < before:
            text = f"series {name} is at {series.number(before)} already, and never goes back"
            raise Refused(text, exit_code=EXIT_USAGE)
        number_series.pass_by(work.connection, {name: counter - 1})
        audit.note(
            work,
            actor=operator(),
            action="number_series.advanced",
            subject=name,
            reason=because,
            detail=f"{series.number(before)} to {number}",
        )
    say(f"series {name} goes on at {number} (was {series.number(before)})")
