"""Countries, their zones and telephone numbers, as this platform writes them.

It knows zones for some countries only: a German address has none, whatever was sent.
Its promise: what is returned is in the platform's own codes, or None.
"""

import re

from services.sandbox.countries import NAMES, REGIONS

_SPAIN = {"A Coruña": "C", "Barcelona": "B", "Madrid": "M", "Sevilla": "SE"}
_JAPAN = {"東京都": "JP-13", "大阪府": "JP-27", "京都府": "JP-26"}
ZONES: dict[str, dict[str, str]] = {
    "US": {region.code: region.name for region in REGIONS["US"]},
    "IT": {region.code: region.name for region in REGIONS["IT"]},
    "ES": {code: name for name, code in _SPAIN.items()},
    "JP": {code: name for name, code in _JAPAN.items()},
}
"""The zones that the platform knows, by country; none for the others."""
_CODES = {country: {name: code for code, name in zones.items()} for country, zones in ZONES.items()}
_E164 = re.compile(r"\+[1-9]\d{7,14}")


def country_name(code: str | None) -> str | None:
    """Return a country's English name."""
    return NAMES[code][2] if code in NAMES else code


def zone_of(country: str, region: str) -> str | None:
    """Return the code of a zone by its name."""
    return _CODES.get(country, {}).get(region)


def zone_name(country: str | None, code: str | None) -> str | None:
    """Return a zone's name by its code."""
    return ZONES.get(country or "", {}).get(code or "")


def as_e164(text: str) -> str | None:
    """Return a number that was given with its country, in E.164; None for what is none."""
    bare = re.sub(r"[\s().\-/]", "", text)
    return bare if _E164.fullmatch(bare) else None


def dialled(text: str, calling_code: str, country: str) -> str | None:
    """Return a number as people write it at home, in E.164; None for what is none."""
    text = text.partition("ext")[0].replace("(0)", "")
    digits = re.sub(r"\D", "", text)
    if text.strip().startswith("+"):
        return as_e164(f"+{digits}")
    if digits.startswith("00"):
        return as_e164(f"+{digits[2:]}")
    if country == "US":
        return as_e164(f"+1{digits.removeprefix('1')}")
    trunk = "" if country == "IT" else "0"  # Italians dial the 0 from abroad, too
    return as_e164(f"+{calling_code}{digits.removeprefix(trunk)}") if len(digits) > 6 else None
