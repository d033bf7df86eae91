"""What a shop keeps beside its customers, where it cannot be asked for by customer.

Kept here by customer. Read whole when first needed, and then what changed since, by the
platform's own times. Promise: after `refresh` it holds what the shop held a moment ago; what was
deleted there is noticed by the next `load`.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final, Generic, TypeVar

from shared.connectors.bigcommerce.answers import Item, id_of

Key = TypeVar("Key", int, str)
_STEP_BACK: Final = timedelta(minutes=1)
Read = Callable[[datetime | None], Iterable[Sequence[Item]]]


class Beside(Generic[Key]):
    """Rows by customer, that is by its id or its e-mail address; threads may share it.

    `read` yields the rows that changed since a moment (None: all); `owner` and `touched` say of a
    row whose it is (None: nobody's) and when it changed.
    """

    def __init__(
        self,
        read: Read,
        *,
        owner: Callable[[Item], Key | None],
        touched: Callable[[Item], datetime | None],
    ) -> None:
        self._read = read
        self._owner: Callable[[Item], Key | None] = owner
        self._touched = touched
        self._reading = threading.Lock()  # is held while the shop is asked
        self._lock = threading.Lock()
        self._began = float("-inf")
        self._is_loaded = False
        self._rows: dict[Key, dict[int, Item]] = {}
        self._owners: dict[int, Key] = {}
        self._newest: datetime | None = None

    def load(self) -> None:
        """Read everything anew."""
        with self._reading:
            self._read_whole()

    def refresh(self) -> None:
        """Read what changed since the last time, or everything the first time.

        Whoever waited while another thread did all of that need not do it again.
        """
        asked = time.monotonic()
        with self._reading:
            if self._began > asked:
                return
            if self._is_loaded and self._newest:
                self._began = time.monotonic()
                rows = [row for page in self._read(self._newest - _STEP_BACK) for row in page]
                self._take(rows)
            else:
                self._read_whole()

    def changed_since(self, since: datetime) -> Iterator[Sequence[Item]]:
        """Yield the rows that changed since a moment, page by page."""
        yield from self._read(since)

    def owners_of(self, rows: Iterable[Item]) -> set[Key]:
        """Return whose the rows are."""
        return {owner for row in rows if (owner := self._owner(row)) is not None}

    def of(self, customer: Key) -> list[Item]:
        """Return the rows of a customer, the oldest first."""
        with self._lock:
            rows = self._rows.get(customer, {})
            return [rows[number] for number in sorted(rows)]

    def replace(self, customer: Key, rows: Sequence[Item]) -> None:
        """Take in what a customer has and nothing else."""
        with self._lock:
            for number in self._rows.pop(customer, {}):
                self._owners.pop(number, None)
            self._learn(rows)

    def _read_whole(self) -> None:
        self._began = time.monotonic()
        rows = [row for page in self._read(None) for row in page]
        with self._lock:
            self._rows, self._owners, self._newest = {}, {}, None
        self._take(rows)
        self._is_loaded = True

    def _take(self, rows: Sequence[Item]) -> None:
        """Take in what was read to its end: only then is it known how far."""
        with self._lock:
            self._learn(rows)
        moments = [at for row in rows if (at := self._touched(row))]
        if self._newest:
            moments.append(self._newest)
        self._newest = max(moments, default=None)

    def _learn(self, rows: Sequence[Item]) -> None:
        for row in rows:
            number, owner = id_of(row), self._owner(row)
            if (before := self._owners.pop(number, None)) is not None:
                self._rows[before].pop(number, None)
            if owner is not None:
                self._owners[number] = owner
                self._rows.setdefault(owner, {})[number] = row
