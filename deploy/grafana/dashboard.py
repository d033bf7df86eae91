"""Make the JSON that Grafana loads of panels.toml, which is the file to edit.

    python deploy/grafana/dashboard.py

Promise: every panel has a title, a description, a unit and a query; without one of them nothing is
written.
"""

import json
import tomllib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
PANELS: Final = HERE / "panels.toml"
FILE: Final = HERE / "dashboards" / "patron.json"
DATASOURCE: Final = {"type": "prometheus", "uid": "${datasource}"}
PAGE_WIDTH: Final = 24
PANEL_WIDTH: Final = 8
HEIGHTS: Final = {"stat": 4}
HEIGHT: Final = 7
VARIABLES: Final = {
    "channel": "patron_import_cursor_age_seconds",
    "worker": "patron_consumer_active",
}
Panel = Mapping[str, Any]
Json = dict[str, Any]


def text() -> str:
    """Return the file."""
    return json.dumps(dashboard(), indent=2) + "\n"


def dashboard() -> Json:
    """Return what Grafana imports."""
    return {
        "uid": "patron",
        "title": "Patron",
        "description": "Made from deploy/grafana/panels.toml: change it there.",
        "tags": ["patron"],
        "schemaVersion": 39,
        "editable": True,
        "graphTooltip": 1,
        "refresh": "30s",
        "time": {"from": "now-3h", "to": "now"},
        "timezone": "browser",
        "templating": {"list": [_datasource(), *_variables()]},
        "annotations": {"list": [_pages()]},
        "panels": list(_laid_out(tomllib.loads(PANELS.read_text("utf-8"))["rows"])),
    }


def _laid_out(rows: list[Json]) -> Iterator[Json]:
    """Yield headings and panels from left to right and from top to bottom."""
    number, y = 0, 0
    for row in rows:
        number += 1
        yield _heading(row, {"id": number, "gridPos": {"x": 0, "y": y, "w": PAGE_WIDTH, "h": 1}})
        x, height, y = 0, 0, y + 1
        for panel in row["panels"]:
            width = panel.get("width", PANEL_WIDTH)
            if x + width > PAGE_WIDTH:
                x, height, y = 0, 0, y + height
            number += 1
            height = max(height, HEIGHTS.get(panel.get("kind", ""), HEIGHT))
            place = {"x": x, "y": y, "w": width, "h": height}
            yield {"id": number, "gridPos": place, **_panel(panel)}
            x += width
        y += height


def _heading(row: Json, place: Json) -> Json:
    repeat = {"repeat": row["repeat"]} if "repeat" in row else {}
    return {
        **place,
        "type": "row",
        "title": row["title"],
        "collapsed": False,
        "panels": [],
    } | repeat


def _panel(panel: Panel) -> Json:
    return {
        "type": _kind(panel),
        "title": panel["title"],
        "description": _description(panel),
        "datasource": DATASOURCE,
        "targets": [
            _target(query, legend, chr(65 + at))
            for at, (query, legend) in enumerate(panel["queries"])
        ],
        "fieldConfig": {"defaults": _defaults(panel), "overrides": []},
        "options": _options(panel),
    }


def _kind(panel: Panel) -> str:
    return str(panel.get("kind", "timeseries"))


def _description(panel: Panel) -> str:
    """Return the description, with what to read when the panel looks bad."""
    names = panel.get("alerts", ())
    pages = ", ".join(f"{name} (docs/alerts.md#{name.lower()})" for name in names)
    return f"{panel['description']}\n\nSee {pages}." if pages else str(panel["description"])


def _target(query: str, legend: str, letter: str) -> Json:
    return {
        "refId": letter,
        "datasource": DATASOURCE,
        "expr": query,
        "legendFormat": legend or "__auto",
    }


def _defaults(panel: Panel) -> Json:
    steps: list[Json] = [{"color": "green", "value": None}]
    if "red_from" in panel:
        steps.append({"color": "red", "value": panel["red_from"]})
    return {
        "unit": panel["unit"],
        "min": 0,
        "noValue": "0" if (_kind(panel), panel["unit"]) == ("stat", "none") else "nothing",
        "thresholds": {"mode": "absolute", "steps": steps},
        "color": {"mode": "palette-classic" if _kind(panel) == "timeseries" else "thresholds"},
        "mappings": [_mapping(at, **word) for at, word in enumerate(panel.get("words", ()))],
        "custom": _style(panel),
    }


def _mapping(at: int, value: int, text: str, color: str) -> Json:
    """Return how a value is shown as a word."""
    shown = {"text": text, "color": color, "index": at}
    return {"type": "value", "options": {str(value): shown}}


def _style(panel: Panel) -> Json:
    if _kind(panel) != "timeseries":
        return {}
    line = "line" if "red_from" in panel else "off"
    return {"fillOpacity": 10, "showPoints": "never", "thresholdsStyle": {"mode": line}}


def _options(panel: Panel) -> Json:
    match _kind(panel):
        case "stat":
            return {"colorMode": "background", "reduceOptions": {"calcs": ["lastNotNull"]}}
        case "state-timeline":
            return {"showValue": "auto", "mergeValues": True, "legend": {"showLegend": False}}
        case _:
            legend = {"displayMode": "list", "placement": "bottom", "showLegend": True}
            return {"legend": legend, "tooltip": {"mode": "multi", "sort": "desc"}}


def _datasource() -> Json:
    """Return the choice among the Prometheus servers that a Grafana knows."""
    return {
        "name": "datasource",
        "label": "Prometheus",
        "type": "datasource",
        "query": "prometheus",
        "current": {},
    }


def _variables() -> Iterator[Json]:
    """Yield the choices of channels and workers, by what Prometheus knows of them."""
    for name, metric in VARIABLES.items():
        yield {
            "name": name,
            "label": name.capitalize(),
            "type": "query",
            "datasource": DATASOURCE,
            "query": {"query": f"label_values({metric}, {name})", "refId": name},
            "refresh": 2,
            "sort": 1,
            "multi": True,
            "includeAll": True,
            "current": {"selected": True, "text": ["All"], "value": ["$__all"]},
        }


def _pages() -> Json:
    """Return the marks in all panels where an alert fired that is to be acted on at once."""
    return {
        "name": "Pages",
        "datasource": DATASOURCE,
        "enable": True,
        "iconColor": "red",
        "expr": 'ALERTS{alertname=~"Patron.*", alertstate="firing", severity="page"}',
        "titleFormat": "{{alertname}}",
    }


if __name__ == "__main__":
    FILE.write_text(text(), encoding="utf-8")
