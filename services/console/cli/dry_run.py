"""`patron import --dry-run`: what an import would do, shown record by record."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

from services.console.cli.failures import EXIT_FAILED, Refused
from services.console.cli.invocation import Invocation
from services.console.cli.output import Output, readable, say, show_json, show_rich, table_of
from services.console.cli.reading import connected, reader_of, readers_of
from services.console.dry_run import DryRun, Forecast, Window
from services.console.earlier import Earlier
from services.console.preview import BY_NEWS, Change, Preview
from shared.connectors.ports import Connector
from shared.domain.decisions import FieldConflict
from shared.persistence.unit_of_work import utc_now

WORDS: Final = {
    "ambiguous": "ambiguous",
    "hold": "would be held",
    "create": "would be created",
    "link": "would be linked",
    "update": "would be updated",
    "removed": "gone in the shop",
    "stage": "would be staged",
    "ignore": "ignored",
    "unchanged": "unchanged",
}
_COUNTS: Final = {"what": "what", "reason": "reason", "count": "customers"}
_RECORDS: Final = {
    "external_id": "customer there",
    "store_view": "store view",
    "what": "what",
    "reason": "reason",
    "customer": "number",
    "template": "template",
    "detail": "detail",
}


def dry_run(
    call: Invocation,
    channel: str,
    *,
    store_view: str | None = None,
    external_id: str | None = None,
    since: datetime | None = None,
    sweep: bool = False,
    link_only: bool = False,
    limit: int = 50,
    output: Output = Output.TABLE,
) -> None:
    """Print what importing the given window of a configured channel would do; do nothing."""
    window = Window(external_id, since, sweep, link_only)
    forecast = Forecast(limit)
    with connected(call, channel) as connector, call.opened() as units, Earlier() as earlier:
        run = DryRun(
            units,
            call.installation.policy,
            window,
            forecast,
            earlier,
            overlap_seconds=call.installation.settings.importer.overlap_seconds,
            clock=utc_now,
        )
        if external_id is not None:
            _try_one(run, call, connector, channel, external_id)
        else:
            for reader in readers_of(call, connector, channel, store_view):
                run.try_view(reader)
    if output is Output.JSON:
        show_json(_as_json(channel, forecast))
    else:
        _show(forecast)


def _try_one(
    run: DryRun, call: Invocation, connector: Connector, channel: str, external_id: str
) -> None:
    record = connector.reading.fetch(external_id)
    if record is None:
        raise Refused(f"{channel} has no customer {external_id}", exit_code=EXIT_FAILED)
    code = connector.reading.store_view_of(record)
    if code is None:
        text = f"customer {external_id} belongs to a store view that is not configured"
        raise Refused(text, exit_code=EXIT_FAILED)
    run.try_page([record], reader_of(call, connector, channel, code))


def _as_json(channel: str, forecast: Forecast) -> dict[str, Any]:
    return {
        "channel": channel,
        "read": forecast.read,
        "counts": {what: forecast.counts[what] for what in BY_NEWS},
        "reasons": [
            {"what": what, "reason": reason, "count": count}
            for (what, reason), count in forecast.reasons.most_common()
        ],
        "conflicts": forecast.conflicts,
        "erased": forecast.erased,
        "records": [asdict(each) for each in forecast.shown()],
    }


def _show(forecast: Forecast) -> None:
    say(f"{forecast.read} customers read; nothing was changed")
    if rows := list(_counts(forecast)):
        show_rich(table_of(rows, _COUNTS))
    if forecast.conflicts:
        say(f"fields about which shop and directory differ: {forecast.conflicts}")
    if forecast.erased:
        say(f"erased persons, left alone: {forecast.erased}")
    shown = forecast.shown()
    if shown:
        say()
        show_rich(table_of([_row(each) for each in shown], _RECORDS))
    news = forecast.counts.total() - forecast.counts["unchanged"]
    if news > len(shown):
        say(f"{len(shown)} of {news}; --limit shows more")


def _counts(forecast: Forecast) -> Iterator[dict[str, Any]]:
    for what in BY_NEWS:
        reasons = [(r, n) for (w, r), n in forecast.reasons.most_common() if w == what]
        for reason, count in reasons:
            yield {"what": WORDS[what], "reason": reason, "count": count}
        rest = forecast.counts[what] - sum(count for _, count in reasons)
        if rest:
            yield {"what": WORDS[what], "reason": None, "count": rest}


def _row(each: Preview) -> dict[str, Any]:
    return {
        "external_id": each.external_id,
        "store_view": each.store_view,
        "what": each.what,
        "reason": each.reason,
        "customer": each.customer or each.number,
        "template": each.template,
        "detail": "; ".join(details(each)),
    }


def details(each: Preview) -> Iterator[str]:
    """Yield what there is to say of a record beyond its fate, in words."""
    if each.candidates:
        yield f"candidates {', '.join(each.candidates)}"
    if each.found_by:
        yield f"found by {each.found_by}"
    yield from _changes(each.changes)
    yield from (_conflict(conflict) for conflict in each.conflicts)
    yield from each.notes


def _changes(changes: Sequence[Change]) -> Iterator[str]:
    for change in changes:
        yield f"{change.field}: {readable(change.before)} → {readable(change.after)}"


def _conflict(conflict: FieldConflict) -> str:
    kept = "the shop's" if conflict.winner == "platform" else "the directory's"
    return (
        f"{conflict.field} differs: {readable(conflict.platform)} there,"
        f" {readable(conflict.erp)} here; {kept} stands ({conflict.rule})"
    )
