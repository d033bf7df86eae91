"""The alert rules: what fires, what must not, and a page for whoever is woken."""

import re
import subprocess
from pathlib import Path
from typing import Any, Final

import pytest
import yaml
from prometheus_client import CollectorRegistry

from shared.observability.metrics import create_metrics
from tests.docs.pages import DOCS, ROOT, anchors, headings
from tests.services.debian import prometheus_programs
from tests.services.errors import ServiceUnavailable

RULES: Final = ROOT / "deploy" / "prometheus" / "patron.rules.yml"
CASES: Final = ROOT / "deploy" / "prometheus" / "tests" / "patron.test.yml"
_BROKERS: Final = {
    "rabbitmq_queue_consumers",
    "rabbitmq_queue_messages",
    "rabbitmq_queue_messages_ready",
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


def test_the_page_has_no_other_alerts() -> None:
    """An alert that is gone leaves no heading behind."""
    assert {title for title in headings(DOCS / "alerts.md") if title != "Alerts"} == set(ALERTS)


def test_rules_use_metrics_that_there_are() -> None:
    """Ours are in the catalogue; the broker's are the few that RabbitMQ 3.10 and later show."""
    registry = CollectorRegistry()
    create_metrics(registry, version="1")
    ours = {
        f"{family.name}{suffix}"
        for family in registry.collect()
        for suffix in {"counter": ["_total"], "histogram": ["_bucket"]}.get(family.type, [""])
    }
    used = {
        name
        for rule in _rules()
        for name in re.findall(r"\b(?:patron|rabbitmq)_[a-z_]+\b", rule["expr"])
    }

    assert used <= ours | _BROKERS
