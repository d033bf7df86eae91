"""The mutations about the locations of companies: where goods and invoices go.

Its promise: an external id belongs to one location of the shop; what `companyLocationUpdate`
cannot change - addresses and tax - has mutations of its own.
"""

from collections.abc import Mapping
from typing import Any

from services.sandbox.shopify.errors import Problems, Record, problem, refused
from services.sandbox.shopify.gids import gid
from services.sandbox.shopify.shop import CURRENCY, Shop
from services.sandbox.shopify.zones import ZONES, as_e164, country_name, zone_name

TEXTS = ("name", "externalId", "locale", "note")
ADDRESS_TEXTS = (
    "recipient", "firstName", "lastName", "address1", "address2", "zip", "city",
)  # fmt: skip
NOT_FOUND = "RESOURCE_NOT_FOUND"
MOST_LOCATIONS = 10_000


def create(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `companyLocationCreate`."""
    company = shop.find("Company", given["companyId"])
    if company is None:
        raise refused("companyId", "Resource requested does not exist.", NOT_FOUND)
    if len(shop.linked("CompanyLocation", company)) >= MOST_LOCATIONS:
        raise refused("companyId", "Company location limit reached.", "LIMIT_REACHED")
    wanted = given["input"]
    location = overlaid_new(shop, company, wanted, ["input"])
    location = shop.save(location, (origin, "create", dict(wanted)))
    shop.link("CompanyLocation", location["_number"], "Company", company["_number"])
    return {"companyLocation": location, "userErrors": []}


def update(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `companyLocationUpdate`."""
    before = _location(shop, given["companyLocationId"], "companyLocationId")
    after = _overlaid(shop, before, given["input"], ["input"])
    return {
        "companyLocation": shop.save(after, (origin, "update", dict(given["input"]))),
        "userErrors": [],
    }


def assign_address(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `companyLocationAssignAddress`: the address is replaced whole."""
    before = _location(shop, given["locationId"], "locationId")
    names = {"SHIPPING": "shippingAddress", "BILLING": "billingAddress"}
    wanted = [names[each] for each in dict.fromkeys(given["addressTypes"])]
    company = shop.companies.rows[before["_company"]].record
    changed = {
        name: _address(shop, company["name"], given["address"], ["address"]) for name in wanted
    }
    shop.save(
        before | changed,
        (origin, "update_address", dict(given)),
        touches=shop.quirks.address_moves_time,
    )
    return {"addresses": list(changed.values()), "userErrors": []}


def update_tax(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `companyLocationTaxSettingsUpdate`."""
    before = _location(shop, given["companyLocationId"], "companyLocationId")
    settings = dict(before["taxSettings"])
    if "taxRegistrationId" in given:
        settings["taxRegistrationId"] = given["taxRegistrationId"] or None
    if given.get("taxExempt") is not None:
        settings["taxExempt"] = given["taxExempt"]
    kept = [*settings["taxExemptions"], *(given.get("exemptionsToAssign") or ())]
    gone = set(given.get("exemptionsToRemove") or ())
    settings["taxExemptions"] = [each for each in dict.fromkeys(kept) if each not in gone]
    after = shop.save(
        before | {"taxSettings": settings},
        (origin, "update_tax", dict(given)),
        touches=shop.quirks.address_moves_time,
    )
    return {"companyLocation": after, "userErrors": []}


def overlaid_new(shop: Shop, company: Record, given: Mapping[str, Any], path: list[str]) -> Record:
    """Return a new location of a company, not yet saved. Raises `Problems`."""
    count, now = shop.locations.last_number + 1, shop.now()
    blank = {
        "__typename": "CompanyLocation",
        "_number": count,
        "id": gid("CompanyLocation", count),
        "name": None,
        "externalId": None,
        "phone": None,
        "locale": None,
        "note": None,
        "currency": CURRENCY,
        "createdAt": now,
        "updatedAt": now,
        "shippingAddress": None,
        "billingAddress": None,
        "taxSettings": {
            "taxExempt": bool(given.get("taxExempt")),
            "taxExemptions": list(given.get("taxExemptions") or ()),
            "taxRegistrationId": given.get("taxRegistrationId") or None,
        },
        "buyerExperienceConfiguration": {
            "checkoutToDraft": False,
            "editableShippingAddress": False,
            "paymentTermsTemplate": None,
        },
        "_company": company["_number"],
        "_metafields": {},
    }
    location = _overlaid(shop, blank, given, path)
    location |= _addresses(shop, company["name"], given, path)
    shop.locations.last_number = count
    return location


def _addresses(shop: Shop, name: str, given: Mapping[str, Any], path: list[str]) -> Record:
    found: Record = {}
    if shipping := given.get("shippingAddress"):
        found["shippingAddress"] = _address(shop, name, shipping, [*path, "shippingAddress"])
    billing = given.get("billingAddress")
    if given.get("billingSameAsShipping"):
        if billing:
            message = "Billing address can't be given when it is the same as shipping."
            raise Problems(problem([*path, "billingAddress"], message, "INVALID_INPUT"))
        billing = given.get("shippingAddress")
    if billing:
        found["billingAddress"] = _address(shop, name, billing, [*path, "billingAddress"])
    return found


def _overlaid(shop: Shop, before: Record, given: Mapping[str, Any], path: list[str]) -> Record:
    after = dict(before)
    for name in TEXTS:
        if name in given and (given[name] is not None or shop.quirks.null_clears):
            after[name] = (given[name] or "").strip() or None
    if "phone" in given:
        after["phone"] = as_e164(given["phone"]) if given["phone"] else None
        if given["phone"] and not after["phone"]:
            raise Problems(problem([*path, "phone"], "Phone is invalid", "INVALID"))
    if not after["name"]:
        raise Problems(problem([*path, "name"], "Name can't be blank", "BLANK"))
    external = after["externalId"]
    if external and not shop.locations.is_free(f"external:{external}", after["_number"]):
        raise Problems(
            problem([*path, "externalId"], "External ID has already been taken", "TAKEN")
        )
    return after


def _address(shop: Shop, company: str, given: Mapping[str, Any], path: list[str]) -> Record:
    texts = {name: (given.get(name) or "").strip() or None for name in ADDRESS_TEXTS}
    country = given.get("countryCode")
    for name, value in (("address1", texts["address1"]), ("countryCode", country)):
        if not value:
            raise Problems(problem([*path, name], f"{name} can't be blank", "BLANK"))
    phone = given.get("phone")
    if phone and not as_e164(phone):
        raise Problems(problem([*path, "phone"], "Phone is invalid", "INVALID"))
    zone = given.get("zoneCode") if country in ZONES else None
    now = shop.now()
    return {
        "__typename": "CompanyAddress",
        "id": shop.next_gid("CompanyAddress"),
        **texts,
        "companyName": company,
        "zoneCode": zone,
        "province": zone_name(country, zone) or zone,
        "countryCode": country,
        "country": country_name(country),
        "phone": as_e164(phone) if phone else None,
        "createdAt": now,
        "updatedAt": now,
    }


def _location(shop: Shop, text: str, field: str) -> Record:
    location = shop.find("CompanyLocation", text)
    if location is None:
        raise refused(field, "The company location doesn't exist", NOT_FOUND)
    return location
