"""Turns the sandboxes' people into customers of this shop.

Its promise: customer `n` is person `first_person + n - 1` of the seed, the same human as in any
other sandbox; its id and those of its addresses follow from `n` alone.
"""

from dataclasses import dataclass
from typing import Any

from services.sandbox.address_book import Address
from services.sandbox.dice import Dice
from services.sandbox.people import Person, Sketch, phone_of, sketch
from services.sandbox.shopify.gids import address_count, gid, number
from services.sandbox.shopify.times import iso
from services.sandbox.shopify.zones import country_name, dialled, zone_name, zone_of

Record = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Crowd:
    """Which people the shop's customers are."""

    seed: int
    first_person: int = 0
    awkward: bool = True

    def index(self, customer: int) -> int:
        """Return the index of the person behind a customer."""
        return self.first_person + customer - 1

    def sketch(self, customer: int) -> Sketch:
        """Return what identifies a customer."""
        return sketch(self.seed, self.index(customer), awkward=self.awkward)


def email_of(crowd: Crowd, known: Sketch) -> str | None:
    """Return the e-mail an account would be opened with; blanks around it are cut off."""
    if _habit(crowd, known) in {"phone_only", "nameless_phone"} and phone_wanted(crowd, known):
        return None
    return known.email.strip()


def phone_wanted(crowd: Crowd, known: Sketch) -> str | None:
    """Return the telephone an account would be opened with, in E.164, if any."""
    if _habit(crowd, known) == "no_phone":
        return None
    return _e164(known, phone_of(crowd.seed, known, awkward=crowd.awkward))


def oddity_of(crowd: Crowd, customer: int) -> str:
    """Return what is odd about a customer here, besides what is odd about the person.

    `phone_only` has no e-mail, `no_first_name` and `nameless` lack names, `nameless_phone`
    lacks everything but a phone; "" has a name and an e-mail.
    """
    found = _habit(crowd, crowd.sketch(customer))
    return "" if found == "no_phone" else found


def customer(
    crowd: Crowd, person: Person, count: int, email: str | None, phone: str | None
) -> Record:
    """Return a person as a customer record; `email` and `phone` are theirs only if free."""
    known = person.sketch
    habit = _habit(crowd, known)
    first, last = known.firstname.strip(), known.lastname.strip()
    book = [_address(known, person, count, place) for place in range(len(person.addresses))]
    return {
        "__typename": "Customer",
        "_number": count,
        "id": gid("Customer", count),
        "legacyResourceId": str(number("Customer", count)),
        "createdAt": iso(known.created_at),
        "updatedAt": iso(known.updated_at),
        "firstName": None if habit in {"no_first_name", "nameless", "nameless_phone"} else first,
        "lastName": None if habit in {"nameless", "nameless_phone"} else last,
        "locale": known.country.language,
        "note": None,
        "tags": sorted({"newsletter"} if person.is_subscribed else set())
        + ([person.loyalty_level] if person.loyalty_level else []),
        "state": "INVITED" if known.oddity == "unconfirmed" else "DISABLED",
        "verifiedEmail": known.oddity != "unconfirmed",
        "taxExempt": False,
        "taxExemptions": [],
        "numberOfOrders": "0",
        "multipassIdentifier": None,
        "email": email,
        "phone": phone,
        "_consent": {
            "marketingState": "SUBSCRIBED" if person.is_subscribed else "NOT_SUBSCRIBED",
            "marketingOptInLevel": "SINGLE_OPT_IN" if person.is_subscribed else None,
            "marketingUpdatedAt": iso(known.created_at) if person.is_subscribed else None,
        },
        "_addresses": book,
        "_default": book[_default_place(person.addresses)]["id"] if book else None,
        "_metafields": {},
    }


def _habit(crowd: Crowd, known: Sketch) -> str:
    roll = Dice(crowd.seed, known.index, "shopify").roll(100)
    if crowd.awkward and roll < 7:
        return (
            "phone_only", "phone_only", "phone_only", "no_first_name", "no_first_name",
            "nameless", "nameless_phone",
        )[roll]  # fmt: skip
    return "no_phone" if roll % 5 < 2 else ""


def _default_place(addresses: tuple[Address, ...]) -> int:
    """Return which address is the default: there is one, and it is for both uses."""
    return next((place for place, each in enumerate(addresses) if each.is_default_shipping), 0)


def _address(known: Sketch, person: Person, count: int, place: int) -> Record:
    address = person.addresses[place]
    code = address.region_code if known.country.code in {"US", "IT"} else None
    zone = code or zone_of(address.country, address.region)
    return {
        "__typename": "MailingAddress",
        "id": gid("MailingAddress", address_count(count, place)),
        "firstName": known.firstname.strip(),
        "lastName": known.lastname.strip(),
        "company": address.company or None,
        "address1": address.street[0],
        "address2": address.street[1] if len(address.street) > 1 else None,
        "zip": address.postcode,
        "city": address.city,
        "provinceCode": zone,
        "province": zone_name(address.country, zone),
        "countryCodeV2": address.country,
        "country": country_name(address.country),
        "phone": _e164(known, address.phone),
    }


def _e164(known: Sketch, text: str) -> str | None:
    return dialled(text, known.country.calling_code, known.country.code)
