"""Normalisation: one canonical form for e-mails, phones, countries, regions, postcodes, tax ids.

Pure and offline. What cannot be understood is kept as written, with the problem named.
"""

from shared.domain.normalise.country import country_code, iso3
from shared.domain.normalise.customer import (
    MatchKeys,
    home_country,
    match_keys,
    normalise_customer,
)
from shared.domain.normalise.email import email_key
from shared.domain.normalise.name import name_key, name_of, place_of
from shared.domain.normalise.phone import parse_phone, phone_key
from shared.domain.normalise.postcode import postcode
from shared.domain.normalise.region import region
from shared.domain.normalise.tax_id import tax_id, tax_id_key
from shared.domain.normalise.text import clean_line, clean_text

__all__ = [
    "MatchKeys",
    "clean_line",
    "clean_text",
    "country_code",
    "email_key",
    "home_country",
    "iso3",
    "match_keys",
    "name_key",
    "name_of",
    "normalise_customer",
    "parse_phone",
    "phone_key",
    "place_of",
    "postcode",
    "region",
    "tax_id",
    "tax_id_key",
]
