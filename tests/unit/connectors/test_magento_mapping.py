"""A Magento customer in canonical form, hostile ones included."""

from datetime import UTC, date, datetime
from typing import Any

import pytest

from shared.connectors.magento.mapping import translate
from shared.domain.customer import Consent, Customer, CustomerKind, Phone, Source, Version
from shared.domain.errors import UnreadableRecord
from tests.unit.connectors.builders import NOW, address, item

GROUPS = {1: "General"}
LONG = "x" * 256


def customer(payload: dict[str, Any]) -> Customer:
    """Translate a payload."""
    version = Version(changed_at=NOW, read_at=NOW, fingerprint="f")
    return translate(
        payload,
        Source(channel="shop-de", store_view="de", external_id="4711", version=version),
        group_code=lambda group_id: GROUPS.get(group_id, str(group_id)),
        number_attribute="erp_customer_number",
    )


def test_every_field_has_its_place() -> None:
    """A whole customer is translated whole."""
    number = {"attribute_code": "erp_customer_number", "value": "D10023"}
    loyalty = {"attribute_code": "loyalty", "value": "gold"}

    known = customer(
        item(
            prefix="Dr.",
            middlename="Maria",
            suffix="MBA",
            dob="1980-02-29",
            custom_attributes=[number, loyalty],
        )
    )

    assert known.kind is CustomerKind.BUSINESS
    assert (known.prefix, known.first_name, known.middle_name) == ("Dr.", "Petra", "Maria")
    assert (known.last_name, known.suffix, known.company_name) == ("Lang", "MBA", "Lang GmbH")
    assert known.email == "petra.lang@example.com"
    assert known.phone == Phone(raw="+49 30 5550142")
    assert (known.group, known.tax_id, known.gender) == ("General", "DE123456789", "female")
    assert known.birth_date == date(1980, 2, 29)
    assert known.marketing_consent == Consent(granted=True)
    assert known.customer_number == "D10023"
    assert known.registered_at == datetime(2025, 11, 3, 8, 15, 12, tzinfo=UTC)
    assert known.custom.attributes == {"loyalty": "gold"}
    assert not known.warnings


def test_an_address_is_translated_whole() -> None:
    """Lines, region, country, phone and tax id keep their values."""
    book = [address(91, prefix="Dr.", middlename="M.", company="Lang GmbH", vat_id="DE1")]

    home = customer(item(addresses=book)).addresses[0]

    assert home.external_id == "91"
    assert (home.prefix, home.first_name, home.last_name) == ("Dr.", "Petra M.", "Lang")
    assert home.lines == ("Lindenweg 4", "Hinterhaus")
    assert (home.city, home.postcode, home.country) == ("Berlin", "10115", "DE")
    assert (home.region_code, home.region) == ("BER", "Berlin")
    assert home.phone == Phone(raw="+49 30 5550142")
    assert (home.company_name, home.tax_id) == ("Lang GmbH", "DE1")


def test_the_customer_points_at_its_default_addresses() -> None:
    """Billing and shipping are independent flags."""
    known = customer(item(default_billing="92", default_shipping="91"))

    assert [a.is_default_billing for a in known.addresses] == [False, True]
    assert [a.is_default_shipping for a in known.addresses] == [True, False]


def test_flags_on_addresses_count_where_the_customer_points_nowhere() -> None:
    """Either way of saying it is understood."""
    book = [address(91), address(92, default_billing=True, default_shipping=True)]

    known = customer(item(default_billing=None, default_shipping="0", addresses=book))

    assert known.default_billing == known.addresses[1]
    assert known.default_shipping == known.addresses[1]


def test_the_customers_own_pointer_wins_over_a_flag() -> None:
    """There is never more than one default."""
    book = [address(91), address(92, default_billing=True)]

    known = customer(item(default_billing="91", addresses=book))

    assert [a.is_default_billing for a in known.addresses] == [True, False]


def test_what_is_left_out_was_said_to_be_empty() -> None:
    """Magento leaves null out; what it has no field for stays unsaid."""
    bare = {"id": 1, "updated_at": "2026-01-05 10:02:44"}

    known = customer(bare)

    said = {"prefix", "first_name", "last_name", "company_name", "email", "phone", "group"}
    said |= {"tax_id", "birth_date", "gender", "customer_number", "registered_at", "addresses"}
    assert said <= known.model_fields_set
    assert all(not getattr(known, field) for field in said)
    assert not known.said("language")
    assert not known.said("currency")
    assert not known.said("notes")
    assert not known.said("marketing_consent")


def test_a_private_customer_has_no_company() -> None:
    """A company elsewhere in the address book does not make a business of a private bill."""
    book = [address(91), address(92, company="Employer Ltd")]

    known = customer(item(addresses=book))

    assert known.kind is CustomerKind.INDIVIDUAL
    assert known.company_name is None


def test_without_a_billing_address_any_company_tells() -> None:
    """Where no address is the default, the first company is taken."""
    book = [address(91), address(92, company="Lang GmbH")]

    known = customer(item(default_billing=None, addresses=book))

    assert known.kind is CustomerKind.BUSINESS
    assert known.company_name == "Lang GmbH"


def test_the_billing_address_lends_its_tax_id() -> None:
    """The customer's own tax id comes first."""
    book = [address(91, vat_id="DE999999999")]

    assert customer(item(addresses=book)).tax_id == "DE123456789"
    assert customer(item(addresses=book, taxvat=None)).tax_id == "DE999999999"


def test_emoji_and_foreign_letters_are_kept() -> None:
    """Names are whatever people are called."""
    known = customer(item(firstname="Zoë 🦊", lastname="王小明", addresses=[]))

    assert (known.first_name, known.last_name) == ("Zoë 🦊", "王小明")


def test_blank_names_are_empty() -> None:
    """Blanks are no name, and no reason to refuse a record."""
    known = customer(item(firstname="  ", lastname="\t", addresses=[address(91, telephone=" ")]))

    assert (known.first_name, known.last_name) == ("", "")
    assert known.addresses[0].phone is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"firstname": LONG}, "first_name"),
        ({"email": LONG}, "email"),
        ({"addresses": [address(91), address(92, city=LONG)]}, "addresses.1.city"),
        ({"addresses": [address(91, telephone=LONG)]}, "addresses.0.telephone"),
        ({"addresses": [address(91, street=["a", LONG])]}, "addresses.0.lines.1"),
        ({"firstname": ["Petra"]}, "firstname"),
        ({"addresses": "none"}, "addresses"),
        ({"addresses": ["none"]}, "addresses.0"),
        ({"custom_attributes": [{"value": "x"}]}, "custom_attributes.0.attribute_code"),
        ({"group_id": "General"}, "group_id"),
        ({"gender": "female"}, "gender"),
        ({"extension_attributes": {"is_subscribed": "maybe"}},
         "extension_attributes.is_subscribed"),
        ({"custom_attributes": [{"attribute_code": "erp_customer_number", "value": LONG}]},
         "customer_number"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_named_without_its_value(changes: dict[str, Any], field: str) -> None:
    """The record is unreadable; the field and the reason are told, the value is not."""
    with pytest.raises(UnreadableRecord) as caught:
        customer(item(**changes))

    assert [name for name, _ in caught.value.problems] == [field]
    assert not {LONG, "Petra", "maybe"} & set(str(caught.value).split())
    assert "xxx" not in str(caught.value)


@pytest.mark.parametrize("dob", ["31.12.1980", "1980-02-30", "soon", "12"])
def test_a_birth_date_that_is_none_is_a_warning(dob: str) -> None:
    """A typing error in a birth date does not hold a customer up."""
    known = customer(item(dob=dob))

    assert known.birth_date is None
    assert [warning.field for warning in known.warnings] == ["birth_date"]


@pytest.mark.parametrize("dob", ["", "0000-00-00", "0000-00-00 00:00:00", None])
def test_an_empty_birth_date_is_none(dob: str | None) -> None:
    """The database's zero date means nothing."""
    known = customer(item(dob=dob))

    assert known.birth_date is None
    assert not known.warnings


def test_a_country_that_is_none_is_a_warning() -> None:
    """The address is kept without it."""
    known = customer(item(addresses=[address(91, country_id="Germany"), address(92)]))

    assert [a.country for a in known.addresses] == [None, "DE"]
    assert [warning.field for warning in known.warnings] == ["addresses.0.country"]


def test_custom_attributes_keep_what_they_hold() -> None:
    """Lists and objects become text; the customer number is no attribute."""
    values: dict[str, Any] = {
        "a": "x",
        "b": 5,
        "c": True,
        "d": None,
        "e": ["1", "2"],
        "f": {"k": 1},
    }
    entries = [{"attribute_code": code, "value": value} for code, value in values.items()]

    known = customer(item(custom_attributes=entries))

    assert known.custom.attributes == {**values, "e": "1,2", "f": '{"k":1}'}


@pytest.mark.parametrize("value", ["", "  ", None])
def test_a_blank_customer_number_is_none(value: str | None) -> None:
    """An attribute that was emptied is no number."""
    number = {"attribute_code": "erp_customer_number", "value": value}

    assert customer(item(custom_attributes=[number])).customer_number is None
