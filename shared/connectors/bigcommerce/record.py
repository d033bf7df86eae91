"""From a customer as BigCommerce sends it to a `RemoteRecord`, fast enough to sweep a whole shop.

Promise: two records of equal content have the same fingerprint, whatever the order of their
addresses and values, whenever they were touched, and by whichever call they were read.
"""

from collections.abc import Mapping
from typing import Any, Final

from shared.connectors.bigcommerce.answers import Item, id_of
from shared.connectors.content import digest, moment
from shared.connectors.ports import RemoteRecord
from shared.domain.errors import UnreadableAnswer

DROPPED: Final = frozenset(
    {
        "authentication",
        "registration_ip_address",
        "store_credit_amounts",
        "shopper_profile_id",
        "segment_ids",
    }
)
"""What is neither read nor anybody's business here."""

_MOVING: Final = frozenset(
    {"date_modified", "date_created", "address_count", "attribute_count", "country"}
)
_ORDERED: Final[Mapping[str, tuple[str, ...]]] = {
    "addresses": ("id",),
    "attributes": ("attribute_id",),
    "form_fields": ("name",),
    "metafields": ("namespace", "key", "id"),
    "companies": (),
    "subscribers": ("channel_id",),
}
_METAFIELD: Final = ("id", "namespace", "key", "value")
_ATTRIBUTE: Final = ("attribute_id", "attribute_value")
_KEY_DIGITS: Final = 12


def record_of(item: Item) -> RemoteRecord:
    """Read what the importer needs of an item. Raises `UnreadableAnswer` without id or times."""
    customer_id = id_of(item)
    changed_at = moment(item.get("date_modified"))
    if changed_at is None:
        raise UnreadableAnswer(f"customer {customer_id} without date_modified")
    payload = {key: value for key, value in item.items() if key not in DROPPED}
    return RemoteRecord(
        external_id=str(customer_id),
        scan_key=scan_key(customer_id),
        changed_at=changed_at,
        created_at=moment(item.get("date_created")),
        fingerprint=fingerprint(payload),
        payload=payload,
    )


def scan_key(number: int) -> str:
    """Write an id so that the order of texts is the order of numbers."""
    return f"{number:0{_KEY_DIGITS}d}"


def fingerprint(item: Item) -> str:
    """Digest the content of a customer, leaving out what moves by itself."""
    content = {key: value for key, value in item.items() if key not in DROPPED | _MOVING}
    for key, order in _ORDERED.items():
        entries = content.pop(key, None)
        if isinstance(entries, list) and entries:
            content[key] = sorted(map(_plain, entries), key=lambda each: _rank(each, order))
    return digest(content)


def attribute_values(item: Item) -> dict[int, str]:
    """Return the values of a customer's attributes, by the id of the attribute."""
    entries = item.get("attributes")
    rows = entries if isinstance(entries, list) else []
    return {id_of(row, "attribute_id"): str(row.get("attribute_value") or "") for row in rows}


def metafields_named(item: Item, namespace: str, key: str) -> list[Item]:
    """Return a customer's metafields of that name, the oldest first; another app may have one."""
    entries = item.get("metafields")
    rows = entries if isinstance(entries, list) else []
    named = [r for r in rows if (r.get("namespace"), r.get("key")) == (namespace, key)]
    return sorted(named, key=id_of)


def _plain(entry: Any) -> Any:
    """Return an entry of a list without what the platform adds to it by itself."""
    if not isinstance(entry, dict):
        return entry
    if "attribute_id" in entry:
        return {key: entry.get(key) for key in _ATTRIBUTE}
    if "consents" in entry:
        consents = entry["consents"]
        known = sorted(map(str, consents)) if isinstance(consents, list) else []
        return {"channel_id": entry.get("channel_id"), "consents": known}
    if "namespace" in entry:
        return {key: entry.get(key) for key in _METAFIELD}
    plain = {k: v for k, v in entry.items() if k not in _MOVING and k != "customer_id"}
    form_fields = plain.pop("form_fields", None)
    if isinstance(form_fields, list) and form_fields:
        fields = [{k: v for k, v in f.items() if k in {"name", "value"}} for f in form_fields]
        plain["form_fields"] = sorted(fields, key=lambda field: str(field.get("name")))
    return plain


def _rank(entry: Any, order: tuple[str, ...]) -> tuple[Any, ...]:
    if not isinstance(entry, dict):
        return (0, str(entry))
    values = [entry.get(name) for name in order]
    return tuple((0, v, "") if isinstance(v, int) else (1, 0, str(v)) for v in values)
