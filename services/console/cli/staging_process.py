"""`patron staging process`: have staged customers decided now.

An operator decides by the same rules as the importer's messages; only the processing method of
the store view does not hold the customer back. Doing it twice does no harm.
"""

import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, replace
from typing import Annotated, Final
from uuid import UUID

import typer

from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.invocation import Invocation, invocation, operator
from services.console.cli.output import Output, OutputOption, say, show_rows
from services.console.cli.staging_filters import (
    ChannelOption,
    ExistingOption,
    NewerOption,
    OlderOption,
    OpenState,
    ReasonOption,
    StoreViewOption,
    refuse_unknown,
    selected,
)
from services.console.cli.staging_outcomes import (
    MOST_SHOWN,
    Asked,
    exit_code,
    fates,
    follow,
    in_slices,
    show_fates,
)
from shared.domain.messages import Choice
from shared.persistence import staging, staging_desk
from shared.persistence.staging import ALL, Selection
from shared.persistence.staging_desk import SLICE
from shared.persistence.unit_of_work import UnitsOfWork

_WAITING: Final = frozenset(state.value for state in OpenState)
_MOST_LISTED: Final = 100_000
_ASKING: Final[Mapping[Choice, str]] = {
    "rules": "Process",
    "new": "Create new customers for",
    "link_only": "Try to link",
}
_COLUMNS: Final = {
    "id": "id",
    "channel": "channel",
    "external_id": "customer there",
    "state": "state",
    "reason": "reason",
}

WaitOption = Annotated[
    bool,
    typer.Option("--wait/--no-wait", help="Wait until it is decided and tell what became of it."),
]
PatienceOption = Annotated[
    float,
    typer.Option(
        "--timeout", min=0, metavar="SECONDS",
        help="How long to wait while nothing is decided.",
    ),
]  # fmt: skip


def process(
    context: typer.Context,
    staging_ids: Annotated[
        list[UUID] | None, typer.Argument(metavar="ID", help="As `staging list` shows them.")
    ] = None,
    *,
    everything: Annotated[
        bool, typer.Option("--all", help="All that wait, or all of them that fit the filters.")
    ] = False,
    state: Annotated[
        list[OpenState] | None, typer.Option("--state", help="Only these states. Repeatable.")
    ] = None,
    reason: ReasonOption = None,
    channel: ChannelOption = None,
    store_view: StoreViewOption = None,
    older_than: OlderOption = None,
    newer_than: NewerOption = None,
    existing: ExistingOption = None,
    as_new: Annotated[
        bool,
        typer.Option("--as-new", help="Create a customer, although the rules find candidates."),
    ] = False,
    link_only: Annotated[
        bool,
        typer.Option("--link-only", help="Link it if the rules find a customer; create nobody."),
    ] = False,
    wait: WaitOption = True,
    timeout: PatienceOption = 30.0,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Only list what would be processed.")
    ] = False,
    output: OutputOption = Output.TABLE,
) -> None:
    """Have staged customers decided now, one by id or many by filters.

    The rules are those of every import; only the store view's processing method does not hold
    them back. What is missing, such as a billing address, is missing still. A record that does
    not wait any more is left as it is, so asking twice does no harm.

    Exit codes: 0 all are processed, 3 some still wait, 1 all do, 75 no processor took them in
    time.
    """
    call = invocation(context)
    selection = selected(
        states=frozenset(state or ()), reasons=reason, channel=channel, store_view=store_view,
        older_than=older_than, newer_than=newer_than, is_existing=existing,
    )  # fmt: skip
    is_two = as_new and link_only
    _refuse_nonsense(staging_ids, selection, everything=everything, is_two=is_two)
    choice: Choice = "new" if as_new else "link_only" if link_only else "rules"
    waiting = replace(selection, states=selection.states or _WAITING)
    with call.opened() as units:
        if dry_run:
            _show_what_would_be(units, staging_ids, waiting, output)
            return
        if staging_ids:
            asked = ask_by_id(units, staging_ids, choice=choice)
        else:
            _confirm(call, units, waiting, choice, yes=yes)
            asked = _ask_by_selection(units, waiting, choice)
        finish(units, asked, output, patience_seconds=timeout if wait else None)


def ask_by_id(
    units: UnitsOfWork,
    staging_ids: Iterable[UUID],
    *,
    choice: Choice,
    customer_id: UUID | None = None,
) -> dict[UUID, UUID | None]:
    """Ask for these records; return the messages by record, None where there is nothing to ask."""
    asked: dict[UUID, UUID | None] = dict.fromkeys(staging_ids)
    for some in in_slices(list(asked)):
        with units.begin() as work:
            targets = staging_desk.by_id(work, some)
            asked |= staging_desk.ask(
                work, targets, actor=operator(), choice=choice, customer_id=customer_id
            )
    return asked


def finish(
    units: UnitsOfWork, asked: Asked, output: Output, *, patience_seconds: float | None
) -> None:
    """Tell what became of what was asked for, after waiting for it; end with its exit code.

    Without patience only that it was asked for.
    """
    if patience_seconds is not None:
        follow(units, asked, patience_seconds)
    found = fates(units, asked)
    if patience_seconds is None:
        found = [replace(f, result="asked") if f.result == "not_taken" else f for f in found]
    show_fates(found, output)
    raise typer.Exit(exit_code(found))


def _ask_by_selection(
    units: UnitsOfWork, selection: Selection, choice: Choice
) -> dict[UUID, UUID | None]:
    asked: dict[UUID, UUID | None] = {}
    last, is_more = None, True
    while is_more:
        with units.begin() as work:
            targets = staging_desk.after(work, selection, last)
            sent = staging_desk.ask(work, targets, actor=operator(), choice=choice)
        asked |= {target.id: sent.get(target.id) for target in targets}
        is_more = len(targets) == SLICE
        last = targets[-1].id if targets else None
    return asked


def _refuse_nonsense(
    ids: Sequence[UUID] | None, selection: Selection, *, everything: bool, is_two: bool
) -> None:
    is_filtered = everything or selection != ALL
    if ids and is_filtered:
        raise Refused("name records by id or by filters, not by both", exit_code=EXIT_USAGE)
    if not ids and not is_filtered:
        raise Refused(
            "which records?",
            "Name them by id, by filters such as --reason no_template, or say --all.",
            exit_code=EXIT_USAGE,
        )
    if is_two:
        raise Refused("--as-new and --link-only exclude each other", exit_code=EXIT_USAGE)


def _confirm(
    call: Invocation, units: UnitsOfWork, selection: Selection, choice: Choice, *, yes: bool
) -> None:
    """Say how many are meant, and at a terminal let the operator think again."""
    with units.read() as work:
        many = staging.count(work, selection)
    if not many:
        refuse_unknown(call, selection.channel, selection.store_view)
        return
    question = f"{_ASKING[choice]} {many} staged customers?"
    if not yes and sys.stdin.isatty():
        typer.confirm(question, abort=True, err=True)


def _show_what_would_be(
    units: UnitsOfWork, ids: Sequence[UUID] | None, selection: Selection, output: Output
) -> None:
    """List the records that would be processed; of many in a table only the first."""
    with units.read() as work:
        if ids:
            targets = [each for each in staging_desk.by_id(work, ids) if each.can_be_decided]
            total = len(targets)
        else:
            most = MOST_SHOWN if output is Output.TABLE else _MOST_LISTED
            targets = staging_desk.after(work, selection, None, most)
            total = staging.count(work, selection)
    rows = [asdict(target) for target in targets]
    show_rows(rows, _COLUMNS, output, nothing="nothing would be processed")
    if output is Output.TABLE and rows:
        say(f"{total} would be processed; nothing was done")
