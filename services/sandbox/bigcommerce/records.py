"""Records of the store, made of what was given.

Its promise: pure; what comes out is complete, whatever was left out of what went in.
"""

from collections.abc import Callable
from typing import Any

from services.sandbox.bigcommerce.seeding import country_name

Record = dict[str, Any]

CORE_OF_ADDRESS = (
    "first_name", "last_name", "company", "address1", "address2", "city", "state_or_province",
    "postal_code", "country_code", "phone", "address_type",
)  # fmt: skip


def blank_customer(number: int, now: str, channel_id: int) -> Record:
    """Return a customer of whom nothing is known yet."""
    return {
        "id": number, "email": "", "first_name": "", "last_name": "", "company": "",
        "phone": "", "registration_ip_address": "", "notes": "", "tax_exempt_category": "",
        "customer_group_id": 0, "date_created": now, "date_modified": now,
        "authentication": {"force_password_reset": False},
        "accepts_product_review_abandoned_cart_emails": False,
        "store_credit_amounts": [{"amount": 0}],
        "origin_channel_id": channel_id, "channel_ids": None,
        "addresses": [], "attributes": [], "form_fields": [],
    }  # fmt: skip


def saved(stored: Record, fields: Record) -> Record:
    """Return the given fields of a customer as they are kept."""
    kept = dict(fields)
    if "email" in kept:
        kept["email"] = kept["email"].strip()
    if "authentication" in kept:
        wanted = bool(kept["authentication"].get("force_password_reset"))
        kept["authentication"] = {"force_password_reset": wanted}
    if "form_fields" in kept:
        owner = {"customer_id": stored["id"]}
        kept["form_fields"] = merged_fields(stored["form_fields"], kept["form_fields"], owner)
    return kept


def address_of(fields: Record, number: int, customer_id: int) -> Record:
    """Return a whole address made of what was given."""
    return {
        "id": number,
        "customer_id": customer_id,
        **{name: fields.get(name, "") for name in CORE_OF_ADDRESS},
        "address_type": fields.get("address_type", "residential"),
        "country": country_name(fields["country_code"]),
        "form_fields": merged_fields([], fields.get("form_fields", []), {"address_id": number}),
    }


def core(address: Record) -> tuple[Any, ...]:
    """Return what makes two addresses the same."""
    return tuple(address[name] for name in CORE_OF_ADDRESS)


def merged_fields(stored: list[Record], given: list[Record], owner: Record) -> list[Record]:
    """Return form fields with the given ones, by name, in place of the stored."""
    values = {each["name"]: each["value"] for each in stored}
    values |= {each["name"]: each["value"] for each in given}
    return [owner | {"name": name, "value": value} for name, value in values.items()]


def value_of(number: int, customer_id: int, attribute_id: int, value: str, now: str) -> Record:
    """Return a new attribute value."""
    return {
        "id": number, "attribute_id": attribute_id, "attribute_value": value,
        "customer_id": customer_id, "date_created": now, "date_modified": now,
    }  # fmt: skip


def with_value(stored: list[Record], value: Record) -> list[Record]:
    """Return attribute values with one written: the id and the birth of an older one stay."""
    kept = list(stored)
    for place, each in enumerate(kept):
        if each["attribute_id"] == value["attribute_id"]:
            kept[place] = value | {"id": each["id"], "date_created": each["date_created"]}
            return kept
    return [*kept, value]


def fits(kind: str, value: str) -> bool:
    """Whether a value, always a string, is one of an attribute of this type."""
    checks: dict[str, Callable[[str], bool]] = {
        "number": lambda text: text.lstrip("-").replace(".", "", 1).isdigit(),
        "date": lambda text: len(text) >= 10 and text[:10].replace("-", "").isdigit(),
    }
    return not value or kind not in checks or checks[kind](value)


def changed_address(stored: Record, fields: Record) -> Record:
    """Return a stored address with the given fields laid over it."""
    record = stored | fields
    if "form_fields" in fields:
        owner = {"address_id": stored["id"]}
        record["form_fields"] = merged_fields(stored["form_fields"], fields["form_fields"], owner)
    record["country"] = country_name(record["country_code"])
    return record
