"""Turns the sandbox's people into customers of this store.

Its promise: customer `n` is person `first_person + n - 1` of the seed, address `k` of customer
`n` has the id `(n - 1) * 16 + k + 1`, and an attribute value the like; so a test can tell every
record without asking, and the same person in two shops from two strangers.
"""

import time
from typing import Any

from services.sandbox.address_book import Address
from services.sandbox.countries import NAMES
from services.sandbox.people import TWIN_EVERY, Person, Sketch

Record = dict[str, Any]

ADDRESSES_PER_CUSTOMER = 16
ATTRIBUTES_PER_CUSTOMER = 4
LOYALTY_ATTRIBUTE = "Loyalty Level"
NUMBER_ATTRIBUTE = "ERP Customer Number"
BIRTHDAY_ATTRIBUTE = "Birthday"
TAX_FIELD = "VAT ID"
WHOLESALE, RETAIL, GUESTS = 3, 4, 5
BRANCHES = 12
_LOYALTY_ID, NUMBER_ID, _BIRTHDAY_ID = 1, 5, 7
ATTRIBUTES: dict[int, tuple[str, str]] = {
    _LOYALTY_ID: (LOYALTY_ATTRIBUTE, "string"),
    NUMBER_ID: (NUMBER_ATTRIBUTE, "string"),
    _BIRTHDAY_ID: (BIRTHDAY_ATTRIBUTE, "date"),
}
OPENED_AT = 1_546_300_800  # the store opens: 2019-01-01 00:00:00 UTC


def stamp(moment: int) -> str:
    """Write a moment as the V3 API does."""
    t = time.gmtime(moment)
    return (
        f"{t.tm_year:04}-{t.tm_mon:02}-{t.tm_mday:02}T{t.tm_hour:02}:{t.tm_min:02}:{t.tm_sec:02}Z"
    )


def definitions() -> dict[int, Record]:
    """Return the attributes of a new store, by id."""
    opened = stamp(OPENED_AT)
    return {
        number: {
            "id": number, "name": name, "type": kind,
            "date_created": opened, "date_modified": opened,
        }
        for number, (name, kind) in ATTRIBUTES.items()
    }  # fmt: skip


def email_of(known: Sketch) -> str:
    """Return the login: unique here, so a twin has put a tag into the e-mail of the other shop."""
    email = known.email.strip()
    if not known.is_twin:
        return email
    box, _, host = email.partition("@")
    return f"{box}+shop@{host}"


def group_of(known: Sketch) -> int:
    """Return the customer group: companies buy wholesale, some of them as retailers."""
    if not known.is_business:
        return 0
    return RETAIL if known.index % 3 == 0 else WHOLESALE


def has_branches(known: Sketch, *, awkward: bool) -> bool:
    """Whether this company has more addresses than an answer embeds."""
    return awkward and known.is_business and known.index % TWIN_EVERY in {3, 9, 30}


def address_id(customer_id: int, place: int) -> int:
    """Return the id of the address at `place` in a seeded customer's address book."""
    return (customer_id - 1) * ADDRESSES_PER_CUSTOMER + place + 1


def customer(number: int, person: Person, *, awkward: bool) -> Record:
    """Return `person` as customer `number` of this store, sub-resources included."""
    known = person.sketch
    addresses = list(person.addresses)
    if addresses and has_branches(known, awkward=awkward):
        addresses += addresses[:1] * (BRANCHES - len(addresses))
    return {
        "id": number,
        "email": email_of(known),
        "first_name": known.firstname,
        "last_name": known.lastname,
        "company": person.company,
        "phone": person.phone,
        "registration_ip_address": "",
        "notes": "",
        "tax_exempt_category": "",
        "customer_group_id": group_of(known),
        "date_created": stamp(known.created_at),
        "date_modified": stamp(known.updated_at),
        "authentication": {"force_password_reset": False},
        "accepts_product_review_abandoned_cart_emails": person.is_subscribed,
        "store_credit_amounts": [{"amount": 0}],
        "origin_channel_id": 1,
        "channel_ids": [1] if known.is_twin else None,
        "addresses": [
            _address(person, number, place, address) for place, address in enumerate(addresses)
        ],
        "attributes": _attributes(person, number),
        "form_fields": _form_fields(person, number),
    }


def _address(person: Person, number: int, place: int, address: Address) -> Record:
    branch = f"Filiale {place}" if place >= len(person.addresses) else ""
    lines = [*address.street, branch, ""]
    return {
        "id": address_id(number, place),
        "customer_id": number,
        "first_name": person.sketch.firstname,
        "last_name": person.sketch.lastname,
        "company": address.company,
        "address1": lines[0],
        "address2": lines[1] or branch,
        "city": address.city,
        "state_or_province": address.region,
        "postal_code": address.postcode,
        "country_code": address.country,
        "country": country_name(address.country),
        "phone": address.phone,
        "address_type": "commercial" if address.company else "residential",
        "form_fields": [],
    }


def country_name(code: str) -> str:
    """Return a country's English name, its code where the sandbox does not know it."""
    return NAMES[code][2] if code in NAMES else code


def _attributes(person: Person, number: int) -> list[Record]:
    values = ((_LOYALTY_ID, person.loyalty_level), (_BIRTHDAY_ID, person.birth_date))
    made_at = stamp(person.sketch.created_at)
    return [
        {
            "id": (number - 1) * ATTRIBUTES_PER_CUSTOMER + place + 1,
            "attribute_id": attribute_id,
            "attribute_value": value,
            "customer_id": number,
            "date_created": made_at,
            "date_modified": made_at,
        }
        for place, (attribute_id, value) in enumerate(values)
        if value
    ]


def _form_fields(person: Person, number: int) -> list[Record]:
    if not person.tax_id:
        return []
    return [{"customer_id": number, "name": TAX_FIELD, "value": person.tax_id}]
