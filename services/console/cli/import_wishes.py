"""What a call of `patron import` means, and how it is asked for.

Its promise: what contradicts itself, or cannot be imported, is refused before anything is asked;
and whatever is asked for stands in the audit log.
"""

from collections.abc import Sequence
from datetime import datetime

from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.reading import known_channel
from shared.connectors.push.settings import PushSettings
from shared.domain.messages import ImportRequested, Parcel, parcel
from shared.persistence import audit
from shared.persistence.cursors import Cursors
from shared.persistence.unit_of_work import UnitOfWork, utc_now
from shared.runtime.installation import Installation


def wanted(
    installation: Installation,
    channel: str | None,
    store_view: str | None,
    *,
    sweep: bool = False,
    since: datetime | None = None,
    link_only: bool = False,
) -> list[ImportRequested]:
    """Return the requests that the options mean. Raises `Refused` for what is not configured."""
    channels = installation.settings.channels
    if channel:
        names = [known_channel(installation, channel)]
        refuse_pushed(installation, channel)
    else:
        names = [name for name in channels if not _is_pushed(installation, name)]
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
    refuse_switched_off(installation, names, store_view)
    return [
        ImportRequested(
            channel=name, store_view=store_view, sweep=sweep, since=since, link_only=link_only
        )
        for name in names
    ]


def ask(work: UnitOfWork, requests: Sequence[ImportRequested], *, actor: str) -> list[Parcel]:
    """Put the requests into the outbox, due at once, with a line in the audit log for each."""
    parcels = []
    for request in requests:
        subject = request.external_id or request.store_view or request.channel
        parcels.append(parcel(request, channel=request.channel, subject=subject, at=work.now))
        _note(work, request, actor)
    work.store.add(parcels, available_in_seconds=0)
    return parcels


def link_first(
    work: UnitOfWork,
    installation: Installation,
    requests: Sequence[ImportRequested],
    *,
    actor: str,
) -> None:
    """Have the store views read and linked before anything else is imported of them (ASK-8).

    Noted where the importer looks before it begins: a message would reach one that is started for
    the first time when it has begun.
    """
    for request in requests:
        for view in installation.settings.channels[request.channel].store_views:
            if view.import_enabled and request.store_view in {None, view.code}:
                Cursors(work).request_now(request.channel, view.code, sweep=True, link_only=True)
        _note(work, request, actor)


def _note(work: UnitOfWork, request: ImportRequested, actor: str) -> None:
    about = (request.channel, request.store_view, request.external_id)
    audit.note(
        work,
        actor=actor,
        action=_action(request),
        subject="/".join(filter(None, about)),
        detail=f"since {request.since.isoformat()}" if request.since else None,
    )


def _action(request: ImportRequested) -> str:
    if request.external_id is not None:
        return "import.customer_requested"
    if request.link_only:
        return "import.link_only_requested"
    return "import.sweep_requested" if request.sweep else "import.requested"


def refuse_conflicts(
    *,
    customer: str | None,
    store_view: str | None,
    since: datetime | None,
    sweep: bool,
    link_only: bool,
    dry_run: bool,
    limit: int | None,
) -> None:
    """Refuse options that contradict each other, or mean nothing together."""
    others = {"--store-view": store_view, "--since": since, "--sweep": sweep,
              "--link-only": link_only}  # fmt: skip
    if customer is not None and (given := [name for name, value in others.items() if value]):
        _refuse(f"--customer fetches one customer; leave {', '.join(given)} away")
    if since and (sweep or link_only):
        which = "--link-only" if link_only else "--sweep"
        _refuse(f"{which} reads everybody, whenever it changed; leave --since away")
    if since and since > utc_now():
        _refuse("--since is in the future; a watermark is only ever set back")
    if limit is not None and not dry_run:
        _refuse("--limit goes with --dry-run; an import takes everything there is")


def _refuse(text: str) -> None:
    raise Refused(text, exit_code=EXIT_USAGE)


def the_channel(installation: Installation, name: str | None, option: str) -> str:
    """Return the channel that is named, or the only one there is."""
    if name is not None:
        return known_channel(installation, name)
    channels = sorted(installation.settings.channels)
    if len(channels) != 1:
        known = ", ".join(channels) or "none"
        raise Refused(f"{option} needs a CHANNEL; configured are {known}", exit_code=EXIT_USAGE)
    return channels[0]


def refuse_pushed(installation: Installation, channel: str) -> None:
    """Refuse to fetch from a channel that has nothing to be fetched from."""
    if _is_pushed(installation, channel):
        raise Refused(
            f"the customers of {channel} are pushed to Patron and cannot be fetched",
            "Have its system push them again: docs/push-api.md.",
            exit_code=EXIT_USAGE,
        )


def _is_pushed(installation: Installation, channel: str) -> bool:
    return isinstance(installation.connectors[channel], PushSettings)


def refuse_switched_off(
    installation: Installation, names: Sequence[str], store_view: str | None = None
) -> None:
    """Refuse to ask for what nobody will read."""
    views = [
        view
        for name in names
        for view in installation.settings.channels[name].store_views
        if store_view in {None, view.code}
    ]
    if not any(view.import_enabled for view in views):
        raise Refused("the import is switched off there (import = false)", exit_code=EXIT_USAGE)
