"""The codec: parcels survive the wire, and no bytes whatever hurt the reader."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.customer import Customer, CustomerKind, Model, Source, Version
from shared.domain.errors import (
    Oversized,
    PermanentError,
    SchemaTooNew,
    Undecodable,
    UnknownType,
    WrongSchema,
)
from shared.domain.messages import (
    CustomerDeleted,
    CustomerExport,
    CustomerImported,
    CustomerUnreadable,
    Envelope,
    ImportAnswered,
    ImportRequested,
    Parcel,
    parcel,
)
from shared.messaging.broker import WireMessage
from shared.messaging.codec import MAX_BODY_BYTES, decode, to_wire

NOW = datetime(2026, 11, 22, 10, 30, 15, 123456, tzinfo=UTC)
VERSION = Version(changed_at=NOW, read_at=NOW, fingerprint="f")
SOURCE = Source(channel="shop", store_view="de", external_id="17", version=VERSION)
CUSTOMER = Customer(source=SOURCE, kind=CustomerKind.INDIVIDUAL)

BODIES: list[Model] = [
    CustomerImported(customer=CUSTOMER, origin="sweep"),
    CustomerUnreadable(source=SOURCE, problems=()),
    CustomerDeleted(source=SOURCE),
    CustomerExport(
        effect="customer_number",
        channel="shop",
        external_id="17",
        store_view="de",
        customer_id=uuid4(),
        customer_number="C-1",
        version=VERSION,
    ),
    ImportRequested(channel="shop", store_view="de", sweep=True),
    ImportAnswered(channel="shop", external_id="17", answer="customer", customer_number="C-1"),
]


def a_parcel(body: Model | None = None, *, cause: Envelope[Model] | None = None) -> Parcel:
    """Return a parcel about customer 17 of the shop."""
    return parcel(
        body or ImportRequested(channel="shop"),
        channel="shop",
        subject="17",
        at=NOW,
        cause=cause,
    )


def foreign(body: bytes, type_: str = "import.requested", **fields: Any) -> WireMessage:
    """Return the least that a stranger may send."""
    return replace(
        WireMessage(
            routing_key=type_,
            body=body,
            message_id=None,
            type=type_,
            correlation_id=None,
            timestamp=None,
            content_type=None,
        ),
        **fields,
    )


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_every_body_survives_the_wire(body: Model) -> None:
    """What is sent is what is received, bytes included."""
    sent = a_parcel(body)

    received = decode(to_wire(sent))

    assert received.body == body
    assert type(received.body) is type(body)
    assert received == Envelope(
        message_id=sent.message_id,
        type=sent.type,
        schema_version=sent.schema_version,
        correlation_id=sent.correlation_id,
        occurred_at=NOW,
        channel="shop",
        subject="17",
        body=body,
        raw=sent.body,
    )


def test_causes_are_carried_on() -> None:
    """Correlation, causation and trace context reach the next receiver."""
    trace = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    first = decode(to_wire(replace(a_parcel(), traceparent=trace)))

    second = decode(to_wire(a_parcel(BODIES[2], cause=first)))

    assert second.causation_id == first.message_id
    assert second.correlation_id == first.correlation_id
    assert second.traceparent == trace


def test_the_wire_names_everything_in_standard_places() -> None:
    """Any tool shows type, id, time and encoding; no header repeats a property."""
    sent = a_parcel(BODIES[3])

    wire = to_wire(sent)

    assert wire.routing_key == "customer.export.shop"
    assert wire.type == "customer.export"
    assert wire.message_id == sent.message_id
    assert wire.correlation_id == str(sent.correlation_id)
    assert wire.timestamp == NOW
    assert wire.content_type == "application/json"
    assert wire.content_encoding == "utf-8"
    assert set(wire.headers) == {"schema_version", "channel", "subject", "occurred_at"}


def test_absent_fields_stay_absent() -> None:
    """A field the source did not speak of is not one that it emptied."""
    body = CustomerImported(customer=CUSTOMER)

    received = decode(to_wire(a_parcel(body))).body

    assert isinstance(received, CustomerImported)
    assert not received.customer.said("email")


# Strangers


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_a_stranger_needs_a_type_and_a_body(body: Model) -> None:
    """Channel and subject are taken from the body, identity from its bytes."""
    ours = to_wire(a_parcel(body))

    received = decode(foreign(ours.body, ours.type))

    expected = "shop" if isinstance(body, ImportRequested) else "17"
    assert received.body == body
    assert received.channel == "shop"
    assert received.subject == expected
    assert received.is_foreign
    assert received.schema_version == 1
    assert received.correlation_id == received.message_id


def test_a_strangers_identity_is_its_content() -> None:
    """The same bytes twice are the same message; others are another."""
    one = decode(foreign(b'{"channel": "shop"}'))
    again = decode(foreign(b'{"channel": "shop"}'))
    other = decode(foreign(b'{"channel": "store"}'))

    assert one.message_id == again.message_id
    assert one.message_id != other.message_id


def test_the_routing_key_implies_the_type() -> None:
    """For who cannot set properties; an export's key names its channel too."""
    export = to_wire(a_parcel(BODIES[3]))

    received = decode(foreign(export.body, "", routing_key="customer.export.shop"))

    assert received.type == "customer.export"


def test_a_strangers_correlation_is_kept_together() -> None:
    """A correlation id that is no UUID is mapped to one, always the same."""
    one = decode(foreign(b'{"channel": "a"}', correlation_id="order 17"))
    other = decode(foreign(b'{"channel": "b"}', correlation_id="order 17"))
    uuid = uuid4()

    assert one.correlation_id == other.correlation_id
    assert decode(foreign(b'{"channel": "a"}', correlation_id=str(uuid))).correlation_id == uuid


def test_a_question_brings_where_its_answer_goes() -> None:
    """MYOB-4: the queue, and the asker's own words for his question."""
    question = foreign(
        b'{"channel":"shop","external_id":"17"}', reply_to="answers", correlation_id="order 4711"
    )

    received = decode(question)

    assert (received.reply_to, received.reply_id) == ("answers", "order 4711")


def test_a_question_that_is_put_off_keeps_where_its_answer_goes() -> None:
    """MYOB-4: sent again as one of ours, it is the same question of the same asker."""
    first = decode(
        foreign(b'{"channel":"shop"}', reply_to="answers", correlation_id="order 4711 / Ä")
    )
    sent = replace(
        a_parcel(first.body, cause=first),
        message_id=first.message_id,
        reply_to=first.reply_to,
        reply_id=first.reply_id,
    )

    again = decode(to_wire(sent))

    assert (again.message_id, again.correlation_id) == (first.message_id, first.correlation_id)
    assert (again.reply_to, again.reply_id) == ("answers", "order 4711 / Ä")


def test_an_answer_goes_to_the_asker_in_his_words() -> None:
    """MYOB-4: straight to his queue, under his own correlation id, caused by his question."""
    question = decode(foreign(b'{"channel":"shop"}', reply_to="answers", correlation_id="nr. 1"))
    answer = parcel(
        ImportAnswered(channel="shop", external_id="17", answer="refused", reason="unknown"),
        channel="shop",
        subject="17",
        at=NOW,
        cause=question,
        reply_to=question.reply_to,
        reply_id=question.reply_id,
    )

    wire = to_wire(answer)

    assert (wire.routing_key, wire.is_direct, wire.reply_to) == ("answers", True, None)
    assert wire.correlation_id == "nr. 1"
    assert wire.headers["causation_id"] == str(question.message_id)
    assert decode(wire).body.answer == "refused"  # type: ignore[attr-defined]


def test_an_answer_without_a_correlation_has_the_questions_id() -> None:
    """MYOB-4: whoever named no correlation knows what he asked by the message's id."""
    question = decode(foreign(b'{"channel":"shop"}', reply_to="answers", message_id=uuid4()))

    wire = to_wire(
        parcel(
            ImportAnswered(channel="shop", external_id="17", answer="waiting"),
            channel="shop",
            subject="17",
            at=NOW,
            cause=question,
            reply_to=question.reply_to,
            reply_id=question.reply_id,
        )
    )

    assert wire.correlation_id == str(question.message_id)


def test_two_nameless_questions_are_two() -> None:
    """MYOB-4: the same body under another correlation is asked again; without one it is not."""
    body = b'{"channel":"shop","external_id":"17"}'

    first = decode(foreign(body, reply_to="answers", correlation_id="1"))
    same = decode(foreign(body, reply_to="answers", correlation_id="1"))
    second = decode(foreign(body, reply_to="answers", correlation_id="2"))

    assert first.message_id == same.message_id
    assert first.message_id != second.message_id


@pytest.mark.parametrize("queue", ["", "patron.processor", "patron.dead", "a\x00b", "q" * 256])
def test_nobody_is_answered_where_nobody_can_be(queue: str) -> None:
    """MYOB-4: not in a queue of ours, and not where no queue can be."""
    received = decode(foreign(b'{"channel":"shop"}', reply_to=queue, correlation_id="1"))

    assert (received.reply_to, received.reply_id) == (None, None)


@pytest.mark.parametrize("text", ["a\x00b", "x" * 256])
def test_a_correlation_that_cannot_be_kept_is_left_out(text: str) -> None:
    """MYOB-4: the answer comes under our correlation then."""
    received = decode(foreign(b'{"channel":"shop"}', reply_to="answers", correlation_id=text))

    assert (received.reply_to, received.reply_id) == ("answers", None)


def test_a_strangers_time_is_its_timestamp_or_now() -> None:
    """The header first, then the property, then when we learned of it."""
    body = b'{"channel": "shop"}'

    assert decode(foreign(body, timestamp=NOW)).occurred_at == NOW
    assert decode(foreign(body, headers={"occurred_at": NOW.isoformat()})).occurred_at == NOW
    assert datetime.now(UTC) - decode(foreign(body)).occurred_at < timedelta(minutes=1)


@pytest.mark.parametrize(
    "content_type", [None, "", "application/json", "Application/JSON; charset=UTF-8"]
)
def test_json_may_be_named_or_not(content_type: str | None) -> None:
    """Absent means JSON."""
    received = decode(foreign(b'{"channel": "shop"}', content_type=content_type))

    assert received.body == ImportRequested(channel="shop")


# Refusals


@pytest.mark.parametrize(
    "content_type",
    [
        "application/x-python-serialize",
        "application/data",
        "text/plain",
        "application/json; charset=latin-1",
        "application/jsonx",
    ],
)
def test_other_content_types_are_refused(content_type: str) -> None:
    """Whatever the bytes look like."""
    with pytest.raises(Undecodable, match="content type"):
        decode(foreign(b'{"channel": "shop"}', content_type=content_type))


@pytest.mark.parametrize(
    "fields",
    [
        {"headers": {"compression": "application/x-gzip"}},
        {"headers": {"compression": None}},
        {"content_encoding": "gzip"},
        {"content_encoding": "binary"},
        {"content_encoding": "latin-1"},
    ],
    ids=repr,
)
def test_compressed_and_otherwise_encoded_messages_are_refused(fields: dict[str, Any]) -> None:
    """Nothing is ever inflated (fault 24)."""
    with pytest.raises(Undecodable):
        decode(foreign(b'{"channel": "shop"}', **fields))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b" ",
        b"{",
        b'{"channel": "shop"} x',
        b'{"channel": "shop"}{"channel": "shop"}',
        b"[" * 500_000,
        b'{"a":' * 100_000 + b"1" + b"}" * 100_000,
        b"\x80\x04\x95\x0b\x00\x00\x00\x00\x00\x00\x00\x8c\x07payload\x94.",
        b'{"channel": "\xff\xfe"}',
        b'{"channel": "\\ud800"}',
        b'{"channel": "sh\\u0000op"}',
        b'{"channel": "sh\x00op"}',
        b'{"channel": "shop", "sweep": NaN}',
        b'{"channel": "shop", "sweep": -Infinity}',
        b'{"channel": "shop", "sweep": 1e999}',
        b'{"channel": "shop", "sweep": ' + b"9" * 10_000 + b"}",
        b'{"channel": "shop", "channel": "store"}',
        b'\xef\xbb\xbf{"channel": "shop"}',
        b"{'channel': 'shop'}",
        '{"channel": "shop"}'.encode("utf-16"),
    ],
    ids=lambda body: repr(body[:40]),
)
def test_what_is_not_strict_json_is_undecodable(body: bytes) -> None:
    """Quietly, whatever it is: no crash, no value in the text (fault 23)."""
    with pytest.raises(Undecodable) as refusal:
        decode(foreign(body))

    assert "shop" not in str(refusal.value)


def test_an_escaped_backslash_before_u0000_is_no_nul() -> None:
    """A text that merely spells the escape is a text like any other."""
    body = json.dumps({"channel": "a\\u0000b"}).encode()

    received = decode(foreign(body)).body

    assert received == ImportRequested(channel="a\\u0000b")


def test_the_size_is_capped_before_anything_is_parsed() -> None:
    """On receipt and on sending; the cap itself still passes (fault 22)."""
    padding = b" " * (MAX_BODY_BYTES - len(b'{"channel": "shop"}'))

    assert decode(foreign(b'{"channel": "shop"}' + padding)).channel == "shop"
    with pytest.raises(Oversized):
        decode(foreign(b'{"channel": "shop"} ' + padding, type_="no.such.type"))
    with pytest.raises(Oversized):
        to_wire(replace(a_parcel(), body=b" " * (MAX_BODY_BYTES + 1)))


def test_an_unknown_type_is_named() -> None:
    """Unless its name is itself suspicious."""
    with pytest.raises(UnknownType, match=r"customer\.renamed"):
        decode(foreign(b"{}", "customer.renamed"))
    with pytest.raises(UnknownType) as refusal:
        decode(foreign(b"{}", "ann@example.com\r\n"))

    assert "ann" not in str(refusal.value)


@pytest.mark.parametrize("version", [2, 999, 2**40])
def test_a_schema_from_the_future_is_told_apart(version: int) -> None:
    """It is replayed after the deploy, so its shape is not even looked at (fault 25)."""
    with pytest.raises(SchemaTooNew, match=str(version)):
        decode(foreign(b'{"tomorrow": 1}', headers={"schema_version": version}))


@pytest.mark.parametrize("version", [0, -1, "1", True, None, 1.0], ids=repr)
def test_a_senseless_schema_version_is_refused(version: object) -> None:
    """A version is a positive integer."""
    with pytest.raises(WrongSchema, match="schema_version"):
        decode(foreign(b'{"channel": "shop"}', headers={"schema_version": version}))


def test_a_wrong_shape_names_fields_and_no_values() -> None:
    """The texts go into logs and dead letters."""
    body = {"channel": {"ann@example.com": 1}, "sweep": "Ann Smith", "secret@example.com": 2}

    with pytest.raises(WrongSchema) as refusal:
        decode(foreign(json.dumps(body).encode()))

    text = str(refusal.value)
    assert "channel: string_type" in text
    assert "sweep: bool_parsing" in text
    assert "?: extra_forbidden" in text
    assert "Ann" not in text
    assert "@" not in text
    assert refusal.value.__cause__ is None


@pytest.mark.parametrize(
    "headers",
    [
        {"channel": 7},
        {"channel": ""},
        {"channel": "a" * 256},
        {"subject": "shop/17\r\nFAKE log line"},
        {"subject": "\x00"},
        {"occurred_at": "yesterday"},
        {"occurred_at": "2026-11-22T10:30:00"},
    ],
    ids=lambda headers: repr(headers)[:40],
)
def test_senseless_headers_are_refused_by_name(headers: dict[str, object]) -> None:
    """They would end in tables and logs."""
    [name] = headers

    with pytest.raises(WrongSchema, match=name):
        decode(foreign(b'{"channel": "shop"}', headers=headers))


def test_broken_trace_and_causation_are_dropped() -> None:
    """Nobody's message fails for its diagnostics."""
    received = decode(
        foreign(b'{"channel": "shop"}', headers={"traceparent": "x", "causation_id": "y"})
    )

    assert received.traceparent is None
    assert received.causation_id is None


HEADERS = st.dictionaries(
    st.sampled_from(
        ["schema_version", "channel", "subject", "occurred_at", "traceparent", "causation_id"]
    ),
    st.none() | st.booleans() | st.integers() | st.text() | st.binary() | st.floats(),
)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)
TYPES = ["customer.imported", "customer.export", "import.requested", "", "x"]


@given(
    st.binary() | JSON.map(lambda value: json.dumps(value).encode("utf-8", "surrogatepass")),
    st.sampled_from(TYPES),
    HEADERS,
    st.none() | st.text(),
)
@example(b'{"channel": "shop"}', "import.requested", {}, "")
def test_any_message_is_decoded_or_refused(
    body: bytes, type_: str, headers: dict[str, object], correlation_id: str | None
) -> None:
    """There is no third way out."""
    message = foreign(body, type_, headers=headers, correlation_id=correlation_id)

    try:
        envelope = decode(message)
    except PermanentError:
        return

    assert envelope.raw == body
    assert isinstance(envelope.message_id, UUID)
    assert envelope.occurred_at.tzinfo is not None
