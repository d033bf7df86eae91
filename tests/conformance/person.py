"""Whom the shops register: one person, again and again, whose every datum is found by searching.

None of these texts may ever stand in an error.
"""

from collections.abc import Iterable
from typing import Final

FIRST_NAME: Final = "Zephyrine"
LAST_NAME: Final = "Quillfeather"
COMPANY: Final = "Quillfeather Vogelhaus GmbH"
EMAIL: Final = "zephyrine@canary.example"
PHONE: Final = "+49 30 5550142"
STREET: Final = "Kanarienweg 7"
CITY: Final = "Vogelsang"
POSTCODE: Final = "10115"
COUNTRY: Final = "DE"
TAX_ID: Final = "DE811907980"

PERSONAL: Final = (FIRST_NAME, LAST_NAME, "canary.example", "5550142", "Kanarienweg", CITY, TAX_ID)


def email_of(number: int) -> str:
    """Return the e-mail address of one of many."""
    return EMAIL.replace("@", f"{number}@")


def told_in(text: str, besides: Iterable[str] = ()) -> list[str]:
    """Return what `text` tells of the person, or holds of `besides`."""
    return [each for each in (*PERSONAL, *besides) if each in text]
