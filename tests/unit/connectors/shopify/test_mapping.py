"""A Shopify record becomes the canonical customer, field by field."""

from datetime import UTC, datetime
from typing import Any

import pytest

from shared.connectors.shopify.mapping import translate
from shared.connectors.shopify.settings import MetafieldKey
from shared.domain.customer import CustomerKind, Entity
from shared.domain.errors import UnreadableRecord
from tests.unit.connectors.shopify.builders import (
    GID,
    address,
    company,
    company_address,
    contact,
    customer,
    location,
    metafield,
    page,
    source,
    whole,
)


def translated(**changes: Any) -> Any:
    """Return the customer that a record with `changes` becomes."""
    return translate(whole(customer(**changes)), source())


def translated_company(**changes: Any) -> Any:
    """Return the customer that a company with `changes` becomes."""
    return translate(whole(company(**changes)), source("company:98765001", "b2b"))


class TestCustomers:
    """An account."""

    def test_every_field_is_translated(self) -> None:
        """Names, e-mail, telephone, language, notes, consent, registration (D365-11)."""
        found = translated(number=metafield("erp.customer_number", " D-10021 "))

        assert found.entity is Entity.ACCOUNT
        assert found.kind is CustomerKind.BUSINESS
        assert (found.first_name, found.last_name) == ("Anke", "Petersen")
        assert found.email == "einkauf@nordwind-beispiel.de"
        assert found.phone.raw == "+4940555010203"
        assert found.language == "de"
        assert found.notes == "Rampe 3"
        assert found.customer_number == "D-10021"
        assert found.company_name == "Nordwind Beispiel GmbH"
        assert found.companies == ("company:98765001",)
        assert found.registered_at == datetime(2025, 11, 18, 9, 12, 44, tzinfo=UTC)
        assert found.marketing_consent.granted
        assert found.marketing_consent.at == datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)

    def test_addresses_are_known_by_their_number(self) -> None:
        """One is the default, for goods and bills alike (D365-11)."""
        first, second = translated(
            addressesV2=page(
                address(91, provinceCode="HH", province="Hamburg"), address(92, phone=" ")
            )
        ).addresses

        assert (first.external_id, second.external_id) == ("91", "92")
        assert first.is_default_billing
        assert first.is_default_shipping
        assert not second.is_default_billing
        assert first.lines == ("Hafenstr. 12", "Hof")
        assert (first.postcode, first.city, first.country) == ("20457", "Hamburg", "DE")
        assert (first.region_code, first.region) == ("HH", "Hamburg")
        assert second.phone is None

    def test_all_families_of_custom_data_are_kept(self) -> None:
        """Metafields by name and in their type; tags and exemptions (XPR-3)."""
        found = translated(
            m0=metafield("erp.debtor", "4711"),
            m1=metafield("erp.level", "5", type="number_integer"),
            m2=metafield("erp.is_key", "true", type="boolean"),
            m3=metafield("erp.huge", "9" * 30, type="number_integer"),
            m4=None,
            taxExempt=True,
            taxExemptions=["EU_REVERSE_CHARGE_EXEMPTION_RULE"],
        )

        assert found.custom.metafields == {
            "erp.debtor": "4711",
            "erp.level": 5,
            "erp.is_key": True,
            "erp.huge": "9" * 30,
        }
        assert found.custom.attributes == {
            "tags": "b2b,erp",
            "tax_exempt": True,
            "tax_exemptions": "EU_REVERSE_CHARGE_EXEMPTION_RULE",
        }

    def test_the_tax_id_comes_from_its_metafield(self) -> None:
        """Unless none is configured: then nothing is said of it."""
        assert translated(taxId=metafield("erp.vat", "DE123456789")).tax_id == "DE123456789"
        assert translated(taxId=None).said("tax_id")
        assert not translated().said("tax_id")

    @pytest.mark.parametrize(
        ("fields", "unsaid"),
        [
            (("firstName", "lastName"), {"first_name", "last_name"}),
            (("defaultEmailAddress",), {"email", "marketing_consent"}),
            (("defaultPhoneNumber",), {"phone"}),
            (("addressesV2", "defaultAddress"), {"addresses", "company_name"}),
        ],
    )
    def test_what_the_shop_did_not_speak_of_stays_unsaid(
        self, fields: tuple[str, ...], unsaid: set[str]
    ) -> None:
        """Personal data that the app is not approved for is never read as cleared."""
        record = whole(customer())
        for field in fields:
            del record[field]

        found = translate(record, source())

        assert not unsaid & found.model_fields_set

    def test_what_was_emptied_is_said_to_be_empty(self) -> None:
        """By null, once the app may read it."""
        found = translated(firstName=None, defaultEmailAddress=None, defaultPhoneNumber=None)

        assert {"first_name", "email", "phone"} <= found.model_fields_set
        assert (found.first_name, found.email, found.phone) == (None, None, None)

    @pytest.mark.parametrize("state", ["NOT_SUBSCRIBED", "UNSUBSCRIBED", "PENDING", "INVALID"])
    def test_nobody_is_subscribed_unless_he_is(self, state: str) -> None:
        """A pending confirmation is none."""
        email = {"emailAddress": "a@example.com", "marketingState": state}

        assert not translated(defaultEmailAddress=email).marketing_consent.granted

    def test_a_private_person_has_no_company(self) -> None:
        """Neither on an address nor as a contact (MYOB-5)."""
        found = translated(addressesV2=page(address(91, company=None)), companyContactProfiles=[])

        assert found.kind is CustomerKind.INDIVIDUAL
        assert found.company_name is None
        assert found.companies == ()

    def test_a_country_that_is_none_is_left_out_with_a_warning(self) -> None:
        """ZZ is Shopify's unknown country."""
        found = translated(addressesV2=page(address(91, countryCodeV2="ZZ")))

        assert found.addresses[0].country is None
        assert [warning.field for warning in found.warnings] == ["addresses.0.country"]

    @pytest.mark.parametrize(
        ("changes", "field"),
        [
            ({"firstName": 5}, "firstName"),
            ({"lastName": "x" * 300}, "last_name"),
            ({"note": "x" * 5000}, "notes"),
            ({"addressesV2": page(address(91, city="x" * 300))}, "addresses.0.city"),
            ({"defaultEmailAddress": {}}, "defaultEmailAddress.emailAddress"),
        ],
    )
    def test_what_does_not_fit_is_named_without_its_value(
        self, changes: dict[str, Any], field: str
    ) -> None:
        """By field and reason."""
        with pytest.raises(UnreadableRecord) as caught:
            translated(**changes)

        assert [name for name, _ in caught.value.problems] == [field]
        assert "xxx" not in str(caught.value)


class TestCompanies:
    """A company with locations and contacts."""

    def test_a_company_is_a_company(self) -> None:
        """With its number, and without an e-mail address of its own (MYOB-5)."""
        found = translated_company(externalId="D-10021", note="Rahmenvertrag")

        assert found.entity is Entity.COMPANY
        assert found.kind is CustomerKind.BUSINESS
        assert found.company_name == "Nordwind Beispiel GmbH"
        assert found.customer_number == "D-10021"
        assert found.notes == "Rahmenvertrag"
        assert found.tax_id == "DE123456789"
        assert (found.language, found.currency) == ("de", "EUR")
        assert found.phone.raw == "+4940555010299"
        assert not found.said("email")

    def test_locations_are_addresses_by_their_id(self) -> None:
        """The oldest stands for the company (MYOB-1, MYOB-2)."""
        first, second = translated_company(
            locations=page(location(56, name="Lager Bremen"), location(55))
        ).addresses

        assert (first.external_id, first.location_name) == ("55", "Zentrale Hamburg")
        assert (second.external_id, second.location_name) == ("56", "Lager Bremen")
        assert first.is_default_billing
        assert first.is_default_shipping
        assert not second.is_default_billing
        assert first.tax_id == "DE123456789"
        assert first.last_name == "Wareneingang"
        assert first.phone.raw == "+4940555010299"

    def test_bills_that_go_elsewhere_have_an_address_that_is_no_location(self) -> None:
        """It takes no number."""
        billing = company_address(2, address1="Postfach 7")
        goods, bills = translated_company(
            locations=page(location(55, billingAddress=billing))
        ).addresses

        assert (goods.external_id, goods.location_name) == ("55", "Zentrale Hamburg")
        assert (bills.external_id, bills.location_name) == ("55:billing", None)
        assert (goods.is_default_shipping, goods.is_default_billing) == (True, False)
        assert (bills.is_default_shipping, bills.is_default_billing) == (False, True)
        assert bills.lines == ("Postfach 7",)

    def test_contacts_are_accounts(self) -> None:
        """Each names the account of the person."""
        [found] = translated_company().contacts

        assert (found.external_id, found.account) == ("77", "7420011223344")
        assert found.is_main
        assert (found.first_name, found.last_name) == ("Anke", "Petersen")
        assert found.email == "einkauf@nordwind-beispiel.de"
        assert found.role == "Einkauf"

    def test_contacts_without_approved_data_say_nothing_of_it(self) -> None:
        """Only who they are."""
        [found] = translated_company(contacts=page(contact(77, customer={"id": GID}))).contacts

        assert found.account == "7420011223344"
        assert not found.said("first_name")
        assert not found.said("email")

    def test_tax_ids_that_differ_are_each_locations_own(self) -> None:
        """The company's is not guessed then."""
        other = {"taxRegistrationId": "ATU12345678"}
        found = translated_company(locations=page(location(55), location(56, taxSettings=other)))

        assert not found.said("tax_id")
        assert [a.tax_id for a in found.addresses] == ["DE123456789", "ATU12345678"]

    def test_a_company_without_locations_is_one(self) -> None:
        """Nothing is made up."""
        found = translated_company(locations=page(), contacts=page())

        assert found.addresses == ()
        assert found.contacts == ()
        assert not found.said("currency")

    def test_a_location_without_an_address_is_still_a_place(self) -> None:
        """With a name."""
        bare = location(55, shippingAddress=None, billingAddress=None)
        [found] = translated_company(locations=page(bare)).addresses

        assert found.location_name == "Zentrale Hamburg"
        assert not found.said("city")


def test_a_metafield_is_named_by_its_last_dot() -> None:
    """Namespaces of an app's own hold none."""
    assert MetafieldKey.of("$app:erp.customer_number") == ("$app:erp", "customer_number")
    assert str(MetafieldKey("erp", "vat")) == "erp.vat"
