"""The directory's view of a customer, and how a canonical customer maps onto its fields.

The directory is the customer master. Its fields are flat text, so that two values can be compared
and a change named by its field.
"""

from collections.abc import Mapping
from dataclasses import field
from datetime import date, datetime
from typing import Final
from uuid import UUID

from shared.domain.customer import Address, Customer, CustomerKind, Entity, Phone
from shared.domain.normalise import MatchKeys, name_key
from shared.domain.values import value

FieldValue = str | bool | date | None

CUSTOMER_FIELDS: Final = (
    "kind", "prefix", "first_name", "middle_name", "last_name", "suffix", "company_name",
    "email", "phone", "phone_extension", "language", "currency", "tax_id", "birth_date", "gender",
    "marketing_consent", "notes",
)  # fmt: skip

ADDRESS_FIELDS: Final = (
    "prefix", "first_name", "last_name", "company_name", "lines", "city", "postcode",
    "region_code", "region", "country", "phone", "tax_id", "location_name",
)  # fmt: skip

NO_KEYS: Final = MatchKeys()


@value
class DirectoryAddress:
    """An address in the directory; `external_id` is the platform's id for it in `channel`.

    One that has a `location_number` is a location, with `defaults` of its own.
    """

    id: UUID
    channel: str
    external_id: str | None
    is_default_billing: bool
    is_default_shipping: bool
    fields: Mapping[str, FieldValue]
    location_number: int | None = None
    defaults: Mapping[str, str] = field(default_factory=dict)


@value
class DirectoryCustomer:
    """A customer in the directory. `number` is None only until it is drawn.

    `field_times` says when fields were last changed, of those that were since the creation.
    `entity` is None as long as no platform has such a record; `locations` says how many numbers of
    locations were given.
    """

    id: UUID
    number: str | None
    fields: Mapping[str, FieldValue]
    keys: MatchKeys = NO_KEYS
    template: str | None = None
    defaults: Mapping[str, str] = field(default_factory=dict)
    field_times: Mapping[str, datetime] = field(default_factory=dict)
    addresses: tuple[DirectoryAddress, ...] = ()
    entity: Entity | None = Entity.ACCOUNT
    locations: int = 0


def customer_fields(customer: Customer) -> dict[str, FieldValue]:
    """Return the directory's fields that `customer` speaks of."""
    said, values = customer.model_fields_set, vars(customer)
    fields: dict[str, FieldValue] = {name: values[name] for name in _SAME_NAME if name in said}
    fields["kind"] = str(customer.kind)
    if "phone" in said:
        fields["phone"] = phone_text(customer.phone)
        fields["phone_extension"] = customer.phone.extension if customer.phone else None
    if "marketing_consent" in said:
        consent = customer.marketing_consent
        fields["marketing_consent"] = consent.granted if consent else None
    return fields


def address_fields(address: Address) -> dict[str, FieldValue]:
    """Return all of the directory's fields of an address."""
    return {
        "prefix": address.prefix,
        "first_name": address.first_name,
        "last_name": address.last_name,
        "company_name": address.company_name,
        "lines": "\n".join(address.lines),
        "city": address.city,
        "postcode": address.postcode,
        "region_code": address.region_code,
        "region": address.region,
        "country": address.country,
        "phone": phone_text(address.phone),
        "tax_id": address.tax_id,
        "location_name": address.location_name,
    }


def directory_name_key(customer: DirectoryCustomer) -> str | None:
    """Return what the directory's own name and billing address are found by."""
    billing = next((a for a in customer.addresses if a.is_default_billing), None)
    if billing is None:
        return None
    said = {name: value for name, value in customer.fields.items() if isinstance(value, str)}
    company = said.get("company_name") if said.get("kind") == CustomerKind.BUSINESS else None
    names = (company,) if company else (said.get("first_name"), said.get("last_name"))
    place = billing.fields
    return name_key(names, _text(place.get("postcode")), _text(place.get("country")))


def _text(value: FieldValue) -> str | None:
    return value if isinstance(value, str) else None


def phone_text(phone: Phone | None) -> str | None:
    """Return a telephone number as the directory keeps it: E.164, or as written."""
    return (phone.e164 or phone.raw) if phone else None


_SAME_NAME: Final = tuple(
    name
    for name in CUSTOMER_FIELDS
    if name not in ("kind", "phone", "phone_extension", "marketing_consent")
)
