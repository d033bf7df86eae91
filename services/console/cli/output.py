"""Results on standard output: tables for people, JSON for programs.

Its promise: what came out of a shop or a database is shown as text, never obeyed: neither as
markup nor as control characters of the terminal. Away from a terminal nothing is cut or coloured.
"""

import sys
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from enum import StrEnum
from typing import Annotated, Any, Final
from uuid import UUID

import orjson
import typer
from rich import box
from rich.console import Console, RenderableType
from rich.table import Table
from rich.text import Text

NOTHING: Final = "-"
_WIDE: Final = 500


class Output(StrEnum):
    """How results are printed."""

    TABLE = "table"
    JSON = "json"


OutputOption = Annotated[
    Output, typer.Option("--output", "-o", help="A table for people, or JSON for programs.")
]
Row = Mapping[str, Any]


def console() -> Console:
    """Return the console of standard output; without a terminal it has room for every line."""
    plain = Console(highlight=False, markup=False)
    return plain if plain.is_terminal else Console(highlight=False, markup=False, width=_WIDE)


def say(text: str = "", style: str | None = None) -> None:
    """Print one line for people."""
    console().print(Text(text, style=style or ""), soft_wrap=True)


def show_rows(
    rows: Sequence[Row], columns: Mapping[str, str], output: Output, *, nothing: str
) -> None:
    """Print rows: as a table of `columns` (key and heading), or as JSON with every key.

    `nothing` is what people are told when there are none.
    """
    if output is Output.JSON:
        show_json(list(rows))
    elif rows:
        show_rich(table_of(rows, columns))
    else:
        say(nothing)


def show_rich(what: RenderableType) -> None:
    """Print something rich; away from a terminal without the blanks that fill its lines."""
    target = console()
    if target.is_terminal:
        target.print(what)
        return
    with target.capture() as captured:
        target.print(what)
    lines = captured.get().splitlines()
    sys.stdout.write("".join(f"{line.rstrip()}\n" for line in lines))


def show_record(record: Row, output: Output) -> None:
    """Print one record: key by key, or as JSON."""
    if output is Output.JSON:
        show_json(dict(record))
        return
    grid = Table.grid(padding=(0, 2))
    grid.add_column(style="bold", no_wrap=True)
    for key, value in record.items():
        grid.add_row(key.replace("_", " "), cell(value))
    show_rich(grid)


def show_json(value: Any) -> None:
    """Print JSON, indented."""
    sys.stdout.write(json_text(value))


def json_text(value: Any) -> str:
    """Return JSON, indented, with a line's end."""
    # Names of columns, as keys, are not quite texts.
    option = orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
    return orjson.dumps(value, default=_jsonable, option=option).decode() + "\n"


def table_of(rows: Sequence[Row], columns: Mapping[str, str]) -> Table:
    """Return a table; numbers stand on the right, ids are never broken."""
    table = Table(box=box.SIMPLE_HEAD, show_edge=False, pad_edge=False, header_style="bold")
    for key, heading in columns.items():
        values = [row.get(key) for row in rows]
        is_number = all(isinstance(v, int) and not isinstance(v, bool) for v in values)
        is_id = any(isinstance(v, UUID) for v in values)
        table.add_column(heading, justify="right" if is_number else "left", no_wrap=is_id)
    for row in rows:
        table.add_row(*(cell(row.get(key)) for key in columns))
    return table


def cell(value: Any, style: str = "") -> Text:
    """Return a value as it is printed."""
    return Text(readable(value), style=style)


def readable(value: Any) -> str:
    """Return a value in words: moments in UTC to the second, lists with commas."""
    match value:
        case None | "":
            return NOTHING
        case bool():
            return "yes" if value else "no"
        case datetime():
            return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%SZ")
        case list() | tuple() | set():
            return ", ".join(readable(each) for each in value) or NOTHING
        case _:
            return printable(str(value))


def printable(text: str) -> str:
    """Return text whose control characters are escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def _jsonable(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, UUID | date):
        return str(value)
    if isinstance(value, tuple | set | frozenset):
        return list(value)
    raise TypeError(f"{type(value).__name__} cannot be written as JSON")
