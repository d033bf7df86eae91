"""Reading the project's Markdown: pages, fenced blocks, headings, links, inline code."""

import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

ROOT: Final = Path(__file__).parents[2]
DOCS: Final = ROOT / "docs"

_ROOTS: Final = ("docs", "services", "shared", "tests", "requirements", "deploy", "benchmarks")
_FENCE: Final = re.compile(r"^```(.*?)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_HEADING: Final = re.compile(r"^(#{1,6}) (.+)$", re.MULTILINE)
_LINK: Final = re.compile(r"\]\(([^()\s]+)\)")
_CODE: Final = re.compile(r"`([^`\n]+)`")


class Block(NamedTuple):
    """A fenced block: the words after the fence, and what is in it."""

    info: str
    text: str


@cache
def pages() -> tuple[Path, ...]:
    """Return every page of the project."""
    below = (path for name in _ROOTS for path in (ROOT / name).rglob("*.md"))
    return tuple(sorted((*ROOT.glob("*.md"), *below)))


@cache
def text_of(path: Path) -> str:
    """Return a page."""
    return path.read_text(encoding="utf-8")


def blocks(path: Path, language: str = "") -> list[Block]:
    """Return the fenced blocks of a page, those of one language if it is named."""
    found = [Block(*each.groups()) for each in _FENCE.finditer(text_of(path))]
    return [block for block in found if not language or block.info.split()[:1] == [language]]


def block(path: Path, info: str) -> str:
    """Return the one block of a page that is marked so."""
    (only,) = (each.text for each in blocks(path) if each.info == info)
    return only


def prose(path: Path) -> str:
    """Return a page without its fenced blocks."""
    return _FENCE.sub("", text_of(path))


def headings(path: Path) -> list[str]:
    """Return the headings of a page, as written."""
    return [title for _, title in _HEADING.findall(prose(path))]


def anchors(path: Path) -> set[str]:
    """Return what a link to a heading of this page may end with."""
    return {_anchor(title) for title in headings(path)}


def links(path: Path) -> list[str]:
    """Return the targets of a page's links."""
    return _LINK.findall(_CODE.sub("", prose(path)))


def codes(path: Path) -> Iterator[str]:
    """Yield every piece of inline code of a page."""
    yield from (code for code in _CODE.findall(prose(path)))


def table_rows(text: str) -> Iterator[list[str]]:
    """Yield the cells of every row of every table, headings included."""
    for line in text.splitlines():
        if line.startswith("|") and not set(line) <= set("|-: "):
            yield [cell.strip() for cell in line[1:-1].split("|")]


def name_of(path: Path) -> str:
    """Return how a page is called in the name of a test."""
    return str(path.relative_to(ROOT))


def _anchor(title: str) -> str:
    plain = re.sub(r"[^\w\- ]", "", title.replace("`", "").lower())
    return plain.strip().replace(" ", "-")
