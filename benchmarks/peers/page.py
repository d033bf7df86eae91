"""The figures as tables: for a terminal, and for the page about performance.

Its promise: on the page nothing but what stands between the two markers is touched.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from benchmarks.peers.catalogue import ROOT
from benchmarks.peers.figures import CPU, Line, Spread, order

PAGE: Final = ROOT / "docs" / "performance.md"
PICTURE: Final = ROOT / "docs" / "images" / "peers.svg"
BEGIN: Final = "<!-- peers:begin -->"
END: Final = "<!-- peers:end -->"

_HEADS: Final = (
    "messages/s",
    "to the best tuned peer",
    "to Celery, tuned",
    *(f"CPU of {who}, µs" for who in CPU),
)


def table(lines: Sequence[Line]) -> list[tuple[str, ...]]:
    """Return heads and rows; a ratio stands as its median and, in brackets, its spread."""
    many = lines[0].processes if lines else 0
    head = "one process" if many == 1 else f"{many} processes"
    return [(head, *_HEADS), *(_row(line) for line in sorted(lines, key=order))]


def as_text(lines: Sequence[Line]) -> str:
    """Return the table for a terminal."""
    rows = table(lines)
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return "\n".join(
        "  ".join(
            cell.rjust(width) if column else cell.ljust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        )
        for row in rows
    )


def as_markdown(lines: Sequence[Line]) -> str:
    """Return the table for the page."""
    head, *rows = table(lines)
    rule = ("---", *("---:" for _ in head[1:]))
    return "\n".join(f"| {' | '.join(row)} |" for row in (head, rule, *rows))


def put(page: str, tables: Sequence[str]) -> str:
    """Return `page` with these tables between its markers. Raises ValueError if it has none."""
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"no {BEGIN} … {END} on the page")
    return before + "\n\n".join([BEGIN, *tables, END]) + after


def write(tables: Sequence[str], picture: str, page: Path = PAGE, image: Path = PICTURE) -> None:
    """Bring page and picture up to date."""
    page.write_text(put(page.read_text("utf-8"), tables), "utf-8")
    image.write_text(picture, "utf-8")


def _row(line: Line) -> tuple[str, ...]:
    name = f"**{line.title}**" if line.is_ours else line.title
    rate = line.rate
    return (
        name,
        f"{rate.median:,.0f} ({rate.low:,.0f} .. {rate.high:,.0f})",
        _ratio(line.to_best),
        _ratio(line.to_celery),
        *(f"{line.cpu[who]:,.0f}" for who in CPU),
    )


def _ratio(ratio: Spread | None) -> str:
    if ratio is None:
        return ""
    return f"{ratio.median:.2f} ({ratio.low:.2f} .. {ratio.high:.2f})"
