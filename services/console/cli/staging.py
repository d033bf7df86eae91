"""`patron staging`: imported customers on their way, and the archive of those that arrived."""

from collections.abc import Sequence
from dataclasses import asdict
from enum import StrEnum
from typing import Annotated, Any
from uuid import UUID

import orjson
import typer

from services.console.cli.decision import explained, laid_out
from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.invocation import Invocation, invocation
from services.console.cli.output import (
    Output,
    OutputOption,
    say,
    show_json,
    show_record,
    show_rich,
    show_rows,
)
from services.console.explained import customer_of
from shared.domain.customer import Address, Customer
from shared.persistence import staging
from shared.persistence.tables import OPEN_STAGING_STATES

app = typer.Typer(no_args_is_help=True, help="See imported customers, waiting and archived.")

LimitOption = Annotated[
    int, typer.Option("--limit", "-n", min=1, max=10_000, help="How many at the most.")
]


class State(StrEnum):
    """A record's state, or several at once."""

    HELD = "held"
    STAGED = "staged"
    AMBIGUOUS = "ambiguous"
    PROCESSING = "processing"
    PROCESSED = "processed"
    SUPERSEDED = "superseded"
    DISCARDED = "discarded"
    OPEN = "open"
    ALL = "all"


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
            " and `discarded` are the archive. May be repeated.",
        ),
    ] = None,
    reason: Annotated[
        str | None, typer.Option("--reason", help="Only this reason, such as no_billing_address.")
    ] = None,
    channel: Annotated[str | None, typer.Option("--channel", help="Only this channel.")] = None,
    store_view: Annotated[
        str | None, typer.Option("--store-view", help="Only this store view.")
    ] = None,
    limit: LimitOption = 50,
    output: OutputOption = Output.TABLE,
) -> None:
    """List staging records, the newest first; without --state those that still wait.

    `existing` says whether the customer was known before, `number` is the customer number as
    soon as there is one.
    """
    call = invocation(context)
    with call.reading() as work:
        found = staging.find(
            work,
            states=_states(state or [State.OPEN]),
            reason=reason,
            channel=channel,
            store_view=store_view,
            limit=limit,
        )
    if not found.lines:
        _refuse_unknown(call, channel, store_view)
    rows = [asdict(line) for line in found.lines]
    show_rows(rows, _COLUMNS, output, nothing="there is no such record")
    if output is Output.TABLE and found.total > len(rows):
        say(f"{len(rows)} of {found.total}; --limit shows more")


@app.command()
def show(
    context: typer.Context,
    staging_id: Annotated[UUID, typer.Argument(metavar="ID", help="As `staging list` shows it.")],
    output: OutputOption = Output.TABLE,
) -> None:
    """Show one record: the customer as imported, with both default addresses, and the decision."""
    with invocation(context).reading() as work:
        record = staging.get(work, staging_id)
        if record is None:
            raise Refused(
                f"there is no staging record {staging_id}", "`patron staging list` shows which are."
            )
        decision = explained(record, work)
    head = {**asdict(record.line), "correlation_id": record.correlation_id}
    customer = customer_of(record)
    if output is Output.JSON:
        imported = orjson.loads(customer.to_json()) if customer else None
        show_json({**head, "decision": asdict(decision), "customer": imported})
        return
    show_record(head, output)
    if customer:
        say()
        show_record(_card(customer), output)
    say()
    show_rich(laid_out(decision))


def _states(chosen: Sequence[State]) -> set[str]:
    if State.ALL in chosen:
        return set()
    names = {state.value for state in chosen if state is not State.OPEN}
    return names | set(OPEN_STAGING_STATES if State.OPEN in chosen else ())


def _refuse_unknown(call: Invocation, channel: str | None, store_view: str | None) -> None:
    """Tell a filter that can find nothing from one that just did not.

    What is configured no more may still be in the archive, so this is asked last.
    """
    channels = call.installation.settings.channels
    if channel is not None and channel not in channels:
        known = ", ".join(sorted(channels)) or "none"
        raise Refused(
            f"there is no channel {channel!r}; configured are {known}", exit_code=EXIT_USAGE
        )
    codes = {
        view.code
        for name, each in channels.items()
        if channel in {None, name}
        for view in each.store_views
    }
    if store_view is not None and store_view not in codes:
        known = ", ".join(sorted(codes)) or "none"
        raise Refused(
            f"there is no store view {store_view!r}; configured are {known}", exit_code=EXIT_USAGE
        )


def _card(customer: Customer) -> dict[str, Any]:
    """Return what people look for first: who it is, and the two default addresses."""
    names = (customer.prefix, customer.first_name, customer.middle_name, customer.last_name)
    return {
        "kind": customer.kind.value,
        "name": " ".join(filter(None, names)),
        "company": customer.company_name,
        "email": customer.email,
        "phone": customer.phone and (customer.phone.e164 or customer.phone.raw),
        "group": customer.group,
        "tax_id": customer.tax_id,
        "default_billing": _place(customer.default_billing),
        "default_shipping": _place(customer.default_shipping),
        "addresses": len(customer.addresses),
        "warnings": [f"{warning.field}: {warning.problem}" for warning in customer.warnings],
    }


def _place(address: Address | None) -> str | None:
    if address is None:
        return None
    town = " ".join(filter(None, (address.postcode, address.city)))
    return ", ".join(filter(None, (address.company_name, *address.lines, town, address.country)))
