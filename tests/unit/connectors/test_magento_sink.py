"""Writing to Magento: read, compare, send only differences, verify."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
import orjson
import pytest

from shared.connectors.magento.record import record_of
from shared.connectors.ports import Outcome, Written
from shared.domain.customer import Version
from shared.domain.errors import (
    AccessDenied,
    AttributeMissing,
    PatronError,
    RemoteGone,
    RemoteRejected,
    RemoteUnavailable,
    UnreadableAnswer,
)
from shared.domain.messages import CustomerExport
from tests.unit.connectors.builders import Script, answering, groups_answer, item, sink

NUMBER = {"attribute_code": "erp_customer_number", "value": "D10023"}
LOYALTY = {"attribute_code": "loyalty", "value": "gold"}
LATER = "2026-01-05 11:00:00"
GONE = {"message": "No such entity with %fieldName = %fieldValue",
        "parameters": {"fieldName": "customerId", "fieldValue": 4711}}  # fmt: skip


def export(external_id: str = "4711", **changes: Any) -> CustomerExport:
    """Return the export of a customer number, or of `values`."""
    at = datetime(2026, 1, 5, tzinfo=UTC)
    return CustomerExport(
        effect="additional_data" if "values" in changes else "customer_number",
        channel="shop-de",
        external_id=external_id,
        store_view="de",
        customer_id=UUID(int=1),
        customer_number=changes.pop("customer_number", "D10023"),
        version=Version(changed_at=at, read_at=at, fingerprint="f"),
        **changes,
    )


def stored(*attributes: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """Return the customer with these custom attributes."""
    return item(custom_attributes=list(attributes), **changes)


def written(outcome: Outcome) -> Written:
    """Return what was written, or raise why it was not."""
    if outcome.error:
        raise outcome.error
    assert outcome.written
    return outcome.written


def sent(request: httpx2.Request) -> dict[str, Any]:
    """Return the customer of a PUT's body."""
    body: dict[str, dict[str, Any]] = orjson.loads(request.content)
    assert list(body) == ["customer"]
    return body["customer"]


def test_a_number_is_written_with_what_magento_wants_echoed() -> None:
    """One read, one PUT, no address, no attribute that did not change."""
    script = Script(
        answering(200, stored(LOYALTY)), answering(200, stored(LOYALTY, NUMBER, updated_at=LATER))
    )

    [outcome] = sink(script).write([export()])

    assert [request.method for request in script.requests] == ["GET", "PUT"]
    assert script.requests[1].url.path == "/rest/V1/customers/4711"
    assert sent(script.requests[1]) == {
        "id": 4711,
        "email": "petra.lang@example.com",
        "firstname": "Petra",
        "lastname": "Lang",
        "website_id": 2,
        "store_id": 3,
        "group_id": 1,
        "custom_attributes": [NUMBER],
    }
    assert written(outcome) == Written(
        changed=True,
        before=record_of(stored(LOYALTY)).fingerprint,
        after=record_of(stored(LOYALTY, NUMBER)).fingerprint,
        unforeseen=False,
    )


def test_what_is_there_already_is_not_written_again() -> None:
    """Doing it again costs a read."""
    script = Script(answering(200, stored(NUMBER)))

    [outcome] = sink(script).write([export()])

    assert len(script.requests) == 1
    same = record_of(stored(NUMBER)).fingerprint
    assert written(outcome) == Written(changed=False, before=same, after=same)


def test_exports_about_one_customer_share_one_put() -> None:
    """Number, attribute and group go out together; each export has its own outcome."""
    silver = {"attribute_code": "loyalty", "value": "silver"}
    before, after = stored(LOYALTY, NUMBER), stored(silver, NUMBER, group_id=2, updated_at=LATER)
    script = Script(groups_answer(), answering(200, before), answering(200, after))
    extra = export(values={"loyalty": "silver", "group_id": "Wholesale"})

    number, additional = sink(script).write([export(), extra])

    body = sent(script.requests[2])
    assert body["group_id"] == 2
    assert body["custom_attributes"] == [silver]
    assert not written(number).changed
    assert written(additional).changed
    assert not written(additional).unforeseen


def test_the_later_of_two_exports_wins() -> None:
    """The number that was decided last is the one that stays."""
    last = {"attribute_code": "erp_customer_number", "value": "D2"}
    script = Script(answering(200, stored()), answering(200, stored(last)))

    outcomes = sink(script).write([export(customer_number="D1"), export(customer_number="D2")])

    assert sent(script.requests[1])["custom_attributes"] == [last]
    assert all(written(outcome) for outcome in outcomes)


def test_a_group_may_be_given_by_id() -> None:
    """Either way of naming it is understood."""
    script = Script(groups_answer(), answering(200, item()), answering(200, item(group_id=2)))

    [outcome] = sink(script).write([export(values={"group_id": "2"})])

    assert sent(script.requests[2])["group_id"] == 2
    assert "custom_attributes" not in sent(script.requests[2])
    assert written(outcome).changed


def test_a_group_that_does_not_exist_is_refused() -> None:
    """Nothing is written for it; the number beside it goes out all the same."""
    script = Script(groups_answer(), answering(200, stored()), answering(200, stored(NUMBER)))

    additional, number = sink(script).write([export(values={"group_id": "Gold"}), export()])

    assert isinstance(additional.error, RemoteRejected)
    assert written(number).changed
    assert sent(script.requests[2])["group_id"] == 1


def test_an_attribute_dropped_without_a_word_is_an_error() -> None:
    """Magento answers 200 and forgets: an error of this export, not of its neighbour (NEW-12)."""
    silver = {"attribute_code": "loyalty", "value": "silver"}
    script = Script(answering(200, stored(LOYALTY)), answering(200, stored(silver)))

    number, additional = sink(script).write([export(), export(values={"loyalty": "silver"})])

    assert isinstance(number.error, AttributeMissing)
    assert "erp_customer_number" in str(number.error)
    assert written(additional).changed


def test_an_attribute_stored_otherwise_is_an_error() -> None:
    """A value that was cut or turned around is not what was asked for (NEW-12)."""
    cut = {"attribute_code": "erp_customer_number", "value": "D100"}
    script = Script(answering(200, stored()), answering(200, stored(cut)))

    [outcome] = sink(script).write([export()])

    assert isinstance(outcome.error, RemoteRejected)
    assert "D100" not in str(outcome.error)


@pytest.mark.parametrize(
    ("stored_value", "wanted"), [("5.0000", "5"), (5, "5"), (True, "1"), (None, "")]
)
def test_magentos_own_way_of_writing_a_value_is_the_value(stored_value: Any, wanted: str) -> None:
    """A decimal answers with zeros, a yes with a one."""
    entry = {"attribute_code": "loyalty", "value": stored_value}
    script = Script(answering(200, stored(entry)))

    [outcome] = sink(script).write([export(values={"loyalty": wanted})])

    assert not written(outcome).changed


def test_a_customer_number_is_text_to_the_letter() -> None:
    """00042 is not 42."""
    script = Script(
        answering(200, stored({**NUMBER, "value": "42"})),
        answering(200, stored({**NUMBER, "value": "00042"})),
    )

    [outcome] = sink(script).write([export(customer_number="00042")])

    assert written(outcome).changed


@pytest.mark.parametrize(
    "changes",
    [{"firstname": "Anna"}, {"addresses": []}, {"extension_attributes": {"is_subscribed": False}}],
)
def test_changes_that_are_not_ours_are_told(changes: dict[str, Any]) -> None:
    """Then there is no echo to suppress: the customer must be imported again."""
    script = Script(answering(200, stored()), answering(200, stored(NUMBER, **changes)))

    [outcome] = sink(script).write([export()])

    assert written(outcome).unforeseen


@pytest.mark.parametrize(
    ("answers", "family"),
    [
        ([answering(404, GONE)], RemoteGone),
        ([answering(200, item()), answering(404, GONE)], RemoteGone),
        ([answering(401, {"message": "x"})], AccessDenied),
        ([answering(200, item()), answering(401, {"message": "x"})], AccessDenied),
        ([answering(200, item()), answering(400, {"message": "x"})], RemoteRejected),
        ([answering(200, item()), answering(500, {"message": "x"})], RemoteUnavailable),
        ([answering(200, item()), httpx2.ReadError("reset")], RemoteUnavailable),
        ([answering(200, item()), answering(200, [])], UnreadableAnswer),
        ([answering(200, item()), answering(200, item(4712))], UnreadableAnswer),
        ([answering(200, item(4712))], UnreadableAnswer),
    ],
)
def test_every_failure_is_an_outcome(
    answers: list[httpx2.Response | Exception], family: type[PatronError]
) -> None:
    """Nothing is raised; each export has its error."""
    outcomes = sink(Script(*answers)).write([export(), export(values={"loyalty": "new"})])

    assert [type(outcome.error) for outcome in outcomes] == [family, family]


def test_an_id_that_is_no_number_is_nobody() -> None:
    """It never becomes part of an address."""
    [outcome] = sink(Script()).write([export(external_id="1/../2")])

    assert isinstance(outcome.error, RemoteGone)


def test_a_refusal_names_the_field_and_not_the_value() -> None:
    """The operator reads which field; the shopper's data stays in the shop."""
    refusal = {"message": 'Invalid value of "%value" provided for the %fieldName field.',
               "parameters": {"fieldName": "telephone", "value": "+49 30 5550142"}}  # fmt: skip
    script = Script(answering(200, item()), answering(400, refusal))

    [outcome] = sink(script).write([export()])

    assert "telephone" in str(outcome.error)
    assert "5550142" not in str(outcome.error)


def test_nothing_to_write_is_nothing() -> None:
    """An empty batch asks nothing of the shop."""
    assert not sink(Script()).write([])


def test_secrets_of_the_record_are_not_sent_back() -> None:
    """Hashes and tokens are not even compared."""
    secret = {"confirmation": "s3cret", "rp_token": "s3cret"}
    script = Script(answering(200, stored(**secret)), answering(200, stored(NUMBER)))

    [outcome] = sink(script).write([export()])

    assert b"s3cret" not in script.requests[1].content
    assert not written(outcome).unforeseen


def test_the_check_finds_everything_in_order() -> None:
    """Rights, store views and attributes."""
    metadata = {"attribute_code": "x", "system": False}
    views = [{"id": 3, "website_id": 2, "code": "de"}]
    script = Script(
        answering(200, {"items": [], "total_count": 0}),
        groups_answer(),
        answering(200, views),
        answering(200, metadata),
        answering(200, metadata),
    )

    findings = sink(script).check()

    assert [finding.problem for finding in findings] == [None] * 5
    assert findings[-1].subject == "attribute loyalty"


def test_the_check_tells_what_is_wrong_and_what_to_do() -> None:
    """Every finding that is a problem comes with advice."""
    missing = {"message": "No such entity with %fieldName = %fieldValue",
               "parameters": {"fieldName": "attributeCode", "fieldValue": "loyalty"}}  # fmt: skip
    denied = {"message": "The consumer isn't authorized to access %resources.",
              "parameters": {"resources": "Magento_Customer::customer"}}  # fmt: skip
    script = Script(
        answering(401, denied),
        answering(404, {"message": "Request does not match any route."}),
        answering(200, [{"id": 3, "website_id": 1}]),
        answering(404, missing),
        answering(200, {"system": True}),
    )

    findings = sink(script).check()

    assert all(finding.problem and finding.advice for finding in findings)
    assert "Magento_Customer::customer" in str(findings[0].problem)


def test_a_shop_that_is_down_is_not_misconfigured() -> None:
    """The check raises, to be tried again."""
    with pytest.raises(RemoteUnavailable):
        sink(Script(answering(503))).check()
