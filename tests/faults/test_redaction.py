"""However a person or a secret gets into a failure, no line of the log and no dead letter tells it.

Properties over values of every kind, planted at every place of an exception and of a log event.
"""

import io
import json
import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

import httpx2
import psycopg
import pytest
import sqlalchemy as sa
import structlog
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.connectors.http import Answer
from shared.connectors.magento.errors import Explanation
from shared.domain.customer import Customer
from shared.domain.errors import PatronError
from shared.messaging.broker import WireMessage
from shared.messaging.codec import decode
from shared.observability.evidence import evidence
from shared.observability.logs import LogFormat, configure
from shared.persistence.failures import translate
from tests.faults.people import PLANTED

FORMATS: Final[tuple[LogFormat, ...]] = ("json", "console")
# Nothing that Patron says by itself begins like this, so a find is a leak.
MARK: Final = "qz7"
_LETTERS: Final = st.text(st.characters(categories=["L", "Nd"]), min_size=1, max_size=12)

names = st.builds(lambda first, last: f"{MARK}{first} {last}", _LETTERS, _LETTERS)
emails = st.builds(lambda box: f"{MARK}{box}@geheim.example", _LETTERS)
phones = st.integers(10**9, 10**12).map(lambda number: f"+49 {MARK} {number}")
tokens = st.text("abcdef0123456789", min_size=20, max_size=40).map(lambda t: f"Bearer {MARK}{t}")
hostile = st.text(max_size=10).map(lambda t: f"{MARK}\r\n\x1b[31m\u2028{t}\x00")
personal = st.one_of(
    names, emails, phones, tokens, hostile, st.sampled_from(list(PLANTED.values()))
)

Carry = Callable[[str], BaseException]


def _refused_by_the_model(value: str) -> BaseException:
    try:
        Customer.model_validate({"source": value, "email": [value], value: value})
    except ValidationError as error:
        return error
    raise AssertionError("unreachable")


def _refused_by_the_database(value: str) -> BaseException:
    driver_error = psycopg.errors.UniqueViolation(f"Key (email)=({value}) already exists.")
    return sa.exc.IntegrityError("INSERT INTO x VALUES (:v)", {"v": value}, driver_error)


def _refused_by_the_codec(value: str) -> BaseException:
    body = json.dumps({"customer": {value: value}, value: [value]}).encode()
    message = WireMessage(
        value, body, None, "customer.imported", value, None, "application/json", None, {value: 1}
    )
    try:
        decode(message)
    except PatronError as error:
        return error
    raise AssertionError("unreachable")


def _caused(value: str) -> BaseException:
    error = RuntimeError(f"while at {value}")
    error.__cause__ = ValueError(value)
    error.__context__ = KeyError(value)
    error.add_note(value)
    return error


CARRIERS: Final[dict[str, Carry]] = {
    "text": ValueError,
    "key": KeyError,
    "argument": lambda value: OSError(2, value, value),
    "cause and note": _caused,
    "group": lambda value: ExceptionGroup(value, [ValueError(value), KeyError(value)]),
    "model": _refused_by_the_model,
    "database": _refused_by_the_database,
    "database, translated": lambda value: translate(
        sa.exc.DBAPIError("x", {"v": value}, psycopg.errors.UniqueViolation(f"({value})"))
    ),
    "codec": _refused_by_the_codec,
    "HTTP": httpx2.ReadError,
}
PRIVATE: Final = (
    "email", "first_name", "last_name", "name", "phone", "street", "postcode", "city", "tax_id",
    "birth_date", "password", "access_token", "client_secret", "authorization", "cookie", "body",
    "payload", "headers", "url", "dsn",
)  # fmt: skip


@contextmanager
def logging_to(stream: io.StringIO, log_format: LogFormat) -> Iterator[None]:
    """Send all logs to a stream, at the most talkative level, and put logging back."""
    root = logging.getLogger()
    before = root.handlers[:], root.level
    configure(log_format, "DEBUG", service="processor", stream=stream)
    try:
        yield
    finally:
        root.handlers[:], level = before
        root.setLevel(level)
        structlog.reset_defaults()


@pytest.mark.parametrize("carrier", CARRIERS)
@settings(max_examples=50, deadline=None)
@given(value=personal)
def test_no_failure_tells_what_it_stumbled_over(carrier: str, value: str) -> None:
    """Raised, logged by us or by a library, and on the dead letter: class and place, one line."""
    error = CARRIERS[carrier](value)
    try:
        _raise(error)
    except BaseException as raised:
        told = [*evidence(raised)]
        for log_format in FORMATS:
            stream = io.StringIO()
            with logging_to(stream, log_format):
                structlog.get_logger().exception("handling.failed")
                structlog.get_logger().error("handling.failed", exc_info=raised)
                logging.getLogger("some.library").exception("failed")
            assert len(stream.getvalue().splitlines()) == 3
            told.append(stream.getvalue())

    assert [text for text in told if text and _tells(text, value)] == []


@settings(max_examples=50, deadline=None)
@given(data=st.data(), value=personal, key=st.sampled_from(PRIVATE))
def test_no_field_that_is_private_is_logged(data: st.DataObject, value: str, key: str) -> None:
    """At any depth, in mappings and lists, whatever the case of its name: masked, one line."""
    named = data.draw(st.sampled_from([key, key.upper(), key.replace("_", "-"), f"old_{key}"]))
    fact: Any = {named if key not in _EXACTLY else key: value}
    for wrap in data.draw(st.lists(st.sampled_from([_in_list, _in_mapping]), max_size=8)):
        fact = wrap(fact)

    for log_format in FORMATS:
        stream = io.StringIO()
        with logging_to(stream, log_format):
            structlog.get_logger().info("something", fact=fact)
        assert len(stream.getvalue().splitlines()) == 1
        assert not _tells(stream.getvalue(), value)


@settings(max_examples=100, deadline=None)
@given(value=personal)
def test_no_answer_of_a_shop_is_repeated(value: str) -> None:
    """In parameters, in filled-in words, in keys and in traces of its errors."""
    body = {
        "message": f"The customer {value} at %1 has an invalid %fieldName: %value",
        "parameters": {"1": value, "fieldName": value, "value": value, value: value},
        "errors": [{"message": value, "parameters": [value]}],
        "trace": value,
    }
    answer = Answer(400, httpx2.Headers(), json.dumps(body).encode())

    assert not _tells(Explanation()(answer), value)


_EXACTLY: Final = {"name", "headers", "dsn", "url"}


def _raise(error: BaseException) -> None:
    raise error


def _in_list(fact: Any) -> Any:
    return [fact]


def _in_mapping(fact: Any) -> Any:
    return {"deeper": fact}


def _tells(text: str, value: str) -> bool:
    """Whether what was planted stands in a text, as it is or by its mark."""
    return value in text or (MARK in value and MARK in text)
