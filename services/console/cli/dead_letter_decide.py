"""`patron dead-letters discard` and `restore`: give up for good, and take back."""

from collections.abc import Callable, Sequence
from typing import Annotated, Any, Final
from uuid import UUID

import typer

from services.console.cli.dead_letter_filters import (
    BecauseOption,
    ChannelOption,
    CustomerOption,
    GroupOption,
    NewerOption,
    OlderOption,
    ReasonOption,
    TypeOption,
    WorkerOption,
    YesOption,
    confirm,
    meant,
    said,
    selected,
)
from services.console.cli.failures import EXIT_FAILED, EXIT_PARTLY
from services.console.cli.invocation import Invocation, invocation, operator
from services.console.cli.output import Output, OutputOption, say, show_json
from services.console.cli.staging_outcomes import in_slices
from shared.persistence import dead_letter_desk, dead_letter_reader
from shared.persistence.dead_letter_desk import Done
from shared.persistence.dead_letter_reader import Selection
from shared.persistence.dead_letters import DISCARDED, OPEN
from shared.persistence.unit_of_work import UnitsOfWork

IdsArgument = Annotated[
    list[UUID] | None, typer.Argument(metavar="[ID...]", help="As `dead-letters list` shows them.")
]
_MOST_TOLD: Final = 20
Do = Callable[..., Done]


def discard(
    context: typer.Context,
    letter_ids: IdsArgument = None,
    *,
    because: BecauseOption = None,
    everything: Annotated[bool, typer.Option("--all", help="All that are open.")] = False,
    group: GroupOption = None,
    reason: ReasonOption = None,
    worker: WorkerOption = None,
    channel: ChannelOption = None,
    customer: CustomerOption = None,
    type_: TypeOption = None,
    older_than: OlderOption = None,
    newer_than: NewerOption = None,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Give open dead letters up for good: nothing is sent, and they are deleted later.

    `restore` takes them back until then. Who did it and why is in the audit log.
    """
    filters = selected(
        group=group, reason=reason, worker=worker, channel=channel, customer=customer,
        type_=type_, older_than=older_than, newer_than=newer_than,
    )  # fmt: skip
    why = said(because)
    selection = meant(letter_ids, filters, everything=everything, state=OPEN)
    _carry_out(
        invocation(context), selection, dead_letter_desk.discard, "discarded",
        question="Discard {} dead letters?", why=why, is_sure=yes, output=output,
    )  # fmt: skip


def restore(
    context: typer.Context,
    letter_ids: IdsArgument = None,
    *,
    because: BecauseOption = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were discarded.")] = False,
    group: GroupOption = None,
    reason: ReasonOption = None,
    worker: WorkerOption = None,
    channel: ChannelOption = None,
    customer: CustomerOption = None,
    type_: TypeOption = None,
    yes: YesOption = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Take discarded dead letters back: they are open again, and can be replayed."""
    filters = selected(
        group=group, reason=reason, worker=worker, channel=channel, customer=customer, type_=type_
    )
    why = said(because)
    selection = meant(letter_ids, filters, everything=everything, state=DISCARDED)
    _carry_out(
        invocation(context), selection, dead_letter_desk.restore, "restored",
        question="Restore {} dead letters?", why=why, is_sure=yes, output=output,
    )  # fmt: skip


def _carry_out(
    call: Invocation,
    selection: Selection,
    do: Do,
    verb: str,
    *,
    question: str,
    why: str,
    is_sure: bool,
    output: Output,
) -> None:
    with call.opened() as units:
        ids = _ids(units, selection)
        if not selection.ids and ids:
            confirm(question.format(len(ids)), is_sure=is_sure)
        done: list[UUID] = []
        others: dict[UUID, str] = {}
        for some in in_slices(ids):
            with units.begin() as work:
                outcome = do(work, some, actor=operator(), reason=why)
            done += outcome.letters
            others |= outcome.others
    missing = [id_ for id_ in ids if id_ not in others and id_ not in set(done)]
    _tell(verb, done, others, missing, output)
    if others or missing:
        raise typer.Exit(EXIT_PARTLY if done else EXIT_FAILED)


def _ids(units: UnitsOfWork, selection: Selection) -> Sequence[UUID]:
    """Return which letters are meant, those named first of all."""
    if selection.ids:
        return selection.ids
    with units.read() as work:
        return dead_letter_reader.ids(work, selection)


def _tell(
    verb: str,
    done: Sequence[UUID],
    others: dict[UUID, str],
    missing: Sequence[UUID],
    output: Output,
) -> None:
    if output is Output.JSON:
        rows: list[dict[str, Any]] = [{"id": id_, "result": verb} for id_ in done]
        rows += [{"id": id_, "result": f"left: {state}"} for id_, state in others.items()]
        rows += [{"id": id_, "result": "missing"} for id_ in missing]
        show_json(rows)
        return
    if done or not (others or missing):
        say(f"{len(done)} dead letters {verb}")
    for id_, state in list(others.items())[:_MOST_TOLD]:
        say(f"{id_} is {state}; left as it is")
    for id_ in missing[:_MOST_TOLD]:
        say(f"there is no dead letter {id_}")
