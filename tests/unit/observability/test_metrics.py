"""The catalogue of metrics."""

import re
from dataclasses import fields

from prometheus_client import CollectorRegistry, generate_latest

from shared.observability.metrics import Metrics, create_metrics

ALLOWED_LABELS = {
    "worker", "outcome", "reason", "result", "queue", "channel", "kind", "platform", "code",
    "state", "decision", "effect", "version",
    "routing_key", "store_view", "series",
}  # fmt: skip


def test_every_metric_is_registered_under_our_prefix() -> None:
    """Each field of `Metrics` is exposed, prefixed, and described."""
    registry = CollectorRegistry()

    create_metrics(registry, version="1.2.3")

    exposed = generate_latest(registry).decode()
    names = {family.name.removeprefix("patron_") for family in registry.collect()}
    assert names == {field.name for field in fields(Metrics)}
    assert 'patron_build_info{version="1.2.3"} 1.0' in exposed


def test_labels_are_bounded() -> None:
    """No metric is labelled by anything that grows with the data."""
    metrics = create_metrics(CollectorRegistry(), version="1")

    labels = {
        name for field in fields(Metrics) for name in getattr(metrics, field.name)._labelnames
    }

    assert labels <= ALLOWED_LABELS


def test_two_processes_worth_of_metrics_do_not_collide() -> None:
    """Nothing is registered globally: a second registry is independent."""
    first, second = CollectorRegistry(), CollectorRegistry()

    create_metrics(first, version="1").decisions.labels("create").inc()
    create_metrics(second, version="1")

    assert re.search(rb'decisions_total{decision="create"} 1.0', generate_latest(first))
    assert b"create" not in generate_latest(second).replace(b"_created", b"")
