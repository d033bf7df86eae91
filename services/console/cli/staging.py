"""`patron staging`: imported customers on their way, and the archive of those that arrived.

The commands that look are here and in `staging_show`; those that decide are in `staging_process`
and `staging_choice`.
"""

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any

import typer

from services.console.cli.invocation import invocation
from services.console.cli.output import Output, OutputOption, say, show_rows
from services.console.cli.staging_choice import discard, link
from services.console.cli.staging_filters import (
    ChannelOption,
    ExistingOption,
    NewerOption,
    OlderOption,
    ReasonOption,
    State,
    StoreViewOption,
    refuse_unknown,
    selected,
    states_of,
)
from services.console.cli.staging_process import process
from services.console.cli.staging_show import explain, show
from shared.persistence import staging
from shared.persistence.staging import StagingLine

app = typer.Typer(
    no_args_is_help=True,
    help="See imported customers, waiting and archived, and decide about those who wait.",
)

LimitOption = Annotated[
    int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many at the most.")
]

_COLUMNS = {
    "id": "id",
    "channel": "channel",
    "external_id": "customer there",
    "store_view": "store view",
    "state": "state",
    "reason": "reason",
    "is_existing": "existing",
    "customer_number": "number",
    "created_at": "since",
    "age": "age",
}
_COUNT_COLUMNS = {
    "state": "state",
    "reason": "reason",
    "is_existing": "existing",
    "count": "customers",
}


@app.command("list")
def list_staging(
    context: typer.Context,
    *,
    state: Annotated[
        list[State] | None,
        typer.Option(
            "--state",
            help="Only these states; `open` are those that still wait, `processed`, `superseded`"
            " and `discarded` are the archive. Repeatable.",
        ),
    ] = None,
    reason: ReasonOption = None,
    channel: ChannelOption = None,
    store_view: StoreViewOption = None,
    older_than: OlderOption = None,
    newer_than: NewerOption = None,
    existing: ExistingOption = None,
    count: Annotated[
        bool, typer.Option("--count", help="Only count them, by state and reason.")
    ] = False,
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    """List staging records, the newest first; without --state those that still wait.

    `existing` says whether the customer was known before, `number` is the customer number as
    soon as there is one, `since` and `age` go by when the record was staged first.
    """
    call = invocation(context)
    selection = selected(
        states=states_of(state), reasons=reason, channel=channel, store_view=store_view,
        older_than=older_than, newer_than=newer_than, is_existing=existing,
    )  # fmt: skip
    nothing = "there is no such record"
    with call.reading() as work:
        found = staging.find(work, selection, limit=limit)
        counts = staging.count_by_state(work, selection) if count else []
    if not found.lines:
        refuse_unknown(call, channel, store_view)
    if count:
        show_rows([asdict(each) for each in counts], _COUNT_COLUMNS, output, nothing=nothing)
        return
    rows = [_row(line, work.now) for line in found.lines]
    show_rows(rows, _COLUMNS, output, nothing=nothing)
    if output is Output.TABLE and found.total > len(rows):
        say(f"{len(rows)} of {found.total}; --limit shows more, --count sums up")


app.command("show")(show)
app.command("explain")(explain)
app.command("process")(process)
app.command("link")(link)
app.command("discard")(discard)


def _row(line: StagingLine, now: datetime) -> dict[str, Any]:
    seconds = max(0, int((now - line.created_at).total_seconds()))
    return {**asdict(line), "age": in_words(seconds), "age_seconds": seconds}


def in_words(seconds: int) -> str:
    """Return a time in its two largest units, such as `3d 4h`."""
    parts: list[str] = []
    for unit, length in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        many, seconds = divmod(seconds, length)
        if many or parts:
            parts.append(f"{many}{unit}")
    return " ".join(parts[:2]) or "0s"
