"""States, provinces and other regions: by exact code or name within their country, or as text.

Its promise: a region is never guessed (ASK-11). Codes are the part of ISO 3166-2 after the
country: `CA`, not `US-CA`.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from functools import cache, lru_cache
from typing import Any, Final, NamedTuple

import pycountry

from shared.domain.normalise.text import fold

UNKNOWN_CODE: Final = "is no region of the country"
DISAGREE: Final = "and the region's name are different regions"


class Region(NamedTuple):
    """A region's code, if it is known, and its text, if it was given one."""

    code: str | None
    text: str | None
    problem: str | None = None


def region(code_or_text: str | None, country: str | None) -> tuple[str | None, str | None]:
    """Return (code, None) for a code, (code, text) for a name, and (None, text) otherwise."""
    if not code_or_text or not (text := code_or_text.strip()):
        return None, None
    code = _by_code(text, country)
    return (code, None) if code else (_by_name(text, country), text)


def agreed_region(code: str | None, text: str | None, country: str | None) -> Region:
    """Return the region that a code field and a text field speak of together."""
    if not code or not _codes(country):
        return Region(_found(text, country) or code, text)
    by_code, by_text = _found(code, country), _found(text, country)
    if by_code and by_text and by_code != by_text:
        return Region(code, text, DISAGREE)
    if by_code or by_text:
        return Region(by_code or by_text, text)
    return Region(None, text or code, UNKNOWN_CODE)


def _found(code_or_text: str | None, country: str | None) -> str | None:
    return region(code_or_text, country)[0]


@lru_cache(maxsize=4096)
def _by_code(text: str, country: str | None) -> str | None:
    code = text.upper().removeprefix(f"{country}-")
    return code if code in _codes(country) else None


@lru_cache(maxsize=4096)
def _by_name(text: str, country: str | None) -> str | None:
    return _names(country).get(fold(text))


@cache
def _codes(country: str | None) -> frozenset[str]:
    return frozenset(_short(subdivision) for subdivision in _subdivisions(country))


@cache
def _names(country: str | None) -> Mapping[str, str]:
    """Index a country's regions by name; names in full outrank their parts."""
    subdivisions = _subdivisions(country)
    full = _unambiguous((fold(each.name), _short(each)) for each in subdivisions)
    parts = _unambiguous(
        (part, _short(each)) for each in subdivisions for part in _name_parts(each.name)
    )
    taken = {fold(each.name) for each in subdivisions}
    return {name: code for name, code in parts.items() if name not in taken} | full


def _unambiguous(pairs: Iterable[tuple[str, str]]) -> dict[str, str]:
    codes = defaultdict(set)
    for name, code in pairs:
        codes[name].add(code)
    return {name: next(iter(found)) for name, found in codes.items() if len(found) == 1}


def _name_parts(name: str) -> Iterator[str]:
    """Yield the names within "A Coruña [La Coruña]" and "Madrid, Comunidad de"."""
    for part in re.split(r"[\[\]/]", name):
        bare = re.sub(r"\s[A-Z]{2}-\w+$", "", part).strip()
        head, comma, tail = bare.partition(", ")
        if bare:
            yield fold(bare)
        if comma:
            yield fold(f"{tail} {head}")


def _subdivisions(country: str | None) -> list[Any]:
    if country is None:
        return []
    return [each for each in pycountry.subdivisions if each.country_code == country]


def _short(subdivision: Any) -> str:
    return str(subdivision.code).partition("-")[2]
