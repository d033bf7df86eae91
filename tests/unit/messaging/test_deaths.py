"""The broker's note on a dead letter: read when it is one, ignored when it is not."""

from datetime import UTC, datetime

import pytest

from shared.messaging.broker import WireMessage
from shared.messaging.deaths import Death, as_it_was_sent, last_death

NOW = datetime(2026, 11, 22, tzinfo=UTC)
NOTE: dict[str, object] = {
    "queue": "patron.exporter.shop",
    "reason": "delivery_limit",
    "count": 2,
    "exchange": "patron.customers",
    "routing-keys": ["customer.export.shop"],
    "time": NOW,
}


def dead(**headers: object) -> WireMessage:
    """Return a message as it lies in the exporter's dead queue."""
    return WireMessage("exporter", b"{}", None, "customer.export", None, None, None, None, headers)


def test_the_newest_death_is_told() -> None:
    """Queue, reason, how often, and the key it was published with."""
    older = {**NOTE, "reason": "rejected"}

    death = last_death(dead(**{"x-death": [NOTE, older]}))

    assert death == Death("patron.exporter.shop", "delivery_limit", 2, "customer.export.shop", NOW)


@pytest.mark.parametrize(
    "note",
    [None, [], "x", [7], [{}], [{"queue": 1, "reason": "x"}], [{"queue": "q", "reason": b"x"}]],
    ids=repr,
)
def test_a_note_of_an_unknown_form_is_no_note(note: object) -> None:
    """Strangers may write into this header too."""
    message = dead(**{"x-death": note})

    assert last_death(message) is None
    assert as_it_was_sent(message).routing_key == "exporter"


def test_parts_of_a_note_may_be_missing() -> None:
    """Queue and reason make a death."""
    death = last_death(dead(**{"x-death": [{"queue": "q", "reason": "rejected"}]}))

    assert death == Death("q", "rejected", 1, None, None)


def test_a_dead_letter_is_restored_as_it_was_sent() -> None:
    """Its key again, its own headers, and none of the broker's."""
    headers = {
        "subject": "17",
        "x-death": [NOTE],
        "x-first-death-queue": "q",
        "x-delivery-count": 3,
    }

    restored = as_it_was_sent(dead(**headers))

    assert restored.routing_key == "customer.export.shop"
    assert restored.headers == {"subject": "17"}
    assert restored.body == b"{}"
