"""From BigCommerce's words to the canonical customer, field by field."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.connectors.bigcommerce.mapping import translate
from shared.connectors.bigcommerce.settings import BigCommerceSettings
from shared.domain.customer import Customer, CustomerKind, Entity
from shared.domain.errors import UnreadableRecord
from shared.domain.normalise import normalise_customer
from tests.unit.connectors.bigcommerce.builders import (
    DICTIONARY,
    address,
    attribute,
    item,
    settings,
    source_of,
)


def translated(using: BigCommerceSettings | None = None, **changes: Any) -> Customer:
    """Return the canonical customer of a changed item."""
    options = using or settings(tax_id_field="VAT ID")
    return translate(item(**changes), source_of(), options, DICTIONARY)


def test_every_field_arrives() -> None:
    """Names, company, group, number, tax id, created date (D365-11, XPR-3)."""
    customer = translated(notes="calls back")

    assert (customer.first_name, customer.last_name) == ("Anke", "Petersen")
    assert (customer.entity, customer.kind) == (Entity.ACCOUNT, CustomerKind.BUSINESS)
    assert customer.company_name == "Nordwind GmbH"
    assert customer.email == "anke.petersen@example.com"
    assert customer.phone
    assert customer.phone.raw == "+49 40 555010203"
    assert customer.group == "Wholesale"
    assert customer.customer_number == "D-10021"
    assert customer.tax_id == "DE123456789"
    assert customer.notes == "calls back"
    assert customer.registered_at == datetime(2026, 11, 18, 9, 12, 44, tzinfo=UTC)


def test_every_family_of_custom_data_is_kept() -> None:
    """Attributes, form fields of customer and address, metafields (XPR-3, XPR-12)."""
    fields = [{"name": "Floor", "value": 3}, {"name": "Days", "value": ["Mo", "Tu"]}]
    metafields = [
        {"id": 2, "namespace": "crm", "key": "tier", "value": "another app's"},
        {"id": 1, "namespace": "crm", "key": "tier", "value": "A"},
    ]

    customer = translated(
        addresses=[address(9001, form_fields=fields)],
        metafields=metafields,
        tax_exempt_category="7a",
    )

    assert customer.custom.attributes == {"Loyalty": "gold", "tax_exempt_category": "7a"}
    assert customer.custom.form_fields == {
        "VAT ID": "DE123456789",
        "addresses.9001.Floor": 3,
        "addresses.9001.Days": "Mo, Tu",
    }
    assert customer.custom.metafields == {"crm.tier": "A"}


def test_the_number_may_stand_in_a_metafield() -> None:
    """And the attribute of the usual name is then custom data like any other."""
    using = settings(number={"kind": "metafield", "namespace": "erp", "key": "no"})

    customer = translated(
        using, metafields=[{"id": 1, "namespace": "erp", "key": "no", "value": "K-1"}]
    )

    assert customer.customer_number == "K-1"
    assert customer.custom.attributes["erp_customer_number"] == "D-10021"
    assert customer.custom.metafields == {}


def test_what_was_not_read_is_not_said() -> None:
    """Empty is said, absent is not: metafields and companies only where they are read."""
    customer = translated(phone="", customer_group_id=0, attributes=[], form_fields=None)

    assert not customer.said("language")
    assert not customer.said("companies")
    assert not customer.said("marketing_consent")
    assert not customer.custom.said("metafields")
    assert customer.said("group")
    assert customer.group is None
    assert customer.customer_number is None


def test_the_oldest_address_is_the_default() -> None:
    """BigCommerce marks none, so the same one is taken each time (D365-11)."""
    customer = translated(addresses=[address(12), address(7, city="Kiel")])

    assert [a.external_id for a in customer.addresses] == ["7", "12"]
    assert customer.default_billing is customer.default_shipping is customer.addresses[0]
    assert customer.addresses[0].city == "Kiel"


def test_no_address_need_be_a_default() -> None:
    """Then the customer waits for somebody to say which."""
    customer = translated(settings(default_address="none"))

    assert len(customer.addresses) == 2
    assert customer.default_billing is None


def test_an_address_has_its_parts() -> None:
    """Lines, province, country, telephone (D365-11)."""
    customer = translated(addresses=[address(9001, address2="Hof", phone="040 1")])

    [first] = customer.addresses
    assert first.lines == ("Hafenstr. 12", "Hof")
    assert (first.postcode, first.city, first.region) == ("20457", "Hamburg", "Hamburg")
    assert first.country == "DE"
    assert first.phone
    assert first.phone.raw == "040 1"


def test_telephones_are_read_by_the_country_of_the_address() -> None:
    """E.164 where it is understood, else as written with a warning (D365-12)."""
    good = normalise_customer(translated(phone="040 555010203"))
    bad = normalise_customer(translated(phone="ring twice"))

    assert good.phone
    assert good.phone.e164 == "+4940555010203"
    assert bad.phone
    assert (bad.phone.raw, bad.phone.e164) == ("ring twice", None)
    assert "phone" in {warning.field for warning in bad.warnings}


def test_provinces_and_countries_are_brought_into_form() -> None:
    """The full name becomes the code; Greece by either of its codes (D365-11, D365-13)."""
    customer = normalise_customer(
        translated(
            addresses=[
                address(1, country_code="US", state_or_province="California", postal_code="90210"),
                address(2, country_code="EL", state_or_province="", postal_code="10431"),
                address(3, country_code="Germany"),
            ]
        )
    )

    assert customer.addresses[0].region_code == "CA"
    assert customer.addresses[1].country == "GR"
    assert customer.addresses[2].country is None
    assert "addresses.2.country" in {warning.field for warning in customer.warnings}


def test_what_does_not_fit_a_country_is_warned_of() -> None:
    """A postcode of another shape, a tax id that cannot be (D365-14)."""
    wrong = normalise_customer(
        translated(
            addresses=[address(1, postal_code="ABC")],
            form_fields=[{"name": "VAT ID", "value": "DE12"}],
        )
    )

    fields = {warning.field for warning in wrong.warnings}
    assert {"addresses[0].postcode", "tax_id"} <= fields


def test_endless_notes_are_cut_with_a_warning() -> None:
    """A truncation is told."""
    customer = translated(notes="n" * 5000)

    assert customer.notes == "n" * 4000
    assert [warning.field for warning in customer.warnings] == ["notes"]


@pytest.mark.parametrize(
    ("subscribers", "granted", "at"),
    [
        ([], False, None),
        ([{"consents": [], "date_modified": "2026-01-02T00:00:00Z"}], False, "2026-01-02"),
        ([{"consents": ["abandoned_cart"]}], False, None),
        (
            [
                {"consents": ["marketing_newsletter"], "date_modified": "2026-01-02T00:00:00Z"},
                {"consents": [], "date_modified": "2026-01-03T00:00:00Z"},
            ],
            True,
            "2026-01-03",
        ),
    ],
)
def test_consent_is_said_where_it_is_read(
    subscribers: list[dict[str, Any]], granted: object, at: str | None
) -> None:
    """Whether, and when that was last said (D365-11)."""
    consent = translated(subscribers=subscribers).marketing_consent

    assert consent
    assert consent.granted is granted
    assert consent.at == (datetime.fromisoformat(at).replace(tzinfo=UTC) if at else None)


def test_companies_of_an_account_are_named() -> None:
    """Where companies are read (MYOB-5)."""
    assert translated(companies=["company:17"]).companies == ("company:17",)


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"email": 5}, "email"),
        ({"addresses": [address(1, city=["Hamburg"])]}, "addresses.0.city"),
        ({"last_name": "x" * 300}, "last_name"),
        ({"addresses": [address(1, city="x" * 300)]}, "addresses.0.city"),
        ({"attributes": [attribute(5, "x") | {"attribute_id": None}]}, "attributes.0.attribute_id"),
    ],
)
def test_what_cannot_be_held_is_named_without_its_value(
    changes: dict[str, Any], field: str
) -> None:
    """Field and reason only."""
    with pytest.raises(UnreadableRecord) as caught:
        translated(**changes)

    assert [name for name, _ in caught.value.problems] == [field]
    assert "xxx" not in str(caught.value)
