"""Which staging records an operator means: the options of `patron staging` and what they select.

Its promise: a filter that can find nothing because of a typing error is refused, not answered
with an empty list.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Annotated, Final

import typer

from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.invocation import Invocation
from shared.persistence.staging import OPEN, Selection
from shared.persistence.unit_of_work import utc_now


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


class OpenState(StrEnum):
    """The state of a record that waits."""

    HELD = "held"
    STAGED = "staged"
    AMBIGUOUS = "ambiguous"


_UNITS: Final[Mapping[str, str]] = {
    "s": "seconds",
    "m": "minutes",
    "h": "hours",
    "d": "days",
    "w": "weeks",
}
_AGE: Final = re.compile(r"(\d{1,6})([smhdw])")


def parse_age(text: str | timedelta) -> timedelta:
    """Read `90s`, `30m`, `2h`, `3d` or `1w`."""
    if isinstance(text, timedelta):
        return text
    found = _AGE.fullmatch(text.strip())
    if found is None:
        raise typer.BadParameter(f"{text!r} is no age; write it like 90s, 30m, 2h, 3d or 1w")
    return timedelta(**{_UNITS[found[2]]: int(found[1])})


ReasonOption = Annotated[
    list[str] | None,
    typer.Option(
        "--reason", metavar="REASON", help="Only this reason, such as no_template. Repeatable."
    ),
]
ChannelOption = Annotated[str | None, typer.Option("--channel", help="Only this channel.")]
StoreViewOption = Annotated[str | None, typer.Option("--store-view", help="Only this store view.")]
OlderOption = Annotated[
    timedelta | None,
    typer.Option(
        "--older-than", parser=parse_age, metavar="AGE",
        help="Only what was staged first longer ago: 90s, 30m, 2h, 3d, 1w.",
    ),
]  # fmt: skip
NewerOption = Annotated[
    timedelta | None,
    typer.Option(
        "--newer-than", parser=parse_age, metavar="AGE",
        help="Only what was staged first since then.",
    ),
]  # fmt: skip
ExistingOption = Annotated[
    bool | None,
    typer.Option("--existing/--new", help="Only those who were known before, or who were not."),
]


def selected(
    *,
    states: frozenset[str],
    reasons: Sequence[str] | None,
    channel: str | None,
    store_view: str | None,
    older_than: timedelta | None,
    newer_than: timedelta | None,
    is_existing: bool | None,
) -> Selection:
    """Return the selection that the filters of a call mean now."""
    now = utc_now()
    return Selection(
        states=states,
        reasons=frozenset(reasons or ()),
        channel=channel,
        store_view=store_view,
        is_existing=is_existing,
        created_before=now - older_than if older_than else None,
        created_after=now - newer_than if newer_than else None,
    )


def states_of(chosen: Sequence[State] | None) -> frozenset[str]:
    """Return the states that are meant; none are all."""
    chosen = chosen or [State.OPEN]
    if State.ALL in chosen:
        return frozenset()
    names = frozenset(state.value for state in chosen if state is not State.OPEN)
    return names | (OPEN if State.OPEN in chosen else frozenset())


def refuse_unknown(call: Invocation, channel: str | None, store_view: str | None) -> None:
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
