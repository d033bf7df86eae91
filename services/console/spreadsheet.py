"""CSV that a spreadsheet shows and does not obey.

Its promise: no cell is taken for a formula, whoever wrote what is in it.
"""

import csv
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, TextIO

# What spreadsheets begin a formula with, and what they skip before looking.
_OBEYED: Final = ("=", "+", "-", "@", "\t", "\r", "\n")


def write(file: TextIO, columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> int:
    """Write a header and `rows`; return how many they were."""
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    many = 0
    for row in rows:
        writer.writerow([guarded(row.get(column)) for column in columns])
        many += 1
    return many


def guarded(value: Any) -> Any:
    """Return a cell; a text that would be obeyed gets an apostrophe in front."""
    if isinstance(value, str) and value.lstrip(" ").startswith(_OBEYED):
        return f"'{value}"
    return value
