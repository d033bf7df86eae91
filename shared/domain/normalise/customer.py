"""One customer, every field in its canonical form, and the keys by which it is found.

Its promise: a field the source did not speak of stays unsaid, what cannot be understood is kept as
written with a warning, and nothing the model accepts makes it fail (ASK-13).
"""

import re
from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from shared.domain.customer import (
    Address,
    Contact,
    Custom,
    Customer,
    CustomerKind,
    CustomValue,
    Entity,
    FieldWarning,
    Model,
    Phone,
    replaced,
)
from shared.domain.normalise.country import country_code
from shared.domain.normalise.email import email, email_key
from shared.domain.normalise.name import name_key
from shared.domain.normalise.phone import parse_phone, phone_key
from shared.domain.normalise.postcode import postcode
from shared.domain.normalise.region import agreed_region
from shared.domain.normalise.tax_id import tax_id, tax_id_key
from shared.domain.normalise.text import clean_line, clean_text

UNKNOWN_COUNTRY: Final = "is no country code"

_CUSTOMER_LINES: Final = (
    "prefix", "first_name", "middle_name", "last_name", "suffix", "company_name", "language",
    "group", "gender", "customer_number",
)  # fmt: skip
_ADDRESS_LINES: Final = (
    "location_name", "prefix", "first_name", "last_name", "company_name", "city",
)  # fmt: skip
_CONTACT_LINES: Final = ("first_name", "last_name", "role")


class MatchKeys(NamedTuple):
    """What a customer is found by; None where it has no usable value."""

    customer_number: str | None = None
    email: str | None = None
    phone: str | None = None
    tax_id: str | None = None
    name: str | None = None


def match_keys(customer: Customer) -> MatchKeys:
    """Return the keys of a normalised customer; the default billing address fills the gaps."""
    billing, number = customer.default_billing, customer.customer_number
    tax_id = customer.tax_id or (billing.tax_id if billing else None)
    return MatchKeys(
        (clean_line(number) or None) if number else None,
        email_key(customer.email),
        phone_key(customer.phone) or phone_key(billing.phone if billing else None),
        tax_id_key(tax_id, home_country(customer)) if tax_id else None,
        _name_key(customer, billing),
    )


def home_country(customer: Customer) -> str | None:
    """Return the country by which the customer's own numbers are read."""
    for address in (customer.default_billing, customer.default_shipping):
        if address and (country := country_code(address.country)):
            return country
    return None


def _name_key(customer: Customer, billing: Address | None) -> str | None:
    if billing is None:
        return None
    is_business = customer.kind is CustomerKind.BUSINESS and customer.company_name
    names = (customer.company_name,) if is_business else (customer.first_name, customer.last_name)
    return name_key(names, billing.postcode, billing.country)


def normalise_customer(customer: Customer) -> Customer:
    """Return `customer` in canonical form: the same object if it already was."""
    draft = _Draft(customer)
    home = home_country(customer)
    phone_country = home or _language_country(customer.language)
    draft.rewrite(_CUSTOMER_LINES, _clean_line)
    draft.rewrite(["email"], email)
    draft.rewrite(["tax_id"], lambda raw: tax_id(raw, home))
    draft.rewrite(["notes"], lambda raw: (clean_text(raw), None))
    draft.put("phone", *_phone(customer.phone, phone_country))
    draft.put("custom", _custom(customer.custom))
    draft.put("addresses", _addresses(draft, customer.addresses, phone_country))
    if customer.entity is Entity.COMPANY:
        draft.put("kind", CustomerKind.BUSINESS)
    if customer.contacts:
        draft.put("contacts", _contacts(draft, customer.contacts, phone_country))
    said = [warning for warning in draft.warnings if warning not in customer.warnings]
    draft.put("warnings", (*customer.warnings, *dict.fromkeys(said)))
    result: Customer = draft.result()
    return result


class _Draft:
    """Collects what changes in a model, and the warnings about its fields."""

    def __init__(self, model: Model, path: str = "") -> None:
        self.model = model
        self.path = path
        self.changes: dict[str, Any] = {}
        self.warnings: list[FieldWarning] = []

    def put(self, field: str, value: Any, problem: str | None = None) -> None:
        """Set `field` if that changes it; setting what it is anyway would count as saying it."""
        if value != getattr(self.model, field):
            self.changes[field] = value
        if problem:
            self.warnings.append(FieldWarning(field=f"{self.path}{field}", problem=problem))

    def rewrite(
        self, fields: Iterable[str], canonical: Callable[[str], tuple[str, str | None]]
    ) -> None:
        """Put the canonical form of each of `fields` that has text."""
        for field in fields:
            if text := getattr(self.model, field):
                self.put(field, *canonical(text))

    def result(self) -> Any:
        """Return the model as it now is, the same object if nothing changed."""
        return replaced(self.model, **self.changes) if self.changes else self.model


def _addresses(
    draft: _Draft, addresses: tuple[Address, ...], fallback_country: str | None
) -> tuple[Address, ...]:
    drafts = [
        _address(address, f"addresses[{index}].", fallback_country)
        for index, address in enumerate(addresses)
    ]
    draft.warnings.extend(warning for each in drafts for warning in each.warnings)
    return tuple(each.result() for each in drafts)


def _address(address: Address, path: str, fallback_country: str | None) -> _Draft:
    draft = _Draft(address, path)
    country = country_code(address.country)
    if address.country:
        draft.put("country", country or address.country, None if country else UNKNOWN_COUNTRY)
    draft.rewrite(_ADDRESS_LINES, _clean_line)
    draft.put("lines", tuple(clean_line(line) for line in address.lines))
    draft.rewrite(["postcode"], lambda raw: postcode(raw, country))
    draft.rewrite(["tax_id"], lambda raw: tax_id(raw, country))
    _put_region(draft, address, country)
    draft.put("phone", *_phone(address.phone, country or fallback_country))
    return draft


def _contacts(
    draft: _Draft, contacts: tuple[Contact, ...], fallback_country: str | None
) -> tuple[Contact, ...]:
    drafts = [_Draft(contact, f"contacts[{n}].") for n, contact in enumerate(contacts)]
    for each, contact in zip(drafts, contacts, strict=True):
        each.rewrite(_CONTACT_LINES, _clean_line)
        each.rewrite(["email"], email)
        each.put("phone", *_phone(contact.phone, fallback_country))
    draft.warnings.extend(warning for each in drafts for warning in each.warnings)
    return tuple(each.result() for each in drafts)


def _put_region(draft: _Draft, address: Address, country: str | None) -> None:
    code, text = (value and clean_line(value) for value in (address.region_code, address.region))
    found = agreed_region(code, text, country)
    draft.put("region_code", found.code, found.problem)
    draft.put("region", found.text)


def _phone(phone: Phone | None, country: str | None) -> tuple[Phone | None, str | None]:
    if phone is None:
        return None, None
    read, problem = parse_phone(clean_line(phone.raw), country)
    draft = _Draft(phone)
    draft.put("raw", read.raw)
    draft.put("e164", read.e164 or phone.e164)
    draft.put("extension", read.extension or (phone.extension and clean_line(phone.extension)))
    return draft.result(), None if phone.e164 else problem


def _custom(custom: Custom) -> Custom:
    draft = _Draft(custom)
    for family in ("attributes", "metafields", "form_fields"):
        values: dict[str, CustomValue] = getattr(custom, family)
        draft.put(family, {clean_text(k): _custom_value(v) for k, v in values.items()})
    result: Custom = draft.result()
    return result


def _custom_value(value: CustomValue) -> CustomValue:
    return clean_text(value) if isinstance(value, str) else value


def _clean_line(text: str) -> tuple[str, None]:
    return clean_line(text), None


def _language_country(language: str | None) -> str | None:
    """Return the country of a language such as de-AT or en_GB; German alone is no country."""
    if match := re.fullmatch(r"[A-Za-z]{2,3}[-_](?:[A-Za-z]{4}[-_])?([A-Za-z]{2})", language or ""):
        return country_code(match.group(1))
    return None
