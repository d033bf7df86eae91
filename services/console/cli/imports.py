"""`patron import`: have customers read from the shops now."""

from collections.abc import Sequence
from typing import Annotated

import typer

from services.console.cli.connectors import known_channel
from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.invocation import invocation, operator
from services.console.cli.output import Output, OutputOption, say, show_json
from shared.domain.messages import ImportRequested, Parcel, parcel
from shared.persistence import audit
from shared.persistence.unit_of_work import UnitOfWork
from shared.runtime.installation import Installation


def import_now(
    context: typer.Context,
    channel: Annotated[
        str | None, typer.Option("--channel", help="Only this channel; all without it.")
    ] = None,
    store_view: Annotated[
        str | None, typer.Option("--store-view", help="Only this store view.")
    ] = None,
    sweep: Annotated[
        bool,
        typer.Option(
            "--sweep",
            help="Read every customer, not only what the shop says has changed. Finds edited "
            "addresses, which many a shop does not date, and deleted customers.",
        ),
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Have new and changed customers imported now instead of at the next poll.

    Takes the same road as the scheduled import, so it is safe to repeat and to overlap. The
    request is put into the outbox; the running importer carries it out within seconds. Follow it
    with `patron cursor list`.
    """
    call = invocation(context)
    requests = wanted(call.installation, channel, store_view, sweep=sweep)
    with call.opened() as units, units.begin() as work:
        parcels = ask(work, requests, actor=operator())
    rows = [
        {**request.model_dump(), "message_id": sent.message_id}
        for request, sent in zip(requests, parcels, strict=True)
    ]
    if output is Output.JSON:
        show_json(rows)
        return
    for request in requests:
        views = request.store_view or "all store views"
        what = "every customer" if sweep else "new and changed customers"
        say(f"asked for {what} of {request.channel}, {views}")


def wanted(
    installation: Installation, channel: str | None, store_view: str | None, *, sweep: bool
) -> list[ImportRequested]:
    """Return the requests that the options mean. Raises `Refused` for what is not configured."""
    channels = installation.settings.channels
    names = [known_channel(installation, channel)] if channel else list(channels)
    if store_view is not None:
        names = [
            name
            for name in names
            if any(view.code == store_view for view in channels[name].store_views)
        ]
    if not names:
        known = [f"{name}/{v.code}" for name, each in channels.items() for v in each.store_views]
        what = f"there is no store view {store_view!r}" if store_view else "nothing to import"
        raise Refused(f"{what}; configured are {', '.join(known) or 'none'}", exit_code=EXIT_USAGE)
    _refuse_switched_off(installation, names, store_view)
    return [ImportRequested(channel=name, store_view=store_view, sweep=sweep) for name in names]


def ask(work: UnitOfWork, requests: Sequence[ImportRequested], *, actor: str) -> list[Parcel]:
    """Put the requests into the outbox, due at once, with a line in the audit log for each."""
    parcels = []
    for request in requests:
        subject = request.store_view or request.channel
        parcels.append(parcel(request, channel=request.channel, subject=subject, at=work.now))
        where = "/".join(filter(None, (request.channel, request.store_view)))
        action = "import.sweep_requested" if request.sweep else "import.requested"
        audit.note(work, actor=actor, action=action, subject=where)
    work.store.add(parcels, available_in_seconds=0)
    return parcels


def _refuse_switched_off(
    installation: Installation, names: Sequence[str], store_view: str | None
) -> None:
    views = [
        view
        for name in names
        for view in installation.settings.channels[name].store_views
        if store_view in {None, view.code}
    ]
    if not any(view.import_enabled for view in views):
        raise Refused("the import is switched off there (import = false)", exit_code=EXIT_USAGE)
