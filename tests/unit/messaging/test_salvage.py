"""What is told of a message that cannot be read."""

from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.messaging.broker import WireMessage
from shared.messaging.codec import to_wire
from shared.messaging.salvage import salvage
from tests.integration.runtime.rig import a_parcel

ID = UUID("0193530e-6b1c-7d2f-8000-0123456789ab")
STRANGERS = WireMessage("key", b"{", None, "", None, None, None)


def test_our_own_envelope_is_kept_whole() -> None:
    """A schema from the future has everything but a body that we know."""
    sent = a_parcel("7", causation_id=ID, traceparent=f"00-{'a' * 32}-{'b' * 16}-01")

    told = salvage(replace(to_wire(sent), body=b"{"))

    assert (told.channel, told.subject, told.type) == ("shop", "7", sent.type)
    assert (told.correlation_id, told.causation_id) == (sent.correlation_id, ID)
    assert (told.occurred_at, told.schema_version) == (sent.occurred_at, 1)
    assert told.traceparent == sent.traceparent


def test_a_stranger_is_not_believed_whom_it_is_about() -> None:
    """Whatever it calls the subject: nobody has read it there."""
    told = salvage(replace(to_wire(a_parcel("7")), app_id="other"))

    assert (told.channel, told.subject) == ("shop", None)


def test_a_question_keeps_where_the_answer_goes() -> None:
    """Once it is mended, its asker is answered."""
    asked = replace(STRANGERS, reply_to="answers", correlation_id="q-1")

    told = salvage(asked)

    assert (told.reply_to, told.reply_id, told.correlation_id) == ("answers", "q-1", None)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("channel", "\x00"), ("channel", 5), ("schema_version", True), ("schema_version", 2**40),
        ("occurred_at", "yesterday"), ("occurred_at", "0001-01-01T00:00:00+14:00"),
        ("occurred_at", "2026-01-01T00:00:00"), ("causation_id", "x"), ("traceparent", "00-x"),
    ],
)  # fmt: skip
def test_what_has_not_its_form_is_left_out(name: str, value: object) -> None:
    """It is evidence, not a guess."""
    told = salvage(replace(STRANGERS, headers={name: value}))

    assert getattr(told, name) is None


@given(st.text(), st.text(), st.dictionaries(st.text(), st.text() | st.integers() | st.none()))
def test_whatever_is_said_can_be_stored(key: str, type_: str, headers: dict[str, object]) -> None:
    """No text of it holds what a database refuses or a terminal obeys."""
    told = salvage(replace(STRANGERS, routing_key=key, type=type_, headers=headers))

    assert told.routing_key.isprintable()
    assert (told.type or "x").isprintable()
    told.routing_key.encode()


def test_the_timestamp_stands_in_for_the_moment() -> None:
    """A publisher that says nothing else has at least that."""
    at = datetime(2026, 11, 1, tzinfo=UTC)

    assert salvage(replace(STRANGERS, timestamp=at)).occurred_at == at
