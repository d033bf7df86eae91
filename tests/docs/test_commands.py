"""Commands in the documentation exist, with their options."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest
import typer

from services.console.cli.app import app_for
from tests.docs.pages import ROOT, blocks, codes, name_of, pages, prose

PAGES: Final = [path for path in pages() if "sandbox" not in path.parts]
_WRAPPED: Final = re.compile(r"`(patron [^`]*\n[^`]*)`")
"""Inline code that goes on in the next line."""

_MAKE: Final = re.compile(r"^make ([a-z]+)")


class Command(NamedTuple):
    """A command as it stands on a page: its words and its options."""

    words: tuple[str, ...]
    options: tuple[str, ...]


def commands_on(path: Path) -> Iterator[Command]:
    """Yield every `patron …` of a page, in text and in blocks of shell."""
    for line in _shell(path):
        for call in re.findall(r"(?:^|\$ |; |&& )patron( [^;&|#]*|$)", line):
            words = call.split()
            plain = tuple(word for word in words if re.fullmatch(r"[a-z][a-z-]*", word))
            yield Command(plain, tuple(word for word in words if word.startswith("--")))


def _shell(path: Path) -> Iterator[str]:
    yield from codes(path)
    yield from (re.sub(r"\s+", " ", code) for code in _WRAPPED.findall(prose(path)))
    for language in ("sh", "console"):
        for block in blocks(path, language):
            yield from (re.sub(r"^(\.venv/bin/|\$ )", "", each) for each in block.text.splitlines())


def problem_of(command: Command, root: Any) -> str | None:
    """Return what is wrong with a command, walking down the tree of commands."""
    node, known = root, {option for parameter in root.params for option in parameter.opts}
    for word in command.words:
        children = getattr(node, "commands", {})
        if not children:
            break  # the rest are arguments
        if word not in children:
            return f"there is no {' '.join(command.words)}"
        node = children[word]
        known |= {option for parameter in node.params for option in parameter.opts}
    unknown = [each for each in command.options if each.partition("=")[0] not in known | {"--help"}]
    return f"{' '.join(command.words)} has no {', '.join(unknown)}" if unknown else None


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_commands_exist(page: Path) -> None:
    """Whoever types what a page says is understood."""
    root = typer.main.get_command(app_for([]))

    problems = {problem_of(command, root) for command in commands_on(page)}

    assert problems <= {None}


@pytest.mark.parametrize("page", PAGES, ids=name_of)
def test_targets_of_make_exist(page: Path) -> None:
    """`make …` names a target of the Makefile."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    wanted = {found[1] for line in _shell(page) if (found := _MAKE.match(line))}

    assert [t for t in sorted(wanted) if not re.search(rf"^{t}:", makefile, re.MULTILINE)] == []
