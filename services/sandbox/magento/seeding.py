"""Turns the sandbox's people into customers of this shop.

Its promise: customer `n` is person `n - 1` of the seed, and address `k` of customer `n` has the
id `(n - 1) * 4 + k + 1`; so a test can tell every record without asking.
"""

from typing import Any

from services.sandbox.address_book import Address
from services.sandbox.clock import stamp
from services.sandbox.magento.directory import region_by_code
from services.sandbox.magento.stores import (
    BY_ID,
    GENERAL,
    RETAILER,
    STORE_VIEWS,
    WHOLESALE,
    StoreView,
)
from services.sandbox.people import Person, Sketch

ADDRESSES_PER_CUSTOMER = 4
LOYALTY_ATTRIBUTE = "loyalty_level"
_VIEW_OF_COUNTRY = {country: view for view in STORE_VIEWS for country in view.countries}


def store_view_of(sketch: Sketch) -> StoreView:
    """Return the storefront where somebody registered; a twin did on the other website."""
    home = _VIEW_OF_COUNTRY[sketch.country.code]
    if sketch.is_twin:
        return BY_ID[4] if home.website_id == 1 else BY_ID[1]
    return home


def group_of(sketch: Sketch) -> int:
    """Return the customer group: companies buy wholesale, some of them as retailers."""
    if not sketch.is_business:
        return GENERAL
    return RETAILER if sketch.index % 3 == 0 else WHOLESALE


def address_id(customer_id: int, place: int) -> int:
    """Return the id of the address at `place` in a seeded customer's address book."""
    return (customer_id - 1) * ADDRESSES_PER_CUSTOMER + place + 1


def customer(person: Person) -> dict[str, Any]:
    """Return `person` as the shop's API shows a customer."""
    known = person.sketch
    number, view = known.index + 1, store_view_of(known)
    billing = _default(person, number, "is_default_billing")
    shipping = _default(person, number, "is_default_shipping")
    record: dict[str, Any] = {
        "id": number,
        "group_id": group_of(known),
        "default_billing": billing,
        "default_shipping": shipping,
        "confirmation": "f3c1a9d7e5b24680" if known.oddity == "unconfirmed" else None,
        "created_at": stamp(known.created_at),
        "updated_at": stamp(known.updated_at),
        "created_in": view.name,
        "dob": person.birth_date or None,
        "email": known.email,
        "firstname": known.firstname,
        "lastname": known.lastname,
        "middlename": person.middlename or None,
        "prefix": person.title or None,
        "gender": 2 if known.is_female else 1,
        "store_id": view.id,
        "taxvat": person.tax_id or None,
        "website_id": view.website_id,
        "addresses": [
            _address(person, number, place, address)
            for place, address in enumerate(person.addresses)
        ],
        "disable_auto_group_change": 0,
        "extension_attributes": {"is_subscribed": person.is_subscribed},
        "custom_attributes": _attributes(person),
    }
    return {name: value for name, value in record.items() if value is not None}


def _attributes(person: Person) -> list[dict[str, str]] | None:
    if not person.loyalty_level:
        return None
    return [{"attribute_code": LOYALTY_ATTRIBUTE, "value": person.loyalty_level}]


def _default(person: Person, number: int, flag: str) -> str | None:
    for place, address in enumerate(person.addresses):
        if getattr(address, flag):
            return str(address_id(number, place))
    return None


def _address(person: Person, number: int, place: int, address: Address) -> dict[str, Any]:
    region = region_by_code(address.country, address.region_code)
    text = address.region or None
    record: dict[str, Any] = {
        "id": address_id(number, place),
        "customer_id": number,
        "region": {
            "region_code": region.code if region else text,
            "region": region.name if region else text,
            "region_id": region.id if region else 0,
        },
        "region_id": region.id if region else 0,
        "country_id": address.country,
        "street": list(address.street),
        "company": address.company or None,
        "telephone": address.phone,
        "postcode": address.postcode,
        "city": address.city,
        "firstname": person.sketch.firstname,
        "lastname": person.sketch.lastname,
        "vat_id": address.tax_id or None,
        "default_shipping": address.is_default_shipping or None,
        "default_billing": address.is_default_billing or None,
    }
    return {name: value for name, value in record.items() if value is not None}
