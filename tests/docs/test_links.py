"""Pages lead where they say, and say nothing of where they were written."""

import re
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, anchors, codes, headings, links, name_of, pages, text_of

_PATH = re.compile(r"(?:shared|services|tests|deploy|docs|requirements)/[\w./-]+\.\w+")


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_links_resolve(page: Path) -> None:
    """Every relative link names a file that is there, and a heading that it has."""
    broken = []
    for link in links(page):
        if re.match(r"[a-z]+:", link):
            continue
        target, _, anchor = link.partition("#")
        path = (page.parent / target).resolve() if target else page
        if not path.exists() or (anchor and anchor not in anchors(path)):
            broken.append(link)

    assert not broken


@pytest.mark.parametrize("page", pages(), ids=name_of)
def test_links_stay_within_the_project(page: Path) -> None:
    """No link leads to a place that only one machine has."""
    targets = [(page.parent / link.partition("#")[0]).resolve() for link in links(page)
               if not re.match(r"[a-z]+:", link)]  # fmt: skip

    assert [str(each) for each in targets if not each.is_relative_to(ROOT)] == []


@pytest.mark.parametrize("page", [*sorted(DOCS.rglob("*.md")), ROOT / "README.md"], ids=name_of)
def test_files_that_are_named_are_there(page: Path) -> None:
    """A path in inline code, from the root of the project, exists."""
    named = {path for code in codes(page) for path in _PATH.findall(code) if path == code}

    assert [path for path in sorted(named) if not (ROOT / path).exists()] == []


def test_decisions_are_numbered_and_listed() -> None:
    """Each decision has its number in name and title, and a line in the list."""
    listed = text_of(DOCS / "decisions" / "README.md")
    decisions = sorted((DOCS / "decisions").glob("0*.md"))

    assert decisions
    for number, path in enumerate(decisions, start=1):
        title = headings(path)[0]
        assert path.name.startswith(f"{number:04d}-")
        assert title.startswith(f"{number}. ")
        assert f"[{title.partition('. ')[2]}]({path.name})" in listed
