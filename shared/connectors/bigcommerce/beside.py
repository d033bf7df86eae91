"""What a shop keeps beside its customers, where it cannot be asked for by customer.

Kept here by customer. Read whole when first needed, and then what changed since, by the
platform's own times. Promise: after `refresh` it holds what the shop held a moment ago; what was
deleted there is noticed by the next `load`.
"""

import threading
from collections.abc import Callable, Iterable, Sequence
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
        self._lock = threading.Lock()
        self._rows: dict[Key, dict[int, Item]] = {}
        self._owners: dict[int, Key] = {}
        self._newest: datetime | None = None

    def load(self) -> None:
        """Read everything anew."""
        with self._lock:
            pages = list(self._read(None))
            self._rows, self._owners, self._newest = {}, {}, None
            for page in pages:
                self._learn(page)

    def refresh(self) -> None:
        """Read what changed since the last time, or everything the first time."""
        with self._lock:
            since = self._newest - _STEP_BACK if self._newest else None
            for page in self._read(since):
                self._learn(page)

    def changed_since(self, since: datetime) -> set[Key]:
        """Return the customers whose rows changed since a moment."""
        owners = (self._owner(row) for page in self._read(since) for row in page)
        return {owner for owner in owners if owner is not None}

    def of(self, customer: Key) -> list[Item]:
        """Return the rows of a customer, the oldest first."""
        rows = self._rows.get(customer, {})
        return [rows[number] for number in sorted(rows)]

    def replace(self, customer: Key, rows: Sequence[Item]) -> None:
        """Take in what a customer has and nothing else."""
        with self._lock:
            for number in self._rows.pop(customer, {}):
                self._owners.pop(number, None)
            self._learn(rows)

    def _learn(self, rows: Sequence[Item]) -> None:
        for row in rows:
            number, owner, at = id_of(row), self._owner(row), self._touched(row)
            if (before := self._owners.pop(number, None)) is not None:
                self._rows[before].pop(number, None)
            if owner is not None:
                self._owners[number] = owner
                self._rows.setdefault(owner, {})[number] = row
            if at and (self._newest is None or at > self._newest):
                self._newest = at
