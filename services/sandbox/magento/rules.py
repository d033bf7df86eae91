"""What the shop checks before it saves a customer.

Its promise: nothing here changes anything; each check returns quietly or raises the platform's
own refusal.
"""

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from services.sandbox.countries import NAMES, REGIONS
from services.sandbox.magento.directory import POSTCODE_OPTIONAL, REGION_REQUIRED
from services.sandbox.magento.errors import Refusal, fields_required, rules_broken
from services.sandbox.magento.stores import BY_ID, GROUP_IDS
from services.sandbox.magento.versions import Quirks

Record = Mapping[str, Any]

_EMAIL = re.compile(r"^[^@\s]+@[^@\s]+\.[^@\s]+$")
_NAME_LETTERS = frozenset(",-_.'\u2019`& ")
_CITY_LETTERS = frozenset("-' ")
_PHONE = re.compile(r"^[\d\s+\-()]{0,20}$")
_NAMES = (("firstname", "First Name"), ("lastname", "Last Name"), ("middlename", "Middle Name"))
_LONGEST = {"firstname": 255, "lastname": 255, "middlename": 255, "prefix": 40, "suffix": 40}
_LONGEST_TAXVAT = 50
MOST_STREET_LINES = 2


def check_customer(customer: Record, quirks: Quirks) -> None:
    """Refuse a customer whose own fields break a rule."""
    missing = [name for name in ("email", "firstname", "lastname") if not _filled(customer, name)]
    if missing:
        raise fields_required(missing)
    broken = (
        [] if _EMAIL.match(customer["email"].strip()) else ['"Email" is not a valid email address.']
    )
    broken += _broken_lengths(customer)
    if len(customer.get("taxvat", "")) > _LONGEST_TAXVAT:
        broken.append('"Tax/VAT Number" length must be equal or less than 50 characters.')
    if quirks.validates_names:
        broken += _broken_names(customer)
    if broken:
        raise rules_broken(broken)
    _check_place_in_shop(customer)


def check_address(address: Record, quirks: Quirks) -> None:
    """Refuse an address that lacks something or breaks a rule."""
    if missing := _missing_in(address):
        raise fields_required(missing)
    country = address["country_id"]
    if country not in NAMES:
        raise Refusal(
            400,
            'Invalid value of "%value" provided for the %fieldName field.',
            {"fieldName": "countryId", "value": country},
        )
    if len(address["street"]) > MOST_STREET_LINES:
        raise Refusal(
            400, '"%1" cannot contain more than %2 lines.', ["Street Address", MOST_STREET_LINES]
        )
    broken = _broken_lengths(address)
    if quirks.validates_names:
        broken += _broken_names(address)
    if quirks.validates_places:
        broken += _broken_places(address)
    if broken:
        raise rules_broken(broken)


def check_password(password: str, email: str) -> None:
    """Refuse a password the shop would not take."""
    if not 8 <= len(password) <= 256:
        raise Refusal(
            400, "The password needs at least 8 characters. Create a new password and try again."
        )
    if password != password.strip():
        raise Refusal(
            400, "The password can't begin or end with a space. Verify the password and try again."
        )
    if password.lower() == email.lower():
        raise Refusal(
            400,
            "The password can't be the same as the email address. "
            "Create a new password and try again.",
        )
    classes = (r"\d", r"[a-z]", r"[A-Z]", r"[^0-9A-Za-z]")
    if sum(bool(re.search(each, password)) for each in classes) < 3:
        raise Refusal(
            400,
            "Minimum of different classes of characters in password is %1. Classes of characters: "
            "Lower Case, Upper Case, Digits, Special Characters.",
            [3],
        )


def _check_place_in_shop(customer: Record) -> None:
    view = BY_ID.get(customer["store_id"])
    if view is None or view.website_id != customer["website_id"]:
        raise Refusal(400, "The store view is not in the associated website.")
    if customer["group_id"] not in GROUP_IDS:
        raise Refusal(400, "The specified customer group id does not exist.")


def _missing_in(address: Record) -> list[str]:
    country = address.get("country_id", "")
    missing = [
        name
        for name in ("firstname", "lastname", "street", "city", "telephone")
        if not _filled(address, name)
    ]
    if country not in POSTCODE_OPTIONAL and not _filled(address, "postcode"):
        missing.append("postcode")
    if not country:
        missing.append("countryId")
    has_region = bool(address.get("region_id")) if country in REGIONS else _names_region(address)
    if country in REGION_REQUIRED and not has_region:
        missing.append("regionId")
    return missing


def _names_region(address: Record) -> bool:
    return bool((address.get("region") or {}).get("region"))


def _filled(record: Record, name: str) -> bool:
    value = record.get(name)
    lines = value if isinstance(value, list) else [value]
    return any(str(line).strip() for line in lines if line is not None)


def _broken_lengths(record: Record) -> list[str]:
    return [
        f'"{name.capitalize()}" length must be equal or less than {longest} characters.'
        for name, longest in _LONGEST.items()
        if len(record.get(name) or "") > longest
    ]


def _broken_names(record: Record) -> list[str]:
    return [
        f"{label} is not valid!"
        for name, label in _NAMES
        if not all(_is_letter(each) or each.isspace() or each.isdigit() or each in _NAME_LETTERS
                   for each in record.get(name) or "")
    ]  # fmt: skip


def _broken_places(address: Record) -> list[str]:
    broken = []
    if not all(
        _is_letter(each) or each.isspace() or each in _CITY_LETTERS for each in address["city"]
    ):
        broken.append("Invalid City. Please use A-Z, a-z, 0-9, -, ', spaces")
    if not _PHONE.match(address["telephone"]):
        broken.append("Invalid Phone Number. Please use 0-9, +, -, (, ) and space.")
    return broken


def _is_letter(letter: str) -> bool:
    return letter.isalpha() or unicodedata.category(letter).startswith("M")
