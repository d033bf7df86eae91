"""`patron import`: have customers read from the shops now."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import typer

from services.console.cli.import_answers import WAIT_SECONDS, await_answer, show_answer
from services.console.cli.import_wishes import (
    ask,
    link_first,
    refuse_conflicts,
    refuse_pushed,
    refuse_switched_off,
    the_channel,
    wanted,
)
from services.console.cli.invocation import Invocation, invocation, operator
from services.console.cli.output import Output, OutputOption, readable, say, show_json
from shared.domain.messages import ImportRequested, Parcel

_DRY_RUN_LIMIT: Final = 50


def parse_moment(text: str | datetime) -> datetime:
    """Read a date or a moment in ISO 8601; what has no offset is UTC."""
    if isinstance(text, datetime):
        return text
    try:
        moment = datetime.fromisoformat(text.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, OverflowError):
        raise typer.BadParameter(
            f"{text!r} is no moment; write it like 2026-11-01 or 2026-11-01T09:30+01:00"
        ) from None


def import_now(
    context: typer.Context,
    channel: Annotated[
        str | None, typer.Argument(metavar="CHANNEL", help="One channel; all without it.")
    ] = None,
    *,
    store_view: Annotated[
        str | None, typer.Option("--store-view", help="Only this store view.")
    ] = None,
    customer: Annotated[
        str | None,
        typer.Option(
            "--customer",
            metavar="EXTERNAL_ID",
            help="Fetch this one customer, by the shop's id, and tell the customer number.",
        ),
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            parser=parse_moment,
            metavar="MOMENT",
            help="Read again what changed from then on: 2026-11-01 or 2026-11-01T09:30+01:00 (UTC"
            " without an offset). Sets the watermark back, never forward.",
        ),
    ] = None,
    sweep: Annotated[
        bool,
        typer.Option(
            "--sweep",
            help="Read every customer, not only what the shop says has changed. Finds edited "
            "addresses, which many a shop does not date, and deleted customers.",
        ),
    ] = False,
    link_only: Annotated[
        bool,
        typer.Option(
            "--link-only",
            help="Read every customer and link those whom the rules find; create and change "
            "nobody. For the first run, see above.",
        ),
    ] = False,
    dry_run: Annotated[
        bool,
        typer.Option("--dry-run", help="Only show what would become of whom; ask for nothing."),
    ] = False,
    limit: Annotated[
        int | None,
        typer.Option("--limit", "-n", min=1, max=10_000, help="With --dry-run: show so many."),
    ] = None,
    wait: Annotated[
        bool,
        typer.Option("--wait/--no-wait", help="With --customer: wait for the answer, or do not."),
    ] = True,
    output: OutputOption = Output.TABLE,
) -> None:
    """Have new and changed customers imported now instead of at the next poll.

    Takes the same road as the scheduled import, so it is safe to repeat and to overlap. The
    running importer carries the request out within seconds; follow it with `patron cursor list`.

    **The first run on customers that you have already:** load them into the directory, then ask
    for `patron import --link-only` *before* the importer is started for the first time. It then
    begins by linking whom it knows; polls wait until that is over. Who was not found waits:
    `patron staging list --reason link_only`.

    Exit codes with --customer: 0 here is the number, 3 imported but waiting, 1 refused, 75 no
    importer has taken the request.
    """  # fmt: skip
    refuse_conflicts(
        customer=customer, store_view=store_view, since=since, sweep=sweep, link_only=link_only,
        dry_run=dry_run, limit=limit,
    )  # fmt: skip
    call = invocation(context)
    if dry_run:
        from services.console.cli.dry_run import dry_run as foresee

        name = the_channel(call.installation, channel, "--dry-run")
        refuse_pushed(call.installation, name)
        foresee(
            call,
            name,
            store_view=store_view,
            external_id=customer,
            since=since,
            sweep=sweep,
            link_only=link_only,
            limit=limit or _DRY_RUN_LIMIT,
            output=output,
        )
    elif customer is not None:
        name = the_channel(call.installation, channel, "--customer")
        _import_one(call, name, customer, wait=wait, output=output)
    else:
        requests = wanted(
            call.installation, channel, store_view, sweep=sweep, since=since, link_only=link_only
        )
        _import_views(call, requests, output)


def _import_views(call: Invocation, requests: Sequence[ImportRequested], output: Output) -> None:
    with call.opened() as units, units.begin() as work:
        links = [request for request in requests if request.link_only]
        link_first(work, call.installation, links, actor=operator())
        others = [request for request in requests if not request.link_only]
        parcels = ask(work, others, actor=operator())
    if output is Output.JSON:
        show_json([*(_row(asked) for asked in links), *map(_row, others, parcels)])
        return
    for request in requests:
        views = request.store_view or "all store views"
        say(f"asked for {_in_words(request)} of {request.channel}, {views}")


def _row(request: ImportRequested, sent: Parcel | None = None) -> dict[str, Any]:
    return {**request.model_dump(), "message_id": sent.message_id if sent else None}


def _in_words(request: ImportRequested) -> str:
    if request.link_only:
        return "links to known customers"
    if request.since:
        return f"what changed since {readable(request.since)}"
    return "every customer" if request.sweep else "new and changed customers"


def _import_one(
    call: Invocation, channel: str, external_id: str, *, wait: bool, output: Output
) -> None:
    """Ask for one customer, and tell what became of him."""
    refuse_pushed(call.installation, channel)
    refuse_switched_off(call.installation, [channel])
    request = ImportRequested(
        channel=channel, external_id=external_id, answer_within_seconds=WAIT_SECONDS
    )
    with call.opened() as units:
        with units.begin() as work:
            (sent,) = ask(work, [request], actor=operator())
        answer = await_answer(units, sent.message_id) if wait else None
    if not wait:
        done = f"asked for customer {external_id} of {channel}"
        show_json([_row(request, sent)]) if output is Output.JSON else say(done)
        return
    code = show_answer(answer, channel, external_id, output)
    if code:
        raise typer.Exit(code)
