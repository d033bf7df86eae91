"""Log lines are one line each, complete for a machine, and silent about people and secrets."""

import io
import json
import logging
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.errors import AccessDenied
from shared.observability.logs import LogFormat, about, configure, redact
from tests.unit.messaging.test_codec import a_parcel

LOG_FORMATS: tuple[LogFormat, ...] = ("json", "console")


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    """Give a stream that logs go to as JSON, and put logging back afterwards."""
    stream = io.StringIO()
    root = logging.getLogger()
    before = root.handlers[:], root.level
    configure("json", "INFO", service="processor", stream=stream)
    yield stream
    root.handlers[:], level = before
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def the_line(stream: io.StringIO) -> dict[str, Any]:
    """Return the only line that was written."""
    [line] = stream.getvalue().splitlines()
    entry: dict[str, Any] = json.loads(line)
    return entry


def test_a_line_says_when_who_and_what(stream: io.StringIO) -> None:
    """Every line has an RFC 3339 timestamp in UTC, level, event, service and bound ids."""
    structlog.contextvars.bind_contextvars(correlation_id="c-1", message_id="m-1")

    structlog.get_logger().warning("message.retried", reason="remote_unavailable")

    line = the_line(stream)
    assert datetime.fromisoformat(line.pop("timestamp")).tzinfo == UTC
    assert line == {
        "event": "message.retried",
        "level": "warning",
        "service": "processor",
        "correlation_id": "c-1",
        "message_id": "m-1",
        "reason": "remote_unavailable",
    }


def test_the_standard_librarys_loggers_take_the_same_road(stream: io.StringIO) -> None:
    """A library's warning becomes an event with the same fields."""
    logging.getLogger("some.library").warning("lost %s", "touch")

    line = the_line(stream)
    assert (line["event"], line["level"], line["service"]) == ("lost touch", "warning", "processor")


def test_an_exception_is_told_without_its_text(stream: io.StringIO) -> None:
    """A traceback is a class and a list of places; a foreign text is not repeated."""
    try:
        int("ann@example.com")
    except ValueError:
        structlog.get_logger().exception("loop.died")

    line = the_line(stream)
    assert line["error_class"] == "ValueError"
    assert line["stack"][-1].endswith("test_an_exception_is_told_without_its_text")
    assert "ann@" not in stream.getvalue()


def test_an_exception_is_one_line_for_people_too() -> None:
    """The console shows class and places as well, and no traceback of its own."""
    stream = io.StringIO()
    configure("console", "INFO", service="s", stream=stream)
    try:
        int("ann@example.com")
    except ValueError:
        structlog.get_logger().exception("loop.died")

    [line] = stream.getvalue().splitlines()
    assert "error_class=ValueError" in line
    assert "test_an_exception_is_one_line_for_people_too" in line
    assert "ann@" not in line


def test_an_error_of_ours_is_told_with_its_text(stream: io.StringIO) -> None:
    """Our own errors say what an operator has to know."""
    structlog.get_logger().error("channel.paused", exc_info=AccessDenied("token refused"))

    assert the_line(stream)["error"] == "token refused"


@pytest.mark.parametrize(
    "field",
    ["email", "customer_email", "Phone", "first_name", "name", "billing_address", "access_token",
     "client-secret", "password", "Authorization", "payload", "body", "url"],
)  # fmt: skip
def test_private_fields_are_masked(field: str) -> None:
    """A field whose name says that it is private is masked, at any depth."""
    event = redact(None, "info", {"event": "x", field: "v", "deep": [{"er": {field: "v"}}]})

    assert event == {"event": "x", field: "***", "deep": [{"er": {field: "***"}}]}


@pytest.mark.parametrize("field", ["reason", "body_size", "channel", "message_id", "event"])
def test_facts_are_left_alone(field: str) -> None:
    """What an operator needs is not masked."""
    assert redact(None, "info", {field: "v"}) == {field: "v"}


def test_ids_that_are_mailboxes_are_masked() -> None:
    """Where a customer is known by the e-mail address."""
    event = {"external_id": "ann@example.com", "external_ids": ["4711", "bob@example.com"]}

    assert redact(None, "info", event) == {"external_id": "***", "external_ids": ["4711", "***"]}


def test_a_cycle_of_nested_values_ends() -> None:
    """A structure that is too deep, or contains itself, is cut off instead of followed."""
    deep: dict[str, Any] = {}
    deep["again"] = deep

    assert "***" in str(redact(None, "info", {"fact": deep}))


@given(text=st.text())
def test_no_text_breaks_a_line(text: str) -> None:
    """Whatever a value holds, line breaks and lone surrogates too, it stays one line (fault 27)."""
    for log_format in LOG_FORMATS:
        stream = io.StringIO()
        configure(log_format, "INFO", service="s", stream=stream)
        structlog.get_logger().info("event", fact=text, deep=[{"fact": text}])

        assert len(stream.getvalue().splitlines()) == 1
        stream.getvalue().encode()


def test_what_is_said_about_a_message_names_it(stream: io.StringIO) -> None:
    """One by its ids, a few by all of theirs, a whole batch not at all; then nothing is left."""
    one, other = a_parcel(), a_parcel()
    log = structlog.get_logger()

    for messages in ([one], [one, other], [one] * 100, []):
        with about(messages):
            log.warning("channel.slowed")
    log.warning("channel.slowed")

    single, several, *none = (json.loads(line) for line in stream.getvalue().splitlines())
    assert single["message_id"] == str(one.message_id)
    assert single["correlation_id"] == str(one.correlation_id)
    assert several["message_ids"] == [str(one.message_id), str(other.message_id)]
    assert several["correlation_ids"] == sorted({str(e.correlation_id) for e in (one, other)})
    assert not [line for line in none if {"message_id", "message_ids"} & line.keys()]
