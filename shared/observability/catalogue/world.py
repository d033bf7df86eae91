"""Metrics of what Patron works with: shops, channels, the broker, the database."""

from typing import Final

from shared.observability.catalogue.entries import (
    ALL,
    CHANNEL,
    CONSUMERS,
    PLATFORM,
    QUEUE,
    STORE_VIEW,
    VERSION,
    Entry,
    Label,
    process,
    worker,
)

_CONFIRM: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_HTTP: Final = (0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30)
_IMPORTER: Final = ("importer",)
_PROCESSOR: Final = ("processor",)
_EXPORTER: Final = ("exporter",)
_CALLERS: Final = ("importer", "exporter")
_YES_OR_NO: Final = "1 or 0"

IMPORT: Final = (
    Entry(
        "import_records",
        "counter",
        "records",
        "Records read.",
        (CHANNEL, Label("outcome", ("changed", "unchanged", "erased"))),
        _IMPORTER,
        remark="`unchanged` go no further; `erased` are about people who are not to come back.",
    ),
    Entry(
        "import_last_success_timestamp_seconds",
        "gauge",
        "seconds",
        "When an import of the channel last ended well.",
        (CHANNEL,),
        _IMPORTER,
        remark="Of this process: another importer may have read it since.",
    ),
    Entry(
        "import_lag_seconds",
        "gauge",
        "seconds",
        "How long ago the store view was read that nobody has read for longest.",
        (CHANNEL,),
        _IMPORTER,
    ),
    Entry(
        "import_cursor_age_seconds",
        "gauge",
        "seconds",
        "How long ago a store view was last read to its end.",
        (CHANNEL, STORE_VIEW),
        remark="Or since when it is switched on. `patron cursor list` says why one lags.",
    ),
    Entry(
        "intake",
        "counter",
        "requests",
        "Webhooks and pushes taken or turned away.",
        (
            CHANNEL,
            Label("kind", ("webhook", "push")),
            Label(
                "outcome",
                (
                    "accepted", "duplicate", "told", "unauthorized", "refused", "malformed",
                    "not_found", "too_large", "too_slow", "unavailable", "failed", "other",
                ),
            ),
        ),
        _IMPORTER,
        remark="Asking for a status is a `push`, and is `told`. `unavailable` and `failed` are"
        " ours. The channel is `-` where nobody is known.",
    ),
)  # fmt: skip

CHANNELS: Final = (
    Entry(
        "exports",
        "counter",
        "writes",
        "Effects on channels.",
        (
            CHANNEL,
            Label("effect", ("customer_number", "additional_data")),
            Label(
                "outcome",
                bound="`written`, `unchanged`, `removed`, `superseded`, or a reason of the"
                " [runbook](runbook.md)",
            ),
        ),
        _EXPORTER,
        remark="`removed` and `superseded` no longer held when they were looked at once more.",
    ),
    Entry(
        "channel_paused",
        "gauge",
        _YES_OR_NO,
        "Whether a channel waits for its shop or its set-up.",
        (CHANNEL,),
        remark="`patron queues` says why and until when, the log `channel.down` and `channel.up`.",
    ),
    Entry(
        "breaker_open",
        "gauge",
        _YES_OR_NO,
        "Whether a channel is left alone until its shop answers.",
        (CHANNEL,),
        remark="A pause that ends by itself: its shop is away, or sends us away.",
    ),
    Entry(
        "credential_expiry_timestamp_seconds",
        "gauge",
        "seconds",
        "When the credentials of a channel end, as configured.",
        (CHANNEL,),
        _CALLERS,
        remark="[`credentials_end`](configuration.md#channelsname). Tokens that Patron exchanges"
        " for itself are renewed in time and do not count.",
    ),
    Entry(
        "http_client_requests",
        "counter",
        "requests",
        "Requests to platforms.",
        (PLATFORM, Label("code", ("1xx", "2xx", "3xx", "4xx", "5xx", "timeout", "failed"))),
        _CALLERS,
    ),
    Entry(
        "http_client_request_seconds",
        "histogram",
        "seconds",
        "Duration of requests to platforms.",
        (PLATFORM,),
        _CALLERS,
        _HTTP,
    ),
    Entry(
        "http_client_quota_left",
        "gauge",
        "requests or points",
        "Requests (or points) that the platform still allows, by its own last word.",
        (CHANNEL,),
        _CALLERS,
        remark="Requests on BigCommerce, by its headers; points on Shopify, with what has come back"
        " since its last answer. Magento says nothing of it.",
    ),
)

BROKER: Final = (
    Entry(
        "outbox_pending",
        "gauge",
        "messages",
        "Messages due and not yet with the broker.",
    ),
    Entry(
        "outbox_oldest_seconds",
        "gauge",
        "seconds",
        "How long the oldest message that is due has been due.",
    ),
    Entry(
        "publish",
        "counter",
        "messages",
        "Messages handed to the broker.",
        (
            Label(
                "result",
                (
                    "confirmed", "unroutable", "nacked", "confirm_timeout", "connection_lost",
                    "forbidden", "unavailable", "reply_dropped",
                ),
            ),
        ),
        CONSUMERS,
        remark="`confirmed`, or [why not](runbook.md#what-the-broker-did-not-take); `unavailable`;"
        " `reply_dropped` is an [answer](messages.md#importanswered) that its asker did not wait"
        " for.",
    ),
    Entry(
        "publish_confirm_seconds",
        "histogram",
        "seconds",
        "Time until the broker confirmed a batch.",
        workers=CONSUMERS,
        buckets=_CONFIRM,
    ),
    Entry(
        "broker_connected",
        "gauge",
        _YES_OR_NO,
        "Whether publishing is possible: connected and not blocked.",
        (process(),),
    ),
    Entry(
        "broker_blocked",
        "gauge",
        _YES_OR_NO,
        "Whether the broker takes nothing, for want of memory or disk.",
        (process(),),
    ),
    Entry(
        "consumer_active",
        "gauge",
        _YES_OR_NO,
        "Whether the broker has the consumer registered.",
        (worker(*ALL), QUEUE),
    ),
)  # fmt: skip

DATABASE: Final = (
    Entry(
        "database_errors",
        "counter",
        "errors",
        "Database errors by kind.",
        (worker(*ALL), Label("kind", ("database_unavailable", "database_contended"))),
        remark="`database_contended` is tried again at once and is no trouble.",
    ),
    Entry(
        "database_connections_in_use",
        "gauge",
        "connections",
        "Connections taken from the pool.",
        (process(),),
        remark="Ten at the most in one process.",
    ),
    Entry(
        "retention_deleted",
        "counter",
        "rows",
        "Rows kept long enough.",
        (
            Label(
                "kind",
                (
                    "archive", "history", "raw_payloads", "dead_letters", "import_requests",
                    "webhook_events", "push_requests",
                ),
            ),
        ),
        _PROCESSOR,
        remark="[How long](privacy.md#how-long) each is kept.",
    ),
    Entry("build_info", "gauge", "1", "The running version.", (VERSION,)),
)  # fmt: skip
