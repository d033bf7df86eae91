"""Draw the dashboard as a picture from what a Prometheus has: for the documentation.

    python deploy/grafana/render.py http://localhost:9090 --minutes 30 --file dashboard.svg

Promise: every number in the picture is an answer of that Prometheus to a query of the dashboard.
"""

import argparse
import json
import math
import re
import time
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any, Final, NamedTuple

DASHBOARD: Final = Path(__file__).parent / "dashboards" / "patron.json"
COLUMN, LINE, GAP, ROW = 50, 26, 8, 34
COLOURS: Final = (
    "#1f77b4", "#e8710a", "#2a9d4a", "#c2363c", "#7b4fb3", "#8c564b", "#d04f9e", "#60717f",
    "#9a8b00", "#0fa3b1",
)  # fmt: skip
MANY: Final = 10_000
NAMED: Final = {"green": "#2a9d4a", "red": "#c2363c", "orange": "#e8710a", "grey": "#8c959f"}
STYLE: Final = """
text { font-family: "DejaVu Sans", Verdana, sans-serif; fill: #24292f; }
.row { font-size: 15px; font-weight: bold; }
.title { font-size: 12px; font-weight: bold; }
.small { font-size: 10px; fill: #57606a; }
.number { font-size: 24px; font-weight: bold; fill: #ffffff; text-anchor: middle; }
.state { font-size: 11px; fill: #ffffff; }
"""
Points = list[tuple[float, float]]


Panel = Mapping[str, Any]


class Curve(NamedTuple):
    """One line of a chart: its name, and values by time."""

    name: str
    points: Points


class Box(NamedTuple):
    """Where something is drawn."""

    x: float
    y: float
    width: float
    height: float


class Source:
    """A Prometheus, asked about a span of time."""

    def __init__(self, url: str, start: float, end: float, choices: Mapping[str, str]) -> None:
        self.start, self.end = start, end
        self._url = url.rstrip("/")
        self._choices = choices
        self._step = max(1.0, (end - start) / 240)

    def curves(self, panel: Panel) -> list[Curve]:
        """Return what a panel's queries find."""
        return [
            Curve(_name(target["legendFormat"], series["metric"]), _points(series["values"]))
            for target in panel["targets"]
            for series in self._ask(self.filled(target["expr"]))
        ]

    def filled(self, text: str) -> str:
        """Return a text with the page's choices in place."""
        for name, value in self._choices.items():
            text = text.replace(f"${name}", value)
        return text

    def _ask(self, query: str) -> list[dict[str, Any]]:
        words = {"query": query, "start": self.start, "end": self.end, "step": self._step}
        address = f"{self._url}/api/v1/query_range?{urllib.parse.urlencode(words)}"
        with urllib.request.urlopen(address, timeout=30) as answer:  # noqa: S310 - the operator's
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found


Draw = Callable[[Panel, Box, Source], Iterator[str]]


def picture(source: Source, titles: Sequence[str]) -> str:
    """Return the rows whose titles begin so, as SVG."""
    shapes: list[str] = []
    bottom, lift, is_shown = 0.0, 0.0, False
    for panel in json.loads(DASHBOARD.read_text("utf-8"))["panels"]:
        place = panel["gridPos"]
        if panel["type"] == "row":
            is_shown = panel["title"].startswith(tuple(titles))
            lift = place["y"] * LINE - bottom
        if is_shown:
            top = place["y"] * LINE - lift + (0 if panel["type"] == "row" else ROW - LINE)
            box = Box(
                place["x"] * COLUMN + GAP,
                top + GAP,
                place["w"] * COLUMN - GAP,
                place["h"] * LINE - GAP,
            )
            shapes += _drawn(panel, box, source)
            bottom = max(bottom, box.y + box.height)
    width, height = 24 * COLUMN + GAP, bottom + GAP
    frame = f'viewBox="0 0 {width:.0f} {height:.0f}" width="{width:.0f}" height="{height:.0f}"'
    body = "\n".join(shapes)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" {frame}>\n<style>{STYLE}</style>\n'
        f'<rect width="100%" height="100%" fill="#f6f8fa"/>\n{body}\n</svg>\n'
    )


def _drawn(panel: Panel, box: Box, source: Source) -> Iterator[str]:
    title = source.filled(panel["title"])
    if panel["type"] == "row":
        yield _text(box.x, box.y + 19, title, "row")
        return
    yield _rect(box, "#ffffff", ' stroke="#d0d7de" rx="4"')
    yield _text(box.x + 8, box.y + 17, title, "title")
    inner = Box(box.x + 8, box.y + 24, box.width - 16, box.height - 32)
    yield from _DRAW[panel["type"]](panel, inner, source)


def _stat(panel: Panel, box: Box, source: Source) -> Iterator[str]:
    """Draw one number, on red where it is bad."""
    facts = panel["fieldConfig"]["defaults"]
    curves = source.curves(panel)
    value = curves[0].points[-1][1] if curves else None
    steps = facts["thresholds"]["steps"]
    is_bad = value is not None and len(steps) > 1 and value >= steps[1]["value"]
    colour = "grey" if value is None else "red" if is_bad else "green"
    yield _rect(box, NAMED[colour], ' rx="3"')
    shown = facts["noValue"] if value is None else _shown(value, facts["unit"])
    yield _text(box.x + box.width / 2, box.y + box.height / 2 + 9, shown, "number")


def _states(panel: Panel, box: Box, source: Source) -> Iterator[str]:
    """Draw a bar for each curve, coloured by what it means."""
    words = {
        float(value): shown
        for mapping in panel["fieldConfig"]["defaults"]["mappings"]
        for value, shown in mapping["options"].items()
    }
    curves = source.curves(panel)
    height = min(40.0, (box.height - 14) / max(1, len(curves)))
    for at, curve in enumerate(curves):
        y = box.y + at * height
        for start, end, value in _spells(curve.points):
            left, right = (_across(when, box, source) for when in (start, end))
            word = words.get(value, {"text": f"{value:g}", "color": "orange"})
            bar = Box(left, y + 1, max(1.0, right - left), height - 3)
            yield _rect(bar, NAMED[word["color"]], "")
            name = f"{source.filled(curve.name)}: {word['text']}"
            if right - left > 6.6 * len(name):
                yield _text(left + 5, y + height / 2 + 3, name, "state")
    yield from _clock(box, source)


def _spells(points: Points) -> Iterator[tuple[float, float, float]]:
    """Yield from when to when a value stayed what it was."""
    start = 0
    for at in range(1, len(points) + 1):
        if at == len(points) or points[at][1] != points[start][1]:
            end = points[min(at, len(points) - 1)][0]
            yield points[start][0], end, points[start][1]
            start = at


def _chart(panel: Panel, box: Box, source: Source) -> Iterator[str]:
    """Draw lines over time, with their names below."""
    unit = panel["fieldConfig"]["defaults"]["unit"]
    curves = sorted(source.curves(panel), key=_weight, reverse=True)[: len(COLOURS)]
    names = list(_named(curves, box))
    lines = 1 + max((line for line, *_ in names), default=0)
    plot = Box(box.x + 46, box.y + 4, box.width - 50, box.height - 24 - 13 * lines)
    top = _round_up(max((value for curve in curves for _, value in curve.points), default=1.0))
    for part in (0.0, 0.5, 1.0):
        y = plot.y + plot.height * (1 - part)
        yield f'<path d="M{plot.x:.0f} {y:.1f}h{plot.width:.0f}" stroke="#d8dee4" fill="none"/>'
        yield _text(plot.x - 5, y + 3, _shown(top * part, unit), "small", ' text-anchor="end"')
    for curve, colour in reversed(list(zip(curves, COLOURS, strict=False))):
        yield _line(curve.points, plot, top, colour, source)
    if not curves:
        middle = plot.x + plot.width / 2, plot.y + plot.height / 2 - 4
        yield _text(*middle, "nothing of the kind", "small", ' text-anchor="middle"')
    for (line, x, name), colour in zip(names, COLOURS, strict=False):
        y = box.y + box.height - 13 * (lines - 1 - line)
        yield _rect(Box(x, y - 7, 10, 4), colour, "")
        yield _text(x + 14, y, name, "small")
    yield from _clock(Box(plot.x, plot.y, plot.width, plot.height + 14), source)


def _named(curves: Sequence[Curve], box: Box) -> Iterator[tuple[int, float, str]]:
    """Yield for each curve in which line below the chart its name stands, and where."""
    line, x = 0, box.x
    for curve in curves:
        width = 26 + 6.2 * len(curve.name)
        if x + width > box.x + box.width and x > box.x:
            line, x = line + 1, box.x
        yield line, x, curve.name
        x += width


def _line(points: Points, plot: Box, top: float, colour: str, source: Source) -> str:
    """Return a curve, interrupted where nothing was known."""
    path, last = "", -math.inf
    for when, value in points:
        x = _across(when, plot, source)
        y = plot.y + plot.height * (1 - min(value, top) / top)
        path += f"{'L' if when - last < 4 * GAP else 'M'}{x:.1f} {y:.1f}"
        last = when
    return f'<path d="{path}" stroke="{colour}" stroke-width="1.8" fill="none"/>' if path else ""


def _clock(box: Box, source: Source) -> Iterator[str]:
    for part, anchor in ((0.0, "start"), (0.5, "middle"), (1.0, "end")):
        when = source.start + part * (source.end - source.start)
        label = time.strftime("%H:%M:%S", time.gmtime(when))
        at = box.x + part * box.width
        yield _text(at, box.y + box.height, label, "small", f' text-anchor="{anchor}"')


def _across(when: float, box: Box, source: Source) -> float:
    return box.x + box.width * (when - source.start) / (source.end - source.start)


def _weight(curve: Curve) -> float:
    return max(value for _, value in curve.points)


def _points(values: Sequence[Sequence[Any]]) -> Points:
    """Return the numbers among the values; NaN is no number."""
    read = [(float(when), float(value)) for when, value in values]
    return [point for point in read if math.isfinite(point[1])] or [(read[-1][0], 0.0)]


def _name(legend: str, labels: Mapping[str, str]) -> str:
    if legend == "__auto":
        return ", ".join(labels.values())
    return re.sub(r"{{(\w+)}}", lambda found: labels.get(found[1], ""), legend)


def _round_up(value: float) -> float:
    """Return a number to end an axis with: 1, 2 or 5 of a power of ten."""
    if value <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(value))
    return float(next(step * power for step in (1, 2, 5, 10) if step * power >= value * 0.999))


def _shown(value: float, unit: str) -> str:
    """Return a value with its unit, as short as it can be said."""
    if unit != "s" and value >= MANY:
        return f"{value / 1000:.3g} k"
    if unit != "s":
        return f"{value:.3g}" + ("/s" if unit in {"cps", "reqps"} else "")
    for size, sign in ((604800, "w"), (86400, "d"), (3600, "h"), (60, "min"), (1, "s")):
        if value >= size * (1 if sign == "s" else 2):
            return f"{value / size:.3g} {sign}"
    return f"{value * 1000:.3g} ms" if value else "0"


_DRAW: Final[Mapping[str, Draw]] = {
    "stat": _stat,
    "state-timeline": _states,
    "timeseries": _chart,
}


def _rect(box: Box, colour: str, more: str) -> str:
    place = f'x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}" height="{box.height:.1f}"'
    return f'<rect {place} fill="{colour}"{more}/>'


def _text(x: float, y: float, text: str, style: str, more: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" class="{style}"{more}>{escape(text)}</text>'


def main() -> None:
    """Read the command line and write the picture."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("url", help="of Prometheus")
    parser.add_argument("--minutes", type=float, default=30.0, help="how far back")
    parser.add_argument("--channel", default=".+", help="the channel of the row about channels")
    parser.add_argument("--rows", nargs="+", default=[""], help="how the titles of rows begin")
    parser.add_argument("--rate", default="1m", help="over which time rates are taken")
    parser.add_argument("--file", type=Path, default=Path("dashboard.svg"))
    given = parser.parse_args()
    end = time.time()
    choices = {"__rate_interval": given.rate, "channel": given.channel, "worker": ".+"}
    source = Source(given.url, end - 60 * given.minutes, end, choices)
    given.file.write_text(picture(source, given.rows), encoding="utf-8")


if __name__ == "__main__":
    main()
