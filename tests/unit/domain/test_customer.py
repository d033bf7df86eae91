"""The canonical customer: what was said, what was not, and what is refused."""

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from pydantic import ValidationError

from shared.domain.customer import (
    Address,
    Custom,
    Customer,
    CustomerKind,
    Phone,
    Source,
    SourceKey,
    Version,
    read_from,
    replaced,
    utc,
)
from tests.unit.domain.normalise.strategies import CUSTOMERS, SOURCE, VERSION


def make_customer(**said: Any) -> Customer:
    """Make a customer of which only `said` is known."""
    return Customer(source=SOURCE, **said)


def test_only_what_was_said_is_written() -> None:
    """A field the source did not speak of is missing from the JSON, defaults included."""
    customer = make_customer(first_name="Ann", last_name=None, addresses=())

    written = json.loads(customer.to_json())

    assert written.keys() == {"source", "first_name", "last_name", "addresses"}
    assert written["last_name"] is None
    assert written["addresses"] == []


@pytest.mark.parametrize(
    ("field", "empty"),
    [("email", None), ("email", ""), ("phone", None), ("addresses", ()), ("warnings", ()),
     ("custom", Custom())],
)  # fmt: skip
def test_absent_is_not_empty(field: str, empty: object) -> None:
    """A field said to be empty and one never mentioned stay two things on the wire."""
    emptied = Customer.model_validate_json(make_customer(**{field: empty}).to_json())
    silent = Customer.model_validate_json(make_customer().to_json())

    assert emptied.said(field)
    assert not silent.said(field)
    assert getattr(emptied, field) == empty


def test_absent_is_not_empty_within_an_address() -> None:
    """The same holds for the fields of an address and of a phone."""
    address = Address(city=None, phone=Phone(raw="1", extension=None))

    (read,) = Customer.model_validate_json(make_customer(addresses=(address,)).to_json()).addresses

    assert read.model_fields_set == {"city", "phone"}
    assert read.phone is not None
    assert read.phone.model_fields_set == {"raw", "extension"}


@settings(derandomize=True, deadline=None, max_examples=200)
@given(CUSTOMERS)
def test_any_customer_survives_the_wire(customer: Customer) -> None:
    """Writing and reading changes neither a value nor what was said, emoji and all."""
    read = Customer.model_validate_json(customer.to_json())

    assert read == customer
    assert read.model_fields_set == customer.model_fields_set
    assert read.to_json() == customer.to_json()


def test_unknown_keys_are_refused_by_name() -> None:
    """A misspelt key is never dropped in silence: the error names it."""
    with pytest.raises(ValidationError) as refused:
        Customer.model_validate({"source": SOURCE, "firstname": "Ann", "addresses": [{"zip": "1"}]})

    places = {error["loc"] for error in refused.value.errors()}
    assert places == {("firstname",), ("addresses", 0, "zip")}


def test_overlong_values_are_refused_by_name() -> None:
    """Values longer than their field are named, all at once, and not cut off."""
    with pytest.raises(ValidationError) as refused:
        Customer.model_validate(
            {
                "source": SOURCE,
                "first_name": "x" * 256,
                "notes": "x" * 4001,
                "addresses": [{"lines": ["", "x" * 256]}],
            }
        )

    problems = {error["loc"]: error["type"] for error in refused.value.errors()}
    assert problems == {
        ("first_name",): "string_too_long",
        ("notes",): "string_too_long",
        ("addresses", 0, "lines", 1): "string_too_long",
    }


def test_values_of_just_the_length_are_accepted() -> None:
    """The limits count characters, not bytes: 255 emoji fit."""
    customer = make_customer(first_name="😀" * 255, notes="ß" * 4000)

    read = Customer.model_validate_json(customer.to_json())

    assert read.first_name == "😀" * 255


@pytest.mark.parametrize(
    ("model", "said"),
    [
        (Address, {"country": "DEU"}),
        (Address, {"country": "de"}),
        (Phone, {"raw": "1", "e164": "030 5550142"}),
        (Phone, {"raw": "1", "e164": "+0305550142"}),
        (Phone, {"raw": "1", "e164": "+1234567890123456"}),
        (Source, {"channel": "", "store_view": "s", "external_id": "1", "version": VERSION}),
        (Source, {"channel": "c", "store_view": "s", "external_id": "  ", "version": VERSION}),
        (Version, {"changed_at": "2026-01-01T00:00:00", "read_at": "2026-01-01T00:00:00Z",
                   "fingerprint": "x"}),
    ],
)  # fmt: skip
def test_malformed_values_are_refused(model: type[Address], said: dict[str, object]) -> None:
    """Codes out of form, blank ids and moments without an offset do not enter the domain."""
    with pytest.raises(ValidationError):
        model.model_validate(said)


def test_text_is_trimmed_on_entry() -> None:
    """Space around a value is not part of it."""
    customer = make_customer(first_name="  Ann ", addresses=(Address(lines=(" Main St 1 ",)),))

    assert customer.first_name == "Ann"
    assert customer.addresses[0].lines == ("Main St 1",)


def test_customers_cannot_be_changed() -> None:
    """A customer that was read stays what was read."""
    customer = make_customer(first_name="Ann")

    with pytest.raises(ValidationError):
        customer.first_name = "Bob"  # type: ignore[misc]


def test_replaced_fields_count_as_said() -> None:
    """A copy with changes leaves the original alone and says what it changed."""
    customer = make_customer(first_name="Ann")

    copy = replaced(customer, email=None)

    assert copy.model_fields_set == {"source", "first_name", "email"}
    assert not customer.said("email")


def test_kind_is_individual_unless_said() -> None:
    """Nobody is a business by omission, and saying nothing is still not saying it."""
    customer = make_customer()

    assert customer.kind is CustomerKind.INDIVIDUAL
    assert not customer.said("kind")


def test_defaults_are_two_flags() -> None:
    """The billing and the shipping default are found apart; either may be missing."""
    shipping, billing = Address(is_default_shipping=True), Address(is_default_billing=True)
    both = Address(is_default_billing=True, is_default_shipping=True)

    apart = make_customer(addresses=(Address(), shipping, billing))
    together = make_customer(addresses=(both,))

    assert apart.default_billing is billing
    assert apart.default_shipping is shipping
    assert together.default_billing is together.default_shipping is both
    assert make_customer().default_billing is None


def make_version(changed: int, read: int) -> Version:
    """Make the state of a record changed and read at these minutes."""
    start = datetime(2026, 1, 1, tzinfo=UTC)
    return Version(
        changed_at=start + timedelta(minutes=changed),
        read_at=start + timedelta(minutes=read),
        fingerprint="x",
    )


def test_versions_are_ordered_by_change_then_by_reading() -> None:
    """A later reading of an unchanged time is newer: addresses change without moving it."""
    first, reread, changed = make_version(0, 5), make_version(0, 6), make_version(1, 2)

    assert first.is_older_than(reread)
    assert reread.is_older_than(changed)
    assert not changed.is_older_than(first)
    assert not first.is_older_than(first)


def test_source_is_keyed_by_channel_and_id() -> None:
    """The same id in two channels is two customers; the store view does not count (ORO-1)."""
    source = Source(channel="shop", store_view="de", external_id="7", version=VERSION)
    elsewhere = replaced(source, channel="other")

    assert source.key == SourceKey("shop", "7") == replaced(source, store_view="at").key
    assert source.key != elsewhere.key
    assert str(source.key) == "shop/7"


def test_what_follows_from_fields_follows_them_when_they_are_replaced() -> None:
    """The default addresses are worked out once for a customer, and anew for a changed one."""
    home, office = Address(is_default_billing=True), Address(city="Bonn", is_default_shipping=True)
    customer = make_customer(addresses=(home, office))
    defaults = customer.default_billing, customer.default_shipping

    moved = replaced(customer, addresses=(office,))

    assert defaults == (home, office)
    assert (moved.default_billing, moved.default_shipping) == (None, office)
    assert customer == make_customer(addresses=(home, office))
    assert customer.to_json() == make_customer(addresses=(home, office)).to_json()


def test_a_customer_is_written_as_it_was_read_until_it_is_changed() -> None:
    """The JSON of the message serves for the customer in it, and never for another."""
    customer = make_customer(first_name="Ann")
    written = json.dumps(json.loads(customer.to_json()), indent=1).encode()
    read_from(customer, written)

    changed = replaced(customer, first_name="Eva")

    assert customer.to_json() == written
    assert changed.to_json() == make_customer(first_name="Eva").to_json()
    assert customer == make_customer(first_name="Ann")


def test_moments_are_compared_in_utc() -> None:
    """An aware moment keeps its instant when it is brought to UTC."""
    berlin = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=1)))

    moment = utc(berlin)

    assert moment == berlin
    assert moment.utcoffset() == timedelta(0)
