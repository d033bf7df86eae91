"""Telephone numbers in E.164, read by the country they are dialled in, extensions apart (D365-12).

Its promise: what cannot be read for certain is kept as written, never guessed into a number.
"""

import re
from functools import lru_cache
from typing import Final, NamedTuple

import phonenumbers

from shared.domain.customer import Phone

NOT_VALID: Final = "is no valid telephone number"
NO_COUNTRY: Final = "has no country to be read by"

# What an extension is called where the library does not know the word.
_EXTENSION: Final = re.compile(
    r"[\s,;/(-]*(?<![^\W\d_])"
    r"(?:durchwahl|dwl?|nebenstelle|nst|apparat|app|klappe|kl|poste|interno|toestel|tst|ext|x)"
    r"[\s.:#-]*([0-9]{1,7})[\s)]*$",
    re.IGNORECASE,
)
_LETTERS_WITHIN: Final = re.compile(r"\d.*[^\W\d_]", re.DOTALL)
_VANITY_COUNTRY: Final = 1  # North America spells numbers: 1-800-FLOWERS


class _Reading(NamedTuple):
    e164: str | None = None
    extension: str | None = None
    problem: str | None = None


def parse_phone(raw: str, country: str | None) -> tuple[Phone, str | None]:
    """Return the number written as `raw` in `country`, and what is wrong with it, if anything."""
    reading = _read(raw, country)
    phone = Phone(raw=raw, e164=reading.e164, extension=reading.extension)
    return phone, reading.problem


def phone_key(phone: Phone | None) -> str | None:
    """Return what equal telephone numbers share, or None if it was not understood."""
    return phone.e164 if phone else None


@lru_cache(maxsize=4096)
def _read(raw: str, country: str | None) -> _Reading:
    if not raw.strip():
        return _Reading()
    dialled, said_extension = _split_extension(raw)
    number = _valid(dialled, country)
    if number is None and dialled.lstrip(" (").startswith("00"):
        number = _valid("+" + dialled.lstrip(" (")[2:], country)
    if number is None:
        is_international = dialled.lstrip(" (").startswith(("+", "00"))
        return _Reading(problem=NOT_VALID if country or is_international else NO_COUNTRY)
    return _Reading(
        e164=phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164),
        extension=said_extension or number.extension or None,
    )


def _split_extension(raw: str) -> tuple[str, str | None]:
    if match := _EXTENSION.search(raw):
        return raw[: match.start()], match.group(1)
    return raw, None


def _valid(text: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    # Outside North America letters are remarks, and must not be dialled.
    if _LETTERS_WITHIN.search(text) and not _letters_belong(text, number):
        return None
    return number if phonenumbers.is_valid_number(number) else None


def _letters_belong(text: str, number: phonenumbers.PhoneNumber) -> bool:
    return number.extension is not None or (
        number.country_code == _VANITY_COUNTRY and not re.search(r"[^\W\d_].*\s.*[^\W\d_]", text)
    )
