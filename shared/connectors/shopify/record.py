"""From a customer or company as Shopify sends it to a `RemoteRecord`.

Promise: two records of equal content have the same fingerprint, in whatever order their lists come
and whenever they were touched; null is as good as not there.
"""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import orjson

from shared.connectors.content import digest, moment
from shared.connectors.ports import RemoteRecord
from shared.connectors.shopify.client import Item
from shared.connectors.shopify.ids import external_id, number_of, scan_key
from shared.domain.errors import UnreadableAnswer

MOVING = frozenset({"updatedAt", "compareDigest"})


def record_of(item: Item) -> RemoteRecord:
    """Read what the importer needs of an item. Raises `UnreadableAnswer` without id or times."""
    gid = item.get("id")
    number, external = number_of(gid), external_id(gid)
    if number is None or external is None:
        raise UnreadableAnswer("record without an id")
    changed = list(_changes(item))
    if moment(item.get("updatedAt")) is None:
        raise UnreadableAnswer(f"{external} without updatedAt")
    return RemoteRecord(
        external_id=external,
        scan_key=scan_key(number),
        changed_at=max(changed),
        created_at=moment(item.get("createdAt")),
        fingerprint=fingerprint(item),
        payload=item,
    )


def number_in(item: Item) -> int:
    """Return the number in an item's id. Raises `UnreadableAnswer` without one."""
    number = number_of(item.get("id"))
    if number is None:
        raise UnreadableAnswer("record without an id")
    return number


def changed_at(item: Item) -> datetime:
    """Return when an item itself was changed. Raises `UnreadableAnswer` where it does not say."""
    at = moment(item.get("updatedAt"))
    if at is None:
        raise UnreadableAnswer("record without updatedAt")
    return at


def stamp(at: datetime) -> str:
    """Write a moment for a search: whole seconds, UTC."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def fingerprint(item: Item) -> str:
    """Digest the content of an item, leaving out what moves by itself."""
    return digest(_content(item))


def _content(value: Any) -> Any:
    if isinstance(value, dict):
        content = {key: _content(each) for key, each in value.items() if key not in MOVING}
        return {key: each for key, each in content.items() if each not in (None, [], {})}
    if isinstance(value, list):
        return sorted(map(_content, value), key=_order)
    return value


def _order(value: Any) -> bytes:
    return orjson.dumps(value, option=orjson.OPT_SORT_KEYS)


def _changes(value: Any) -> Iterator[datetime]:
    """Yield when a record, or any part of it, was changed."""
    if isinstance(value, dict):
        if (at := moment(value.get("updatedAt"))) is not None:
            yield at
        for each in value.values():
            yield from _changes(each)
    elif isinstance(value, list):
        for each in value:
            yield from _changes(each)
