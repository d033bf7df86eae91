"""`patron reconcile`: whether a shop and the directory are in step, and mending what is not."""

import sys
from dataclasses import asdict
from typing import Annotated, Any, Final

import typer

from services.console.cli.failures import EXIT_PARTLY, EXIT_USAGE, Refused
from services.console.cli.invocation import invocation, operator
from services.console.cli.output import Output, OutputOption, say, show_json, show_rich, table_of
from services.console.cli.reading import connected, known_channel, readers_of
from services.console.cli.staging import LimitOption
from services.console.duplicates import duplicates
from services.console.reconciliation import Reconciliation, Report
from services.console.repair import repair
from shared.domain.drift import KINDS
from shared.persistence.unit_of_work import utc_now

_WORDS: Final = {
    "missing": "in the shop, and nobody here",
    "changed": "changed in the shop, not imported yet",
    "fields": "fields differ that the shop owns",
    "address": "addresses differ",
    "number": "the shop has another customer number",
    "defaults": "the shop has other additional data",
    "removed": "linked, and gone in the shop",
    "duplicates": "may be one customer (only reported)",
}
_COUNTS: Final = {"kind": "kind", "meaning": "meaning", "count": "customers"}
_COLUMNS: Final = {
    "kind": "kind",
    "external_id": "customer there",
    "store_view": "store view",
    "customer_number": "number",
    "fields": "fields",
    "others": "like",
}


def reconcile(
    context: typer.Context,
    channel: Annotated[
        str, typer.Argument(metavar="CHANNEL", help="The shop, as the configuration calls it.")
    ],
    *,
    store_view: Annotated[
        str | None, typer.Option("--store-view", help="Only this store view.")
    ] = None,
    mend: Annotated[
        bool,
        typer.Option(
            "--repair",
            help="Have what differs imported or exported again; duplicates are only reported.",
        ),
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    """Compare every customer of a shop with the directory, and report what is not in step.

    Reads both sides page by page and changes nothing. Exits with 0 in step, with 3 if there is
    drift. What is on its way, or waits for an operator, is no drift. With --repair messages are
    put into the outbox that the running workers carry out; compare again when they are done.
    """
    call = invocation(context)
    known_channel(call.installation, channel)
    if mend:
        _confirm(channel, yes=yes)
    report, sent = Report(limit), 0
    policy, actor = call.installation.policy, operator()
    with connected(call, channel) as connector, call.opened() as units:
        reconciliation = Reconciliation(units, policy, report, utc_now)
        for reader in readers_of(call, connector, channel, store_view):
            for found in reconciliation.compare(reader):
                if mend and found:
                    with units.begin() as work:
                        sent += repair(found, reader, work, policy, actor=actor)
        with units.read() as work:
            for each in duplicates(work, channel, policy):
                report.add(each)
    if output is Output.JSON:
        show_json(_as_json(channel, report, sent))
    else:
        _show(channel, report, sent, mend=mend)
    if report.counts:
        raise typer.Exit(EXIT_PARTLY)


def _confirm(channel: str, *, yes: bool) -> None:
    if yes:
        return
    if not sys.stdin.isatty():
        raise Refused(
            "nobody is there to confirm", "--yes repairs without asking.", exit_code=EXIT_USAGE
        )
    typer.confirm(f"Import and export again whatever differs in {channel}?", abort=True, err=True)


def _as_json(channel: str, report: Report, sent: int) -> dict[str, Any]:
    return {
        "channel": channel,
        "compared": report.compared,
        "on_the_way": report.on_the_way,
        "in_step": not report.counts,
        "counts": {kind: report.counts[kind] for kind in KINDS},
        "messages_sent": sent,
        "drift": [asdict(each) for each in report.shown],
    }


def _show(channel: str, report: Report, sent: int, *, mend: bool) -> None:
    say(f"{report.compared} customers of {channel} compared")
    if report.on_the_way:
        say(f"on their way just now, and not compared: {report.on_the_way}")
    if not report.counts:
        say("in step", "bold green")
        return
    rows = [
        {"kind": kind, "meaning": _WORDS[kind], "count": report.counts[kind]}
        for kind in KINDS
        if report.counts[kind]
    ]
    show_rich(table_of(rows, _COUNTS))
    say()
    show_rich(table_of([asdict(each) for each in report.shown], _COLUMNS))
    if report.counts.total() > len(report.shown):
        say(f"{len(report.shown)} of {report.counts.total()}; --limit shows more")
    if mend:
        say(f"{sent} messages sent; compare again when the workers are done")
