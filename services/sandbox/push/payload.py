"""The sandbox's people as this system writes customers: in Patron's shape, or in its own.

Its promise: customer `n` is person `n - 1` of the seed, and its id is `c-{n}`, in both shapes.
"""

from typing import Any

from services.sandbox.address_book import Address
from services.sandbox.clock import stamp
from services.sandbox.people import Person

Record = dict[str, Any]

RECORDS = "contacts"
MAPPING = {
    "external_id": "id",
    "email": "mail.address",
    "first_name": "name.given",
    "last_name": "name.family",
    "company_name": "firm",
    "tax_id": "vat",
    "phone": "tel",
    "registered_at": "since",
    "marketing_consent": "mail.wanted",
    "addresses": "places[].{external_id: id, lines: rows, postcode: zip, city: town,"
    " country: land, is_default_billing: bills, is_default_shipping: parcels}",
    "custom.attributes.loyalty": "tier",
}
"""How `foreign` is turned into Patron's shape, as in `[channels.NAME.connector.mapping]`."""


def external_id(number: int) -> str:
    """Return what this system calls a customer."""
    return f"c-{number}"


def canonical(person: Person) -> Record:
    """Return a person in Patron's own shape."""
    known = person.sketch
    record: Record = {
        "external_id": external_id(known.index + 1),
        "kind": "business" if known.is_business else "individual",
        "prefix": person.title,
        "first_name": known.firstname,
        "middle_name": person.middlename,
        "last_name": known.lastname,
        "company_name": person.company[:255],
        "email": known.email,
        "phone": person.phone,
        "tax_id": person.tax_id,
        "marketing_consent": person.is_subscribed,
        "registered_at": _moment(known.created_at),
        "addresses": [_address(place, each) for place, each in enumerate(person.addresses)],
    }
    if person.birth_date:
        record["birth_date"] = person.birth_date
    if person.loyalty_level:
        record["custom"] = {"attributes": {"loyalty": person.loyalty_level}}
    return {name: value for name, value in record.items() if value != ""}


def foreign(record: Record) -> Record:
    """Return a canonical record in this system's own shape."""
    places = [
        {
            "id": each["external_id"], "rows": each["lines"], "zip": each["postcode"],
            "town": each["city"], "land": each["country"],
            "bills": each["is_default_billing"], "parcels": each["is_default_shipping"],
        }
        for each in record.get("addresses", ())
    ]  # fmt: skip
    return {
        "id": record["external_id"],
        "name": {"given": record.get("first_name"), "family": record.get("last_name")},
        "mail": {"address": record.get("email"), "wanted": record.get("marketing_consent")},
        "firm": record.get("company_name"),
        "vat": record.get("tax_id"),
        "tel": record.get("phone"),
        "since": record.get("registered_at"),
        "tier": record.get("custom", {}).get("attributes", {}).get("loyalty"),
        "places": places,
    }


def _address(place: int, address: Address) -> Record:
    return {
        "external_id": str(place + 1),
        "lines": [line[:255] for line in address.street],
        "postcode": address.postcode,
        "city": address.city,
        "region": address.region,
        "region_code": address.region_code,
        "country": address.country,
        "phone": address.phone,
        "is_default_billing": address.is_default_billing,
        "is_default_shipping": address.is_default_shipping,
    }


def _moment(seconds: int) -> str:
    return stamp(seconds).replace(" ", "T") + "Z"
