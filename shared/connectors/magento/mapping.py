"""Translates a Magento customer into the canonical one, field by field and without judging.

Magento sends customers whole and leaves null out, so what is missing was said to be empty: every
field that this API has is set. It has none for language, currency and notes: those stay unsaid.
Promise: a record that does not fit raises `UnreadableRecord` with fields and reasons, never with
a value.
"""

import re
from collections.abc import Callable, Mapping
from datetime import date
from typing import Any

import orjson
from pydantic import ValidationError

from shared.connectors.content import moment, problems_of
from shared.connectors.magento.wire import WireAddress, WireAttribute, WireCustomer
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

GENDERS = {1: "male", 2: "female"}
_COUNTRY = re.compile(r"[A-Z]{2}")
_NO_DATE = "0000-00-00"
_DATE_LENGTH = len(_NO_DATE)


def translate(
    payload: Mapping[str, Any],
    source: Source,
    *,
    group_code: Callable[[int], str],
    number_attribute: str,
) -> Customer:
    """Return the canonical customer. Raises `UnreadableRecord` when it cannot hold the record."""
    try:
        wire = WireCustomer.model_validate(payload)
        group = None if wire.group_id is None else group_code(wire.group_id)
        return _customer(wire, source, group, number_attribute)
    except ValidationError as error:
        raise UnreadableRecord(problems_of(error)) from None


def _customer(
    wire: WireCustomer, source: Source, group: str | None, number_attribute: str
) -> Customer:
    warnings: list[FieldWarning] = []
    addresses = _addresses(wire, warnings)
    billing = next((a for a in addresses if a.is_default_billing), None)
    company = _company(addresses, billing)
    attributes = {a.attribute_code: _custom_value(a) for a in wire.custom_attributes}
    said = {} if (consent := _consent(wire)) is None else {"marketing_consent": consent}
    return Customer(
        source=source,
        kind=CustomerKind.BUSINESS if company else CustomerKind.INDIVIDUAL,
        prefix=wire.prefix,
        first_name=wire.firstname,
        middle_name=wire.middlename,
        last_name=wire.lastname,
        suffix=wire.suffix,
        company_name=company,
        email=wire.email,
        phone=billing.phone if billing else None,
        group=group,
        tax_id=wire.taxvat or (billing.tax_id if billing else None),
        birth_date=_birth_date(wire.dob, warnings),
        gender=GENDERS.get(wire.gender or 0),
        customer_number=_number(attributes.pop(number_attribute, None)),
        registered_at=moment(wire.created_at),
        addresses=addresses,
        custom=Custom(attributes=attributes),
        warnings=tuple(warnings),
        **said,
    )


def _addresses(wire: WireCustomer, warnings: list[FieldWarning]) -> tuple[Address, ...]:
    addresses = []
    for number, address in enumerate(wire.addresses):
        country = (address.country_id or "").strip().upper() or None
        if country and not _COUNTRY.fullmatch(country):
            field = f"addresses.{number}.country"
            warnings.append(FieldWarning(field=field, problem="not an ISO country code"))
            country = None
        try:
            addresses.append(_address(wire, address, country))
        except ValidationError as error:
            raise UnreadableRecord(problems_of(error, f"addresses.{number}.")) from None
    return tuple(addresses)


def _address(wire: WireCustomer, address: WireAddress, country: str | None) -> Address:
    names = filter(None, (address.firstname, address.middlename))
    region = address.region
    return Address(
        external_id=None if address.id is None else str(address.id),
        is_default_billing=_is_default(address, wire.default_billing, address.default_billing),
        is_default_shipping=_is_default(address, wire.default_shipping, address.default_shipping),
        prefix=address.prefix,
        first_name=None if address.firstname is None else " ".join(names),
        last_name=address.lastname,
        company_name=address.company,
        lines=address.street,
        city=address.city,
        postcode=address.postcode,
        region_code=region.region_code if region else None,
        region=region.region if region else None,
        country=country,
        phone=_phone(address.telephone),
        tax_id=address.vat_id,
    )


def _is_default(address: WireAddress, named: str | int | None, flag: bool) -> bool:  # noqa: FBT001
    """Trust the customer's own pointer; the flag only where the customer names no address."""
    return flag if named in (None, "", "0", 0) else str(named) == str(address.id)


def _company(addresses: tuple[Address, ...], billing: Address | None) -> str | None:
    """Return whom bills go to; without a billing address, the first company there is."""
    candidates = (billing,) if billing else addresses
    return next((a.company_name for a in candidates if a.company_name), None)


def _phone(telephone: str | None) -> Phone | None:
    return Phone(raw=telephone) if telephone and telephone.strip() else None


def _consent(wire: WireCustomer) -> Consent | None:
    extension = wire.extension_attributes
    if extension is None or extension.is_subscribed is None:
        return None
    return Consent(granted=extension.is_subscribed)


def _birth_date(text: str | None, warnings: list[FieldWarning]) -> date | None:
    if not text or text.startswith(_NO_DATE):
        return None
    try:
        return date.fromisoformat(text[:_DATE_LENGTH])
    except ValueError:
        warnings.append(FieldWarning(field="birth_date", problem="not a date"))
        return None


def _number(value: CustomValue) -> str | None:
    return None if value is None else str(value).strip() or None


def _custom_value(attribute: WireAttribute) -> CustomValue:
    value = attribute.value
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if isinstance(value, list) and all(isinstance(entry, str | int) for entry in value):
        return ",".join(map(str, value))
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS).decode()
