"""The metrics of a process: everything it counts, in one frozen object, as the catalogue has it.

A process builds one `Metrics` and passes it on.
"""

import collections
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from shared.observability.catalogue import ENTRIES
from shared.observability.catalogue.entries import Entry


@dataclass(frozen=True, slots=True)
class Metrics:
    """Every metric of a process; named here as in Prometheus, without the prefix `patron_`."""

    messages: Counter
    message_processing_seconds: Histogram
    message_end_to_end_seconds: Histogram
    messages_in_progress: Gauge
    message_in_progress_oldest_seconds: Gauge
    messages_owed: Gauge
    message_owed_oldest_seconds: Gauge
    retries: Counter
    dead_letters: Counter
    dead_letters_open: Gauge
    replays: Counter
    dead_letter_oldest_seconds: Gauge
    dead_letters_ingested: Counter
    dead_letters_unstored: Gauge
    staging_open: Gauge
    staging_oldest_seconds: Gauge
    outbox_pending: Gauge
    outbox_oldest_seconds: Gauge
    publish: Counter
    publish_confirm_seconds: Histogram
    broker_connected: Gauge
    broker_blocked: Gauge
    consumer_active: Gauge
    channel_paused: Gauge
    breaker_open: Gauge
    database_errors: Counter
    database_connections_in_use: Gauge
    http_client_requests: Counter
    http_client_request_seconds: Histogram
    http_client_quota_left: Gauge
    credential_expiry_timestamp_seconds: Gauge
    number_series_left: Gauge
    import_last_success_timestamp_seconds: Gauge
    import_lag_seconds: Gauge
    import_cursor_age_seconds: Gauge
    import_records: Counter
    intake: Counter
    decisions: Counter
    exports: Counter
    retention_deleted: Counter
    canary_last_seen_timestamp_seconds: Gauge
    canary_seconds: Gauge
    build_info: Gauge


def create_metrics(registry: CollectorRegistry, *, version: str) -> Metrics:
    """Register the whole catalogue with `registry`."""
    metrics = Metrics(**{entry.name: _made_of(entry, registry) for entry in ENTRIES})
    metrics.build_info.labels(version).set(1)
    return metrics


def observe_all(histogram: Histogram, amounts: Sequence[float]) -> None:
    """Observe many amounts in one go.

    The client only takes one at a time, looks through the bounds for it and takes two locks. Its
    private names that are used here are those of version 0.26: `_upper_bounds`, `_sum`, `_buckets`.
    """
    bounds = histogram._upper_bounds  # noqa: SLF001
    histogram._sum.inc(sum(amounts))  # noqa: SLF001
    for place, many in collections.Counter(
        [bisect_left(bounds, amount) for amount in amounts]
    ).items():
        histogram._buckets[place].inc(many)  # noqa: SLF001


def _made_of(entry: Entry, registry: CollectorRegistry) -> Any:
    labels = [label.name for label in entry.labels]
    match entry.kind:
        case "counter":
            return Counter(entry.full_name, entry.text, labels, registry=registry)
        case "gauge":
            return Gauge(entry.full_name, entry.text, labels, registry=registry)
        case "histogram":
            buckets = entry.buckets
            return Histogram(
                entry.full_name, entry.text, labels, buckets=buckets, registry=registry
            )
