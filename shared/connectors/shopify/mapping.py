"""Translates a Shopify customer into the canonical one, field by field and without judging.

A customer is an account; it has one default address, which is both billing's and shipping's. What
the shop did not speak of (not asked for, or not approved) stays unsaid. Promise: a record that does
not fit raises `UnreadableRecord` with fields and reasons, never with a value.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import ValidationError

from shared.connectors.content import moment, problems_of
from shared.connectors.shopify.companies import company_of
from shared.connectors.shopify.ids import external_id, is_company, number_of
from shared.connectors.shopify.wire import (
    WireAddress,
    WireCompany,
    WireCustomer,
    WireEmail,
    WireMetafield,
)
from shared.domain.customer import (
    Address,
    Consent,
    Custom,
    Customer,
    CustomerKind,
    CustomValue,
    FieldWarning,
    Phone,
    Source,
)
from shared.domain.errors import UnreadableRecord

SUBSCRIBED = "SUBSCRIBED"
_COUNTRY = re.compile(r"[A-Z]{2}")
_UNKNOWN_COUNTRY = "ZZ"
_MOST_DIGITS = 18


def translate(payload: Mapping[str, Any], source: Source) -> Customer:
    """Return the canonical customer. Raises `UnreadableRecord` when it cannot hold the record."""
    try:
        if is_company(source.external_id):
            wire = WireCompany.model_validate(payload)
            custom = Custom(metafields=metafield_values(wire.metafields))
            return company_of(wire, source, custom)
        return _customer(WireCustomer.model_validate(payload), source)
    except ValidationError as error:
        raise UnreadableRecord(problems_of(error)) from None


def _customer(wire: WireCustomer, source: Source) -> Customer:
    warnings: list[FieldWarning] = []
    said: dict[str, Any] = {}
    companies = tuple(filter(None, (external_id(p.company.id) for p in wire.profiles)))
    company = None
    if wire.said("first_name", "last_name"):
        said |= {"first_name": wire.first_name, "last_name": wire.last_name}
    if wire.said("email"):
        said |= _email(wire.email)
    if wire.said("phone"):
        said["phone"] = Phone(raw=wire.phone.number) if wire.phone else None
    if wire.said("addresses"):
        addresses = _addresses(wire, warnings)
        company = _company(addresses)
        said |= {"addresses": addresses, "company_name": company}
    if wire.said("tax_id"):
        said["tax_id"] = _text(wire.tax_id)
    if wire.said("profiles"):
        said["companies"] = companies
    return Customer(
        source=source,
        kind=CustomerKind.BUSINESS if company or companies else CustomerKind.INDIVIDUAL,
        language=wire.locale,
        notes=wire.note,
        customer_number=_text(wire.number),
        registered_at=moment(wire.created_at),
        custom=Custom(attributes=_attributes(wire), metafields=metafield_values(wire.metafields)),
        warnings=tuple(warnings),
        **said,
    )


def _email(email: WireEmail | None) -> dict[str, Any]:
    if email is None:
        return {"email": None}
    if email.state is None:
        return {"email": email.address}
    granted = email.state == SUBSCRIBED
    consent = Consent(granted=granted, at=moment(email.updated_at))
    return {"email": email.address, "marketing_consent": consent}


def _addresses(wire: WireCustomer, warnings: list[FieldWarning]) -> tuple[Address, ...]:
    default = _number(wire.default_address.id) if wire.default_address else None
    addresses = []
    for number, address in enumerate(wire.addresses):
        country = address.country_code_v2
        if country and (country == _UNKNOWN_COUNTRY or not _COUNTRY.fullmatch(country)):
            field = f"addresses.{number}.country"
            warnings.append(FieldWarning(field=field, problem="not an ISO country code"))
            country = None
        try:
            addresses.append(_address(address, country, default))
        except ValidationError as error:
            raise UnreadableRecord(problems_of(error, f"addresses.{number}.")) from None
    return tuple(addresses)


def _address(address: WireAddress, country: str | None, default: str | None) -> Address:
    address_id = _number(address.id)
    is_default = address_id is not None and address_id == default
    return Address(
        external_id=address_id,
        is_default_billing=is_default,
        is_default_shipping=is_default,
        first_name=address.first_name,
        last_name=address.last_name,
        company_name=address.company,
        lines=tuple(line for line in (address.address1, address.address2) if line),
        city=address.city,
        postcode=address.zip,
        region_code=address.province_code,
        region=address.province,
        country=country,
        phone=Phone(raw=address.phone) if address.phone and address.phone.strip() else None,
    )


def _number(gid: str) -> str | None:
    number = number_of(gid, "MailingAddress")
    return None if number is None else str(number)


def _company(addresses: Sequence[Address]) -> str | None:
    """Return whom bills go to; without a default address, the first company there is."""
    default = next((a for a in addresses if a.is_default_billing), None)
    candidates = (default,) if default else addresses
    return next((a.company_name for a in candidates if a.company_name), None)


def _attributes(wire: WireCustomer) -> dict[str, CustomValue]:
    attributes: dict[str, CustomValue] = {}
    if wire.said("tags"):
        attributes["tags"] = ",".join(sorted(wire.tags))
    if wire.tax_exempt is not None:
        attributes["tax_exempt"] = wire.tax_exempt
    if wire.tax_exemptions:
        attributes["tax_exemptions"] = ",".join(sorted(wire.tax_exemptions))
    return attributes


def metafield_values(metafields: Sequence[WireMetafield]) -> dict[str, CustomValue]:
    """Return metafields by name; whole numbers and truths as such, all else as it is written."""
    return {metafield.name: _value(metafield) for metafield in metafields}


def _value(metafield: WireMetafield) -> CustomValue:
    text = metafield.value
    if metafield.type == "boolean" and text in {"true", "false"}:
        return text == "true"
    is_whole = text.removeprefix("-").isdigit() and text.isascii() and len(text) <= _MOST_DIGITS
    if metafield.type == "number_integer" and is_whole:
        return int(text)
    return text


def _text(metafield: WireMetafield | None) -> str | None:
    return (metafield.value.strip() or None) if metafield else None
