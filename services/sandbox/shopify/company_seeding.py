"""Companies for the shop: one to four locations each, and contacts who are customers, too.

Its promise: company `k` and its locations have ids that follow from `k`; its main contact is the
k-th customer who buys for a firm, and once those are used up, the next customer with an e-mail.
"""

from collections.abc import Iterator
from itertools import chain
from typing import Any

from services.sandbox.dice import Dice
from services.sandbox.people import Person, person
from services.sandbox.shopify import seeding
from services.sandbox.shopify.gids import gid, location_count
from services.sandbox.shopify.shop import CURRENCY, Shop, email_key, roles_of
from services.sandbox.shopify.times import iso
from services.sandbox.shopify.zones import country_name, zone_name, zone_of

Record = dict[str, Any]

PLACES = ("Zentrale", "Lager", "Filiale", "Werk")


def seed_companies(shop: Shop, companies: int) -> None:
    """Found the companies. Raises ValueError where there are too few customers."""
    if not companies:
        return
    buyers = _buyers(shop)
    for count in range(1, companies + 1):
        customers = [_next(buyers)]
        if count % 3 == 0:
            customers.append(_next(buyers))
        _found(shop, count, customers)
    shop.locations.last_number = location_count(companies, 3)


def _found(shop: Shop, count: int, customers: list[int]) -> None:
    crowd = shop.crowd
    head = person(crowd.seed, crowd.index(customers[0]), awkward=crowd.awkward)
    times = {"createdAt": iso(head.sketch.created_at), "updatedAt": iso(head.sketch.updated_at)}
    name = head.company or f"{head.sketch.lastname.strip()} Handel"
    company: Record = {
        "__typename": "Company",
        "_number": count,
        "id": gid("Company", count),
        "name": name,
        "externalId": None,
        "note": None,
        "customerSince": times["createdAt"],
        **times,
        "_main": shop.contacts.last_number + 1,
        "_metafields": {},
    }
    shop.companies.put(count, company)
    shop.companies.last_number = count
    dice = Dice(crowd.seed, count, "locations")
    for place in range(1 + dice.roll(4)):
        location = _location(shop, company, head, place)
        shop.locations.put(location["_number"], location)
        shop.link("CompanyLocation", location["_number"], "Company", count)
    for customer in customers:
        _add_contact(shop, company, customer)


def _add_contact(shop: Shop, company: Record, customer: int) -> None:
    count = shop.contacts.next_number()
    contact = {
        "__typename": "CompanyContact",
        "_number": count,
        "id": gid("CompanyContact", count),
        "title": None,
        "locale": shop.crowd.sketch(customer).country.language,
        "createdAt": company["createdAt"],
        "updatedAt": company["createdAt"],
        "_customer": customer,
        "_company": company["_number"],
    }
    shop.contacts.put(count, contact)
    shop.link("CompanyContact", count, "Customer", customer)
    shop.link("CompanyContact", count, "Company", company["_number"])
    for location in shop.linked("CompanyLocation", company):
        _assign(shop, contact, location)


def _assign(shop: Shop, contact: Record, location: Record) -> None:
    table = shop.tables["CompanyContactRoleAssignment"]
    count = table.next_number()
    assignment = {
        "__typename": "CompanyContactRoleAssignment",
        "_number": count,
        "id": gid("CompanyContactRoleAssignment", count),
        "createdAt": contact["createdAt"],
        "updatedAt": contact["createdAt"],
        "_contact": contact["_number"],
        "_location": location["_number"],
        "role": roles_of(contact["_company"])[0],
    }
    table.put(count, assignment)
    shop.link("CompanyContactRoleAssignment", count, "CompanyContact", contact["_number"])
    shop.link("CompanyContactRoleAssignment", count, "CompanyLocation", location["_number"])


def _location(shop: Shop, company: Record, head: Person, place: int) -> Record:
    """Return a location: the head office is where the main contact lives."""
    count = location_count(company["_number"], place)
    address = _address(shop, company, head, place)
    return {
        "__typename": "CompanyLocation",
        "_number": count,
        "id": gid("CompanyLocation", count),
        "name": f"{PLACES[place]} {address['city']}",
        "externalId": None,
        "phone": address["phone"],
        "locale": head.sketch.country.language,
        "note": None,
        "currency": CURRENCY,
        "createdAt": company["createdAt"],
        "updatedAt": company["updatedAt"],
        "shippingAddress": address,
        "billingAddress": address | {"id": shop.next_gid("CompanyAddress")} if not place else None,
        "taxSettings": {
            "taxExempt": False,
            "taxExemptions": [],
            "taxRegistrationId": head.tax_id or None,
        },
        "buyerExperienceConfiguration": {
            "checkoutToDraft": False,
            "editableShippingAddress": False,
            "paymentTermsTemplate": None,
        },
        "_company": company["_number"],
        "_metafields": {},
    }


def _address(shop: Shop, company: Record, head: Person, place: int) -> Record:
    dice = Dice(shop.crowd.seed, company["_number"], "location", place)
    country = head.sketch.country
    town = dice.pick(country.towns)
    line = country.address_line.format(street=dice.pick(country.streets), number=1 + dice.roll(99))
    zone = town.region_code if country.code in {"US", "IT"} else None
    wanted = zone_of(country.code, town.region)
    return {
        "__typename": "CompanyAddress",
        "id": shop.next_gid("CompanyAddress"),
        "recipient": "Wareneingang" if place else None,
        "firstName": head.sketch.firstname.strip() if not place else None,
        "lastName": head.sketch.lastname.strip() if not place else None,
        "companyName": company["name"],
        "address1": line,
        "address2": None,
        "zip": dice.pick(town.postcodes),
        "city": town.name,
        "zoneCode": zone or wanted,
        "province": zone_name(country.code, zone or wanted),
        "countryCode": country.code,
        "country": country_name(country.code),
        "phone": seeding.phone_wanted(shop.crowd, head.sketch),
        "createdAt": company["createdAt"],
        "updatedAt": company["updatedAt"],
    }


def _buyers(shop: Shop) -> Iterator[int]:
    sketches = {count: shop.crowd.sketch(count) for count in shop.customers.by_number}
    able = []
    for count, known in sketches.items():
        email = seeding.email_of(shop.crowd, known)
        if email and shop.customers.holder(email_key(email)) == count:
            able.append(count)
    firms = [count for count in able if sketches[count].is_business]
    return chain(firms, (count for count in able if not sketches[count].is_business))


def _next(buyers: Iterator[int]) -> int:
    try:
        return next(buyers)
    except StopIteration:
        raise ValueError("there are too few customers to buy for so many companies") from None
