"""What was measured, for people and for machines: medians of the rounds, with their spread."""

import json
import platform
import statistics
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from os import cpu_count
from pathlib import Path
from typing import Any, Final, NamedTuple

from rich.console import Console
from rich.table import Table

BREAKDOWN: Final = "breakdown of"
"""How the name of a group begins whose figures are parts of a whole."""


class Line(NamedTuple):
    """One figure: the median over all rounds, the lowest and the highest."""

    group: str
    what: str
    unit: str
    median: float
    low: float
    high: float


class Report:
    """Collects the figures of every round."""

    def __init__(self) -> None:
        self._values: defaultdict[str, list[float]] = defaultdict(list)

    def add(self, figures: Mapping[str, float]) -> None:
        """Take in what a stage measured."""
        for name, value in figures.items():
            self._values[name].append(value)

    def lines(self) -> list[Line]:
        """Return every figure, in the order of the first round."""
        return [
            Line(*_parts(name), statistics.median(values), min(values), max(values))
            for name, values in self._values.items()
        ]

    def show(self, console: Console) -> None:
        """Print a table where somebody looks at it, plain lines otherwise."""
        for title, rows in _tables(self.lines()).items():
            if console.is_terminal:
                console.print(_rich(title, rows))
            else:
                console.print(title)
                for what, *rest in rows:
                    console.print(f"  {what:<46}" + "".join(f"{each:>28}" for each in rest))

    def rows(self) -> list[tuple[str, str, str]]:
        """Return what was done how fast, for the page: no parts, and nobody's CPU time."""
        return [
            (
                f"{line.group}: {line.what}".removesuffix(": "),
                f"{_rounded(line.median)} {line.unit}",
                f"{_rounded(line.low)} .. {_rounded(line.high)}",
            )
            for line in self.lines()
            if not _is_part(line) and not line.what.startswith("CPU of")
        ]

    def write(self, path: Path, facts: Mapping[str, Any]) -> None:
        """Write every figure of every round as JSON."""
        about = {"cores": cpu_count(), "python": platform.python_version(), **facts}
        figures = [
            {**line._asdict(), "rounds": values}
            for line, values in zip(self.lines(), self._values.values(), strict=True)
        ]
        path.write_text(json.dumps({"about": about, "figures": figures}, indent=2) + "\n")


def _parts(name: str) -> tuple[str, str, str]:
    group, _, rest = name.partition(": ")
    what, _, unit = rest.rpartition("[")
    return group, what.strip(), unit.rstrip("]")


def _tables(lines: Sequence[Line]) -> dict[str, list[tuple[str, ...]]]:
    """Return the lines as rows of text by title; those of a breakdown by size, with their share."""
    totals: defaultdict[str, float] = defaultdict(float)
    for line in lines:
        totals[line.group] += line.median
    tables: defaultdict[str, list[tuple[str, ...]]] = defaultdict(list)
    for line in sorted(lines, key=lambda each: -each.median if _is_part(each) else 0.0):
        share = f", {line.median / (totals[line.group] or 1.0):.0%}" if _is_part(line) else ""
        middle = f"{_rounded(line.median)} {line.unit}{share}"
        spread = f"{_rounded(line.low)} .. {_rounded(line.high)}"
        tables[line.group].append((line.what or "throughput", middle, spread))
    return dict(sorted(tables.items(), key=lambda table: list(totals).index(table[0])))


def _is_part(line: Line) -> bool:
    return line.group.startswith(BREAKDOWN)


def _rich(title: str, rows: Iterable[tuple[str, ...]]) -> Table:
    table = Table("", "median", "lowest .. highest", title=title, title_justify="left")
    table.columns[1].justify = table.columns[2].justify = "right"
    for row in rows:
        table.add_row(*row)
    return table


def _rounded(value: float) -> str:
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.1f}"
