"""The people who shop in the sandboxes, the awkward ones included.

A pure function of (seed, index): `person(7, 4711)` is the same human being on every machine, in
every process, whatever else was asked before. Nothing here knows a platform.
"""

import re
import unicodedata
from dataclasses import dataclass, replace
from functools import lru_cache

from services.sandbox.address_book import Address, Contact, address_book
from services.sandbox.dice import Dice
from services.sandbox.places import COUNTRIES, Country
from services.sandbox.tax_ids import tax_id

FIRST_MOMENT = 1_546_300_800  # 2019-01-01 00:00:00 UTC
LAST_MOMENT = 1_782_863_999  # 2026-06-30 23:59:59 UTC
MASS_UPDATE = range(200, 350)  # more customers with one change time than a page of 100 holds
MASS_UPDATED_AT = 1_767_607_200  # 2026-01-05 10:00:00 UTC
TWIN_EVERY = 40

ODDITIES: tuple[tuple[str, int], ...] = (
    ("no_address", 40),
    ("only_default_shipping", 30),
    ("no_default_shipping", 30),
    ("no_defaults", 10),
    ("messy_email", 20),
    ("region_text", 20),
    ("unparsable_phone", 15),
    ("unconfirmed", 10),
    ("emoji_name", 5),
    ("padded_name", 5),
    ("placeholder_name", 5),
    ("over_long", 5),
)
"""What may be odd about a customer, each with its share in a thousand; at most one of them."""

# What a twin shares with the person before; the address book is the twin's own.
_ABOUT_THE_HUMAN = frozenset(
    {"messy_email", "emoji_name", "padded_name", "placeholder_name", "unparsable_phone"}
)
_UNPARSABLE_PHONES = ("keine", "n/a", "auf Anfrage", "12", "siehe E-Mail", "+49 (0) ???", "00000")
_EMOJI_NAMES = ("Petra 🌻", "🦊 Max", "Zoë💫", "✨Luna✨")
_BY_SHARE = tuple(country for country in COUNTRIES for _ in range(country.share))
_ODDITY_BY_ROLL = tuple(name for name, share in ODDITIES for _ in range(share))


@dataclass(frozen=True, slots=True)
class Sketch:
    """What is cheap to know of a person, and enough to find and sort them by."""

    index: int
    country: Country
    is_female: bool
    firstname: str
    lastname: str
    email: str
    is_business: bool
    oddity: str
    created_at: int
    updated_at: int

    @property
    def is_twin(self) -> bool:
        """Whether this is the person before, registered again in another shop."""
        return self.oddity == "twin"


@dataclass(frozen=True, slots=True)
class Person:
    """Everything about a customer that a platform might store."""

    sketch: Sketch
    title: str
    middlename: str
    birth_date: str
    company: str
    tax_id: str
    phone: str
    is_subscribed: bool
    loyalty_level: str
    addresses: tuple[Address, ...]


def person(seed: int, index: int, *, awkward: bool = True) -> Person:
    """Return the customer number `index` (from 0) of the crowd `seed`."""
    known = sketch(seed, index, awkward=awkward)
    origin = index - 1 if known.is_twin else index
    dice = Dice(seed, origin, "person")
    titles = known.country.titles
    company, tax = _company(dice, known, awkward=awkward) if known.is_business else ("", "")
    phone_owner = sketch(seed, origin, awkward=awkward) if known.is_twin else known
    contact = Contact(phone_of(seed, phone_owner, awkward=awkward), company, tax)
    return Person(
        sketch=known,
        title=titles[0 if known.is_female else 1] if dice.chance(60) else "",
        middlename=dice.pick(known.country.male).partition("|")[0] if dice.chance(8) else "",
        birth_date=_birth_date(dice) if dice.chance(40) and not company else "",
        company=company,
        tax_id=tax,
        phone=contact.phone,
        is_subscribed=dice.chance(35),
        loyalty_level=dice.pick(("bronze", "silver", "gold")) if dice.chance(20) else "",
        addresses=address_book(seed, origin, known.country, known.oddity, contact),
    )


def sketch(seed: int, index: int, *, awkward: bool = True) -> Sketch:
    """Return what identifies customer `index`, several times faster than `person`."""
    if awkward and index % TWIN_EVERY == 17:
        times = _times(seed, index, Dice(seed, index, "twin"))
        first = sketch(seed, index - 1)
        return replace(first, index=index, oddity="twin", created_at=times[0], updated_at=times[1])
    dice = Dice(seed, index, "sketch")
    country = dice.pick(_BY_SHARE)
    is_female = dice.chance(52)
    first_native, first_latin = _both(dice.pick(country.female if is_female else country.male))
    lastnames = country.female_lastnames if is_female else ()
    last_native, last_latin = _both(dice.pick(lastnames or country.lastnames))
    is_business = dice.chance(15)
    roll = dice.roll(1000)
    oddity = _ODDITY_BY_ROLL[roll] if awkward and roll < len(_ODDITY_BY_ROLL) else ""
    created_at, updated_at = _times(seed, index, dice)
    email = _email(dice, index, first_latin, last_latin, is_business=is_business, oddity=oddity)
    first_native, last_native = _misspelt(dice, oddity, first_native, last_native)
    return Sketch(
        index=index,
        country=country,
        is_female=is_female,
        firstname=first_native,
        lastname=last_native,
        email=email,
        is_business=is_business,
        oddity=oddity,
        created_at=created_at,
        updated_at=updated_at,
    )


def _misspelt(dice: Dice, oddity: str, first: str, last: str) -> tuple[str, str]:
    match oddity:
        case "emoji_name":
            return dice.pick(_EMOJI_NAMES), last
        case "padded_name":
            return f" {first}", f"{last}  "
        case "placeholder_name":
            return first, dice.pick(("-", ".", "x"))
        case _:
            return first, last


def oddities(seed: int, index: int) -> frozenset[str]:
    """Everything odd about customer `index`, so that a test can tell what to expect."""
    known = sketch(seed, index)
    found = {known.oddity} if known.oddity else set()
    if known.is_twin and (inherited := sketch(seed, index - 1).oddity) in _ABOUT_THE_HUMAN:
        found.add(inherited)
    if index % TWIN_EVERY == 27:
        found.add("shared_phone")
    return frozenset(found)


def _times(seed: int, index: int, dice: Dice) -> tuple[int, int]:
    """When the account was made and last changed; some change times are shared by many."""
    created_at = FIRST_MOMENT + dice.roll(MASS_UPDATED_AT - FIRST_MOMENT)
    updated_at = created_at + dice.roll(LAST_MOMENT - created_at)
    if index in MASS_UPDATE:
        return created_at, MASS_UPDATED_AT
    block, place = divmod(index, 50)
    if block % 8 == 3 and place < 20:
        shared = MASS_UPDATED_AT + Dice(seed, block, "block").roll(LAST_MOMENT - MASS_UPDATED_AT)
        return created_at, shared
    return created_at, updated_at


def _email(dice: Dice, index: int, first: str, last: str, *, is_business: bool, oddity: str) -> str:
    first, last = _slug(first), _slug(last)
    if is_business:
        box = dice.pick(("info", "einkauf", "office", "accounts", "contact"))
        address = f"{box}@{last}{index}.example.com"
    else:
        host = dice.pick(("example.com", "example.org", "example.net", "mail.example.com"))
        address = dice.pick((f"{first}.{last}{index}", f"{last}{index}", f"{first}{index}_{last}"))
        address = f"{address}@{host}"
    if oddity == "messy_email":
        return dice.pick((address.title(), address.upper(), f" {address}", f"{address} "))
    return address


def _company(dice: Dice, known: Sketch, *, awkward: bool) -> tuple[str, str]:
    """Return a firm and its tax id, one in twelve of which has a wrong check digit."""
    name = dice.pick(known.country.firms).format(name=known.lastname.strip())
    number = tax_id(known.country.code, dice.roll(10**7))
    if number and awkward and dice.chance(8):
        number = number[:-1] + ("7" if number[-1] != "7" else "3")
    return name, number


def phone_of(seed: int, known: Sketch, *, awkward: bool = True) -> str:
    """Return the phone number of somebody sketched, as they write it."""
    if awkward and known.index % TWIN_EVERY == 27:
        return phone_of(seed, sketch(seed, known.index - 1), awkward=awkward)
    dice = Dice(seed, known.index, "phone")
    if known.oddity == "unparsable_phone":
        return dice.pick(_UNPARSABLE_PHONES)
    town = dice.pick(known.country.towns)
    pattern = dice.pick(known.country.phones).replace("{a}", town.dialling)
    # The first + of an international number is a plus sign, every later one a digit.
    prefix, pattern = ("+", pattern[1:]) if pattern.startswith("+") else ("", pattern)
    return prefix + re.sub(r"[#+]", lambda hit: _digit(dice, hit[0]), pattern)


def _digit(dice: Dice, mark: str) -> str:
    return str(dice.roll(10)) if mark == "#" else str(2 + dice.roll(8))


def _birth_date(dice: Dice) -> str:
    return f"{1940 + dice.roll(66)}-{1 + dice.roll(12):02}-{1 + dice.roll(28):02}"


def _both(name: str) -> tuple[str, str]:
    native, _, latin = name.partition("|")
    return native, latin or native


@lru_cache(maxsize=4096)
def _slug(name: str) -> str:
    plain = name.lower().translate(_LETTERS)
    plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "", plain) or "kunde"


_LETTERS = str.maketrans(
    {
        "ß": "ss",
        "ø": "o",
        "ł": "l",
        "\u0131": "i",
        "œ": "oe",
        "ä": "ae",
        "ö": "oe",
        "ü": "ue",
        "đ": "d",
    }
)
