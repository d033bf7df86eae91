"""Translates a Shopify company: its locations are addresses with a name, its contacts accounts.

A location whose bills go elsewhere becomes two addresses: the location itself, where goods go, and
one for its bills, named by the location's id and `:billing`, which is no location and gets no
number. A company has no e-mail address, and no default location: its oldest stands for that.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from shared.connectors.content import moment
from shared.connectors.shopify.ids import external_id, number_of
from shared.connectors.shopify.wire import WireAddress, WireCompany, WireContact, WireLocation
from shared.domain.customer import (
    Address,
    Contact,
    Custom,
    Customer,
    CustomerKind,
    Entity,
    Phone,
    Source,
)

BILLING_SUFFIX = ":billing"


def company_of(wire: WireCompany, source: Source, custom: Custom) -> Customer:
    """Return the canonical company."""
    locations = sorted(wire.locations, key=lambda each: number_of(each.id, "CompanyLocation") or 0)
    return Customer(
        source=source,
        entity=Entity.COMPANY,
        kind=CustomerKind.BUSINESS,
        company_name=wire.name,
        notes=wire.note,
        customer_number=(wire.number or "").strip() or None,
        registered_at=moment(wire.created_at),
        addresses=tuple(_addresses(locations)),
        contacts=tuple(map(_contact, wire.contacts)),
        custom=custom,
        **_of_oldest(locations),
    )


def _of_oldest(locations: Sequence[WireLocation]) -> dict[str, Any]:
    """Return what the company has of its oldest location; the tax id only where all agree."""
    said: dict[str, Any] = {}
    if locations:
        oldest = locations[0]
        said |= {"language": oldest.locale, "currency": oldest.currency}
        if oldest.said("phone"):
            said["phone"] = _phone(oldest.phone)
    tax_ids = _distinct(location.tax.registration for location in locations)
    if len(tax_ids) <= 1:
        said["tax_id"] = next(iter(tax_ids), None)
    return said


def _distinct(values: Iterable[str | None]) -> set[str]:
    return {value.strip() for value in values if value and value.strip()}


def _addresses(locations: Sequence[WireLocation]) -> Iterator[Address]:
    for number, location in enumerate(locations):
        is_default = number == 0
        location_id = str(number_of(location.id, "CompanyLocation") or location.id)
        shipping, billing = location.shipping, location.billing
        bills_elsewhere = bool(shipping and billing and shipping.content != billing.content)
        yield _address(
            location,
            shipping or billing,
            external_id=location_id,
            location_name=location.name or location_id,
            is_default_shipping=is_default,
            is_default_billing=is_default and not bills_elsewhere,
        )
        if bills_elsewhere:
            yield _address(
                location,
                billing,
                external_id=f"{location_id}{BILLING_SUFFIX}",
                is_default_billing=is_default,
            )


def _address(location: WireLocation, address: WireAddress | None, **known: Any) -> Address:
    said: dict[str, Any] = {}
    if address or location.said("phone"):
        said["phone"] = _phone((address.phone if address else None) or location.phone)
    if address:
        has_name = address.first_name or address.last_name
        said |= {
            "first_name": address.first_name,
            "last_name": address.last_name if has_name else address.recipient,
            "company_name": address.company_name,
            "lines": tuple(line for line in (address.address1, address.address2) if line),
            "city": address.city,
            "postcode": address.zip,
            "region_code": address.zone_code,
            "region": address.province,
            "country": address.country_code if address.country_code != "ZZ" else None,
        }
    return Address(**known, **said, tax_id=location.tax.registration)


def _contact(contact: WireContact) -> Contact:
    person = contact.person
    said: dict[str, Any] = {}
    if person.said("first_name", "last_name"):
        said |= {"first_name": person.first_name, "last_name": person.last_name}
    if person.said("email"):
        said["email"] = person.email.address if person.email else None
    if person.said("phone"):
        said["phone"] = _phone(person.phone.number) if person.phone else None
    return Contact(
        external_id=str(number_of(contact.id, "CompanyContact") or contact.id),
        account=external_id(person.id),
        is_main=contact.is_main,
        role=contact.title,
        **said,
    )


def _phone(number: str | None) -> Phone | None:
    return Phone(raw=number) if number and number.strip() else None
