"""Metrics of the work: messages, dead letters, customers."""

from typing import Final

from shared.observability.catalogue.entries import (
    CONSUMERS,
    QUEUE,
    REASON,
    ROUTING_KEY,
    SERIES,
    Entry,
    Label,
    worker,
)

_PROCESSING: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60)
_END_TO_END: Final = (0.1, 0.25, 0.5, 1, 5, 15, 60, 300, 900, 3600, 14400, 86400)
_PROCESSOR: Final = ("processor",)
_EXPORTER: Final = ("exporter",)
_KEEPER: Final = ("keeper",)

MESSAGES: Final = (
    Entry(
        "messages",
        "counter",
        "messages",
        "Messages settled.",
        (
            worker(),
            Label("outcome", ("done", "duplicate", "retried", "paused", "deferred", "dead")),
        ),
        CONSUMERS,
        remark="`paused` waits for its channel and uses no attempt, `deferred` is in another"
        " process's hands. What is `done` twice does not exist: the second is a `duplicate`.",
    ),
    Entry(
        "message_processing_seconds",
        "histogram",
        "seconds",
        "Time a worker spent on the batch a message was in.",
        (worker(),),
        CONSUMERS,
        _PROCESSING,
        "One observation for each message that was done.",
    ),
    Entry(
        "message_end_to_end_seconds",
        "histogram",
        "seconds",
        "How old a message was when it was done.",
        (worker(),),
        CONSUMERS,
        _END_TO_END,
        "From when it was sent, with all its waits and retries. The whole way of a customer is the"
        " processor's and the exporter's together; `patron_canary_seconds` is that of a canary.",
    ),
    Entry(
        "messages_in_progress",
        "gauge",
        "messages",
        "Messages in hand.",
        (worker(),),
        CONSUMERS,
        remark="Shown, as 0, from the start: a worker without it does not run.",
    ),
    Entry(
        "message_in_progress_oldest_seconds",
        "gauge",
        "seconds",
        "How long the batch in hand has been worked on.",
        (worker(), QUEUE),
        CONSUMERS,
    ),
    Entry(
        "messages_owed",
        "gauge",
        "messages",
        "Messages not handled yet.",
        (ROUTING_KEY,),
        remark="Wherever they are: to be published, with the broker, in hand, waiting for their"
        " next attempt. `patron queues` tells these apart.",
    ),
    Entry(
        "message_owed_oldest_seconds",
        "gauge",
        "seconds",
        "How long the oldest of the messages owed has been owed.",
        (ROUTING_KEY,),
    ),
    Entry(
        "retries",
        "counter",
        "messages",
        "Messages put off to be tried again.",
        (worker(), REASON),
        CONSUMERS,
    ),
    Entry(
        "canary_last_seen_timestamp_seconds",
        "gauge",
        "seconds",
        "When a message about nobody last came through all three workers.",
        workers=_EXPORTER,
        remark="[What a canary is](messages.md#canarysent).",
    ),
    Entry(
        "canary_seconds",
        "gauge",
        "seconds",
        "How long the last message about nobody took.",
        workers=_EXPORTER,
    ),
)

LETTERS: Final = (
    Entry(
        "dead_letters",
        "counter",
        "messages",
        "Messages given up.",
        (worker(), REASON),
        remark="By whose queue they were in. The keeper counts what only the broker gave up.",
    ),
    Entry(
        "dead_letters_open",
        "gauge",
        "messages",
        "Dead letters nobody has dealt with.",
        (worker(), REASON),
    ),
    Entry(
        "dead_letter_oldest_seconds",
        "gauge",
        "seconds",
        "How long ago the oldest open dead letter failed first.",
        (worker(), REASON),
    ),
    Entry(
        "dead_letters_ingested",
        "counter",
        "messages",
        "Messages taken out of a dead queue.",
        (worker(), Label("outcome", ("known", "buried", "handled", "erased", "failed"))),
        _KEEPER,
        remark="`known` had a letter already, `buried` has one now, `handled` was handled after"
        " all, `erased` is about an erased person, `failed` could not be stored.",
    ),
    Entry(
        "dead_letters_unstored",
        "gauge",
        "messages",
        "Messages of a dead queue that the keeper cannot store.",
        (worker(),),
        _KEEPER,
    ),
    Entry(
        "replays",
        "counter",
        "messages",
        "Dead letters sent again, and what came of it.",
        (Label("result", ("sent", "done", "failed", "already_done", "skipped")),),
        _KEEPER,
        remark="Letters [replayed](runbook.md#replaying-a-dead-letter): `sent`, and of those `done`"
        " or `failed`; `already_done` was handled meanwhile; `skipped` still cannot be read, or is"
        " owed already.",
    ),
)

CUSTOMERS: Final = (
    Entry(
        "decisions",
        "counter",
        "customers",
        "What became of imported customers.",
        (
            Label(
                "decision",
                (
                    "created", "matched", "updated", "unchanged", "ignored", "held", "staged",
                    "ambiguous", "removed_in_shop", "erased", "staging.closed",
                ),
            ),
        ),
        _PROCESSOR,
        remark="`matched` is linked with a known customer; `staging.closed` is a record whose wish"
        " to be processed came too late.",
    ),
    Entry(
        "staging_open",
        "gauge",
        "customers",
        "Customers who wait, by state.",
        (Label("state", ("held", "staged", "ambiguous", "processing")),),
        remark="[Staging](staging.md); what failed is not among them.",
    ),
    Entry(
        "staging_oldest_seconds",
        "gauge",
        "seconds",
        "How long the oldest customer of a state has been waiting.",
        (Label("state", ("held", "staged", "ambiguous", "processing")),),
    ),
    Entry(
        "number_series_left",
        "gauge",
        "numbers",
        "Numbers left in a series of its width.",
        (SERIES,),
        remark="Afterwards they grow longer, which an ERP may not take.",
    ),
)  # fmt: skip
