"""`patron db`: the schema of the database."""

from pathlib import Path
from typing import Annotated

import sqlalchemy as sa
import typer

from services.console.cli.failures import EXIT_FAILED
from services.console.cli.invocation import Invocation, invocation, operator
from services.console.cli.output import Output, OutputOption, say, show_record
from services.console.redacted import redacted_url
from shared.persistence import audit, home, migrate
from shared.persistence.engine import reading

app = typer.Typer(no_args_is_help=True, help="Migrate the database.")


@app.command()
def upgrade(context: typer.Context) -> None:
    """Bring the database to the schema of this version; create it if it is SQLite.

    Harmless to repeat, and to run several times at once: one migrates, the others wait. To be
    run before new workers are started.
    """
    call = invocation(context)
    _make_room(call)
    with call.engine() as engine:
        before = migrate.current(engine)
        migrate.upgrade(call.database_url)
        after = migrate.current(engine)
    where = redacted_url(call.database_url)
    done = f"stays at revision {after}" if before == after else f"is now at revision {after}"
    say(f"{where} {done}" + (f" (was {before})" if before and before != after else ""))


@app.command()
def current(
    context: typer.Context,
    check: Annotated[
        bool, typer.Option("--check", help="Exit with 1 unless the database is up to date.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Print which revision the database is at, and which this version needs."""
    call = invocation(context)
    with call.engine() as engine:
        found = migrate.current(reading(engine))
    is_current = found == migrate.expected()
    record = {
        "database": redacted_url(call.database_url),
        "revision": found,
        "needed": migrate.expected(),
        "up_to_date": is_current,
    }
    show_record(record, output)
    if check and not is_current:
        raise typer.Exit(EXIT_FAILED)


@app.command("accept-restore")
def accept_restore(
    context: typer.Context,
    because: Annotated[
        str, typer.Option("--because", metavar="TEXT", help="What was restored and checked.")
    ],
) -> None:
    """Say that a restored or moved database may be worked on; workers start on it from now on.

    Before: `patron directory recover` for every shop, and number series advanced beyond what was
    told to anybody else.
    """
    call = invocation(context)
    with call.opened() as units, units.begin() as work:
        if not home.is_elsewhere(work.connection):
            say("the database is where it was settled: there is nothing to accept")
            return
        home.settle(work)
        audit.note(
            work, actor=operator(), action="database.restore_accepted", subject="database",
            reason=because,
        )  # fmt: skip
    say(f"{redacted_url(call.database_url)} may be worked on")


def _make_room(call: Invocation) -> None:
    """Create the directory and file of an SQLite database that is not there yet."""
    address = sa.make_url(call.database_url)
    if address.get_backend_name() == "sqlite" and address.database not in {None, "", ":memory:"}:
        path = Path(str(address.database))
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
