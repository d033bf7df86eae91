"""`patron customer history`: everything that happened to a customer, in one timeline (NEW-10)."""

from dataclasses import asdict
from typing import Annotated, Any
from uuid import UUID

import typer

from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.invocation import invocation
from services.console.cli.output import (
    Output,
    OutputOption,
    readable,
    say,
    show_json,
    show_rows,
)
from services.console.cli.persons import facts, found, in_words
from services.console.cli.staging import LimitOption
from shared.messaging.topology import Topology
from shared.persistence import timeline
from shared.persistence.person import Person
from shared.persistence.timeline import OwedLine, Timeline, TimelineLine
from shared.persistence.unit_of_work import UnitOfWork

TIMELINE_COLUMNS = {
    "at": "at (UTC)",
    "worker": "worker",
    "account": "account",
    "event": "what",
    "detail": "detail",
}


def customer_history(
    context: typer.Context,
    *,
    customer: Annotated[
        str | None,
        typer.Argument(metavar="CUSTOMER", help="The customer number, or CHANNEL/EXTERNAL_ID."),
    ] = None,
    correlation: Annotated[
        UUID | None,
        typer.Option(
            "--correlation", metavar="ID", help="Instead: everything that followed from one import."
        ),
    ] = None,
    limit: LimitOption = 100,
    output: OutputOption = Output.TABLE,
) -> None:
    """Show what happened to a customer: in all workers, of all its accounts, in order.

    When it was read, what was decided, what was written to which shop, what failed, what operators
    did; and at the end what is still owed. --output json has the ids, to look further.
    """
    call = invocation(context)
    with call.reading() as work:
        someone = found(call, work, customer) if customer else None
        told = _told(work, someone, correlation, limit)
    if output is Output.JSON:
        show_json(_document(told, someone, call.installation.topology))
        return
    if someone:
        say(headline(someone))
    show_rows(timeline_rows(told.lines), TIMELINE_COLUMNS, output, nothing="nothing happened yet")
    for owed in told.owed:
        say(_waiting(owed, call.installation.topology), "yellow")


def headline(someone: Person) -> str:
    """Return who it is in a line: the number, and where it has accounts."""
    accounts = ", ".join(map(str, someone.accounts)) or "no accounts"
    if someone.is_erased:
        return f"customer {someone.name}, erased"
    return f"customer {someone.number}: {accounts}" if someone.customer_id else accounts


def timeline_rows(lines: list[TimelineLine]) -> list[dict[str, Any]]:
    """Return the lines of a timeline as rows, details in words."""
    return [
        {
            "at": line.at,
            "worker": line.worker,
            "account": f"{line.channel}/{line.external_id}" if line.external_id else None,
            "event": line.event,
            "detail": in_words(line.detail),
        }
        for line in lines
    ]


def _told(
    work: UnitOfWork, someone: Person | None, correlation: UUID | None, limit: int
) -> Timeline:
    if (someone is None) == (correlation is None):
        raise Refused("name a CUSTOMER, or give --correlation ID", exit_code=EXIT_USAGE)
    if someone:
        return timeline.of_person(work, someone, limit=limit)
    assert correlation  # noqa: S101 - one of the two is given
    told = timeline.of_correlation(work, correlation, limit=limit)
    if not (told.lines or told.owed):
        raise Refused(f"nothing is known under the correlation id {correlation}")
    return told


def _document(told: Timeline, someone: Person | None, topology: Topology) -> dict[str, Any]:
    return {
        "customer_number": someone.number if someone else None,
        "accounts": [str(account) for account in someone.accounts] if someone else [],
        "lines": [{**asdict(line), "detail": facts(line.detail)} for line in told.lines],
        "owed": [{**asdict(owed), "queues": _queues(owed, topology)} for owed in told.owed],
    }


def _queues(owed: OwedLine, topology: Topology) -> list[str]:
    return list(topology.queues_for(owed.routing_key)) or [owed.routing_key]


def _waiting(owed: OwedLine, topology: Topology) -> str:
    """Return in words where a message is, and since when."""
    queue, since = ", ".join(_queues(owed, topology)), readable(owed.created_at)
    about = f"{owed.type} about {owed.channel}/{owed.subject}"
    if owed.last_reason and owed.published_at is None:
        again = readable(owed.available_at)
        return f"{about} waits for {queue} since {since}: {owed.last_reason}, again at {again}"
    return f"{about} waiting in {queue} since {since}"
