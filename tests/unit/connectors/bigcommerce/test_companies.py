"""From a company of the B2B Edition to the canonical customer, and back to its numbers."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import httpx2
import orjson
import pytest

from shared.connectors.bigcommerce.companies.mapping import translate_company
from shared.connectors.bigcommerce.companies.record import company_id_of, company_record
from shared.connectors.bigcommerce.settings import BigCommerceSettings
from shared.domain.customer import Customer, CustomerKind, Entity, Version
from shared.domain.errors import AttributeMissing, RemoteRejected, UnreadableAnswer
from shared.domain.messages import CustomerExport
from tests.unit.connectors.bigcommerce.builders import (
    NOW,
    Script,
    answering,
    company,
    connected,
    location,
    settings,
    source_of,
    user,
)

BOTH = {"b2c": {}, "b2b": {"entity": "companies"}}


def translated(
    *locations: dict[str, Any],
    using: BigCommerceSettings | None = None,
    users: tuple[dict[str, Any], ...] = (),
    **changes: Any,
) -> Customer:
    """Return the canonical customer of a changed company."""
    record = company_record(company(**changes), locations, users)
    options = using or settings(company_tax_id_field="VAT")
    return translate_company(record.payload, source_of(record.external_id), options)


def one(value: dict[str, Any]) -> httpx2.Response:
    """Return an answer of the B2B Edition about one thing."""
    return answering(200, {"code": 200, "data": value, "meta": {"message": "SUCCESS"}})


def several(*values: dict[str, Any], total: int | None = None) -> httpx2.Response:
    """Return a list of the B2B Edition."""
    count = len(values) if total is None else total
    pages = {"totalCount": count, "limit": 200, "offset": 0}
    return answering(200, {"code": 200, "data": values, "meta": {"pagination": pages}})


def export(**changes: Any) -> CustomerExport:
    """Return the export of a company's number."""
    values = {
        "effect": "customer_number",
        "channel": "shop",
        "external_id": "company:2001",
        "store_view": "b2b",
        "customer_id": UUID(int=1),
        "customer_number": "D-10021",
        "version": Version(changed_at=NOW, read_at=NOW, fingerprint="f"),
        **changes,
    }
    return CustomerExport.model_validate(values)


def test_a_company_is_a_firm_with_locations_and_contacts() -> None:
    """With its number, tax id, group and buyers (MYOB-1, MYOB-2, MYOB-5)."""
    customer = translated(
        location(2, isDefaultShipping=True),
        location(1, label="", isDefaultBilling=True),
        users=(user(8, role=2, customerId=None), user(9)),
    )

    assert (customer.entity, customer.kind) == (Entity.COMPANY, CustomerKind.BUSINESS)
    assert customer.source.external_id == "company:2001"
    assert customer.company_name == "Nordwind GmbH"
    assert (customer.customer_number, customer.tax_id) == ("D-10021", "DE123456789")
    assert customer.group == "Wholesale"
    names = [(a.external_id, a.location_name) for a in customer.addresses]
    assert names == [("1", "Hafenstr. 12, Hamburg"), ("2", "Lager Nord")]
    assert customer.default_billing is customer.addresses[0]
    assert customer.default_shipping is customer.addresses[1]
    assert customer.addresses[0].region_code == "HH"
    assert [(c.account, c.is_main, c.role) for c in customer.contacts] == [
        (None, False, "junior buyer"),
        ("4711", True, "admin"),
    ]
    assert customer.registered_at == datetime(2025, 11, 18, 9, 12, 44, tzinfo=UTC)
    assert customer.custom.form_fields == {"VAT": "DE123456789"}


@pytest.mark.parametrize(
    ("status", "told"),
    [("0", "pending"), (1, "approved"), ("2", "rejected"), ("3", "inactive"), ("9", "9")],
)
def test_the_status_is_kept(status: str | int, told: str) -> None:
    """A firm that waits for approval is known by it."""
    assert translated(companyStatus=status).custom.attributes == {"b2b_status": told}


def test_without_a_default_the_oldest_that_may_be_used_is_it() -> None:
    """Billing is not made of an address for goods."""
    guessed = translated(location(2), location(1, isBilling="0", isShipping="1"))
    left = translated(location(1), using=settings(default_address="none"))

    assert guessed.default_billing
    assert guessed.default_billing.external_id == "2"
    assert guessed.default_shipping
    assert guessed.default_shipping.external_id == "1"
    assert left.default_billing is None


def test_list_and_detail_have_one_fingerprint() -> None:
    """The platform writes ids now as numbers and now as text."""
    listed = company_record(company(), [location(1), location(2)], [user(9)])
    detail = company(bcGroupId="3", updatedAt=1763625999, uuid="0f6c", parentCompany={})
    shown = company_record(detail, [location(2), location(1)], [user(9, updatedAt=5)])
    moved = company_record(company(), [location(1, city="Kiel"), location(2)], [user(9)])

    assert shown.fingerprint == listed.fingerprint
    assert moved.fingerprint != listed.fingerprint


def test_ids_of_companies_and_customers_are_told_apart() -> None:
    """Each has numbers of its own."""
    assert company_id_of("company:17") == 17
    assert company_id_of("17") is None
    assert company_id_of("company:") is None
    assert company_id_of("company:x") is None


def test_a_list_with_gaps_is_read_again() -> None:
    """Rows that move while pages are counted are missing: until none is (NEW-14)."""
    script = Script(
        several(company(companyId=1), company(companyId=2), total=3),
        several(company(companyId=2), total=3),
        several(company(companyId=3), company(companyId=1), company(companyId=2)),
        several(),
        several(),
    )
    reader = connected(script, settings(BOTH, b2b_requests_per_second=1000)).reading

    records = [r for page in reader.changes("b2b", None) for r in page.records]

    assert [record.external_id for record in records] == ["company:1", "company:2", "company:3"]


def test_a_list_that_never_holds_still_is_not_believed() -> None:
    """Better none than one with gaps."""
    short = [several(company(), total=9), several(total=9)]
    script = Script(*short, *short, *short)
    reader = connected(script, settings(BOTH, b2b_requests_per_second=1000)).reading

    with pytest.raises(UnreadableAnswer):
        list(reader.changes("b2b", None))


def test_what_the_shop_requires_goes_along() -> None:
    """A number is written with the required extra fields, and what differs only (MYOB-1)."""
    required = {"fieldName": "Branch", "fieldValue": "Steel", "isRequired": "1"}
    before = company(extraFields=[required, {"fieldName": "Note", "fieldValue": "x"}])
    after = company(
        extraFields=[*before["extraFields"], {"fieldName": "erp_customer_number",
                                              "fieldValue": "D-10021"}]
    )  # fmt: skip
    script = Script(
        one(before), several(location(1, externalId="L-1")), several(),
        one({}),
        one(after), several(location(1, externalId="L-1")), several(),
    )  # fmt: skip
    sink = connected(script, settings(BOTH, b2b_requests_per_second=1000)).sink

    [outcome] = sink.write([export(locations={"1": "L-1"})])

    assert outcome.written
    assert (outcome.written.changed, outcome.written.unforeseen) == (True, False)
    [put] = [request for request in script.requests if request.method == "PUT"]
    assert orjson.loads(put.content) == {
        "extraFields": [
            {"fieldName": "Branch", "fieldValue": "Steel"},
            {"fieldName": "erp_customer_number", "fieldValue": "D-10021"},
        ]
    }


def test_a_number_that_is_dropped_is_an_error() -> None:
    """The answer of a write says little; so it is read again (NEW-12)."""
    without = company(extraFields=[])
    script = Script(one(without), several(), several(), one({}), one(without), several(), several())
    sink = connected(script, settings(BOTH, b2b_requests_per_second=1000)).sink

    [outcome] = sink.write([export()])

    assert isinstance(outcome.error, AttributeMissing)


def test_an_error_inside_a_success_is_an_error() -> None:
    """The B2B Edition may say 200 and mean something else."""
    script = Script(answering(200, {"code": 422, "data": {}, "meta": {"message": "Error"}}))
    sink = connected(script, settings(BOTH, b2b_requests_per_second=1000)).sink

    [outcome] = sink.write([export()])

    assert isinstance(outcome.error, RemoteRejected)


def test_nothing_is_emptied() -> None:
    """The platform takes no empty extra field."""
    sink = connected(Script(), settings(BOTH)).sink

    [outcome] = sink.write([export(effect="additional_data", values={"Branch": ""})])

    assert isinstance(outcome.error, RemoteRejected)
