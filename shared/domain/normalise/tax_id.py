"""Tax ids: VAT numbers and their like, with check digits, by python-stdnum.

Its promise: only a number that passes its country's check is a key, and it is the same key with
and without the country's prefix, whichever of EL and GR, UK, GB and XI was written (ASK-10).
"""

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

from stdnum.eu.vat import MEMBER_STATES
from stdnum.exceptions import ValidationError
from stdnum.util import get_cc_module

from shared.domain.normalise.text import ascii_form, clean_line

NOT_VALID: Final = "is no valid tax id of its country"

_SEPARATORS: Final = re.compile(r"[\s.\-/_:,]+")
# Where the number that matters is not the one python-stdnum calls `vat`.
_SCHEMES: Final = {"CH": ("uid",), "NO": ("orgnr",), "US": ("ein",), "IT": ("vat", "codicefiscale")}
_TAX_SUFFIX: Final = re.compile(r"(?<=\d)(?:MVA|MWST|TVA|IVA|TPV)$")
_SUFFIXED: Final = frozenset({"CH", "NO"})
# The prefixes of VAT numbers that are not the country's ISO code; XI is Northern Ireland.
_PREFIX_COUNTRY: Final = {"EL": "GR", "UK": "GB", "XI": "GB"}
_WRITTEN_PREFIX: Final = {"GR": "EL", "UK": "GB"}
_VAT_COUNTRIES: Final = frozenset({cc.upper() for cc in MEMBER_STATES} - {"XI"} | {"GB"})


class _Number(NamedTuple):
    country: str
    compact: str


def tax_id_key(raw: str | None, country: str | None) -> str | None:
    """Return what equal tax ids share, or None if `raw` is no valid one."""
    number = _recognise(raw, country) if raw else None
    return f"{number.country}{number.compact}" if number else None


def tax_id(raw: str, country: str | None) -> tuple[str, str | None]:
    """Return `raw`, a VAT number without its separators, and what is wrong with it, if anything.

    Without a country or a rule to check it by, nothing is known to be wrong.
    """
    text = clean_line(raw)
    number = _recognise(text, country) if text else None
    if number:
        return (_compact_vat(text) if number.country in _VAT_COUNTRIES else text), None
    is_checkable = text and any(_modules(each) for each in _countries(_bare(text), country))
    return text, NOT_VALID if is_checkable else None


def _compact_vat(text: str) -> str:
    bare = _bare(text)
    prefix = bare[:2]
    return _WRITTEN_PREFIX.get(prefix, prefix) + bare[2:]


def _bare(text: str) -> str:
    return _SEPARATORS.sub("", ascii_form(text)).upper()


@lru_cache(maxsize=4096)
def _recognise(raw: str, country: str | None) -> _Number | None:
    text = _bare(raw)
    for each in _countries(text, country):
        for number in _without_prefix(text, each):
            if compact := _validated(number, each):
                return _Number(each, compact)
    return None


def _countries(text: str, country: str | None) -> Iterator[str]:
    """Yield the countries `text` may be a number of: its own, then that of its prefix."""
    if country:
        yield _PREFIX_COUNTRY.get(country, country)
    prefixed = _PREFIX_COUNTRY.get(text[:2], text[:2])
    if prefixed in _VAT_COUNTRIES and prefixed != country:
        yield prefixed


def _without_prefix(text: str, country: str) -> Iterator[str]:
    if country in _SUFFIXED:
        text = _TAX_SUFFIX.sub("", text)
    if _PREFIX_COUNTRY.get(text[:2], text[:2]) == country:
        yield text[2:]
    yield text


def _validated(number: str, country: str) -> str | None:
    for module in _modules(country):
        try:
            return str(module.validate(number))
        except ValidationError:
            continue
    return None


@lru_cache(maxsize=512)
def _modules(country: str) -> tuple[Any, ...]:
    names = _SCHEMES.get(country, ("vat",))
    return tuple(module for name in names if (module := get_cc_module(country, name)))
