"""What the demo prints: a tour, in numbered steps; live where there is a terminal."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Final

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.padding import Padding
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from services.console.cli.output import Row, cell, show_rich, table_of
from services.console.demo.progress import Progress

INDENT: Final = 3
BAR_WIDTH: Final = 30


class Guide:
    """Prints the steps of the tour."""

    def __init__(self) -> None:
        self._step = 0

    def step(self, title: str, command: str = "") -> None:
        """Begin a step; `command` is what an operator would type for it."""
        self._step += 1
        line = Text.assemble((f"\n{self._step}  {title}", "bold cyan"))
        if command:
            line.append(f"    $ {command}", style="dim")
        show_rich(line)

    def say(self, text: str, style: str = "") -> None:
        """Print a line of a step."""
        self.show(cell(text, style))

    def good(self, text: str) -> None:
        """Print that something is as it should be."""
        self.show(Text.assemble(("✓ ", "bold green"), cell(text)))

    def table(self, rows: Sequence[Row], columns: Mapping[str, str]) -> None:
        """Print a table, indented."""
        show_rich(Padding(table_of(rows, columns), (1, 0, 1, INDENT), expand=False))

    def show(self, what: RenderableType) -> None:
        """Print something rich, indented."""
        show_rich(Padding(what, (0, 0, 0, INDENT), expand=False))


Show = Callable[[Progress, float], None]


@contextmanager
def following(expected: int) -> Iterator[Show]:
    """Give what shows progress: live on a terminal, otherwise a line whenever much has changed."""
    console = Console(highlight=False)
    if not console.is_terminal:
        yield _Lines(expected)
        return
    with Live(console=console, refresh_per_second=8, transient=True) as live:
        yield lambda progress, seconds: live.update(_picture(progress, expected, seconds))


class _Lines:
    """Prints a line at most every second, and only when something has changed."""

    def __init__(self, expected: int) -> None:
        self._expected = expected
        self._told: tuple[int, str] = (-1, "")

    def __call__(self, progress: Progress, seconds: float) -> None:
        what = (
            f"read {progress.read_in_all} of {self._expected},"
            f" decided {progress.decisions}, numbers written {progress.numbers_written},"
            f" messages owed {progress.owed}"
        )
        second, before = self._told
        if what != before and int(seconds) > second:
            self._told = (int(seconds), what)
            show_rich(Text(f"{' ' * INDENT}{seconds:5.1f} s  {what}"))


def _picture(progress: Progress, expected: int, seconds: float) -> RenderableType:
    bars = (
        ("read from the shop", progress.read_in_all, expected),
        ("decided", progress.decisions, expected),
        ("numbers written back", progress.numbers_written, max(progress.linked, 1)),
    )
    grid = Table.grid(padding=(0, 2))
    for name, done, total in bars:
        bar = ProgressBar(total=total, completed=min(done, total), width=BAR_WIDTH)
        grid.add_row(name, bar, Text(f"{done}", justify="right"))
    foot = Text(f"{progress.owed} messages owed, {seconds:.0f} s", style="dim")
    return Padding(Group(grid, foot), (0, 0, 0, INDENT))
