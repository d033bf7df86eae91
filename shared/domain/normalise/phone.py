"""Telephone numbers in E.164, read by the country they are dialled in, extensions apart (D365-12).

Its promise: what cannot be read for certain is kept as written, never guessed into a number.
"""

import re
from functools import lru_cache
from typing import TYPE_CHECKING, Final, NamedTuple

from shared.domain.customer import Phone

if TYPE_CHECKING:
    from phonenumbers import PhoneNumber

NOT_VALID: Final = "is no valid telephone number"
NO_COUNTRY: Final = "has no country to be read by"

# What an extension is called; the library knows but half of these, and dials the rest.
_EXTENSION: Final = re.compile(
    r"[\s,;/(-]*(?<![^\W\d_])"
    r"(?:durchwahl|dwl?|nebenstelle|nst|apparat|app|klappe|kl|poste|interno|int|toestel|tst|anexo"
    r"|extension|extn?|x|доб|#)"
    r"[\s.:=#-]*([0-9]{1,7})[\s)#]*$",
    re.IGNORECASE,
)
_LETTERS_WITHIN: Final = re.compile(r"\d.*[^\W\d_]", re.DOTALL)
# Germany has longer numbers; E.164, and so every target, has not.
_E164: Final = re.compile(r"\+[1-9][0-9]{3,14}")
# North America spells numbers: 1-800-FLOWERS.
_VANITY_COUNTRY: Final = 1
_VANITY: Final = re.compile(r"8[0-9]{2}[\s).-]*[A-Z0-9-]{7,}$")


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
    import phonenumbers  # late: a process that reads no customers starts sooner without it

    e164 = phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    if not _E164.fullmatch(e164):
        return _Reading(problem=NOT_VALID)
    return _Reading(e164=e164, extension=said_extension or number.extension or None)


def _split_extension(raw: str) -> tuple[str, str | None]:
    if match := _EXTENSION.search(raw):
        return raw[: match.start()], match.group(1)
    return raw, None


def _valid(text: str, country: str | None) -> "PhoneNumber | None":
    import phonenumbers  # late: a process that reads no customers starts sooner without it

    try:
        number = phonenumbers.parse(text, country)
    except phonenumbers.NumberParseException:
        return None
    if _LETTERS_WITHIN.search(text) and not _is_vanity(text, number):
        return None
    return number if phonenumbers.is_valid_number(number) else None


def _is_vanity(text: str, number: "PhoneNumber") -> bool:
    """Whether the letters in `text` are meant to be dialled, and are not a remark after it."""
    return number.country_code == _VANITY_COUNTRY and _VANITY.search(text) is not None
