"""Translates a company of the B2B Edition into the canonical customer: a firm and its locations.

Every address is a location, called by its label, else by where it is. A default flag is believed;
where no address has it, the oldest one that may be used so is the default. Promise: a record that
does not fit raises `UnreadableRecord` with fields and reasons, never with a value.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from pydantic import ValidationError

from shared.connectors.bigcommerce.companies.record import moment_of
from shared.connectors.bigcommerce.companies.wire import WireCompany, WireLocation, WireUser
from shared.connectors.bigcommerce.mapping import country_of, phone_of
from shared.connectors.bigcommerce.settings import BigCommerceSettings
from shared.connectors.content import problems_of
from shared.domain.customer import (
    Address,
    Contact,
    Custom,
    Customer,
    CustomerKind,
    CustomValue,
    Entity,
    FieldWarning,
    Source,
)
from shared.domain.errors import UnreadableRecord

STATUS: Final = "b2b_status"
STATUSES: Final = {"0": "pending", "1": "approved", "2": "rejected", "3": "inactive"}
ROLES: Final = {0: "admin", 1: "senior buyer", 2: "junior buyer"}
_ADMIN: Final = 0
_LONGEST_NAME: Final = 255


def translate_company(
    payload: Mapping[str, Any], source: Source, settings: BigCommerceSettings
) -> Customer:
    """Return the canonical company. Raises `UnreadableRecord` when it cannot hold the record."""
    try:
        return _customer(WireCompany.model_validate(payload), source, settings)
    except ValidationError as error:
        raise UnreadableRecord(problems_of(error)) from None


def _customer(wire: WireCompany, source: Source, settings: BigCommerceSettings) -> Customer:
    warnings: list[FieldWarning] = []
    fields: dict[str, CustomValue] = {f.field_name: f.field_value for f in wire.extra_fields}
    tax_id = fields.get(settings.company_tax_id_field or "")
    number = fields.pop(settings.company_number_field, None)
    attributes: dict[str, CustomValue] = {}
    if wire.company_status is not None:
        attributes[STATUS] = STATUSES.get(wire.company_status, wire.company_status)
    return Customer(
        source=source,
        entity=Entity.COMPANY,
        kind=CustomerKind.BUSINESS,
        company_name=wire.company_name,
        email=wire.company_email,
        phone=phone_of(wire.company_phone),
        group=wire.bc_group_name,
        tax_id=None if tax_id is None else str(tax_id),
        customer_number=None if number is None else str(number).strip() or None,
        registered_at=moment_of(wire.created_at),
        addresses=_addresses(wire, settings, warnings),
        contacts=_contacts(wire.users),
        custom=Custom(attributes=attributes, form_fields=fields),
        warnings=tuple(warnings),
    )


def _addresses(
    wire: WireCompany, settings: BigCommerceSettings, warnings: list[FieldWarning]
) -> tuple[Address, ...]:
    locations = sorted(wire.addresses, key=lambda each: each.address_id)
    may_guess = settings.default_address == "oldest"
    billing = _first(locations, lambda each: each.is_default_billing) or (
        _first(locations, lambda each: may_guess and each.is_billing)
    )
    shipping = _first(locations, lambda each: each.is_default_shipping) or (
        _first(locations, lambda each: may_guess and each.is_shipping)
    )
    addresses = []
    for place, each in enumerate(locations):
        country = country_of(each.country_code, f"addresses.{place}.country", warnings)
        try:
            address = _address(each, country)
        except ValidationError as error:
            raise UnreadableRecord(problems_of(error, f"addresses.{place}.")) from None
        defaults = {"is_default_billing": each is billing, "is_default_shipping": each is shipping}
        addresses.append(address.model_copy(update=defaults))
    return tuple(addresses)


def _address(wire: WireLocation, country: str | None) -> Address:
    return Address(
        external_id=str(wire.address_id),
        location_name=_name_of(wire),
        first_name=wire.first_name,
        last_name=wire.last_name,
        lines=tuple(line for line in (wire.address_line1, wire.address_line2) if line),
        city=wire.city,
        postcode=wire.zip_code,
        region_code=wire.state_code,
        region=wire.state_name,
        country=country,
        phone=phone_of(wire.phone_number),
    )


def _name_of(wire: WireLocation) -> str:
    place = ", ".join(part for part in (wire.address_line1, wire.city) if part)
    return wire.label or place[:_LONGEST_NAME] or str(wire.address_id)


def _contacts(users: Sequence[WireUser]) -> tuple[Contact, ...]:
    """Return the buyers; the oldest administrator is the main one."""
    in_order = sorted(users, key=lambda each: each.id)
    main = next((user for user in in_order if user.role == _ADMIN), None)
    return tuple(
        Contact(
            external_id=str(user.id),
            account=str(user.customer_id) if user.customer_id else None,
            is_main=user is main,
            first_name=user.first_name,
            last_name=user.last_name,
            email=user.email,
            phone=phone_of(user.phone_number),
            role=None if user.role is None else ROLES.get(user.role, str(user.role)),
        )
        for user in in_order
    )


def _first(
    locations: Sequence[WireLocation], fits: Callable[[WireLocation], bool]
) -> WireLocation | None:
    return next((each for each in locations if fits(each)), None)
