"""Countries by any of their names and codes, including those the ERP and the tax office use.

Its promise: a code is returned only for exactly one country; anything else is None (D365-13,
ASK-10).
"""

import gettext
from collections import defaultdict
from collections.abc import Iterator, Mapping
from functools import cache, lru_cache
from typing import Final

import pycountry

from shared.domain.normalise.text import fold

# Codes and names in daily use that ISO 3166 does not list, or lists only in a long form.
_ALSO_KNOWN_AS: Final = {
    "EL": "GR", "Hellas": "GR", "Ελλάς": "GR",
    "UK": "GB", "Great Britain": "GB", "Britain": "GB", "England": "GB", "Scotland": "GB",
    "Wales": "GB", "Northern Ireland": "GB",
    "Großbritannien": "GB", "Royaume Uni": "GB",
    "U.S.": "US", "U.S.A.": "US", "America": "US", "United States of America": "US",
    "XK": "XK", "XKX": "XK", "Kosovo": "XK", "Kosova": "XK",
    "Holland": "NL", "The Netherlands": "NL", "Czech Republic": "CZ", "Turkey": "TR",
    "Russia": "RU", "Россия": "RU",
    "South Korea": "KR", "Korea": "KR", "North Korea": "KP", "Ivory Coast": "CI",
    "Cape Verde": "CV", "Swaziland": "SZ", "Macedonia": "MK", "Burma": "MM", "Vatican": "VA",
    "Vatican City": "VA", "Palestine": "PS", "Macau": "MO", "Brunei": "BN", "East Timor": "TL",
    "UAE": "AE", "The Gambia": "GM", "The Bahamas": "BS", "Falkland Islands": "FK",
}  # fmt: skip

_ISO3_BESIDES_ISO: Final = {"XK": "XKX"}

# In whose languages the names of all countries are understood, besides English.
_LANGUAGES: Final = (
    "de", "fr", "es", "it", "nl", "pl", "pt", "sv", "da", "fi", "nb", "cs", "sk", "hu", "ro",
    "hr", "sl", "el", "tr", "bg", "et", "lv", "lt", "uk", "ru",
)  # fmt: skip


@lru_cache(maxsize=1024)
def country_code(raw: str | None) -> str | None:
    """Return the ISO 3166 two-letter code of the country that `raw` names or encodes."""
    if not raw or not (name := fold(raw)):
        return None
    return _english().get(name) or _native().get(name)


@lru_cache(maxsize=1024)
def iso3(code: str | None) -> str | None:
    """Return the three-letter code of a country given by any code or name of it."""
    two_letters = country_code(code)
    if two_letters is None:
        return None
    country = pycountry.countries.get(alpha_2=two_letters)
    return country.alpha_3 if country else _ISO3_BESIDES_ISO.get(two_letters)


@cache
def _english() -> Mapping[str, str]:
    index = {fold(name): code for name, code in _ALSO_KNOWN_AS.items()}
    for country in pycountry.countries:
        for attribute in ("alpha_2", "alpha_3", "name", "common_name", "official_name"):
            if name := getattr(country, attribute, None):
                index[fold(name)] = country.alpha_2
    return index


@cache
def _native() -> Mapping[str, str]:
    codes = defaultdict(set)
    for name, code in _translations():
        codes[fold(name)].add(code)
    return {name: next(iter(found)) for name, found in codes.items() if len(found) == 1}


def _translations() -> Iterator[tuple[str, str]]:
    for language in _LANGUAGES:
        catalogue = gettext.translation(
            "iso3166-1", pycountry.LOCALES_DIR, languages=[language], fallback=True
        )
        for country in pycountry.countries:
            for attribute in ("name", "common_name", "official_name"):
                if name := getattr(country, attribute, None):
                    yield catalogue.gettext(name), country.alpha_2
