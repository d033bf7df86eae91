"""What is refused before it is tried, and what an answer must show to be believed."""

from typing import Any
from uuid import UUID

import orjson
import pytest

from shared.connectors.ports import Outcome
from shared.domain.customer import Version
from shared.domain.errors import (
    AttributeMissing,
    PatronError,
    RemoteGone,
    RemoteRejected,
    RemoteThrottled,
)
from shared.domain.messages import CustomerExport
from tests.unit.connectors.bigcommerce.builders import (
    NOW,
    Script,
    answering,
    attribute,
    connected,
    found,
    item,
    refused,
)


def export(external_id: str = "4711", number: str = "D-1", **values: str) -> CustomerExport:
    """Return the export of a customer number, or of `values`."""
    return CustomerExport(
        effect="additional_data" if values else "customer_number",
        channel="shop",
        external_id=external_id,
        store_view="b2c",
        customer_id=UUID(int=1),
        customer_number=number,
        values=values,
        version=Version(changed_at=NOW, read_at=NOW, fingerprint="f"),
    )


def write(script: Script, *exports: CustomerExport) -> list[Outcome]:
    """Return what becomes of exports."""
    sink = connected(script, fields=("Loyalty", "customer_group_id")).sink
    return list(sink.write(exports))


def having(customer_id: int = 4711, **values: str) -> dict[str, Any]:
    """Return a customer with attributes: the number, and a loyalty level."""
    ids = {"number": 5, "loyalty": 6}
    rows = [attribute(ids[n], value, customer_id=customer_id) for n, value in values.items()]
    return item(customer_id, attributes=rows, attribute_count=len(rows))


@pytest.mark.parametrize(
    ("refused_export", "family"),
    [
        (export(Unknown="x"), AttributeMissing),
        (export(Loyalty="x" * 256), RemoteRejected),
        (export(customer_group_id="Nobility"), RemoteRejected),
        (export("none"), RemoteGone),
    ],
)
def test_what_cannot_be_is_not_tried(
    refused_export: CustomerExport, family: type[PatronError]
) -> None:
    """No attribute, too long, no such group, no such id: and nothing is asked."""
    script = Script()

    [outcome] = write(script, refused_export)

    assert isinstance(outcome.error, family)
    assert script.requests == []
    assert "xxx" not in str(outcome.error)


def test_only_what_differs_is_sent() -> None:
    """Both exports of a customer share a call, and what is there already is no part of it."""
    before = having(number="D-0", loyalty="gold")
    after = having(number="D-1", loyalty="gold")
    script = Script(found(before), answering(200, {"data": []}), found(after))

    number, loyalty = write(script, export(), export(Loyalty="gold"))

    put = script.requests[1]
    assert put.url.path.endswith("/customers/attribute-values")
    assert orjson.loads(put.content) == [{"customer_id": 4711, "attribute_id": 5, "value": "D-1"}]
    assert number.written
    assert loyalty.written
    assert (number.written.changed, loyalty.written.changed) == (True, False)


def test_a_number_attribute_may_answer_in_its_own_way() -> None:
    """5 is 5.0; but the zeros of a customer number are its own (NEW-12)."""
    [same] = write(Script(found(having(number="1", loyalty="5.0"))), export(Loyalty="5"))
    script = Script(found(having(number="7")), answering(200, {}), found(having(number="7")))
    [other] = write(script, export(number="007"))

    assert same.written
    assert not same.written.changed
    assert isinstance(other.error, RemoteRejected)


def test_what_is_dropped_is_an_error() -> None:
    """The answer says nothing of it, so it is read again (NEW-12)."""
    script = Script(found(having()), answering(200, {"data": []}), found(having()))

    [outcome] = write(script, export())

    assert isinstance(outcome.error, AttributeMissing)


def test_what_may_pass_fails_together() -> None:
    """A shop that asks for fewer requests is not sent each again."""
    script = Script(
        found(having(1), having(2)),
        refused(429, {}),
    )

    outcomes = write(script, export("1"), export("2"))

    assert [type(outcome.error) for outcome in outcomes] == [RemoteThrottled] * 2
    assert len(script.requests) == 2


def test_one_who_is_refused_is_told_from_the_others() -> None:
    """Each is looked at and sent again alone."""
    bare = [having(1), having(2)]
    script = Script(
        found(*bare), refused(422, {"1.value": "invalid value"}),
        found(bare[0]), answering(200, {}), found(having(1, number="D-1")),
        found(bare[1]), refused(422, {"0.value": "invalid value"}),
    )  # fmt: skip

    first, second = write(script, export("1"), export("2"))

    assert first.written
    assert first.written.changed
    assert isinstance(second.error, RemoteRejected)
    assert "0.value" in str(second.error)
