"""Countries and regions as the shop's directory knows them.

Its promise: it knows what `services.sandbox.countries` knows, and which of it must be given.
"""

from typing import Any

from services.sandbox.countries import NAMES, REGIONS, Region

# Countries whose addresses must name a region (`general/region/state_required`).
REGION_REQUIRED = frozenset(
    {"AU", "BR", "CA", "CH", "EE", "ES", "HR", "IN", "LT", "LV", "MX", "RO", "US"}
)
# Countries whose addresses need no postcode (`general/country/optional_zip_countries`).
POSTCODE_OPTIONAL = frozenset({"HK", "IE", "MO", "PA", "GB"})

_BY_CODE = {
    (country, region.code): region for country, known in REGIONS.items() for region in known
}
_BY_ID = {region.id: region for known in REGIONS.values() for region in known}


def region_by_code(country: str, code: str) -> Region | None:
    """Return the region of that code, if the directory has it."""
    return _BY_CODE.get((country, code))


def region_by_id(number: int) -> Region | None:
    """Return the region of that id, if the directory has it."""
    return _BY_ID.get(number)


def country(code: str) -> dict[str, Any] | None:
    """Answer `GET directory/countries/{code}`, or None for an unknown country."""
    if code not in NAMES:
        return None
    three, local, english = NAMES[code]
    answer: dict[str, Any] = {
        "id": code,
        "two_letter_abbreviation": code,
        "three_letter_abbreviation": three,
        "full_name_locale": local,
        "full_name_english": english,
    }
    if regions := REGIONS.get(code):
        answer["available_regions"] = [
            {"id": str(region.id), "code": region.code, "name": region.name} for region in regions
        ]
    return answer
