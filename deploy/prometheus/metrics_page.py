"""Write docs/metrics.md: every metric, and which alerts and panels are about it.

    python deploy/prometheus/metrics_page.py

For whoever changed the catalogue in shared/observability/catalogue, the rules beside this file or
deploy/grafana/panels.toml; the page is made of these three and has nothing of its own.
"""

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml

from shared.observability.catalogue import CATALOGUE
from shared.observability.catalogue.entries import Entry, Label

HERE: Final = Path(__file__).parent
RULES: Final = HERE / "patron.rules.yml"
PANELS: Final = HERE.parent / "grafana" / "panels.toml"
PAGE: Final = HERE.parents[1] / "docs" / "metrics.md"
HEAD: Final = """\
# Metrics

What each process shows at `/metrics` of its [health port](operations.md#health). This page is made
by `python deploy/prometheus/metrics_page.py`; the texts stand in `shared/observability/catalogue`.

Every label is bounded: it has the values listed, or one for each thing of the configuration. An id,
an address or a URL is never one. Counters are to be added up over processes. Of what the database
knows (what is owed, open or waiting) every process says the same: take the highest. Where
`patron up` runs all workers as one process it shows everything, and calls itself `patron`.

Of the process itself there are the usual ones of a Prometheus client, by the names that they have
everywhere: `process_resident_memory_bytes`, `process_cpu_seconds_total`, `process_open_fds`,
`process_max_fds`, `process_virtual_memory_bytes`, `process_start_time_seconds`.
"""
Uses = Mapping[str, list[str]]


def text() -> str:
    """Return the page."""
    alerts, panels = by_metric(_rules()), by_metric(_panels())
    sections = (
        f"## {title}\n\n" + "\n".join(_described(entry, alerts, panels) for entry in entries)
        for title, entries in CATALOGUE.items()
    )
    return "\n".join((HEAD, _overview(), *sections))


def by_metric(expressions: Iterable[tuple[str, str]]) -> Uses:
    """Return who speaks of each metric, by name; what is recorded counts as what it is made of."""
    recorded = {rule["record"]: rule["expr"] for rule in _all_rules() if "record" in rule}
    uses: defaultdict[str, list[str]] = defaultdict(list)
    for user, expression in expressions:
        spoken_of = (made_of for name, made_of in recorded.items() if name in expression)
        for name in re.findall(r"\bpatron_[a-z_]+\b", " ".join((expression, *spoken_of))):
            if user not in uses[name]:
                uses[name].append(user)
    return uses


def _all_rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def _rules() -> Iterator[tuple[str, str]]:
    for rule in _all_rules():
        if "alert" in rule:
            yield rule["alert"], rule["expr"]


def _panels() -> Iterator[tuple[str, str]]:
    for row in tomllib.loads(PANELS.read_text("utf-8"))["rows"]:
        for panel in row["panels"]:
            for query, _ in panel["queries"]:
                yield panel["title"].replace("$channel", "a channel"), query


def _overview() -> str:
    rows = [
        f"| [`{entry.full_name}`](#{entry.full_name}) | {entry.kind} | {_names(entry)} |"
        f" {entry.text} |"
        for entries in CATALOGUE.values()
        for entry in entries
    ]
    return "\n".join(["| Metric | Type | Labels | Says |", "| --- | --- | --- | --- |", *rows, ""])


def _names(entry: Entry) -> str:
    return ", ".join(label.name for label in entry.labels)


def _described(entry: Entry, alerts: Uses, panels: Uses) -> str:
    """Return the metric's own section."""
    fires = [_link(alert) for alert in _users(entry, alerts)]
    shown = [f"“{panel}”" for panel in _users(entry, panels)]
    facts = [_value_line(label) for label in entry.labels]
    if entry.buckets:
        facts.append(f"- buckets: {', '.join(f'{each:g}' for each in entry.buckets)}")
    facts.append(f"- alerts: {', '.join(fires) or 'none'}")
    facts.append(f"- dashboard: {', '.join(shown) or 'no panel'}")
    about = " ".join(filter(None, (entry.text, entry.remark)))
    kind = f"{entry.kind.capitalize()}, {entry.unit}. Shown by: {', '.join(entry.workers)}."
    return "\n\n".join((f"### `{entry.full_name}`", about, kind, "\n".join(facts))) + "\n"


def _users(entry: Entry, uses: Uses) -> list[str]:
    return list(dict.fromkeys(user for name in entry.series for user in uses.get(name, ())))


def _value_line(label: Label) -> str:
    values = ", ".join(f"`{value}`" for value in label.values)
    return f"- `{label.name}`: {values or label.bound}"


def _link(alert: str) -> str:
    return f"[{alert}](alerts.md#{alert.lower()})"


if __name__ == "__main__":
    PAGE.write_text(text(), encoding="utf-8")
