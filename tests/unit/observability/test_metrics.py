"""The catalogue of metrics."""

import re
from dataclasses import fields
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client import CollectorRegistry, generate_latest

from shared.observability.catalogue import ENTRIES
from shared.observability.catalogue.entries import ALL, Entry
from shared.observability.metrics import Metrics, create_metrics, observe_all

ALLOWED_LABELS: Final = {
    "worker", "outcome", "reason", "result", "queue", "channel", "kind", "platform", "code",
    "state", "decision", "effect", "version",
    "routing_key", "store_view", "series",
}  # fmt: skip
MOST_VALUES: Final = 12
"""A label whose values are listed has few; more of them is a label that grows."""

OTHER_UNITS: Final = re.compile(
    r"_(ms|millis\w*|micros\w*|minutes?|hours?|days?|kb|mb|kilobytes|megabytes|percent)(_|$)"
)


def test_every_metric_is_registered_under_our_prefix() -> None:
    """Each field of `Metrics` is exposed, prefixed, and described."""
    registry = CollectorRegistry()

    create_metrics(registry, version="1.2.3")

    exposed = generate_latest(registry).decode()
    families = {family.name.removeprefix("patron_"): family for family in registry.collect()}
    assert families.keys() == {field.name for field in fields(Metrics)}
    assert all(family.documentation.endswith(".") for family in families.values())
    assert 'patron_build_info{version="1.2.3"} 1.0' in exposed


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_a_metric_follows_the_conventions(entry: Entry) -> None:
    """Base units in the name, help that is a sentence, somebody who fills it."""
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", entry.name)
    assert not OTHER_UNITS.search(entry.name)
    assert entry.name.endswith("_seconds") == (entry.unit == "seconds")
    assert (entry.kind == "histogram") == bool(entry.buckets)
    assert list(entry.buckets) == sorted(entry.buckets)
    assert re.fullmatch(r"[A-Z].*\.", entry.text)
    assert not entry.remark or entry.remark.endswith(".")
    assert set(entry.workers) <= set(ALL)
    assert entry.workers


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_labels_are_bounded(entry: Entry) -> None:
    """No metric is labelled by anything that grows with the data."""
    names = [label.name for label in entry.labels]

    assert set(names) <= ALLOWED_LABELS
    assert len(names) == len(set(names))
    assert all(bool(label.values) != bool(label.bound) for label in entry.labels)
    assert all(len(set(label.values)) <= MOST_VALUES for label in entry.labels)


def test_two_processes_worth_of_metrics_do_not_collide() -> None:
    """Nothing is registered globally: a second registry is independent."""
    first, second = CollectorRegistry(), CollectorRegistry()

    create_metrics(first, version="1").decisions.labels("create").inc()
    create_metrics(second, version="1")

    assert re.search(rb'decisions_total{decision="create"} 1.0', generate_latest(first))
    assert b"create" not in generate_latest(second).replace(b"_created", b"")


@given(st.lists(st.floats(0, 1e6) | st.sampled_from([0.005, 0.01, 1.0, 60.0])))
def test_amounts_observed_together_are_those_observed_one_by_one(amounts: list[float]) -> None:
    """On the bounds, between and beyond them; nothing at all, too."""
    together, one_by_one = CollectorRegistry(), CollectorRegistry()

    observe_all(create_metrics(together, version="1").publish_confirm_seconds, amounts)
    histogram = create_metrics(one_by_one, version="1").publish_confirm_seconds
    for amount in amounts:
        histogram.observe(amount)

    assert observed(together) == pytest.approx(observed(one_by_one))


def observed(registry: CollectorRegistry) -> dict[tuple[str, str], float]:
    """Return what a registry shows of how long publishing takes."""
    return {
        (sample.name, sample.labels.get("le", "")): sample.value
        for metric in registry.collect()
        for sample in metric.samples
        if sample.name.startswith("patron_publish_confirm_seconds")
        and not sample.name.endswith("_created")
    }
