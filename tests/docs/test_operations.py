"""The page about operations, held against the metrics and the code."""

import re
from typing import Final

from prometheus_client import CollectorRegistry

from shared.observability.metrics import create_metrics
from tests.docs.pages import DOCS, ROOT, prose, table_rows

PAGE: Final = DOCS / "operations.md"


def test_every_metric_is_described_with_its_labels() -> None:
    """What `/metrics` shows stands on the page, and nothing that it does not show."""
    registry = CollectorRegistry()
    create_metrics(registry, version="1")
    exposed = {
        f"{metric.name}_total" if metric.type == "counter" else metric.name
        for metric in registry.collect()
    }

    described = {
        row[0].strip("`"): row[1] for row in table_rows(prose(PAGE)) if "patron_" in row[0]
    }

    assert described.keys() == exposed
    assert {name: _labels(text) for name, text in described.items()} == {
        name: _labels_of(registry, name) for name in exposed
    }


def test_metrics_that_nothing_fills_are_called_so() -> None:
    """The page says of a metric that it is not filled exactly when no code refers to it."""
    sources = [path for part in ("shared", "services") for path in (ROOT / part).rglob("*.py")]
    code = "\n".join(path.read_text("utf-8") for path in sources if path.name != "metrics.py")
    described = {
        row[0].strip("`"): row[2] for row in table_rows(prose(PAGE)) if "patron_" in row[0]
    }

    idle = {name for name, text in described.items() if text.startswith("not filled yet")}

    assert idle == {
        name
        for name in described.keys() - {"patron_build_info"}
        if not re.search(rf"metrics\s*\.{_field(name)}\b", code)
    }


def test_expressions_use_metrics_that_there_are() -> None:
    """The alerts are about metrics of the table."""
    described = {row[0].strip("`") for row in table_rows(prose(PAGE)) if "patron_" in row[0]}

    assert set(re.findall(r"patron_[a-z_]+", prose(PAGE))) <= described


def _field(metric: str) -> str:
    """Return how a metric is called in code."""
    return metric.removeprefix("patron_").removesuffix("_total")


def _labels(text: str) -> list[str]:
    return [label for label in text.split(", ") if label]


def _labels_of(registry: CollectorRegistry, name: str) -> list[str]:
    collector = registry._names_to_collectors[name]
    labels: tuple[str, ...] = getattr(collector, "_labelnames", ())
    return list(labels)
