"""Names at a postcode: what two records of one person or company share (XPR-12).

The key begins with the place, so that all who live there are found by its beginning.
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final

from shared.domain.normalise.text import fold

END_OF_PLACE: Final = "|"
_NO_WORD: Final = re.compile(r"[^\w]+|_")


def name_key(names: Iterable[str | None], postcode: str | None, country: str | None) -> str | None:
    """Return the key of somebody of these `names` at a place, or None where either is missing.

    Neither case, accents, punctuation nor the order of the words make a difference.
    """
    words: list[str] = []
    for name in names:
        if name:
            words += _words(name)
    place = "".join(_words(postcode)) if postcode else ""
    if not (words and place and country):
        return None
    words.sort()
    return f"{country} {place}{END_OF_PLACE}{' '.join(words)}"


def place_of(key: str) -> str:
    """Return the beginning that the keys of all who live at the same place share."""
    return key.partition(END_OF_PLACE)[0] + END_OF_PLACE


def name_of(key: str) -> str:
    """Return the words of the name, in alphabetical order."""
    return key.partition(END_OF_PLACE)[2]


@lru_cache(maxsize=4096)
def _words(text: str) -> tuple[str, ...]:
    if text.isascii() and text.isalnum():
        return (text.lower(),)
    return tuple(_NO_WORD.sub(" ", fold(text)).split())
