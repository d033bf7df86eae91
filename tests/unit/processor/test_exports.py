"""An export that waited for its number becomes the message that the domain would make of it."""

from dataclasses import replace
from uuid import UUID

import pytest
from pydantic import ValidationError

from services.processor.exports import PlannedExport, parcels
from shared.domain.customer import Version
from shared.domain.decisions import ExportIntent
from shared.domain.messages import CustomerExport, parcel
from tests.builders import NOON, a_customer, a_source, imported

INTENTS = [
    ExportIntent("customer_number"),
    ExportIntent("customer_number", locations={"a1": 1, "a2": 12}),
    ExportIntent("additional_data", {"group": 'Ü "x" \\ \n \x7f \u2028 😀', "other": ""}),
]
CUSTOMER = UUID(int=7)
MOMENTS = [
    "2026-11-01T12:00:00Z",
    "2026-11-01T12:00:00.5+02:00",
    "2026-11-01T12:00:00.000005-00:30",
]


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("intent", INTENTS, ids=lambda intent: intent.effect)
def test_it_is_sent_as_any_message_is(intent: ExportIntent, moment: str) -> None:
    """The same envelope, and the same bytes as the model writes."""
    version = Version.model_validate({"changed_at": moment, "read_at": moment, "fingerprint": "f"})
    source = a_source("5", version=version)
    cause = replace(imported(a_customer("5")), traceparent="00-1-2-01")

    planned = [PlannedExport(cause, source, CUSTOMER, each) for each in (INTENTS[0], intent)]

    _, sent = parcels(planned, {CUSTOMER: "D1"}, NOON)

    body = CustomerExport.model_validate_json(sent.body)
    assert body.to_json() == sent.body
    assert (body.customer_number, body.values, body.version) == ("D1", intent.values, version)
    assert body.locations == {key: f"D1-{n:02d}" for key, n in intent.locations.items()}
    usual = parcel(body, channel="shop", subject="5", at=NOON, cause=cause)
    assert sent == replace(usual, message_id=sent.message_id)


def test_each_decision_is_about_its_own_customer() -> None:
    """Nothing is carried over from one cause to the next."""
    planned = [
        PlannedExport(imported(a_customer(name)), a_source(name), UUID(int=int(name)), intent)
        for name in ("1", "2")
        for intent in INTENTS
    ]

    sent = parcels(planned, {UUID(int=1): "D1", UUID(int=2): "D2"}, NOON)

    bodies = [CustomerExport.model_validate_json(each.body) for each in sent]
    told = [(body.external_id, body.customer_id.int, body.customer_number) for body in bodies]
    assert told == [("1", 1, "D1")] * 3 + [("2", 2, "D2")] * 3
    assert [body.effect for body in bodies] == [intent.effect for intent in INTENTS] * 2
    assert [each.subject for each in sent] == ["1"] * 3 + ["2"] * 3


def test_a_number_that_no_export_can_carry_is_refused() -> None:
    """Here, where the customer's message is at fault, and not where it is exported."""
    planned = [PlannedExport(imported(a_customer()), a_source(), CUSTOMER, INTENTS[0])]

    with pytest.raises(ValidationError):
        parcels(planned, {CUSTOMER: "D\x001"}, NOON)
