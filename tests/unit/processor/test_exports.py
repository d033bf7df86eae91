"""An export that waited for its number becomes the message that the domain would make of it."""

from dataclasses import replace
from uuid import UUID

import pytest

from services.processor.exports import PlannedExport
from shared.domain.customer import Version
from shared.domain.decisions import ExportIntent
from shared.domain.messages import CustomerExport, parcel
from tests.builders import NOON, a_customer, a_source, imported

INTENTS = [
    ExportIntent("customer_number"),
    ExportIntent("customer_number", locations={"a1": 1, "a2": 12}),
    ExportIntent("additional_data", {"group": 'Ü "x" \\ \n \x7f \u2028 😀', "other": ""}),
]
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

    sent = PlannedExport(cause, source, UUID(int=7), intent).parcel("D1", NOON)

    body = CustomerExport.model_validate_json(sent.body)
    assert body.to_json() == sent.body
    assert (body.customer_number, body.values, body.version) == ("D1", intent.values, version)
    assert body.locations == {key: f"D1-{n:02d}" for key, n in intent.locations.items()}
    usual = parcel(body, channel="shop", subject="5", at=NOON, cause=cause)
    assert sent == replace(usual, message_id=sent.message_id)
