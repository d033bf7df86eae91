"""Reads tables from files: CSV with a header, or JSON Lines, as rows of text by column.

Promise: a file is read line by line; what cannot be read is a row with a problem, or, where it is
about the whole file, `FileUnreadable`. No text of the file gets into either.
"""

import csv
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, TextIO

import orjson

_JSON_LINES: Final = frozenset({".jsonl", ".ndjson", ".json"})
_DELIMITERS: Final = (",", ";", "\t")
_LONGEST_FIELD: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Row:
    """One row: where it begins, its cells by column, or why it cannot be read."""

    line: int
    cells: Mapping[str, str] = field(default_factory=dict)
    problem: str | None = None


class FileUnreadable(Exception):
    """The file as a whole cannot be read: its header, its encoding, its form."""


def rows_of(path: Path, is_column: Callable[[str], bool]) -> Iterator[Row]:
    """Yield the rows of a file: CSV, unless its name ends in .jsonl, .ndjson or .json.

    Raises `FileUnreadable`, also for a header with something that `is_column` does not know.
    """
    is_json = path.suffix.lower() in _JSON_LINES
    with path.open(encoding="utf-8-sig", newline="") as file:
        try:
            yield from _json_rows(file) if is_json else _csv_rows(file, is_column)
        except UnicodeDecodeError:
            raise FileUnreadable("the file is not UTF-8") from None
        except csv.Error as error:
            raise FileUnreadable(f"the file is no CSV: {error}") from None


def _csv_rows(file: TextIO, is_column: Callable[[str], bool]) -> Iterator[Row]:
    csv.field_size_limit(_LONGEST_FIELD)
    first = file.readline()
    file.seek(0)
    reader = csv.reader(file, delimiter=max(_DELIMITERS, key=first.count), strict=True)
    header = [name.strip() for name in next(reader, [])]
    _refuse_wrong(header, is_column)
    while True:
        line = reader.line_num + 1
        cells = next(reader, None)
        if cells is None:
            return
        if any(cells):
            yield _csv_row(line, header, cells)


def _refuse_wrong(header: list[str], is_column: Callable[[str], bool]) -> None:
    if not any(header):
        raise FileUnreadable("the file is empty")
    if unknown := sorted(name for name in header if not is_column(name)):
        raise FileUnreadable(f"the header has columns that there are not: {', '.join(unknown)}")
    if twice := sorted(name for name, count in Counter(header).items() if count > 1):
        raise FileUnreadable(f"the header has columns twice: {', '.join(twice)}")


def _csv_row(line: int, header: list[str], cells: list[str]) -> Row:
    if len(cells) != len(header):
        return Row(line, problem=f"has {len(cells)} columns, the header {len(header)}")
    return Row(line, dict(zip(header, cells, strict=True)))


def _json_rows(file: TextIO) -> Iterator[Row]:
    for line, text in enumerate(file, start=1):
        if not text.strip():
            continue
        try:
            value = orjson.loads(text)
        except orjson.JSONDecodeError:
            yield Row(line, problem="is no JSON")
            continue
        if isinstance(value, dict):
            yield _json_row(line, value)
        else:
            yield Row(line, problem="is no JSON object")


def _json_row(line: int, value: Mapping[str, Any]) -> Row:
    cells: dict[str, str] = {}
    for column, entry in _flat(value, ""):
        text = _text(entry)
        if text is None:
            return Row(line, problem=f"{column} is neither text nor a list of texts")
        cells[column] = text
    return Row(line, cells)


def _flat(value: Mapping[str, Any], prefix: str) -> Iterator[tuple[str, Any]]:
    for name, entry in value.items():
        if isinstance(entry, dict):
            yield from _flat(entry, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", entry


def _text(entry: Any) -> str | None:
    if entry is None:
        return ""
    if isinstance(entry, list):
        return "\n".join(entry) if all(isinstance(each, str) for each in entry) else None
    return str(entry) if isinstance(entry, str | int) and not isinstance(entry, bool) else None
