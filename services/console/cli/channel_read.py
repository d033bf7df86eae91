"""`patron channel read`: a shop's customers in canonical form, as lines of JSON.

Each line is an object with one key: `customer`, `unreadable` (with its problems) or `state`, how
far the store view was read. Its promise: nothing is stored, nobody is told.
"""

import json
import sys
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import islice
from typing import Annotated, Any

import orjson
import typer

from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.imports import parse_moment
from services.console.cli.invocation import Invocation, invocation
from services.console.cli.reading import connected, known_channel, reader_of, readers_of
from services.importer.pages import StoreViewReader
from shared.connectors.ports import Connector, RemoteRecord, Watermark
from shared.domain.messages import CustomerImported
from shared.persistence.unit_of_work import utc_now


@dataclass
class _State:
    """How far a store view was read: the mark after the last page that was printed whole."""

    channel: str
    store_view: str
    since: datetime | None
    mark: Watermark | None = None
    is_complete: bool = False
    customers: int = 0
    unreadable: int = 0


def read(
    context: typer.Context,
    channel: Annotated[str, typer.Argument(metavar="CHANNEL", help="The channel's name.")],
    *,
    store_view: Annotated[
        str | None, typer.Option("--store-view", help="Only this store view.")
    ] = None,
    since: Annotated[
        datetime | None,
        typer.Option(
            "--since",
            parser=parse_moment,
            metavar="MOMENT",
            help="What changed from then on: 2026-11-01 or 2026-11-01T09:30+01:00 (UTC without an"
            " offset). Everybody without it.",
        ),
    ] = None,
    customer: Annotated[
        str | None,
        typer.Option("--customer", metavar="EXTERNAL_ID", help="Only this one, by the shop's id."),
    ] = None,
    limit: Annotated[
        int | None, typer.Option("--limit", "-n", min=1, help="Stop after so many of a store view.")
    ] = None,
) -> None:
    """Print a shop's customers as Patron understands them; store nothing.

    One line of JSON each, `{"customer": …}` or `{"unreadable": …}`; after each store view a line
    `{"state": …}` with its mark: `--since` its `changed_at` reads on from there.
    """
    call = invocation(context)
    known_channel(call.installation, channel)
    if customer is not None and (store_view or since or limit):
        text = "--customer reads one customer; leave the other options away"
        raise Refused(text, exit_code=EXIT_USAGE)
    with connected(call, channel) as connector:
        if customer is not None:
            _print([_fetched(call, connector, channel, customer)])
            return
        for reader in readers_of(call, connector, channel, store_view):
            _print_view(reader, since, limit)


def _print_view(reader: StoreViewReader, since: datetime | None, limit: int | None) -> None:
    """Print a store view, and how far that went even where the shop breaks it off."""
    state = _State(reader.channel, reader.store_view, since)
    try:
        _print(_lines(reader, state, limit))
    finally:
        _print([{"state": asdict(state)}])


def _lines(reader: StoreViewReader, state: _State, limit: int | None) -> Iterator[dict[str, Any]]:
    start = Watermark(state.since) if state.since else None
    left = limit
    for page in reader.source.changes(reader.store_view, start):
        for record in islice(page.records, left):
            line = _line(reader, record)
            state.customers += "customer" in line
            state.unreadable += "unreadable" in line
            yield line
        if left is not None and len(page.records) > left:
            return
        left = None if left is None else left - len(page.records)
        state.mark = page.mark or state.mark
        state.is_complete = page.is_last
        if left == 0:
            return


def _fetched(call: Invocation, connector: Connector, channel: str, customer: str) -> dict[str, Any]:
    record = connector.reading.fetch(customer)
    if record is None:
        raise Refused(f"{channel} has no customer {customer!r}")
    store_view = connector.reading.store_view_of(record)
    if store_view is None:
        raise Refused(
            f"customer {customer!r} belongs to no configured store view of {channel}",
            "`patron channel discover` lists the shop's.",
        )
    return _line(reader_of(call, connector, channel, store_view), record)


def _line(reader: StoreViewReader, record: RemoteRecord) -> dict[str, Any]:
    body = reader.read(record, utc_now(), "request").body
    if isinstance(body, CustomerImported):
        return {"customer": orjson.Fragment(body.customer.to_json())}
    return {"unreadable": orjson.Fragment(body.to_json())}


def _print(lines: Iterable[dict[str, Any]]) -> None:
    for line in lines:
        sys.stdout.write(_harmless(orjson.dumps(line).decode()) + "\n")
    sys.stdout.flush()


def _harmless(text: str) -> str:
    """Return JSON with everything escaped that a terminal might obey."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
