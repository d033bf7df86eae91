"""Lists: which rows, in which order, and the cursor to the next page.

Its promise: a page is found by bisection, at any depth, when it is sorted by id or change time;
paging ends where the platform's does, without a word.
"""

import base64
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias, overload

import orjson

from services.sandbox.shopify.errors import FieldError
from services.sandbox.shopify.search_syntax import FOREVER, Query
from services.sandbox.shopify.table import NUMBER_BITS, NUMBER_MASK, Record, Row, Table

MOST_PER_PAGE = 250
Key: TypeAlias = Any  # a number, or [text, number]
_RANGED = {"ID": "id", "UPDATED_AT": "updated_at"}


@dataclass(frozen=True, slots=True)
class Slice:
    """One page of a connection."""

    nodes: Sequence[Record]
    cursor_at: Callable[[int], str]
    has_next: bool
    has_previous: bool

    def edges(self) -> list[Record]:
        """Return the nodes with their cursors."""
        return [
            {"cursor": self.cursor_at(place), "node": node} for place, node in enumerate(self.nodes)
        ]

    def page_info(self) -> Record:
        """Return `pageInfo`."""
        size = len(self.nodes)
        return {
            "hasNextPage": self.has_next,
            "hasPreviousPage": self.has_previous,
            "startCursor": self.cursor_at(0) if size else None,
            "endCursor": self.cursor_at(size - 1) if size else None,
        }


class Unborn(Sequence[Record]):
    """Records that are looked up when they are read, so that a long list costs only rows."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    @overload
    def __getitem__(self, place: int) -> Record: ...
    @overload
    def __getitem__(self, place: slice) -> Sequence[Record]: ...
    def __getitem__(self, place: int | slice) -> Record | Sequence[Record]:
        if isinstance(place, slice):
            return [row.record for row in self._rows[place]]
        return self._rows[place].record


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which page of a table is asked for."""

    query: Query
    has_query: bool
    sort: str
    is_reversed: bool
    first: int
    after: str | None


def page_of(table: Table, wanted: Wanted, most_listed: int, first_number: int) -> Slice:
    """Return one page of a table; `first_number` turns ids of the API into our numbers."""
    rows, keys = _in_order(table, wanted)
    position, start = _start(keys, wanted)
    size = min(wanted.first, most_listed - position)
    found: list[tuple[Key, Row]] = []
    for key in _from(keys, start, _limits(wanted, first_number), wanted):
        row = rows(key)
        if wanted.query.matches(row):
            found.append((key, row))
            if len(found) > size:
                break
    kept = found[: max(0, size)]
    return Slice(
        nodes=Unborn([table.rows[row.number] for _, row in kept]),
        cursor_at=lambda place: _cursor(wanted, kept[place][0], position + place + 1),
        has_next=len(found) > size and position + len(kept) < most_listed,
        has_previous=position > 0,
    )


def count_of(table: Table, query: Query, *, has_query: bool) -> int:
    """Return how many rows a query finds."""
    if not has_query:
        return len(table)
    return sum(query.matches(row) for row in _searched(table))


def part_of(nodes: Sequence[Record], given: Mapping[str, Any], *, whole: bool = False) -> Slice:
    """Return one page of a short list, by position."""
    if given.get("reverse"):
        nodes = nodes[::-1]
    size = len(nodes) if whole else page_size(given)
    start = int(_read(given["after"]).get("n", 0)) if given.get("after") else 0
    kept = nodes[start : start + size]
    return Slice(
        nodes=kept,
        cursor_at=lambda place: _written({"n": start + place + 1}),
        has_next=start + size < len(nodes),
        has_previous=start > 0,
    )


def page_size(given: Mapping[str, Any]) -> int:
    """Return how many objects are asked for. Raises `FieldError` for none and for too many."""
    first = given.get("first")
    if first is None:
        raise FieldError("you must provide one of first or last", "BAD_REQUEST")
    if not 0 <= first <= MOST_PER_PAGE:
        raise FieldError(
            f"The first argument must be between 0 and {MOST_PER_PAGE}.", "BAD_REQUEST"
        )
    return int(first)


def _in_order(table: Table, wanted: Wanted) -> tuple[Callable[[Key], Row], Sequence[Key]]:
    """Return the sorted keys, and how to come from a key to its row."""
    if not (wanted.has_query and table.unindexed()):
        if wanted.sort == "UPDATED_AT":
            return (lambda key: table.rows[key & NUMBER_MASK]), table.by_change
        if wanted.sort in {"ID", "RELEVANCE"}:
            return table.rows.__getitem__, table.by_number
    seen = list(_searched(table) if wanted.has_query else table.rows.values())
    key_of = _KEYS.get(wanted.sort, _number)
    by_key = {_hashable(key_of(row)): row for row in seen}
    return (lambda key: by_key[_hashable(key)]), sorted(key_of(row) for row in seen)


def _searched(table: Table) -> Iterator[Row]:
    """Yield the rows as search sees them, of what still exists."""
    unindexed = table.unindexed()
    for number, row in table.rows.items():
        if number not in unindexed:
            yield row
        elif (before := unindexed[number]) is not None:
            yield before


def _start(keys: Sequence[Key], wanted: Wanted) -> tuple[int, int]:
    """Return how many objects came before, and where in `keys` the page starts."""
    if not wanted.after:
        return 0, len(keys) if wanted.is_reversed else 0
    last = _read(wanted.after)
    if last.get("sort") != wanted.sort:
        raise FieldError("Invalid cursor for current pagination sort.", "BAD_REQUEST")
    bisect = bisect_left if wanted.is_reversed else bisect_right
    return int(last["n"]), bisect(keys, last["last_value"])


def _limits(wanted: Wanted, first_number: int) -> tuple[int, int] | None:
    name = _RANGED.get(wanted.sort)
    if name is None or name not in wanted.query.ranges:
        return None
    low, high = wanted.query.ranges[name]
    if name == "id":
        return low - first_number, high - first_number
    most = (high << NUMBER_BITS) | NUMBER_MASK if high < FOREVER else FOREVER << NUMBER_BITS
    return low << NUMBER_BITS if low > -FOREVER else -FOREVER, most


def _from(
    keys: Sequence[Key], start: int, limits: tuple[int, int] | None, wanted: Wanted
) -> Iterator[Key]:
    low, high = 0, len(keys)
    if limits:
        least, most = limits
        low, high = bisect_left(keys, least), bisect_right(keys, most)
    if wanted.is_reversed:
        return (keys[place] for place in range(min(start, high) - 1, low - 1, -1))
    return (keys[place] for place in range(max(start, low), high))


def _cursor(wanted: Wanted, key: Key, position: int) -> str:
    return _written({"last_value": key, "sort": wanted.sort, "n": position})


def _written(value: Record) -> str:
    return base64.b64encode(orjson.dumps(value, default=list)).decode()


def _read(cursor: str) -> Record:
    try:
        found: Record = orjson.loads(base64.b64decode(cursor, validate=True))
    except ValueError:
        raise FieldError(f"`{cursor}` is not a valid cursor.", "BAD_REQUEST") from None
    return found


def _hashable(key: Key) -> Key:
    return tuple(key) if isinstance(key, list) else key


_KEYS: dict[str, Callable[[Row], Key]] = {
    "UPDATED_AT": lambda row: row.change_key,
    "CREATED_AT": lambda row: row.created << NUMBER_BITS | row.number,
    "NAME": lambda row: [_name(row.record), row.number],
    "COMPANY_ID": lambda row: row.record["_company"] << NUMBER_BITS | row.number,
}


def _number(row: Row) -> Key:
    return row.number


def _name(record: Record) -> str:
    text: str = record.get("name") or f"{record.get('lastName')} {record.get('firstName')}"
    return text.lower()
