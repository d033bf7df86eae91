"""The page about reliability: every fault has its row, and tests name what a row claims."""

import ast
import re
from functools import cache
from typing import Final, NamedTuple

import pytest

from tests.docs.pages import DOCS, ROOT, table_rows, text_of

PAGE: Final = DOCS / "reliability.md"
FAULTS: Final = range(1, 61)
_LINK: Final = re.compile(r"\[(\w+)\]\(\.\./([\w/.]+)\)")
_NAMED: Final = re.compile(r"\(faults? ([\d, ]+)\)")


class Row(NamedTuple):
    """One fault: its number, what happens, and (name, path) of its tests."""

    number: int
    outcome: str
    tests: list[tuple[str, str]]


ROWS: Final = [
    Row(int(row[0]), row[2], _LINK.findall(row[3]))
    for row in table_rows(text_of(PAGE))
    if row[0].isdigit()
]


def test_every_fault_has_one_row() -> None:
    """The catalogue is complete and in its order."""
    assert [row.number for row in ROWS] == list(FAULTS)
    assert all(row.outcome for row in ROWS)


@pytest.mark.parametrize("row", ROWS, ids=[str(row.number) for row in ROWS])
def test_a_fault_is_named_by_its_tests(row: Row) -> None:
    """Each test of a row is there and names the fault in its docstring."""
    assert row.tests
    assert [name for name, path in row.tests if row.number not in _faults(path, name)] == []


def test_every_test_that_is_linked_is_there() -> None:
    """Those of the other tables too."""
    linked = {(name, path) for name, path in _LINK.findall(text_of(PAGE)) if path.endswith(".py")}

    missing = [
        (name, path)
        for name, path in sorted(linked)
        if name not in _docstrings(path) and f"{name}.py" not in path
    ]

    assert missing == []


def _faults(path: str, name: str) -> set[int]:
    """Return the faults that a test says it is about."""
    said = _docstrings(path).get(name, "")
    return {int(number) for found in _NAMED.findall(said) for number in found.split(",")}


@cache
def _docstrings(path: str) -> dict[str, str]:
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
    return {each.name: ast.get_docstring(each) or "" for each in functions}
