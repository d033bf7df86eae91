"""The address book of a customer, and the mutations that change one entry of it.

Its promise: there is a default as long as there is an address; `updatedAt` stays where it was,
unless a switch says otherwise.
"""

from collections.abc import Mapping
from typing import Any

from services.sandbox.shopify.errors import Problems, Record, problem, refused
from services.sandbox.shopify.shop import Shop
from services.sandbox.shopify.zones import ZONES, as_e164, country_name, zone_name

TEXTS = ("firstName", "lastName", "company", "address1", "address2", "zip", "city")
LONGEST = 255
NO_CUSTOMER = "Customer does not exist"
NO_ADDRESS = "Address does not exist"


def create(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `customerAddressCreate`."""
    customer = _customer(shop, given["customerId"])
    address = new_address(shop, given["address"], "address")
    if shop.quirks.refuses_identical_address and any(
        each | {"id": ""} == address | {"id": ""} for each in customer["_addresses"]
    ):
        raise refused("address", "Address already exists")
    book = [*customer["_addresses"], address]
    if given.get("setAsDefault") or len(book) == 1:
        customer = customer | {"_default": address["id"]}
    _keep(shop, customer, book, (origin, "create_address", dict(given)))
    return {"address": address, "userErrors": []}


def update(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `customerAddressUpdate`: what is not given stays."""
    customer = _customer(shop, given["customerId"])
    before = _address(customer, given["addressId"])
    address = _overlaid(shop, before, given["address"], "address")
    book = [address if each is before else each for each in customer["_addresses"]]
    if given.get("setAsDefault"):
        customer = customer | {"_default": address["id"]}
    _keep(shop, customer, book, (origin, "update_address", dict(given)))
    return {"address": address, "userErrors": []}


def delete(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `customerAddressDelete`; the next address becomes the default."""
    customer = _customer(shop, given["customerId"])
    gone = _address(customer, given["addressId"])
    book = [each for each in customer["_addresses"] if each is not gone]
    _keep(shop, customer, book, (origin, "delete_address", dict(given)))
    return {"deletedAddressId": gone["id"], "userErrors": []}


def set_default(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `customerUpdateDefaultAddress`."""
    customer = _customer(shop, given["customerId"])
    address = _address(customer, given["addressId"])
    customer = customer | {"_default": address["id"]}
    write = (origin, "update_address", dict(given))
    return {"customer": _keep(shop, customer, customer["_addresses"], write), "userErrors": []}


def new_address(shop: Shop, given: Mapping[str, Any], field: str) -> Record:
    """Return a new entry of an address book."""
    empty: Record = dict.fromkeys(
        (*TEXTS, "provinceCode", "province", "countryCodeV2", "country", "phone")
    )
    base: Record = {"__typename": "MailingAddress", "id": shop.next_gid("MailingAddress")}
    return _overlaid(shop, base | empty, given, field)


def _overlaid(shop: Shop, before: Record, given: Mapping[str, Any], field: str) -> Record:
    after = dict(before)
    sent = {
        name: (value.strip() or None) if isinstance(value, str) else value
        for name, value in given.items()
        if value is not None or shop.quirks.null_clears
    }
    after.update({name: sent[name] for name in TEXTS if name in sent})
    if "countryCode" in sent:
        after["countryCodeV2"] = sent["countryCode"]
    if "provinceCode" in sent:
        after["provinceCode"] = sent["provinceCode"]
    if "phone" in sent:
        after["phone"] = sent["phone"] and as_e164(sent["phone"])
    if found := _problems(after, sent, field):
        raise Problems(*found)
    country = after["countryCodeV2"]
    if country not in ZONES:
        after["provinceCode"] = None  # dropped without a word
    after["country"] = country_name(country)
    after["province"] = zone_name(country, after["provinceCode"]) or after["provinceCode"]
    return after


def _problems(after: Record, sent: Mapping[str, Any], field: str) -> list[Record]:
    path = field.split(".")
    found = [
        problem([*path, name], f"{name} is too long (maximum is {LONGEST} characters)", "TOO_LONG")
        for name in TEXTS
        if len(after[name] or "") > LONGEST
    ]
    if sent.get("phone") and not after["phone"]:
        found.append(problem([*path, "phone"], "Phone is invalid", "INVALID"))
    return found


def _keep(
    shop: Shop, customer: Record, book: list[Record], write: tuple[str, str, Record]
) -> Record:
    ids = [each["id"] for each in book]
    default = customer["_default"]
    if default not in ids:
        default = ids[0] if ids else None
    return shop.save(
        customer | {"_addresses": book, "_default": default},
        write,
        touches=shop.quirks.address_moves_time,
    )


def _customer(shop: Shop, text: str) -> Record:
    customer = shop.find("Customer", text)
    if customer is None:
        raise refused("customerId", NO_CUSTOMER)
    return customer


def _address(customer: Record, text: str) -> Record:
    for each in customer["_addresses"]:
        if each["id"] == text:
            address: Record = each
            return address
    raise refused("addressId", NO_ADDRESS)
