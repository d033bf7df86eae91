"""How a customer that came in becomes the customer that is stored.

The heart of the sandbox: what is absent stays, what is null stays, what is "" is emptied; a list
of addresses is the final list; attributes nobody defined vanish without a word. Its promise:
pure functions; the caller decides ids, time and uniqueness.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Any

from services.sandbox.magento.directory import region_by_code, region_by_id
from services.sandbox.magento.errors import Refusal, no_such_entity
from services.sandbox.magento.rules import check_address, check_customer
from services.sandbox.magento.stores import BY_ID
from services.sandbox.magento.versions import Quirks

Record = dict[str, Any]

ORDER = (
    "id", "group_id", "default_billing", "default_shipping", "confirmation", "created_at",
    "updated_at", "created_in", "dob", "email", "firstname", "lastname", "middlename", "prefix",
    "suffix", "gender", "store_id", "taxvat", "website_id", "addresses",
    "disable_auto_group_change", "extension_attributes", "custom_attributes",
)  # fmt: skip
ADDRESS_ORDER = (
    "id", "customer_id", "region", "region_id", "country_id", "street", "company", "telephone",
    "fax", "postcode", "city", "firstname", "lastname", "middlename", "prefix", "suffix", "vat_id",
    "default_shipping", "default_billing", "custom_attributes",
)  # fmt: skip
# Typed columns: an empty string empties them to NULL, and NULL is not shown.
_NULLED_BY_EMPTY = frozenset({"dob", "confirmation", "default_billing", "default_shipping"})
_NOT_TAKEN_FROM_CLIENTS = frozenset({"updated_at", "created_at", "created_in"})
_FLAGS = ("default_billing", "default_shipping")


@dataclass(frozen=True, slots=True)
class Saving:
    """What a save needs to know of the shop."""

    quirks: Quirks
    attributes: Collection[str]
    stamp: str
    next_address_id: Callable[[], int]


def created(number: int, given: Record, saving: Saving) -> Record:
    """Return the customer made from `given`, which has its store, website and group."""
    base: Record = {
        "id": number,
        "created_at": saving.stamp,
        "created_in": BY_ID[given["store_id"]].name if given["store_id"] in BY_ID else "Admin",
        "disable_auto_group_change": 0,
        "addresses": [],
        "extension_attributes": {"is_subscribed": False},
    }
    return updated(base, {name: value for name, value in given.items() if name != "id"}, saving)


def updated(stored: Record, given: Record, saving: Saving) -> Record:
    """Return `stored` with `given` laid over it, checked and stamped."""
    given = {name: value for name, value in given.items() if name not in _NOT_TAKEN_FROM_CLIENTS}
    record = stored | given | {"id": stored["id"], "updated_at": saving.stamp}
    record["addresses"] = stored["addresses"]
    check_customer(record, saving.quirks)
    record["extension_attributes"] = stored["extension_attributes"] | {
        name: value
        for name, value in given.get("extension_attributes", {}).items()
        if name == "is_subscribed"
    }
    record["custom_attributes"] = _attributes(stored, given, saving.attributes)
    if "addresses" in given:
        _replace_addresses(record, stored, given["addresses"], saving)
    return tidy(record)


def tidy(record: Record) -> Record:
    """Bring the default flags into line and leave out what is NULL, in the platform's order."""
    for flag in _FLAGS:
        owner = str(record.get(flag) or "")
        if not any(str(address["id"]) == owner for address in record["addresses"]):
            record[flag] = None
    for name in _NULLED_BY_EMPTY:
        record[name] = record.get(name) or None
    record["custom_attributes"] = record.get("custom_attributes") or None
    # As new dictionaries: the stored customer's are compared with them afterwards.
    record["addresses"] = [
        _in_order(address | _flags(address, record), ADDRESS_ORDER)
        for address in record["addresses"]
    ]
    return _in_order(record, ORDER)


def _flags(address: Record, record: Record) -> Record:
    return {flag: str(address["id"]) == str(record[flag] or "") or None for flag in _FLAGS}


def overlay_address(stored: Record, given: Record) -> Record:
    """Return the address with `given` laid over it and its region resolved."""
    address = stored | {name: value for name, value in given.items() if name not in _FLAGS}
    if {"region", "region_id", "country_id"} & given.keys() or "region" not in address:
        _resolve_region(address, given)
    return address


def _replace_addresses(
    record: Record, stored: Record, listed: list[Record], saving: Saving
) -> None:
    known = {address["id"]: address for address in stored["addresses"]}
    _refuse_replaced_default(stored, listed, saving.quirks)
    record["addresses"] = []
    for given in listed:
        number = given.get("id") or None
        if number is not None and number not in known:
            raise no_such_entity("addressId", number)
        address = overlay_address(known.get(number, {}), given)
        check_address(address, saving.quirks)
        address["id"] = number or saving.next_address_id()
        address["customer_id"] = record["id"]
        record["addresses"].append(address)
        _move_defaults(record, address["id"], given)


def _move_defaults(record: Record, number: int, given: Record) -> None:
    for flag in _FLAGS:
        if given.get(flag) is True:
            record[flag] = str(number)
        elif given.get(flag) is False and record.get(flag) == str(number):
            record[flag] = None


def _refuse_replaced_default(stored: Record, listed: list[Record], quirks: Quirks) -> None:
    if not quirks.refuses_replaced_default:
        return
    kept = {str(each["id"]) for each in listed if each.get("id")}
    for flag in _FLAGS:
        owner = stored.get(flag)
        if owner and owner not in kept and any(each.get(flag) for each in listed):
            raise Refusal(
                400,
                "The %fieldName value is invalid. Set the correct value and try again.",
                {"fieldName": flag},
            )


def _attributes(stored: Record, given: Record, defined: Collection[str]) -> list[Record]:
    values = {
        each["attribute_code"]: each["value"] for each in stored.get("custom_attributes") or ()
    }
    for each in given.get("custom_attributes", ()):
        if each.get("attribute_code") in defined and "value" in each:
            value = each["value"]
            values[each["attribute_code"]] = (
                ",".join(map(str, value)) if isinstance(value, list) else str(value)
            )
    return [
        {"attribute_code": code, "value": value} for code, value in values.items() if value != ""
    ]


def _resolve_region(address: Record, given: Record) -> None:
    """Know a region by id, else by code; else keep it as text under id 0."""
    named = given.get("region") or {}
    number = named.get("region_id") or given.get("region_id") or 0
    code, text = named.get("region_code"), named.get("region")
    region = region_by_id(number) or region_by_code(address.get("country_id", ""), code or "")
    address["region"] = {
        "region_code": region.code if region else text or code or None,
        "region": region.name if region else text or code or None,
        "region_id": region.id if region else 0,
    }
    address["region_id"] = region.id if region else 0


def _in_order(record: Record, names: tuple[str, ...]) -> Record:
    return {name: record[name] for name in names if record.get(name) is not None}
