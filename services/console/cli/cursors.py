"""`patron cursor`: how far each store view is imported."""

from dataclasses import asdict
from typing import Any

import typer

from services.console.cli.invocation import invocation
from services.console.cli.output import Output, OutputOption, show_rows
from shared.persistence.cursors import Cursors

cursor_app = typer.Typer(no_args_is_help=True, help="See how far each store view is imported.")


@cursor_app.command("list")
def list_cursors(context: typer.Context, output: OutputOption = Output.TABLE) -> None:
    """List the store views: how far each is read, when last, when next, by whom now.

    The watermark is the change time of the last customer handled. A poll reads on from there, a
    sweep reads everything.
    """
    with invocation(context).reading() as work:
        rows: list[dict[str, Any]] = [
            {
                **asdict(cursor),
                "leased": cursor.lease_owner.rpartition("/")[0] if cursor.lease_owner else None,
            }
            for cursor in Cursors(work).all()
        ]
    columns = {
        "channel": "channel",
        "store_view": "store view",
        "watermark_at": "watermark",
        "last_success_at": "last success",
        "poll_due_at": "next poll",
        "sweep_due_at": "next sweep",
        "leased": "leased by",
        "failures": "failures",
        "last_error": "last error",
    }
    show_rows(rows, columns, output, nothing="no store view was ever read; is Patron running?")
