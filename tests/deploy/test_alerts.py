"""The alert rules: what fires, what must not, and a page for whoever is woken."""

import re
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from shared.observability.catalogue import ENTRIES
from tests.docs.pages import DOCS, ROOT, anchors, headings, prose
from tests.services.debian import prometheus_programs
from tests.services.errors import ServiceUnavailable

RULES: Final = ROOT / "deploy" / "prometheus" / "patron.rules.yml"
CASES: Final = ROOT / "deploy" / "prometheus" / "tests" / "patron.test.yml"
PANELS: Final = ROOT / "deploy" / "grafana" / "panels.toml"
OURS: Final = {name: entry for entry in ENTRIES for name in entry.series}
_BROKERS: Final = {
    "rabbitmq_queue_consumers",
    "rabbitmq_queue_messages",
    "rabbitmq_queue_messages_ready",
    "rabbitmq_queue_messages_unacked",
    "rabbitmq_alarms_memory_used_watermark",
    "rabbitmq_alarms_free_disk_space_watermark",
    "rabbitmq_global_messages_dead_lettered_delivery_limit_total",
}


def _rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


ALERTS: Final = {rule["alert"]: rule for rule in _rules() if "alert" in rule}


@pytest.fixture(scope="module")
def promtool() -> Path:
    """Give Prometheus's own tool."""
    try:
        return prometheus_programs() / "promtool"
    except ServiceUnavailable as error:
        pytest.skip(str(error))


def _run(promtool: Path, *words: str) -> str:
    done = subprocess.run(
        [promtool, *words], cwd=CASES.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_prometheus_accepts_the_rules(promtool: Path) -> None:
    """Every expression can be parsed."""
    said = _run(promtool, "check", "rules", str(RULES))

    assert f"{len(_rules())} rules found" in said


def test_what_should_fire_fires_and_nothing_else(promtool: Path) -> None:
    """Prometheus itself evaluates the rules over series that were made up."""
    said = _run(promtool, "test", "rules", CASES.name)

    assert "SUCCESS" in said


def test_every_alert_is_tried_both_ways() -> None:
    """Each has a case that fires it and one in which it stays silent."""
    checks = [
        check
        for case in yaml.safe_load(CASES.read_text("utf-8"))["tests"]
        for check in case["alert_rule_test"]
    ]

    fired = {check["alertname"] for check in checks if check["exp_alerts"]}
    silent = {check["alertname"] for check in checks if not check["exp_alerts"]}

    assert (fired, silent) == (set(ALERTS), set(ALERTS))


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_every_alert_says_what_is_wrong_and_where_to_read_on(alert: str) -> None:
    """A severity, a summary, and a page with that very heading."""
    rule = ALERTS[alert]
    page, _, anchor = rule["annotations"]["runbook"].partition("#")

    assert rule["labels"]["severity"] in {"page", "ticket"}
    assert rule["annotations"].keys() == {"summary", "description", "runbook"}
    assert anchor == alert.lower()
    assert anchor in anchors(ROOT / page)


@pytest.mark.parametrize("alert", sorted(ALERTS))
def test_the_page_of_an_alert_says_how_urgent_it_is_and_what_to_do(alert: str) -> None:
    """Its severity is the rule's; the first step is a command, a log, a person or another page."""
    section = prose(DOCS / "alerts.md").split(f"## {alert}\n")[1].split("\n## ")[0]

    assert section.strip().startswith(f"*{ALERTS[alert]['labels']['severity']}.*")
    steps = section.partition("\n1. ")[2]
    assert re.search(r"`|\]\(|Ask ", steps)


def test_the_page_has_no_other_alerts() -> None:
    """An alert that is gone leaves no heading behind."""
    assert {title for title in headings(DOCS / "alerts.md") if title != "Alerts"} == set(ALERTS)


def _expressions() -> Iterator[str]:
    """Yield what rules and panels ask."""
    yield from (rule["expr"] for rule in _rules())
    for row in tomllib.loads(PANELS.read_text("utf-8"))["rows"]:
        yield from (query for panel in row["panels"] for query, _ in panel["queries"])


def test_rules_and_panels_use_metrics_that_there_are() -> None:
    """Ours are in the catalogue; the broker's are the few that RabbitMQ 3.10 and later show."""
    used = {
        name
        for expression in _expressions()
        for name in re.findall(r"\b(?:patron|rabbitmq)_[a-z_]+\b", expression)
    }

    assert used <= OURS.keys() | _BROKERS


def test_rules_and_panels_choose_by_labels_and_values_that_there_are() -> None:
    """A label that a metric has not, or a value that it never takes, would be silence."""
    wrong = [
        f"{metric}{{{label}}}: {value}"
        for expression in _expressions()
        for metric, selector in re.findall(r"\b(patron_[a-z_]+)\{([^}]*)\}", expression)
        for label, value in re.findall(r'(\w+)[=!~]+"([^"]*)"', selector)
        if not _may_be(metric, label, value)
    ]

    assert not wrong


def _may_be(metric: str, label: str, value: str) -> bool:
    """Say whether a metric has the label, and the label each of the values, if they are listed."""
    found = {each.name: each.values for each in OURS[metric].labels}
    is_chosen = value.startswith("$") or "." in value
    return label in found and (
        is_chosen or not found[label] or set(value.split("|")) <= {*found[label]}
    )


def test_what_is_summed_up_by_a_label_has_it() -> None:
    """`sum by (x)` of something without x would be one sum of everything."""
    wrong = [
        (label, metric)
        for expression in _expressions()
        for labels, metric in re.findall(
            r"by \(([a-z_, ]+)\) \((?:rate\()?(patron_[a-z_]+)", expression
        )
        for label in labels.split(", ")
        if label not in {"le", "instance", *(each.name for each in OURS[metric].labels)}
    ]

    assert not wrong
