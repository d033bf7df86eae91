"""Pushed customers: read strictly, told kindly, and said only what was said."""

from datetime import date
from typing import Any

import pytest

from shared.connectors.push.customer import PushedCustomer, Unfit, read_pushed
from shared.connectors.push.mapping import FieldMapping, MappingInvalid
from shared.connectors.push.settings import PushSettings
from shared.domain.errors import UnreadableRecord
from tests.builders import a_source

SOURCE = a_source("1")
FIELDS = frozenset(PushedCustomer.model_fields)


def faults(record: Any) -> list[tuple[str, str]]:
    """Return what is wrong with a record."""
    with pytest.raises(Unfit) as caught:
        read_pushed(record)
    return [(fault.pointer, fault.detail) for fault in caught.value.faults]


def test_what_is_left_out_is_not_said() -> None:
    """And what is null or empty is said to be empty (D365-10)."""
    customer = read_pushed({"external_id": "1", "email": "", "phone": None}).to_customer(SOURCE)

    assert customer.model_fields_set == {"source", "email", "phone"}
    assert (customer.email, customer.phone) == (None, None)


def test_every_field_arrives() -> None:
    """Created date, opt-in, province code and primary flag among them (D365-11)."""
    customer = read_pushed(
        {
            "external_id": "1", "kind": "business", "company_name": "Lang KG", "tax_id": "DE1",
            "birth_date": "1990-12-31", "marketing_consent": {"granted": True,
            "at": "2026-01-01T00:00:00Z"}, "registered_at": "2020-01-01T00:00:00+01:00",
            "addresses": [{"external_id": "a", "lines": ["Weg 1"], "region_code": "CA",
            "country": "usa", "phone": "1", "is_default_billing": True}],
            "custom": {"attributes": {"tier": "gold", "points": 7, "vip": True, "none": None}},
        }
    ).to_customer(SOURCE)  # fmt: skip

    assert customer.birth_date == date(1990, 12, 31)
    assert customer.marketing_consent
    assert customer.marketing_consent.granted
    [address] = customer.addresses
    assert (address.region_code, address.country) == ("CA", "US")
    assert (address.is_default_billing, address.is_default_shipping) == (True, False)
    assert customer.custom.attributes == {"tier": "gold", "points": 7, "vip": True, "none": None}


@pytest.mark.parametrize("said", [True, False])
def test_consent_may_be_a_plain_yes_or_no(said: bool) -> None:
    """Without a time."""
    customer = read_pushed({"marketing_consent": said}).to_customer(SOURCE)

    assert customer.marketing_consent
    assert customer.marketing_consent.granted is said


def test_only_the_only_address_is_a_default_by_itself() -> None:
    """Of two nobody can guess."""
    one = read_pushed({"addresses": [{"city": "Wien"}]}).to_customer(SOURCE)
    two = read_pushed({"addresses": [{"city": "Wien"}, {"city": "Graz"}]}).to_customer(SOURCE)

    assert one.default_billing is one.default_shipping is one.addresses[0]
    assert (two.default_billing, two.default_shipping) == (None, None)


@pytest.mark.parametrize(
    ("record", "pointer"),
    [
        ({"external_id": 7}, "/external_id"),
        ({"is_guest": 1}, "/is_guest"),
        ({"marketing_consent": {"granted": "no"}}, "/marketing_consent/granted"),
        ({"addresses": [{}, {"lines": "Weg 1"}]}, "/addresses/1/lines"),
        ({"custom": {"tags": {}}}, "/custom/tags"),
        ({"registered_at": "2026-01-01T00:00:00"}, "/registered_at"),
        ({"registered_at": "0001-01-01T00:00:00+14:00"}, "/registered_at"),
        ({"addresses": [{"country": "Secretland"}]}, "/addresses/0/country"),
        ({"a/b~c": "secret"}, "/a~1b~0c"),
        ({"notes": "secret" * 1000}, "/notes"),
    ],
)
def test_what_does_not_fit_is_told_with_a_pointer(record: Any, pointer: str) -> None:
    """And without the value (D365-15)."""
    told = faults(record)

    assert pointer in {where for where, _ in told}
    assert not any("ecret" in what for _, what in told)


def test_one_content_has_one_fingerprint() -> None:
    """Whatever the order of its fields, and when it was sent."""
    one = read_pushed({"first_name": "Ann", "last_name": "Lang", "updated_at": "2026-01-01T00:00Z"})
    two = read_pushed({"last_name": "Lang", "first_name": " Ann "})
    other = read_pushed({"last_name": "Lang", "first_name": "Ann", "email": None})

    assert one.fingerprint() == two.fingerprint() != other.fingerprint()


def test_a_mapping_says_what_it_finds_and_nothing_else() -> None:
    """By JMESPath, into fields and custom data (D365-3)."""
    mapping = FieldMapping(
        {"email": "c.mail", "phone": "c.tel", "custom.attributes.a.b": "x"}, FIELDS
    )

    assert mapping.apply({"c": {"mail": "a@b.c", "tel": None}, "x": 1}) == {
        "email": "a@b.c",
        "custom": {"attributes": {"a.b": 1}},
    }


def test_a_mapping_that_cannot_be_applied_names_its_field() -> None:
    """The other customers of the request are not concerned."""
    mapping = FieldMapping({"notes": "join(', ', tags)", "email": "mail"}, FIELDS)

    with pytest.raises(UnreadableRecord) as caught:
        mapping.apply({"tags": 7, "mail": "secret"})

    assert caught.value.problems == (("notes", "its mapping cannot be applied to this record"),)


@pytest.mark.parametrize(
    ("field", "expression"),
    [("emial", "mail"), ("custom.tags.x", "x"), ("custom.attributes", "x"), ("email", "a..b"),
     ("email", ""), ("addresses.city", "x")],
)  # fmt: skip
def test_a_mapping_that_cannot_be_used_is_refused_when_it_is_read(
    field: str, expression: str
) -> None:
    """Not when the first customer comes."""
    with pytest.raises(MappingInvalid, match=r"^[a-z.]+: "):
        FieldMapping({field: expression}, FIELDS)
    with pytest.raises(ValueError, match="mapping"):
        PushSettings.model_validate(
            {"store_views": [{"code": "crm"}], "api_keys": ["k" * 32],
             "mapping": {"external_id": "id", field: expression}}
        )  # fmt: skip
