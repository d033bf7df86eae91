"""What a shop keeps beside its customers, where it cannot be asked for by customer.

Kept here by customer. Read whole when first needed, and then what changed since, by the
platform's own times. Promise: after `refresh` it holds what the shop held a moment ago; what was
deleted there is noticed when everything is read again.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Generic, TypeVar

from shared.connectors.bigcommerce.answers import Item, id_of

Key = TypeVar("Key", int, str)
_STEP_BACK: Final = timedelta(minutes=1)
_CLOCKS: Final = timedelta(minutes=15)
Read = Callable[[datetime | None], Iterable[Sequence[Item]]]


@dataclass(frozen=True, slots=True)
class _Load:
    """What was read of everything so far."""

    pages: Iterator[Sequence[Item]]
    rows: list[Item]
    began_at: datetime


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
        self._load: _Load | None = None
        self._loaded_at: float | None = None
        self._began = float("-inf")
        self._rows: dict[Key, dict[int, Item]] = {}
        self._owners: dict[int, Key] = {}
        self._newest: datetime | None = None

    def is_older_than(self, seconds: float) -> bool:
        """Whether it is longer than that since everything was read, or was not read yet."""
        return self._loaded_at is None or time.monotonic() - self._loaded_at > seconds

    def load_more(self) -> bool:
        """Read one more page of everything, going on with what was begun; whether there is more."""
        with self._reading:
            return self._load_more()

    def refresh(self) -> None:
        """Read what changed since the last time, or everything the first time.

        Whoever waited while another thread did all of that need not do it again.
        """
        asked = time.monotonic()
        with self._reading:
            if self._newest is None:
                while self._load_more():
                    pass
            if self._newest is None or self._began > asked:
                return
            self._began = time.monotonic()
            rows: list[Item] = []
            for page in self._read(self._newest - _STEP_BACK):
                rows += page
            with self._lock:
                self._learn(rows)
            self._newest = max([self._newest, *self._times(rows)])

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

    def _load_more(self) -> bool:
        load = self._load or _Load(iter(self._read(None)), [], datetime.now(UTC))
        self._load = None  # unless this page is read
        if (page := next(load.pages, None)) is not None:
            load.rows.extend(page)
            self._load = load
            return True
        with self._lock:
            self._rows, self._owners = {}, {}
            self._learn(load.rows)
        # Pages that were read first may have changed since: that is read again.
        self._newest = load.began_at - _CLOCKS
        self._loaded_at = time.monotonic()
        return False

    def _times(self, rows: Sequence[Item]) -> list[datetime]:
        return [at for row in rows if (at := self._touched(row))]

    def _learn(self, rows: Sequence[Item]) -> None:
        for row in rows:
            number, owner = id_of(row), self._owner(row)
            if (before := self._owners.pop(number, None)) is not None:
                self._rows[before].pop(number, None)
            if owner is not None:
                self._owners[number] = owner
                self._rows.setdefault(owner, {})[number] = row
