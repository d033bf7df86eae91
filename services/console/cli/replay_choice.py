"""Which dead letters are to be replayed: the options of `patron dead-letters replay`.

Its promise: what was chosen can be said in the words of the command line, and nothing is chosen
by saying nothing.
"""

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Final
from uuid import UUID

import typer

from services.console.cli.failures import EXIT_USAGE, Refused
from services.console.cli.workers import WorkerName
from shared.domain.messages import MESSAGE_TYPES
from shared.persistence.dead_letter_reader import ALL, Selection

MOST_PER_SECOND: Final = 1000.0
_RATE: Final = re.compile(r"(\d{1,6}(?:\.\d{1,3})?)(?:/(s|m|h))?")
_SECONDS: Final = {"s": 1, "m": 60, "h": 3600}
_MOST_NAMED: Final = 5


def parse_rate(text: str | float) -> float:
    """Read `50`, `50/s`, `30/m` or `100/h`; return how many that is in a second."""
    if isinstance(text, float):
        return text
    found = _RATE.fullmatch(text.strip())
    rate = float(found[1]) / _SECONDS[found[2] or "s"] if found else 0.0
    if not 0 < rate <= MOST_PER_SECOND:
        raise typer.BadParameter(f"{text!r} is no rate; write it like 50/s, 30/m or 100/h")
    return rate


IdsArgument = Annotated[
    list[UUID] | None, typer.Argument(metavar="[ID...]", help="As `dead-letters list` shows them.")
]
GroupOption = Annotated[
    str | None,
    typer.Option("--group", metavar="KEY", help="Only this group, as `dead-letters groups` shows."),
]
ReasonOption = Annotated[str | None, typer.Option("--reason", help="Only this reason.")]
ChannelOption = Annotated[str | None, typer.Option("--channel", help="Only this channel.")]
WorkerOption = Annotated[
    WorkerName | None, typer.Option("--worker", help="Only what this worker gave up.")
]
TypeOption = Annotated[
    str | None, typer.Option("--type", help="Only messages of this type, such as customer.export.")
]
AllOption = Annotated[bool, typer.Option("--all", help="All that are open.")]
CuredOption = Annotated[
    bool,
    typer.Option(
        "--cured",
        help="Only those that the set-up was to blame for, and that failed under another"
        " configuration than the present one.",
    ),
]
RateOption = Annotated[
    float,
    typer.Option(
        "--rate", parser=parse_rate, metavar="N/s", help="No faster than this: 50/s, 30/m, 100/h."
    ),
]
StopOption = Annotated[
    float,
    typer.Option(
        "--stop-at", min=0, max=100, metavar="PERCENT",
        help="Stop when more than this share of ten or more fails again; 100 never stops.",
    ),
]  # fmt: skip
InsistOption = Annotated[
    bool, typer.Option("--insist", help="Also those that were replayed five times already.")
]


def chosen(
    ids: Sequence[UUID] | None, filters: Selection, *, everything: bool, cured_by: str | None
) -> Selection:
    """Return what is meant. Raises `Refused` when that is nothing, or two things at once."""
    filters = replace(filters, cured_by=cured_by)
    _refuse_unknown_type(filters.type)
    if ids and (everything or filters != ALL):
        text = "name letters by id or by filters, not by both"
        raise Refused(text, exit_code=EXIT_USAGE)
    if not ids and not everything and filters == ALL:
        raise Refused(
            "which letters?",
            "Name them by id, by filters such as --group KEY or --cured, or say --all.",
            exit_code=EXIT_USAGE,
        )
    return replace(filters, ids=tuple(dict.fromkeys(ids or ())))


def in_words(selection: Selection) -> str:
    """Return a selection as it was asked for, to be kept with the job."""
    if selection.ids:
        named = " ".join(str(id_) for id_ in selection.ids[:_MOST_NAMED])
        more = len(selection.ids) - _MOST_NAMED
        return f"{named} and {more} more" if more > 0 else named
    options = {
        "--group": selection.group, "--reason": selection.reason, "--channel": selection.channel,
        "--worker": selection.worker, "--type": selection.type,
    }  # fmt: skip
    words = [f"{option} {value}" for option, value in options.items() if value is not None]
    return " ".join(words + ["--cured"] * (selection.cured_by is not None)) or "--all"


def _refuse_unknown_type(name: str | None) -> None:
    if name is not None and name not in MESSAGE_TYPES:
        known = ", ".join(MESSAGE_TYPES)
        raise Refused(f"there is no type {name!r}; there are {known}", exit_code=EXIT_USAGE)
