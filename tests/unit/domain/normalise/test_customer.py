"""A whole customer in canonical form, and its keys."""

from typing import Any

from hypothesis import given, settings

from shared.domain.customer import (
    Address,
    Contact,
    Custom,
    Customer,
    CustomerKind,
    Entity,
    FieldWarning,
    Phone,
)
from shared.domain.normalise import MatchKeys, match_keys, normalise_customer
from shared.domain.normalise.phone import NO_COUNTRY
from shared.domain.normalise.phone import NOT_VALID as NO_PHONE
from shared.domain.normalise.postcode import NOT_VALID as NO_POSTCODE
from shared.domain.normalise.region import UNKNOWN_CODE
from shared.domain.normalise.tax_id import NOT_VALID as NO_TAX_ID
from tests.unit.domain.normalise.strategies import CUSTOMERS, SOURCE


def make_customer(**said: Any) -> Customer:
    """Make a customer of which only `said` is known."""
    return Customer(source=SOURCE, **said)


def test_canonical_forms_of_all_fields() -> None:
    """Names, e-mail, phones, country, region, postcode and tax id are each put in order."""
    customer = make_customer(
        first_name="Jörg \t😀",
        email=" Jörg.Meyer@BÜCHER.De",
        tax_id="el 094 259 216",
        addresses=(
            Address(is_default_billing=True, country="EL", postcode="15124"),
            Address(country="UK", postcode="sw1a1aa", phone=Phone(raw="020 7946 0018 x7")),
            Address(country="US", region="California", lines=("1 Main\tSt ",)),
        ),
    )

    result = normalise_customer(customer)

    assert result.first_name == "Jörg 😀"
    assert result.email == "Jörg.Meyer@bücher.de"
    assert result.tax_id == "EL094259216"
    greek, british, american = result.addresses
    assert (greek.country, greek.postcode) == ("GR", "151 24")
    assert (british.country, british.postcode) == ("GB", "SW1A 1AA")
    assert british.phone == Phone(raw="020 7946 0018 x7", e164="+442079460018", extension="7")
    assert (american.region_code, american.region) == ("CA", "California")
    assert american.lines == ("1 Main St",)
    assert result.warnings == ()


def test_misunderstood_fields_are_kept_with_warnings() -> None:
    """What cannot be understood stays as written and is named by its path, without the value."""
    address = Address(
        is_default_billing=True, country="DE", region_code="-", postcode="1067", tax_id="DE1",
        phone=Phone(raw="ask Ann"),
    )  # fmt: skip
    customer = make_customer(email="ann at home", phone=Phone(raw="?"), addresses=(address,))

    result = normalise_customer(customer)

    assert result.email == "ann at home"
    assert result.addresses[0].postcode == "1067"
    assert (result.addresses[0].region_code, result.addresses[0].region) == (None, "-")
    assert set(result.warnings) == {
        FieldWarning(field="email", problem="is no usable e-mail address"),
        FieldWarning(field="phone", problem=NO_PHONE),
        FieldWarning(field="addresses[0].postcode", problem=NO_POSTCODE),
        FieldWarning(field="addresses[0].tax_id", problem=NO_TAX_ID),
        FieldWarning(field="addresses[0].region_code", problem=UNKNOWN_CODE),
        FieldWarning(field="addresses[0].phone", problem=NO_PHONE),
    }


def test_unknown_country_is_a_warning() -> None:
    """A code that is no country stays, and nothing in the address is judged by it."""
    customer = make_customer(addresses=(Address(country="XX", postcode="1", region="Y"),))

    result = normalise_customer(customer)

    assert result.addresses == customer.addresses
    assert result.warnings == (
        FieldWarning(field="addresses[0].country", problem="is no country code"),
    )


def test_phone_is_read_by_the_nearest_country() -> None:
    """The address's own country, else the default billing address's, else the language's."""
    raw = Phone(raw="030 5550142")
    billing = Address(is_default_billing=True, country="DE")
    elsewhere = (Address(country="NL", phone=raw), Address(phone=raw), billing)

    by_address = normalise_customer(make_customer(phone=raw, addresses=elsewhere))
    by_language = normalise_customer(make_customer(phone=raw, language="de_DE"))
    by_nothing = normalise_customer(make_customer(phone=raw, language="de"))

    assert [a.phone and a.phone.e164 for a in by_address.addresses[:2]] == [
        "+31305550142",
        "+49305550142",
    ]
    assert by_address.phone is not None
    assert by_address.phone.e164 == "+49305550142"
    assert by_language.phone is not None
    assert by_language.phone.e164 == "+49305550142"
    assert by_nothing.warnings == (FieldWarning(field="phone", problem=NO_COUNTRY),)


def test_number_the_source_understood_is_believed() -> None:
    """A platform that sends E.164 beside its own spelling is not second-guessed."""
    phone = Phone(raw="office", e164="+49305550142", extension=" 7 ")

    result = normalise_customer(make_customer(phone=phone))

    assert result.phone == Phone(raw="office", e164="+49305550142", extension="7")
    assert result.warnings == ()


def test_custom_data_loses_what_no_database_takes() -> None:
    """A zero byte in an attribute must not stop a whole batch at the database."""
    custom = Custom(attributes={"vat\x00": "a\x00b", "n": 1}, metafields={"m": "x\ny"})

    result = normalise_customer(make_customer(custom=custom))

    assert result.custom == Custom(attributes={"vat": "ab", "n": 1}, metafields={"m": "x\ny"})


def test_canonical_customer_is_returned_itself() -> None:
    """Nothing to change is nothing changed: the very same object comes back."""
    customer = make_customer(
        first_name="Ann", email="ann@example.com", addresses=(Address(country="DE"),)
    )

    result = normalise_customer(customer)

    assert result is customer


def test_shipping_is_not_made_up_here() -> None:
    """Filling shipping from billing is a decision, and none of normalisation's."""
    customer = make_customer(addresses=(Address(is_default_billing=True, country="DE"),))

    result = normalise_customer(customer)

    assert result.default_shipping is None


@settings(derandomize=True, deadline=None, max_examples=300)
@given(CUSTOMERS)
def test_normalising_twice_is_normalising_once(customer: Customer) -> None:
    """Whatever the model accepts is normalised without failing, and then is settled."""
    once = normalise_customer(customer)

    assert normalise_customer(once) is once


@settings(derandomize=True, deadline=None, max_examples=300)
@given(CUSTOMERS)
def test_unsaid_stays_unsaid(customer: Customer) -> None:
    """No field becomes said, but those that normalisation itself derives."""
    result = normalise_customer(customer)

    assert result.model_fields_set - customer.model_fields_set <= {"warnings"}
    for before, after in zip(customer.addresses, result.addresses, strict=True):
        newly_said = after.model_fields_set - before.model_fields_set
        assert newly_said <= {"region_code", "region"}
        assert not newly_said or before.region_code or before.region


@settings(derandomize=True, deadline=None, max_examples=300)
@given(CUSTOMERS)
def test_result_is_still_a_valid_customer(customer: Customer) -> None:
    """What normalisation writes fits the model, and survives the wire unchanged."""
    result = normalise_customer(customer)

    again = Customer.model_validate_json(result.to_json())

    assert again == result
    assert again.model_fields_set == result.model_fields_set


def test_keys_of_a_customer() -> None:
    """Each key is the one form that all spellings of the value share."""
    customer = normalise_customer(
        make_customer(
            customer_number=" C-100 ",
            email="ANN@Example.com",
            phone=Phone(raw="030 / 5550142"),
            tax_id="136 695 976",
            addresses=(Address(is_default_billing=True, country="DE"),),
        )
    )

    keys = match_keys(customer)

    assert keys == MatchKeys("C-100", "ann@example.com", "+49305550142", "DE136695976")


def test_default_billing_fills_the_keys() -> None:
    """A customer without a phone or tax id of its own is found by its billing address's."""
    billing = Address(
        is_default_billing=True, country="DE", phone=Phone(raw="030 5550142"), tax_id="DE136695976"
    )
    other = Address(country="DE", phone=Phone(raw="030 5550199"), tax_id="DE129274202")

    keys = match_keys(normalise_customer(make_customer(addresses=(other, billing))))

    assert keys == MatchKeys(phone="+49305550142", tax_id="DE136695976")


def test_empty_values_are_no_keys() -> None:
    """Two customers with nothing in common but emptiness are not matched."""
    customer = normalise_customer(
        make_customer(customer_number=" ", email="", phone=Phone(raw=""), tax_id="-")
    )

    keys = match_keys(customer)

    assert keys == MatchKeys()


def test_a_company_is_a_business_and_its_contacts_are_put_in_order() -> None:
    """MYOB-1: names, e-mail addresses and telephones of contacts, names of locations."""
    customer = make_customer(
        entity=Entity.COMPANY,
        addresses=(
            Address(location_name=" Head \t office", country="DE", is_default_billing=True),
        ),
        contacts=(
            Contact(external_id="1", first_name=" Anke", email=" Anke@BÜCHER.De"),
            Contact(external_id="2", phone=Phone(raw="030 5550142")),
            Contact(external_id="3", phone=Phone(raw="none"), role="buyer "),
        ),
    )

    result = normalise_customer(customer)

    first, second, third = result.contacts
    assert result.kind is CustomerKind.BUSINESS
    assert result.addresses[0].location_name == "Head office"
    assert (first.first_name, first.email) == ("Anke", "Anke@bücher.de")
    assert second.phone
    assert second.phone.e164 == "+49305550142"
    assert third.role == "buyer"
    assert [warning.field for warning in result.warnings] == ["contacts[2].phone"]
    assert normalise_customer(result) is result
