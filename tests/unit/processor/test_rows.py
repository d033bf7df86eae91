"""What is written down is the JSON that the models would write, however it was come by."""

from dataclasses import fields, replace
from typing import Any

import orjson
import pytest

from services.processor.rows import link_row, staging_row
from shared.domain.customer import Customer, replaced
from shared.domain.decisions import Explanation, FieldConflict, RuleTrial
from shared.domain.messages import CustomerImported, Envelope
from tests.builders import NOON, a_customer, imported

SAID: dict[str, Any] = {"origin": "poll", "mode": "normal"}


def arrived(customer: Customer | None = None, **said: Any) -> Envelope[CustomerImported]:
    """Return a message with a body as it is after its journey."""
    sent = CustomerImported(customer=customer or a_customer(), **said).to_json()
    body = CustomerImported.model_validate_json(sent)
    return replace(imported(body.customer), body=body, raw=sent)


def snapshot(message: Envelope[CustomerImported], customer: Customer | None = None) -> Any:
    """Return what a link keeps of a customer that a message brought."""
    brought = customer or message.body.customer
    row = link_row(brought, message.message_id, NOON, message=message)
    return row["snapshot"]


@pytest.mark.parametrize("said", [SAID, {"origin": "sweep"}, {"origin": "push"}, {}], ids=str)
def test_a_snapshot_is_the_customer_and_nothing_of_the_message(said: dict[str, Any]) -> None:
    """Cut out of what was sent, or written anew where the message is not the importer's."""
    message = arrived(**said)

    assert snapshot(message) == message.body.customer.to_json()


@pytest.mark.parametrize(
    "attributes",
    [
        {"origin": "poll"},
        {"x": '"},"origin":"poll"'},
        {"x": '"},"origin":"poll","mode":"normal"}'},
        {"x": "}"},
    ],
)
def test_what_a_customer_says_does_not_cut_it_short(attributes: dict[str, str]) -> None:
    """A field of its own may be called, or hold, what marks the end."""
    customer = a_customer(custom={"attributes": attributes})

    for said in (SAID, {"origin": "request"}, {}):
        message = arrived(customer, **said)
        assert Customer.model_validate_json(snapshot(message)) == customer
        assert snapshot(message) == customer.to_json()


def test_a_customer_that_was_changed_since_is_written_as_it_is() -> None:
    """What was agreed on, put in canonical form or cleaned of the erased is not what was sent."""
    message = arrived(**SAID)
    changed = replaced(message.body.customer, first_name="Eva")

    assert snapshot(message, changed) == changed.to_json()


def test_a_strangers_text_is_not_kept_as_a_snapshot() -> None:
    """Whoever is foreign may write the same customer in any form."""
    message = replace(arrived(**SAID), is_foreign=True, raw=b'{"customer":{ },"origin":"poll"}')

    assert snapshot(message) == message.body.customer.to_json()


@pytest.mark.parametrize(
    "raw",
    [
        b'{"customer":{"a":1},"mode":"normal","origin":"poll"}',
        b'{ "customer":{"a":1},"origin":"poll"}',
        b'{"origin":"poll","customer":{"a":1}}',
        b'{"customer":{"a":1},"origin":"poll"} ',
        b'{"customer":{"custom":{},"origin":"poll"}}',
    ],
)
def test_a_message_in_another_order_is_not_cut(raw: bytes) -> None:
    """Only the very form in which our importer writes is known to end where it seems to."""
    message = replace(arrived(**SAID), raw=raw)

    assert snapshot(message) == message.body.customer.to_json()


def test_an_explanation_is_written_with_all_of_its_parts() -> None:
    """As the JSON encoder itself would write it: what it is shown from stays the same."""
    trials = (RuleTrial("email", "matched", "a@example.com", (imported(a_customer()).message_id,)),)
    conflict = FieldConflict("first_name", "Eva", "Ann", "ask", "erp")
    full = Explanation("v1", trials * 2, "retail", ("b", "retail"), ("x",), ("note",), (conflict,))
    assert all(getattr(full, field.name) for field in fields(full))

    for explanation in (full, Explanation("v1")):
        message = arrived(**SAID)
        source = message.body.customer.source
        row = staging_row(message.message_id, message, source, explanation, NOON)
        assert row["explanation"] == orjson.dumps(explanation)
