"""Figures as a table on the page about performance.

Its promise: nothing but what stands between a benchmark's two markers is touched.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

PAGE: Final = Path(__file__).parents[1] / "docs" / "performance.md"


def as_markdown(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a table whose columns but the first hold numbers."""
    rule = ("---", *("---:" for _ in head[1:]))
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def put_in(name: str, text: str, page: Path = PAGE) -> None:
    """Put `text` between the markers of `name`. Raises ValueError if the page has none."""
    begin, end = f"<!-- {name}:begin -->", f"<!-- {name}:end -->"
    whole = page.read_text("utf-8")
    before, found, rest = whole.partition(begin)
    _, closed, after = rest.partition(end)
    if not found or not closed:
        raise ValueError(f"no {begin} … {end} on the page")
    page.write_text(f"{before}{begin}\n{text}\n{end}{after}", "utf-8")
