"""`patron directory recover`: after an older backup was restored, who carries a number has it."""

from dataclasses import asdict
from typing import Annotated, Final

import typer

from services.console.cli.failures import EXIT_PARTLY
from services.console.cli.invocation import invocation, operator
from services.console.cli.output import Output, OutputOption, say, show_json, show_rich, table_of
from services.console.cli.reading import connected, reader_of
from services.console.cli.staging import LimitOption
from services.console.recovery import IN_STEP, Recovered, Recovery

_COLUMNS: Final = {"store_view": "store view", "external_id": "customer there", "why": "why"}


def recover(
    context: typer.Context,
    channel: Annotated[
        str, typer.Argument(metavar="CHANNEL", help="The shop, as the configuration calls it.")
    ],
    *,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be done, and do nothing.")
    ] = False,
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    """After a restored backup: give back to a shop's customers the numbers that they carry.

    Reads every customer of the shop. Who carries a number of ours and is not known here is created
    under that number, or linked to whom it belongs to; number series go on behind all that was
    seen. To be run for every shop before any worker is started. Exits with 3 if some are left to a
    person. docs/operations.md has the order of steps.
    """  # fmt: skip
    call = invocation(context)
    totals = Recovered(limit)
    with connected(call, channel) as connector, call.opened() as units:
        recovery = Recovery(units, call.installation.policy, operator(), is_dry=dry_run)
        # Also those whose import is off by now: their customers carry numbers as well.
        for view in call.installation.settings.channels[channel].store_views:
            recovery.recover(reader_of(call, connector, channel, view.code), totals)
    series = call.installation.policy.number_series
    behind = {name: series[name].number(n + 1) for name, n in sorted(totals.highest.items())}
    if output is Output.JSON:
        counts = {what: totals.counts[what] for what in {*IN_STEP, *totals.counts}}
        left = [asdict(each) for each in totals.left]
        show_json({"channel": channel, "dry_run": dry_run, "counts": counts,
                   "series_go_on_at_least_at": behind, "left": left})  # fmt: skip
    else:
        _show(channel, totals, behind, dry_run=dry_run)
    if not totals.is_clean:
        raise typer.Exit(EXIT_PARTLY)


def _show(channel: str, totals: Recovered, behind: dict[str, str], *, dry_run: bool) -> None:
    counts, would = totals.counts, "would be " if dry_run else ""
    say(
        f"{counts.total()} customers of {channel} read: {counts['created']} {would}created under"
        f" the number that they carry, {counts['linked']} {would}linked, {counts['known']} known,"
        f" {counts['unnumbered']} without a number"
    )
    for name, number in behind.items():
        say(f"number series {name} goes on at {number} or later")
    if totals.left:
        show_rich(table_of([asdict(each) for each in totals.left], _COLUMNS))
        many = sum(n for what, n in counts.items() if what not in IN_STEP)
        say(f"{many} left alone; docs/runbook.md says what to do about each", "bold red")
