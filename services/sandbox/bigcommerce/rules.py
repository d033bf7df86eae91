"""What the platform demands of the bodies it is sent.

Its promise: what comes out has only known, writable fields of the right type; the rest is either
a 422 of the platform's form or, where the platform is silent, silently gone.
"""

import re
from collections.abc import Mapping
from typing import Any

import orjson

from services.sandbox.bigcommerce.errors import MISSING, Refusal, malformed, missing
from services.sandbox.countries import REGIONS
from services.sandbox.wire import Request

Record = dict[str, Any]
MOST_ITEMS = 10
NULLABLE = frozenset({"channel_ids"})

# Field: type and most letters.
CUSTOMER: dict[str, tuple[str, int]] = {
    "email": ("string", 250), "first_name": ("string", 100), "last_name": ("string", 100),
    "company": ("string", 255), "phone": ("string", 50), "notes": ("string", 1 << 20),
    "tax_exempt_category": ("string", 255), "customer_group_id": ("number", 0),
    "authentication": ("object", 0), "accepts_product_review_abandoned_cart_emails": ("boolean", 0),
    "store_credit_amounts": ("array", 0), "channel_ids": ("array", 0), "form_fields": ("array", 0),
}  # fmt: skip
ONLY_AT_BIRTH: dict[str, tuple[str, int]] = {
    "addresses": ("array", 0), "attributes": ("array", 0), "origin_channel_id": ("number", 0),
    "trigger_account_created_notification": ("boolean", 0),
}  # fmt: skip
ADDRESS: dict[str, tuple[str, int]] = {
    "first_name": ("string", 255), "last_name": ("string", 255), "company": ("string", 255),
    "address1": ("string", 1 << 20), "address2": ("string", 1 << 20), "city": ("string", 100),
    "state_or_province": ("string", 100), "postal_code": ("string", 30),
    "country_code": ("string", 2), "phone": ("string", 50), "address_type": ("string", 20),
    "form_fields": ("array", 0),
}  # fmt: skip
REQUIRED_OF_CUSTOMER = ("email", "first_name", "last_name")
REQUIRED_AT_BIRTH = ("first_name", "last_name", "address1", "city", "country_code")
REQUIRED_OF_ADDRESS = (*REQUIRED_AT_BIRTH, "customer_id", "state_or_province", "postal_code")
_NEVER_EMPTY = frozenset({"email", "first_name", "last_name", "address1", "city"})
_EMAIL = re.compile(r"[^@\s]+@[^@\s]+")
_KINDS: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "error.expected.jsstring"),
    "number": ((int,), "error.expected.jsnumber"),
    "boolean": ((bool,), "error.expected.jsboolean"),
    "array": ((list,), "error.expected.jsarray"),
    "object": ((dict,), "error.expected.jsobject"),
}
_MORE_CODES = {
    "CA": {"AB", "BC", "MB", "NB", "NL", "NS", "NT", "NU", "ON", "PE", "QC", "SK", "YT"},
    "AU": {"ACT", "NSW", "NT", "QLD", "SA", "TAS", "VIC", "WA"},
}


def read_body(request: Request) -> Any:
    """Parse a JSON body."""
    content_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if content_type != "application/json":
        raise Refusal(415, "Content-Type must be application/json.")
    try:
        return orjson.loads(request.body)
    except orjson.JSONDecodeError:
        raise Refusal(400, "Input is invalid") from None


def read_items(request: Request, most: int | None = MOST_ITEMS) -> list[Record]:
    """Parse a body that is an array of 1 to `most` objects."""
    body = read_body(request)
    if not isinstance(body, list):
        raise malformed({"obj": "error.expected.jsarray"})
    if not body or not all(isinstance(item, dict) for item in body):
        raise malformed({"obj": "error.expected.jsobject"})
    if most is not None and len(body) > most:
        raise Refusal(413)
    return body


def picked(
    given: Mapping[str, Any], known: Mapping[str, tuple[str, int]], place: int, title: str
) -> Record:
    """Return the known fields of one item; unknown and read-only ones vanish."""
    record: Record = {}
    for name, (kind, most) in known.items():
        if name not in given:
            continue
        value = given[name]
        if value is None and name in NULLABLE:
            record[name] = value
            continue
        check_kind(value, kind, f"{place}.{name}")
        if kind == "string":
            _check_text(value, most, f"{place}.{name}", title, name)
        record[name] = value
    return record


def check_kind(value: Any, kind: str, path: str) -> None:
    """Raise the 422 for a value of the wrong JSON type."""
    types, expected = _KINDS[kind]
    if not isinstance(value, types) or (kind == "number" and isinstance(value, bool)):
        raise malformed({path: expected})


def demand(given: Mapping[str, Any], names: tuple[str, ...]) -> None:
    """Raise the 422 that names what is missing, without saying in which item."""
    if absent := [name for name in names if given.get(name) is None]:
        raise malformed(dict.fromkeys(absent, MISSING))


def item_id(given: Mapping[str, Any]) -> int:
    """Return the id of an item that must have one."""
    number = given.get("id")
    if not isinstance(number, int) or isinstance(number, bool):
        raise missing("id")
    return number


def check_customer(record: Record, place: int, title: str, group_ids: frozenset[int]) -> None:
    """Raise the 422 for a customer whose values contradict the platform's rules."""
    if "email" in record and not _EMAIL.fullmatch(record["email"]):
        raise Refusal(422, title, {f"{place}.email": "invalid email address"})
    if record.get("channel_ids") == []:
        raise Refusal(422, title, {f"{place}.channel_ids": "channel_ids must not be empty"})
    if record.get("customer_group_id", 0) not in group_ids | {0}:
        raise Refusal(422, title, {f"{place}.customer_group_id": "invalid customer group ID"})
    check_form_fields(record, place)


def check_address(record: Record, place: int, title: str) -> None:
    """Raise the 422 for an address with an unknown country or a state's code for its name."""
    country = record.get("country_code")
    if country is not None and not re.fullmatch(r"[A-Z]{2}", country):
        raise Refusal(422, title, {f"{place}.country_code": "invalid country code"})
    if is_state_code(country or "", record.get("state_or_province", "")):
        problem = "invalid state or province: the full name is required"
        raise Refusal(422, title, {f"{place}.state_or_province": problem})
    if record.get("address_type", "residential") not in {"residential", "commercial"}:
        raise Refusal(422, title, {f"{place}.address_type": "invalid address type"})
    check_form_fields(record, place)


def is_state_code(country: str, text: str) -> bool:
    """Whether `text` is a state's code and not at the same time a state's name."""
    regions = REGIONS.get(country, ())
    codes = {region.code for region in regions} | _MORE_CODES.get(country, set())
    return text in codes and text not in {region.name for region in regions}


def check_form_fields(record: Record, place: int) -> None:
    """Raise the 422 for form fields without a name and a value of one of three types."""
    for field in record.get("form_fields", ()):
        path = f"{place}.form_fields"
        if not isinstance(field, dict) or not isinstance(field.get("name"), str):
            raise malformed({f"{path}.name": MISSING})
        if not isinstance(field.get("value"), (str, int, float, list)):
            raise malformed({f"{path}.value": MISSING})


def _check_text(value: str, most: int, path: str, title: str, name: str) -> None:
    if len(value) > most:
        raise Refusal(422, title, {path: f"{name} must be at most {most} characters"})
    if not value and name in _NEVER_EMPTY:
        raise Refusal(422, title, {path: f"{name} must not be empty"})
