"""Which dead letters an operator means: the options of `patron dead-letters` and what they select.

Its promise: a filter that can find nothing because of a typing error is refused, not answered
with an empty list.
"""

import sys
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final
from uuid import UUID

import typer

from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.staging_filters import parse_age
from shared.domain.messages import MESSAGE_TYPES
from shared.persistence.dead_letter_reader import Selection
from shared.persistence.dead_letters import OPEN
from shared.persistence.person import account_named
from shared.persistence.unit_of_work import utc_now


class LetterState(StrEnum):
    """What has become of a dead letter."""

    OPEN = "open"
    REPLAYING = "replaying"
    RESOLVED = "resolved"
    DISCARDED = "discarded"
    ALL = "all"


class GivenUpBy(StrEnum):
    """Whose message it was."""

    IMPORTER = "importer"
    PROCESSOR = "processor"
    EXPORTER = "exporter"


StateOption = Annotated[
    list[LetterState] | None,
    typer.Option(
        "--state", help="Only these states; without it those that wait for somebody. Repeatable."
    ),
]
GroupOption = Annotated[
    str | None,
    typer.Option("--group", metavar="KEY", help="Only this group, as `dead-letters groups` shows."),
]
ReasonOption = Annotated[
    str | None, typer.Option("--reason", metavar="REASON", help="Only this reason code.")
]
WorkerOption = Annotated[
    GivenUpBy | None, typer.Option("--worker", help="Only what this worker gave up.")
]
ChannelOption = Annotated[str | None, typer.Option("--channel", help="Only this channel.")]
CustomerOption = Annotated[
    str | None,
    typer.Option(
        "--customer", metavar="ID", help="Only this customer of a shop: its id, or CHANNEL/ID."
    ),
]
TypeOption = Annotated[
    str | None,
    typer.Option("--type", metavar="TYPE", help="Only this type, such as customer.export."),
]
OlderOption = Annotated[
    timedelta | None,
    typer.Option(
        "--older-than", parser=parse_age, metavar="AGE",
        help="Only what failed last longer ago: 90s, 30m, 2h, 3d, 1w.",
    ),
]  # fmt: skip
NewerOption = Annotated[
    timedelta | None,
    typer.Option(
        "--newer-than", parser=parse_age, metavar="AGE", help="Only what failed since then."
    ),
]  # fmt: skip
BecauseOption = Annotated[
    str | None,
    typer.Option(
        "--because", metavar="TEXT", help="Why, for the audit log; no personal data. Required."
    ),
]
YesOption = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask for confirmation.")]

_NOTHING: Final = Selection()


def selected(
    *,
    states: Sequence[LetterState] | None = None,
    group: str | None = None,
    reason: str | None = None,
    worker: GivenUpBy | None = None,
    channel: str | None = None,
    customer: str | None = None,
    type_: str | None = None,
    older_than: timedelta | None = None,
    newer_than: timedelta | None = None,
) -> Selection:
    """Return the selection that the filters of a call mean now. Raises `Refused`."""
    if type_ is not None and type_ not in MESSAGE_TYPES:
        known = ", ".join(MESSAGE_TYPES)
        raise Refused(f"there is no type {type_!r}; there are {known}", exit_code=EXIT_USAGE)
    account = account_named(customer) if customer else None
    if account and channel not in {None, account.channel}:
        text = f"{customer} is not of the channel {channel}"
        raise Refused(text, exit_code=EXIT_USAGE)
    now = utc_now()
    return Selection(
        states=_states(states),
        group=group,
        reason=reason,
        worker=worker and worker.value,
        channel=account.channel if account else channel,
        customer=account.external_id if account else customer,
        type=type_,
        failed_before=now - older_than if older_than else None,
        failed_after=now - newer_than if newer_than else None,
    )


def meant(
    ids: Sequence[UUID] | None, filters: Selection, *, everything: bool, state: str
) -> Selection:
    """Return which letters in `state` something is to be done about, by id or by filters.

    Raises `Refused` when that is nothing, or two things at once.
    """
    has_filters = everything or filters != _with_states(_NOTHING, filters.states)
    if ids and has_filters:
        text = "name letters by id or by filters, not by both"
        raise Refused(text, exit_code=EXIT_USAGE)
    if ids:
        return Selection(ids=tuple(dict.fromkeys(ids)))
    if not has_filters:
        raise Refused(
            "which letters?",
            "Name them by id, by filters such as --group KEY, or say --all.",
            exit_code=EXIT_USAGE,
        )
    return _with_states(filters, (state,))


def said(because: str | None) -> str:
    """Return why, which must be said."""
    if because is None or not because.strip():
        raise typer.BadParameter(
            "say why, for whoever asks later: --because 'sent again by the shop'",
            param_hint="--because",
        )
    return because.strip()


def confirm(question: str, *, is_sure: bool) -> None:
    """Let the operator think again; away from a terminal --yes must be said."""
    if is_sure:
        return
    if not sys.stdin.isatty():
        raise Refused(f"not done: {question}", "Say --yes to do it.", exit_code=EXIT_USAGE)
    typer.confirm(question, abort=True, err=True)


def _states(chosen: Sequence[LetterState] | None) -> tuple[str, ...]:
    """Return the states that are meant; none are all."""
    if chosen and LetterState.ALL in chosen:
        return ()
    return tuple(dict.fromkeys(state.value for state in chosen)) if chosen else (OPEN,)


def _with_states(selection: Selection, states: tuple[str, ...]) -> Selection:
    return replace(selection, states=states)
