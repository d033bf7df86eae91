"""The shop's records of one kind in memory, and the orders in which they are listed.

A seeded record costs a row until somebody reads it. The search index may lag behind: then it
still sees the rows as they were. Its promise: after every write the indices agree with the rows.
Not thread-safe by itself; the shop holds one lock around it.
"""

import math
from bisect import bisect_left, insort
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from services.sandbox.clock import Clock
from services.sandbox.shopify.times import moment

Record = dict[str, Any]

NUMBER_BITS = 32
NUMBER_MASK = (1 << NUMBER_BITS) - 1


class Row:
    """One record: what lists need at hand, the rest stored or still unborn. Never changed."""

    __slots__ = ("_born", "_record", "created", "number", "updated")

    def __init__(
        self,
        number: int,
        created: int,
        updated: int,
        record: Record | None = None,
        born: Callable[[int], Record] | None = None,
    ) -> None:
        self.number = number
        self.created = created
        self.updated = updated
        self._record = record
        self._born = born

    @property
    def change_key(self) -> int:
        """Sorts by change time, then by number."""
        return self.updated << NUMBER_BITS | self.number

    @property
    def is_written(self) -> bool:
        """Whether anybody has written to it."""
        return self._record is not None

    @property
    def record(self) -> Record:
        """The whole record; not to be changed, but to be replaced."""
        if self._record is not None:
            return self._record
        assert self._born is not None  # noqa: S101 - a row has one or the other
        return self._born(self.number)


class Indexing:
    """How far the search index lags behind writes."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.seconds = 0
        self.is_held = False

    def due(self) -> float | None:
        """Return when search will know of a write made now; None for at once."""
        if self.is_held:
            return math.inf
        return self._clock.now() + self.seconds if self.seconds else None

    def is_over(self, due: float) -> bool:
        """Whether a write due then is known to search by now."""
        return not self.is_held if math.isinf(due) else due <= self._clock.now()


@dataclass(frozen=True, slots=True)
class _Unindexed:
    """A row as search still sees it: None for one that it does not know yet."""

    row: Row | None
    due: float


class Table:
    """All records of one kind, by number, by change and by what is unique."""

    def __init__(
        self,
        indexing: Indexing,
        keys_of: Callable[[Record], Iterable[str]] = lambda _: (),
        born: Callable[[int], Record] | None = None,
    ) -> None:
        self._indexing = indexing
        self._keys_of = keys_of
        self._born = born
        self._unindexed: dict[int, _Unindexed] = {}
        self._holders: dict[str, int] = {}
        self.rows: dict[int, Row] = {}
        self.by_number: list[int] = []
        self.by_change: list[int] = []
        self.last_number = 0

    def fill(self, rows: Iterable[tuple[int, int, int, Iterable[str]]]) -> None:
        """Take in seeded rows: number, times and unique keys. The first holder keeps a key."""
        for number, created, updated, keys in rows:
            self.rows[number] = Row(number, created, updated, born=self._born)
            for key in keys:
                self._holders.setdefault(key, number)
        self.by_number = sorted(self.rows)
        self.by_change = sorted(row.change_key for row in self.rows.values())
        self.last_number = max(self.rows, default=0)

    def __len__(self) -> int:
        return len(self.rows)

    def get(self, number: int | None) -> Record | None:
        """Return a record; not to be changed, but to be replaced by `put`."""
        row = self.rows.get(number) if number is not None else None
        return row.record if row else None

    def next_number(self) -> int:
        """Draw the number of a new record."""
        self.last_number += 1
        return self.last_number

    def put(self, number: int, record: Record) -> None:
        """Store a record, new or changed."""
        old = self._forget(number)
        row = Row(number, moment(record["createdAt"]), moment(record["updatedAt"]), record)
        self.rows[number] = row
        insort(self.by_number, number)
        insort(self.by_change, row.change_key)
        for key in self._keys_of(record):
            self._holders.setdefault(key, number)
        self._lag(number, old)

    def drop(self, number: int) -> None:
        """Delete a record."""
        self._lag(number, self._forget(number))

    def holder(self, key: str) -> int | None:
        """Return which record has a value that only one may have."""
        return self._holders.get(key)

    def is_free(self, key: str, number: int) -> bool:
        """Whether record `number` may have that value."""
        return self._holders.get(key, number) == number

    def written(self) -> Iterator[Row]:
        """Yield the rows that somebody wrote to."""
        return (row for row in self.rows.values() if row.is_written)

    def unindexed(self) -> dict[int, Row | None]:
        """Return the rows that search sees as they were: None for those it does not see."""
        over = [n for n, each in self._unindexed.items() if self._indexing.is_over(each.due)]
        for number in over:
            del self._unindexed[number]
        return {number: each.row for number, each in self._unindexed.items()}

    def _lag(self, number: int, old: Row | None) -> None:
        due = self._indexing.due()
        if due is None:
            return
        before = self._unindexed.get(number)
        self._unindexed[number] = _Unindexed(before.row if before else old, due)

    def _forget(self, number: int) -> Row | None:
        row = self.rows.pop(number, None)
        if row is None:
            return None
        for key in self._keys_of(row.record):
            if self._holders.get(key) == number:
                del self._holders[key]
        del self.by_number[bisect_left(self.by_number, number)]
        del self.by_change[bisect_left(self.by_change, row.change_key)]
        return row
