"""Translates a BigCommerce customer into the canonical one, field by field and without judging.

What a customer always has is said, even when it is empty. BigCommerce has no word for language,
currency, birth date and gender: those stay unsaid; so do metafields, companies and consent where
they are not read. Promise: a record that does not fit raises `UnreadableRecord` with fields and
reasons, never with a value.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pydantic import ValidationError

from shared.connectors.bigcommerce.settings import BigCommerceSettings, MetafieldNumber
from shared.connectors.bigcommerce.wire import (
    FieldValue,
    WireAddress,
    WireCustomer,
    WireFormField,
    WireSubscriber,
)
from shared.connectors.content import moment, problems_of
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

NEWSLETTER: Final = "marketing_newsletter"
TAX_EXEMPTION: Final = "tax_exempt_category"
_LONGEST_NOTES: Final = 4000
_COUNTRY: Final = re.compile(r"[A-Z]{2}")


@dataclass(frozen=True, slots=True)
class Dictionary:
    """What the shop calls its groups and attributes, by id."""

    group: Callable[[int], str]
    attribute: Callable[[int], str]


def translate(
    payload: Mapping[str, Any],
    source: Source,
    settings: BigCommerceSettings,
    dictionary: Dictionary,
) -> Customer:
    """Return the canonical customer. Raises `UnreadableRecord` when it cannot hold the record."""
    try:
        wire = WireCustomer.model_validate(payload)
        return _customer(wire, source, settings, dictionary)
    except ValidationError as error:
        raise UnreadableRecord(problems_of(error)) from None


def _customer(
    wire: WireCustomer, source: Source, settings: BigCommerceSettings, dictionary: Dictionary
) -> Customer:
    warnings: list[FieldWarning] = []
    addresses = _addresses(wire, settings, warnings)
    company = wire.company or next((a.company_name for a in addresses if a.company_name), None)
    custom = _custom(wire, dictionary)
    number, custom = _number(custom, settings)
    group_id = wire.customer_group_id
    said: dict[str, Any] = {} if wire.companies is None else {"companies": wire.companies}
    if wire.subscribers is not None:
        said["marketing_consent"] = _consent(wire.subscribers)
    return Customer(
        source=source,
        kind=CustomerKind.BUSINESS if company else CustomerKind.INDIVIDUAL,
        first_name=wire.first_name,
        last_name=wire.last_name,
        company_name=company,
        email=wire.email,
        phone=phone_of(wire.phone) or (addresses[0].phone if addresses else None),
        group=dictionary.group(group_id) if group_id else None,
        tax_id=_tax_id(custom, settings.tax_id_field),
        notes=_notes(wire.notes, warnings),
        customer_number=number,
        registered_at=moment(wire.date_created),
        addresses=addresses,
        custom=custom,
        warnings=tuple(warnings),
        **said,
    )


def _addresses(
    wire: WireCustomer, settings: BigCommerceSettings, warnings: list[FieldWarning]
) -> tuple[Address, ...]:
    """Return the addresses, the oldest first; it is the default one if the shop's oldest is."""
    addresses = []
    for number, address in enumerate(sorted(wire.addresses or (), key=lambda each: each.id)):
        country = country_of(address.country_code, f"addresses.{number}.country", warnings)
        is_default = settings.default_address == "oldest" and number == 0
        try:
            addresses.append(_address(address, country, is_default=is_default))
        except ValidationError as error:
            raise UnreadableRecord(problems_of(error, f"addresses.{number}.")) from None
    return tuple(addresses)


def _address(address: WireAddress, country: str | None, *, is_default: bool) -> Address:
    return Address(
        external_id=str(address.id),
        is_default_billing=is_default,
        is_default_shipping=is_default,
        first_name=address.first_name,
        last_name=address.last_name,
        company_name=address.company,
        lines=tuple(line for line in (address.address1, address.address2) if line),
        city=address.city,
        postcode=address.postal_code,
        region=address.state_or_province,
        country=country,
        phone=phone_of(address.phone),
    )


def _custom(wire: WireCustomer, dictionary: Dictionary) -> Custom:
    attributes: dict[str, CustomValue] = {}
    if wire.tax_exempt_category:
        attributes[TAX_EXEMPTION] = wire.tax_exempt_category
    for attribute in wire.attributes or ():
        attributes[dictionary.attribute(attribute.attribute_id)] = attribute.attribute_value
    fields = _form_fields(wire.form_fields or ())
    for address in wire.addresses or ():
        fields |= _form_fields(address.form_fields or (), f"addresses.{address.id}.")
    # Another app may have one of the same name: the oldest counts.
    rows = sorted(wire.metafields or (), key=lambda each: each.id, reverse=True)
    metafields: dict[str, CustomValue] = {f"{row.namespace}.{row.key}": row.value for row in rows}
    said: dict[str, Any] = {} if wire.metafields is None else {"metafields": metafields}
    return Custom(attributes=attributes, form_fields=fields, **said)


def _form_fields(fields: Iterable[WireFormField], prefix: str = "") -> dict[str, CustomValue]:
    return {f"{prefix}{field.name}": _plain(field.value) for field in fields}


def _number(custom: Custom, settings: BigCommerceSettings) -> tuple[str | None, Custom]:
    """Return the customer number, and the custom data without it."""
    family = "metafields" if isinstance(settings.number, MetafieldNumber) else "attributes"
    values = dict(getattr(custom, family))
    value = values.pop(settings.number.name, None)
    number = None if value is None else str(value).strip() or None
    return number, custom.model_copy(update={family: values})


def _tax_id(custom: Custom, field: str | None) -> str | None:
    for family in (custom.form_fields, custom.attributes):
        if field and (value := family.get(field)) not in {None, ""}:
            return str(value)
    return None


def _consent(subscribers: Sequence[WireSubscriber]) -> Consent:
    """Say what was agreed to in any storefront; who subscribed nowhere agreed to nothing."""
    times = [at for each in subscribers if (at := moment(each.date_modified))]
    granted = any(NEWSLETTER in (each.consents or ()) for each in subscribers)
    return Consent(granted=granted, at=max(times, default=None))


def _notes(text: str | None, warnings: list[FieldWarning]) -> str | None:
    if text and len(text) > _LONGEST_NOTES:
        warnings.append(FieldWarning(field="notes", problem=f"cut to {_LONGEST_NOTES} characters"))
        return text[:_LONGEST_NOTES]
    return text


def country_of(code: str | None, field: str, warnings: list[FieldWarning]) -> str | None:
    """Return an ISO code of two letters, or None with a warning."""
    country = (code or "").strip().upper() or None
    if country and not _COUNTRY.fullmatch(country):
        warnings.append(FieldWarning(field=field, problem="not an ISO country code"))
        return None
    return country


def phone_of(text: str | None) -> Phone | None:
    """Return a telephone number as it was written."""
    return Phone(raw=text) if text and text.strip() else None


def _plain(value: FieldValue) -> CustomValue:
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return value
