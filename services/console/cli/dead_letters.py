"""`patron dead-letters`: messages that were given up, why, and what is to become of them.

The commands that list are here; the others are in `dead_letter_show`, `_edit`, `_decide`,
`_export` and `replay`.
"""

from dataclasses import asdict
from typing import Annotated

import typer

from services.console.cli.dead_letter_decide import discard, restore
from services.console.cli.dead_letter_edit import edit
from services.console.cli.dead_letter_export import export
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
from services.console.cli.dead_letter_show import show
from services.console.cli.invocation import invocation
from services.console.cli.output import Output, OutputOption, say, show_rows
from services.console.cli.replay import replay
from services.console.cli.staging import LimitOption
from shared.persistence import dead_letter_groups, dead_letter_reader

app = typer.Typer(
    no_args_is_help=True, help="See messages that were given up, correct and replay them."
)

_COLUMNS = {
    "id": "id",
    "worker": "worker",
    "reason": "reason",
    "type": "type",
    "channel": "channel",
    "subject": "customer",
    "attempts": "attempts",
    "replays": "replays",
    "last_failed_at": "last failed",
    "state": "state",
    "error": "error",
}
_GROUP_COLUMNS = {
    "key": "group",
    "count": "letters",
    "reason": "reason",
    "cause": "cause",
    "may_be_cured": "cured?",
    "channel": "channel",
    "platform": "platform",
    "error_class": "error",
    "frame": "in",
    "oldest_at": "oldest",
    "newest_at": "newest",
    "example_id": "example",
}
_NOTHING = "there are no such dead letters"


@app.command("groups")
def list_groups(
    context: typer.Context,
    *,
    state: StateOption = None,
    reason: ReasonOption = None,
    worker: WorkerOption = None,
    channel: ChannelOption = None,
    type_: TypeOption = None,
    older_than: OlderOption = None,
    newer_than: NewerOption = None,
    limit: Annotated[
        int, typer.Option("--limit", "-n", min=1, max=1000, help="How many groups at the most.")
    ] = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    """Sum dead letters up by cause, the most frequent first.

    A group has one reason, error, place in the code, platform and channel. `cause`: `passing` may
    work now, `data` is to be corrected, `setup` waits for the configuration, `defect` is ours.
    `cured?` says that the configuration was changed since some of them failed.
    """
    selection = selected(
        states=state, reason=reason, worker=worker, channel=channel, type_=type_,
        older_than=older_than, newer_than=newer_than,
    )  # fmt: skip
    call = invocation(context)
    version = call.installation.policy.version
    with call.reading() as work:
        found = dead_letter_groups.groups(work, selection, config_version=version, limit=limit)
    rows = [
        {**asdict(each), "cause": each.cause, "may_be_cured": each.may_be_cured} for each in found
    ]
    show_rows(rows, _GROUP_COLUMNS, output, nothing=_NOTHING)
    if output is Output.TABLE and any(each.may_be_cured for each in found):
        say("to replay what the changed configuration may have cured:")
        say("patron dead-letters replay --cured --because 'what was changed'")


@app.command("list")
def list_dead_letters(
    context: typer.Context,
    *,
    state: StateOption = None,
    group: GroupOption = None,
    reason: ReasonOption = None,
    worker: WorkerOption = None,
    channel: ChannelOption = None,
    customer: CustomerOption = None,
    type_: TypeOption = None,
    older_than: OlderOption = None,
    newer_than: NewerOption = None,
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    """List dead letters, the last failed first; without --state those that wait for somebody."""
    selection = selected(
        states=state, group=group, reason=reason, worker=worker, channel=channel,
        customer=customer, type_=type_, older_than=older_than, newer_than=newer_than,
    )  # fmt: skip
    with invocation(context).reading() as work:
        lines = dead_letter_reader.find(work, selection, limit=limit)
        total = dead_letter_reader.count(work, selection)
    show_rows([asdict(line) for line in lines], _COLUMNS, output, nothing=_NOTHING)
    if output is Output.TABLE and total > len(lines):
        say(f"{len(lines)} of {total}; --limit shows more, `dead-letters groups` sums up")


app.command("show")(show)
app.command("edit")(edit)
app.command("replay")(replay)
app.command("discard")(discard)
app.command("restore")(restore)
app.command("export")(export)
