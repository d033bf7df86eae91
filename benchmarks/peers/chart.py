"""The figures as a picture: one bar for each implementation, with the spread of its rounds.

Its promise: plain SVG, every number in it is one of the figures, and it reads without colours.
"""

from collections.abc import Iterator, Sequence
from html import escape
from itertools import chain
from typing import Final, NamedTuple

from benchmarks.peers.catalogue import FULL, PLAIN
from benchmarks.peers.figures import Line, order

_WIDTH, _LEFT, _RIGHT = 760, 170, 110
_BAR, _STEP, _HEAD = 18, 26, 40
_STYLE: Final = """
text { font-family: "DejaVu Sans", Verdana, sans-serif; font-size: 12px; fill: #24292f; }
.head { font-size: 15px; font-weight: bold; }
.note { font-size: 11px; fill: #57606a; }
"""
_OURS, _OURS_FULL, _TUNED, _PLAIN = "#1f6feb", "#6ea8fe", "#7d8590", "#c4cad1"


class _Scale(NamedTuple):
    highest: float

    def x(self, rate: float) -> float:
        """Return where a rate ends."""
        return _LEFT + (_WIDTH - _LEFT - _RIGHT) * rate / self.highest


def draw(panels: Sequence[Sequence[Line]]) -> str:
    """Return the picture: a panel for each number of processes, all to one scale."""
    every = list(chain.from_iterable(panels))
    scale = _Scale(max((line.rate.high for line in every), default=1.0))
    parts: list[str] = []
    top = 0
    for panel in panels:
        parts.extend(_panel(sorted(panel, key=order), top, scale))
        top += _HEAD + _STEP * len(panel)
    note = "messages a second: median of the rounds, line from the lowest to the highest"
    height = top + 28
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}"'
        f' width="{_WIDTH}" height="{height}" role="img" aria-labelledby="title">'
        f'<title id="title">One job in task frameworks and in Patron</title>'
        f'<style>{_STYLE}</style><rect width="{_WIDTH}" height="{height}" fill="#ffffff"/>'
        + "".join(parts)
        + f'<text class="note" x="{_LEFT}" y="{height - 10}">{note}</text></svg>\n'
    )


def _panel(panel: Sequence[Line], top: int, scale: _Scale) -> Iterator[str]:
    if panel:
        many = panel[0].processes
        title = "One process" if many == 1 else f"{many} processes"
        yield f'<text class="head" x="12" y="{top + 26}">{title}</text>'
    for place, line in enumerate(panel):
        yield from _bar(line, top + _HEAD + _STEP * place, scale)


def _bar(line: Line, y: int, scale: _Scale) -> Iterator[str]:
    middle = y + _BAR / 2
    start, end = scale.x(0), scale.x(line.rate.median)
    low, high = scale.x(line.rate.low), scale.x(line.rate.high)
    text = f'<text x="{{x:.1f}}" y="{middle + 4:.1f}"{{anchor}}>{{text}}</text>'
    yield text.format(x=_LEFT - 8, anchor=' text-anchor="end"', text=escape(line.title))
    yield (
        f'<rect x="{start:.1f}" y="{y}" width="{end - start:.1f}" height="{_BAR}"'
        f' fill="{_colour(line)}"/>'
    )
    yield (
        f'<path d="M{low:.1f} {middle}H{high:.1f}M{low:.1f} {y + 4}v{_BAR - 8}'
        f'M{high:.1f} {y + 4}v{_BAR - 8}" stroke="#24292f" fill="none"/>'
    )
    yield text.format(x=high + 8, anchor="", text=f"{line.rate.median:,.0f}")


def _colour(line: Line) -> str:
    if line.is_ours:
        return _OURS_FULL if line.variant == FULL else _OURS
    return _PLAIN if line.variant == PLAIN else _TUNED
