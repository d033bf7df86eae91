"""The catalogue of metrics: everything a process counts, in one frozen object.

Labels are bounded: a worker, an outcome, a reason code, a platform or a channel of the
configuration; never an id, an address or a URL. A process builds one `Metrics` and passes it on.
"""

from dataclasses import dataclass

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

_PROCESSING = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_END_TO_END = (0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400)
_CONFIRM = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_HTTP = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)


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

    def counter(name: str, text: str, *labels: str) -> Counter:
        return Counter(f"patron_{name}_total", text, labels, registry=registry)

    def gauge(name: str, text: str, *labels: str) -> Gauge:
        return Gauge(f"patron_{name}", text, labels, registry=registry)

    def histogram(name: str, text: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
        return Histogram(f"patron_{name}", text, labels, buckets=buckets, registry=registry)

    metrics = Metrics(
        messages=counter("messages", "Messages settled.", "worker", "outcome"),
        message_processing_seconds=histogram(
            "message_processing_seconds",
            "Time a worker spent on the batch a message was in.",
            _PROCESSING,
            "worker",
        ),
        message_end_to_end_seconds=histogram(
            "message_end_to_end_seconds",
            "Time from a message's origin until it was done.",
            _END_TO_END,
            "worker",
        ),
        messages_in_progress=gauge("messages_in_progress", "Messages in hand.", "worker"),
        message_in_progress_oldest_seconds=gauge(
            "message_in_progress_oldest_seconds",
            "How long the batch in hand has been worked on.",
            "worker",
        ),
        messages_owed=gauge("messages_owed", "Messages not handled yet.", "routing_key"),
        message_owed_oldest_seconds=gauge(
            "message_owed_oldest_seconds",
            "How long the oldest of them has been owed.",
            "routing_key",
        ),
        retries=counter("retries", "Messages put off to be tried again.", "worker", "reason"),
        dead_letters=counter("dead_letters", "Messages given up.", "worker", "reason"),
        replays=counter("replays", "Dead letters sent again, and what came of it.", "result"),
        dead_letters_open=gauge(
            "dead_letters_open", "Dead letters nobody has dealt with.", "worker", "reason"
        ),
        dead_letter_oldest_seconds=gauge(
            "dead_letter_oldest_seconds",
            "Age of the oldest open dead letter.",
            "worker",
            "reason",
        ),
        dead_letters_ingested=counter(
            "dead_letters_ingested", "Messages taken out of a dead queue.", "worker", "outcome"
        ),
        dead_letters_unstored=gauge(
            "dead_letters_unstored", "Messages of a dead queue that cannot be stored.", "worker"
        ),
        staging_open=gauge("staging_open", "Customers who wait, by state.", "state"),
        staging_oldest_seconds=gauge(
            "staging_oldest_seconds", "How long the oldest of them has been waiting.", "state"
        ),
        outbox_pending=gauge("outbox_pending", "Messages due and not yet with the broker."),
        outbox_oldest_seconds=gauge(
            "outbox_oldest_seconds", "How long the oldest of them has been due."
        ),
        publish=counter("publish", "Messages handed to the broker.", "result"),
        publish_confirm_seconds=histogram(
            "publish_confirm_seconds", "Time until the broker confirmed a batch.", _CONFIRM
        ),
        broker_connected=gauge(
            "broker_connected",
            "Whether publishing is possible: connected and not blocked.",
            "worker",
        ),
        broker_blocked=gauge(
            "broker_blocked",
            "Whether the broker takes nothing, for want of memory or disk.",
            "worker",
        ),
        consumer_active=gauge(
            "consumer_active", "Whether the broker has the consumer registered.", "worker", "queue"
        ),
        channel_paused=gauge(
            "channel_paused", "Whether a channel waits for its shop or its set-up.", "channel"
        ),
        breaker_open=gauge(
            "breaker_open", "Whether a channel is left alone until its shop answers.", "channel"
        ),
        database_errors=counter("database_errors", "Database errors by kind.", "worker", "kind"),
        database_connections_in_use=gauge(
            "database_connections_in_use", "Connections taken from the pool.", "worker"
        ),
        http_client_requests=counter(
            "http_client_requests", "Requests to platforms.", "platform", "code"
        ),
        http_client_request_seconds=histogram(
            "http_client_request_seconds", "Duration of requests to platforms.", _HTTP, "platform"
        ),
        http_client_quota_left=gauge(
            "http_client_quota_left",
            "Requests (or points) that the platform still allows, by its own last word.",
            "channel",
        ),
        credential_expiry_timestamp_seconds=gauge(
            "credential_expiry_timestamp_seconds",
            "When the credentials of a channel end, as configured.",
            "channel",
        ),
        number_series_left=gauge(
            "number_series_left", "Numbers left in a series of its width.", "series"
        ),
        import_last_success_timestamp_seconds=gauge(
            "import_last_success_timestamp_seconds",
            "When an import of the channel last ended well.",
            "channel",
        ),
        import_lag_seconds=gauge(
            "import_lag_seconds",
            "How long ago the store view was read that nobody has read for longest.",
            "channel",
        ),
        import_cursor_age_seconds=gauge(
            "import_cursor_age_seconds",
            "How long ago a store view was last read to its end.",
            "channel",
            "store_view",
        ),
        import_records=counter("import_records", "Records read.", "channel", "outcome"),
        intake=counter(
            "intake", "Webhooks and pushes taken or turned away.", "channel", "kind", "outcome"
        ),
        decisions=counter("decisions", "What became of imported customers.", "decision"),
        exports=counter("exports", "Effects on channels.", "channel", "effect", "outcome"),
        retention_deleted=counter("retention_deleted", "Rows kept long enough.", "kind"),
        canary_last_seen_timestamp_seconds=gauge(
            "canary_last_seen_timestamp_seconds",
            "When a message about nobody last came through all three workers.",
        ),
        canary_seconds=gauge("canary_seconds", "How long it took."),
        build_info=gauge("build_info", "The running version.", "version"),
    )
    metrics.build_info.labels(version).set(1)
    return metrics
