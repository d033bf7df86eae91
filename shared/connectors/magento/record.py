"""From a customer as Magento sends it to a `RemoteRecord`, fast enough to sweep a whole shop.

Promise: secrets are gone from the payload, and two records of equal content have the same
fingerprint, whatever the order of their addresses and attributes and whenever they were touched.
"""

from datetime import UTC, datetime
from typing import Any

from shared.connectors.content import digest, moment
from shared.connectors.magento.client import Item
from shared.connectors.ports import RemoteRecord
from shared.domain.errors import UnreadableAnswer

SECRETS = frozenset({"password_hash", "rp_token", "rp_token_created_at", "confirmation"})
MOVING = frozenset({"updated_at"})
_KEY_DIGITS = 12


def record_of(item: Item) -> RemoteRecord:
    """Read what the importer needs of an item. Raises `UnreadableAnswer` without id or times."""
    customer_id = item.get("id")
    if not isinstance(customer_id, int) or customer_id < 1:
        raise UnreadableAnswer("customer without an id")
    changed_at = moment(item.get("updated_at"))
    if changed_at is None:
        raise UnreadableAnswer(f"customer {customer_id} without updated_at")
    payload = without_secrets(item)
    return RemoteRecord(
        external_id=str(customer_id),
        scan_key=scan_key(customer_id),
        changed_at=changed_at,
        created_at=moment(item.get("created_at")),
        fingerprint=fingerprint(payload),
        payload=payload,
    )


def scan_key(customer_id: int) -> str:
    """Write an id so that the order of texts is the order of numbers."""
    return f"{customer_id:0{_KEY_DIGITS}d}"


def stamp(at: datetime) -> str:
    """Write a moment as Magento stores it."""
    return at.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S")


def without_secrets(item: Item) -> Item:
    """Return the item without what must not leave the shop."""
    safe = {key: value for key, value in item.items() if key not in SECRETS}
    attributes = item.get("custom_attributes")
    if isinstance(attributes, list) and any(_code(entry) in SECRETS for entry in attributes):
        safe["custom_attributes"] = [e for e in attributes if _code(e) not in SECRETS]
    return safe


def fingerprint(item: Item) -> str:
    """Digest the content of an item, leaving out what moves by itself."""
    content = {key: value for key, value in item.items() if key not in MOVING}
    for key, order in (("addresses", _id), ("custom_attributes", _code)):
        entries = content.get(key)
        if isinstance(entries, list):
            if entries:
                content[key] = sorted(entries, key=order)
            else:
                del content[key]
    return digest(content)


def attribute_values(item: Item) -> dict[str, Any]:
    """Return the custom attributes of an item by their code."""
    attributes = item.get("custom_attributes")
    if not isinstance(attributes, list):
        return {}
    return {_code(entry): entry.get("value") for entry in attributes if _code(entry)}


def _code(entry: Any) -> str:
    code = entry.get("attribute_code") if isinstance(entry, dict) else None
    return code if isinstance(code, str) else ""


def _id(entry: Any) -> int:
    number = entry.get("id") if isinstance(entry, dict) else None
    return number if isinstance(number, int) else 0
