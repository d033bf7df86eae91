"""Metafields: values that the ERP keeps at a customer, company or location.

Its promise: `metafieldsSet` does all or nothing; a value of type `id` is held by one owner only.
"""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any

from services.sandbox.shopify.errors import FieldError, Problems, Record, problem, refused
from services.sandbox.shopify.gids import kind_of
from services.sandbox.shopify.shop import OWNERS, Shop, metafield_key

MOST_AT_ONCE = 25
APP_NAMESPACE = "app--1000001"
UNIQUE_TYPE = "id"


def define(shop: Shop, given: Mapping[str, Any]) -> Record:
    """Carry out `metafieldDefinitionCreate`. The type `id` is unique without being told."""
    wanted = given["definition"]
    owner, key = wanted["ownerType"], wanted["key"]
    namespace = wanted.get("namespace") or APP_NAMESPACE
    if (owner, namespace, key) in shop.definitions:
        raise refused("definition.key", "Key is in use for Customer metafields", "TAKEN")
    if wanted["type"] == UNIQUE_TYPE and owner != "CUSTOMER":
        raise refused("definition.type", "Type can't be used for this owner type", "INCLUSION")
    asked = ((wanted.get("capabilities") or {}).get("uniqueValues") or {}).get("enabled", False)
    definition = {
        "__typename": "MetafieldDefinition",
        "id": shop.next_gid("MetafieldDefinition"),
        "name": wanted["name"],
        "namespace": namespace,
        "key": key,
        "ownerType": owner,
        "type": {"name": wanted["type"], "category": wanted["type"].upper()},
        "capabilities": {
            "uniqueValues": {"eligible": True, "enabled": asked or wanted["type"] == UNIQUE_TYPE}
        },
    }
    shop.definitions[owner, namespace, key] = definition
    return {"createdDefinition": definition, "userErrors": []}


def set_many(shop: Shop, given: Mapping[str, Any], origin: str = "api") -> Record:
    """Carry out `metafieldsSet`."""
    inputs = given["metafields"]
    if len(inputs) > MOST_AT_ONCE:
        raise refused(
            "metafields",
            f"Exceeded the maximum metafields input limit of {MOST_AT_ONCE}.",
            "LESS_THAN_OR_EQUAL_TO",
        )
    changed: dict[str, Record] = {}
    found: list[tuple[str, tuple[str, str]]] = []
    problems: list[Record] = []
    for place, each in enumerate(inputs):
        owner = changed.get(each["ownerId"]) or _owner(shop, each["ownerId"])
        path = ["metafields", str(place)]
        if owner is None:
            problems.append(problem([*path, "ownerId"], "Owner does not exist", "INVALID"))
            continue
        try:
            name = _name(each)
            _check_digest(owner, name, each, path)
            changed[owner["id"]] = with_metafield(shop, owner, each, path, changed.values())
            found.append((owner["id"], name))
        except Problems as refusal:
            problems += refusal.entries
    if problems:
        raise Problems(*problems)
    for owner_id, owner in changed.items():
        sent = {"metafields": [each for each in inputs if each["ownerId"] == owner_id]}
        shop.save(owner, (origin, "update", sent), touches=shop.quirks.metafield_moves_time)
    return {
        "metafields": [changed[owner]["_metafields"][name] for owner, name in found],
        "userErrors": [],
    }


def with_metafield(
    shop: Shop,
    owner: Record,
    given: Mapping[str, Any],
    path: Sequence[str],
    others: Any = (),
) -> Record:
    """Return the owner with a metafield set; `others` are owners about to be saved with it."""
    name = _name(given)
    before = owner["_metafields"].get(name)
    definition = shop.definitions.get((OWNERS[owner["__typename"]], *name))
    kind = _type(given, before, definition, path)
    value = str(given.get("value") or "")
    if not value.strip():
        raise Problems(problem([*path, "value"], "Value can't be blank", "BLANK"))
    is_unique = bool(definition and definition["capabilities"]["uniqueValues"]["enabled"])
    if is_unique and not _is_free(shop, owner, name, value, others):
        code = shop.quirks.duplicate_number_code
        raise Problems(problem([*path, "value"], "Value must be unique", code))
    if before and (before["type"], before["value"]) == (kind, value):
        return owner
    after = {
        "__typename": "Metafield",
        "id": before["id"] if before else shop.next_gid("Metafield"),
        "namespace": name[0],
        "key": name[1],
        "type": kind,
        "value": value,
        "compareDigest": sha256(f"{kind}:{value}".encode()).hexdigest(),
        "createdAt": before["createdAt"] if before else shop.now(),
        "updatedAt": shop.now(),
        "ownerType": OWNERS[owner["__typename"]],
        "_is_unique": is_unique,
    }
    return owner | {"_metafields": owner["_metafields"] | {name: after}}


def holder_of(shop: Shop, custom: Mapping[str, Any]) -> Record | None:
    """Return the customer with a custom id. Raises `FieldError` where none is defined."""
    name = _name(custom)
    definition = shop.definitions.get(("CUSTOMER", *name))
    if definition is None or definition["type"]["name"] != UNIQUE_TYPE:
        raise FieldError(
            "Metafield definition of type 'id' is required when using custom ids.", "NOT_FOUND"
        )
    return shop.holder(metafield_key(*name, custom["value"]))


def remove_definition(
    shop: Shop, owner: str, namespace: str, key: str, *, with_values: bool
) -> None:
    """Remove a definition; its values stay as plain metafields, or go with it."""
    shop.definitions.pop((owner, namespace, key), None)
    kind = next(kind for kind, name in OWNERS.items() if name == owner)
    table = shop.tables[kind]
    for row in list(table.written()):
        held = row.record["_metafields"]
        if (namespace, key) not in held:
            continue
        kept = {name: each for name, each in held.items() if name != (namespace, key)}
        if not with_values:
            kept[namespace, key] = held[namespace, key] | {"_is_unique": False}
        table.put(row.number, row.record | {"_metafields": kept})


def _name(given: Mapping[str, Any]) -> tuple[str, str]:
    return given.get("namespace") or APP_NAMESPACE, given.get("key") or ""


def _owner(shop: Shop, text: str) -> Record | None:
    kind = kind_of(text)
    return shop.find(kind, text) if kind in OWNERS else None


def _check_digest(
    owner: Record, name: tuple[str, str], given: Mapping[str, Any], path: Sequence[str]
) -> None:
    """Refuse what was written since the caller looked; a null digest means: not there yet."""
    if "compareDigest" not in given:
        return
    held = owner["_metafields"].get(name)
    if given["compareDigest"] != (held["compareDigest"] if held else None):
        message = "The resource has been updated since it was loaded. Try again with an updated "
        raise Problems(problem(path, f"{message}`compareDigest` value.", "STALE_OBJECT"))


def _type(
    given: Mapping[str, Any],
    before: Record | None,
    definition: Record | None,
    path: Sequence[str],
) -> str:
    known = definition["type"]["name"] if definition else before and before["type"]
    kind = given.get("type") or known
    if not kind:
        raise Problems(problem([*path, "type"], "Type can't be blank", "BLANK"))
    if definition and kind != known:
        message = f"Type must be consistent with the definition's type: '{known}'."
        raise Problems(problem([*path, "type"], message, "INVALID_TYPE"))
    if kind == UNIQUE_TYPE and not definition:
        message = "Type 'id' can only be used with a metafield definition."
        raise Problems(problem([*path, "type"], message, "INVALID_TYPE"))
    return str(kind)


def _is_free(shop: Shop, owner: Record, name: tuple[str, str], value: str, others: Any) -> bool:
    for other in others:
        held = other["_metafields"].get(name)
        if other["id"] != owner["id"] and held and held["value"] == value:
            return False
    table = shop.tables[owner["__typename"]]
    return table.is_free(metafield_key(*name, value), owner["_number"])
