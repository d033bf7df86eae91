"""Messages: how bodies travel, and how a correlation is kept."""

from datetime import UTC, datetime
from typing import Final
from uuid import UUID, uuid4

import pytest
from pydantic import ValidationError

from shared.domain.customer import Customer, FieldWarning, Model
from shared.domain.messages import (
    MESSAGE_TYPES,
    CanaryPassed,
    CanarySent,
    CustomerDeleted,
    CustomerExport,
    CustomerImported,
    CustomerUnreadable,
    Envelope,
    ImportAnswered,
    ImportRequested,
    StagingProcess,
    parcel,
    routing_key,
    type_of,
)
from tests.unit.domain.normalise.strategies import SOURCE, VERSION

NOW: Final = datetime(2026, 1, 1, 12, tzinfo=UTC)

BODIES: Final[tuple[Model, ...]] = (
    CustomerImported(customer=Customer(source=SOURCE, first_name="Ann", last_name=None)),
    CustomerUnreadable(
        source=SOURCE, problems=(FieldWarning(field="notes", problem="is too long"),)
    ),
    CustomerDeleted(source=SOURCE),
    CustomerExport(
        effect="customer_number",
        channel="shop",
        external_id="1",
        store_view="de",
        customer_id=UUID(int=1),
        customer_number="C-100",
        version=VERSION,
    ),
    ImportRequested(channel="shop"),
    ImportAnswered(channel="shop", external_id="42", answer="customer", customer_number="C00042"),
    StagingProcess(channel="shop", external_id="42", staging_id=uuid4()),
    CanarySent(sent_at=NOW),
    CanaryPassed(sent_at=NOW),
)


def make_envelope(body: Model) -> Envelope[Model]:
    """Make the envelope of a received `body`, in the middle of a correlation."""
    kind = type_of(body)
    return Envelope(
        message_id=uuid4(),
        type=kind.name,
        schema_version=kind.schema_version,
        correlation_id=uuid4(),
        occurred_at=NOW,
        channel="shop",
        subject="shop/1",
        traceparent="00-1-1-01",
        body=body,
        raw=body.to_json(),
    )


def test_every_message_type_has_an_example_here() -> None:
    """The bodies these tests go through are all that there are."""
    assert {type_of(body).name for body in BODIES} == set(MESSAGE_TYPES)


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type_of(body).name)
def test_body_survives_the_wire(body: Model) -> None:
    """Every body is read as it was written, and with only that said which was said."""
    kind = type_of(body)

    read = kind.model.model_validate_json(body.to_json())

    assert read == body
    assert read.to_json() == body.to_json()


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type_of(body).name)
def test_unknown_keys_in_a_body_are_refused(body: Model) -> None:
    """A body with a key of nobody's is refused, so that no field is lost in silence."""
    with pytest.raises(ValidationError, match="surprise"):
        type(body).model_validate_json(body.to_json()[:-1] + b',"surprise":1}')


def test_absent_is_not_empty_in_a_message() -> None:
    """The customer in a message still speaks of what the source spoke of, and of no more."""
    body = CustomerImported(customer=Customer(source=SOURCE, email=None))

    read = CustomerImported.model_validate_json(body.to_json())

    assert read.customer.said("email")
    assert not read.customer.said("phone")


def test_exports_go_to_their_channel() -> None:
    """Each channel has an export queue of its own, so one shop's trouble is its own."""
    keys = {name: routing_key(name, "shop") for name in MESSAGE_TYPES}

    assert keys.pop("customer.export") == "customer.export.shop"
    assert all(key == name for name, key in keys.items())


def test_model_that_is_no_message_has_no_type() -> None:
    """Only the bodies of the list can be sent."""
    with pytest.raises(KeyError):
        type_of(Customer(source=SOURCE))


def test_first_message_starts_a_correlation() -> None:
    """What nothing led to is its own correlation, and has no cause."""
    sent = parcel(CustomerDeleted(source=SOURCE), channel="shop", subject="shop/1", at=NOW)

    assert sent.correlation_id == sent.message_id
    assert sent.causation_id is None
    assert sent.traceparent is None
    assert (sent.type, sent.routing_key) == ("customer.deleted", "customer.deleted")
    assert (sent.channel, sent.subject, sent.occurred_at) == ("shop", "shop/1", NOW)


def test_caused_message_keeps_the_correlation() -> None:
    """What a message led to carries its correlation and trace, and names it as the cause."""
    cause = make_envelope(CustomerDeleted(source=SOURCE))
    export = BODIES[3]

    sent = parcel(export, channel="shop", subject="shop/1", at=NOW, cause=cause)

    assert sent.correlation_id == cause.correlation_id
    assert sent.causation_id == cause.message_id
    assert sent.traceparent == cause.traceparent
    assert sent.message_id != cause.message_id
    assert sent.routing_key == "customer.export.shop"
    assert sent.body == export.to_json()


def test_message_ids_sort_by_time() -> None:
    """Later messages have greater ids, which keeps the indices of the store compact."""
    ids = [
        parcel(CustomerDeleted(source=SOURCE), channel="c", subject="s", at=NOW).message_id
        for _ in range(100)
    ]

    assert ids == sorted(set(ids))


def test_envelope_does_not_show_the_raw_body() -> None:
    """An envelope in a log line or a traceback does not repeat what was on the wire."""
    envelope = make_envelope(ImportRequested(channel="shop"))

    assert "raw=" not in repr(envelope)
