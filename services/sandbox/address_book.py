"""Where the sandbox's people live, and where they want their parcels.

Its promise: a pure function, like the people themselves.
"""

from dataclasses import dataclass
from typing import NamedTuple

from services.sandbox.dice import Dice
from services.sandbox.places import Country, Town


class Contact(NamedTuple):
    """What a person writes into every form."""

    phone: str
    company: str
    tax_id: str


@dataclass(frozen=True, slots=True)
class Address:
    """One entry of a person's address book."""

    country: str
    street: tuple[str, ...]
    postcode: str
    city: str
    region_code: str
    region: str
    phone: str
    company: str
    tax_id: str
    is_default_billing: bool
    is_default_shipping: bool


def address_book(
    seed: int, index: int, country: Country, oddity: str, contact: Contact
) -> tuple[Address, ...]:
    """Return the address book of person `index`: empty, or one to three addresses."""
    if oddity == "no_address":
        return ()
    dice = Dice(seed, index, "addresses")
    count = (1, 1, 1, 1, 1, 1, 1, 2, 2, 3)[dice.roll(10)]
    billing = None if oddity in {"only_default_shipping", "no_defaults"} else 0
    shipping: int | None = 1 if count > 1 and dice.chance(50) else 0
    if oddity in {"no_default_shipping", "no_defaults"}:
        shipping = None
    return tuple(
        _address(
            Dice(seed, index, "address", place),
            country,
            oddity,
            contact,
            is_default_billing=place == billing,
            is_default_shipping=place == shipping,
        )
        for place in range(count)
    )


def _address(
    dice: Dice,
    country: Country,
    oddity: str,
    contact: Contact,
    *,
    is_default_billing: bool,
    is_default_shipping: bool,
) -> Address:
    company = contact.company
    town: Town = dice.pick(country.towns)
    number = str(1 + dice.roll(180)) + ("b" if dice.chance(6) else "")
    street = [country.address_line.format(street=dice.pick(country.streets), number=number)]
    if country.second_lines and dice.chance(18):
        street.append(dice.pick(country.second_lines))
    if oddity == "over_long":
        street = ["Abteilung für Einkauf, Logistik und Wareneingang, Tor 7, " * 3 + street[0]]
        company = "Gesellschaft zur Förderung der überlangen Firmenbezeichnungen " * 3 + "mbH"
    return Address(
        country=country.code,
        street=tuple(street),
        postcode=dice.pick(town.postcodes),
        city=town.name,
        region_code="" if oddity == "region_text" else town.region_code,
        region=town.region,
        phone=contact.phone,
        company=company,
        tax_id=contact.tax_id,
        is_default_billing=is_default_billing,
        is_default_shipping=is_default_shipping,
    )
