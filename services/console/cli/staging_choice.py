"""`patron staging link` and `discard`: what only a person can say about a staged customer."""

from dataclasses import asdict
from typing import Annotated
from uuid import UUID

import typer

from services.console.cli.failures import EXIT_FAILED, EXIT_PARTLY, EXIT_USAGE, Refused
from services.console.cli.invocation import invocation, operator
from services.console.cli.output import Output, OutputOption, say, show_json
from services.console.cli.staging_outcomes import in_slices
from services.console.cli.staging_process import PatienceOption, WaitOption, ask_by_id, finish
from services.console.cli.staging_show import IdArgument, candidates, found
from services.console.cli.staging_steps import called
from services.console.explained import candidates_of
from shared.persistence import directory_reader, staging_desk
from shared.persistence.directory_reader import VisitingCard
from shared.persistence.staging import OPEN, StagingRecord
from shared.persistence.staging_desk import Target
from shared.persistence.unit_of_work import UnitOfWork


def link(
    context: typer.Context,
    staging_id: IdArgument,
    *,
    number: Annotated[
        str | None,
        typer.Option("--customer", metavar="NUMBER", help="The customer number of whom it is."),
    ] = None,
    candidate: Annotated[
        int | None,
        typer.Option("--candidate", min=1, help="As `staging explain` numbers the candidates."),
    ] = None,
    wait: WaitOption = True,
    timeout: PatienceOption = 30.0,
    output: OutputOption = Output.TABLE,
) -> None:
    """Say which customer a staged one is: one of the candidates, or any other.

    The choice becomes the link: the number is written to the shop, and later changes go to this
    customer without asking again. It is kept in the history and in the audit log.

    Exit codes: 0 linked, 1 not linked, 75 no processor took it in time.
    """
    if (number is None) == (candidate is None):
        raise Refused("say either --customer NUMBER or --candidate N", exit_code=EXIT_USAGE)
    with invocation(context).opened() as units:
        with units.read() as work:
            record = found(work, staging_id)
            card = _by_number(work, number) if number else _candidate(work, record, candidate or 0)
        if _is_done(record, card):
            return
        if output is Output.TABLE:
            _say_whom(record, card)
        asked = ask_by_id(units, [staging_id], choice="customer", customer_id=card.id)
        finish(units, asked, output, patience_seconds=timeout if wait else None)


def discard(
    context: typer.Context,
    staging_ids: Annotated[
        list[UUID], typer.Argument(metavar="ID", help="As `staging list` shows them.")
    ],
    *,
    why: Annotated[
        str | None,
        typer.Option("--reason", metavar="TEXT", help="Why, for the audit log; no personal data."),
    ] = None,
    output: OutputOption = Output.TABLE,
) -> None:
    """Take staged customers out of the list; they are staged anew when they change in the shop.

    Nothing is written to any shop. A record that does not wait any more is left as it is.
    """
    ids = list(dict.fromkeys(staging_ids))
    before: list[Target] = []
    with invocation(context).opened() as units:
        for some in in_slices(ids):
            with units.begin() as work:
                before += staging_desk.discard(work, some, actor=operator(), why=why)
    missing = [id_ for id_ in ids if id_ not in {target.id for target in before}]
    if output is Output.JSON:
        rows = [{**asdict(each), "is_discarded": each.state in OPEN} for each in before]
        show_json([*rows, *({"id": id_, "is_discarded": False} for id_ in missing)])
    else:
        for target in before:
            say(_discarded(target))
        for id_ in missing:
            say(f"there is no staging record {id_}")
    if missing:
        raise typer.Exit(EXIT_PARTLY if before else EXIT_FAILED)


def _by_number(work: UnitOfWork, number: str) -> VisitingCard:
    customer_id = directory_reader.by_number(work, number.strip())
    if customer_id is None:
        raise Refused(f"there is no customer {number!r}")
    return directory_reader.visiting_cards(work, [customer_id])[customer_id]


def _candidate(work: UnitOfWork, record: StagingRecord, position: int) -> VisitingCard:
    cards = [card for _, card in candidates(work, record)]
    if position > len(cards):
        many = f"it has {len(cards)} candidates" if cards else "it has no candidates"
        advice = f"`patron staging explain {record.line.id}` shows them."
        raise Refused(f"there is no candidate {position}; {many}", advice)
    card = cards[position - 1]
    if card is None:
        raise Refused(f"candidate {position} does not exist any more")
    return card


def _is_done(record: StagingRecord, card: VisitingCard) -> bool:
    """Whether the record is that customer already. Raises `Refused` if it cannot become it."""
    line = record.line
    if line.reason == "unreadable" and line.state in OPEN:
        raise Refused(
            "the record could not be read, so there is no customer to link",
            f"Mend it in the shop; `patron staging show {line.id}` names the fields.",
        )
    if line.state in OPEN:
        return False
    if line.customer_id == card.id:
        say(f"{line.channel}/{line.external_id} is customer {card.number} already")
        return True
    number = f" as customer {line.customer_number}" if line.customer_number else ""
    raise Refused(f"the record does not wait any more: it was {line.state}{number}")


def _say_whom(record: StagingRecord, card: VisitingCard) -> None:
    line = record.line
    say(f"{line.channel}/{line.external_id} is customer {called(card)}")
    if card.id not in candidates_of(record):
        say("(not among those that the matching rules found)")


def _discarded(target: Target) -> str:
    who = f"{target.channel}/{target.external_id}"
    if target.state in OPEN:
        return f"{who} discarded; was {target.state}, reason {target.reason}"
    return f"{who} was {target.state} before; nothing was done"
