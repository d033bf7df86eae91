"""The list of behaviours: what it claims, tests name."""

import ast
import re
from typing import Final, NamedTuple

import pytest

from tests.docs.pages import DOCS, ROOT, table_rows, text_of

PAGE: Final = DOCS / "behaviours.md"
_ID: Final = re.compile(r"[A-Z]+[0-9]*-[0-9]+")
_LINK: Final = re.compile(r"\[(\w+)\]\(\.\./([\w/.]+)\)")


class Row(NamedTuple):
    """One behaviour: its id, where it lives, and (name, path) of its tests."""

    id: str
    places: list[str]
    tests: list[tuple[str, str]]


ROWS: Final = [
    Row(row[0], re.findall(r"`([^`]+)`", row[2]), _LINK.findall(row[3]))
    for row in table_rows(text_of(PAGE))
    if _ID.fullmatch(row[0])
]


def test_each_behaviour_has_one_row() -> None:
    """The list can be searched by id."""
    ids = [row.id for row in ROWS]

    assert ids
    assert len(ids) == len(set(ids))


@pytest.mark.parametrize("row", ROWS, ids=[row.id for row in ROWS])
def test_a_behaviour_is_named_by_its_tests(row: Row) -> None:
    """Each test of a row is there and names the behaviour in its docstring; so is the code."""
    assert row.tests
    assert [name for name, path in row.tests if not _names(path, name, row.id)] == []
    assert [place for place in row.places if not (ROOT / place).is_file()] == []


def _names(path: str, name: str, behaviour: str) -> bool:
    """Whether a test, or a whole module of tests, says that it is about `behaviour`."""
    tree = ast.parse((ROOT / path).read_text("utf-8"))
    nodes = [n for n in ast.walk(tree) if isinstance(n, ast.FunctionDef) and n.name == name]
    said = [ast.get_docstring(node) for node in nodes] or [ast.get_docstring(tree)]
    return any(behaviour in _ID.findall(text or "") for text in said)
