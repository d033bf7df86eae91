"""What a query costs, and the bucket that pays for it.

An object costs 1, a scalar 0, a mutation 10; a connection grows slowly with its size, so that 100
objects with one child each cost 24 and 250 cost 25. Its promise: what was asked for is taken
before a query runs, and what was not used is given back after it.
"""

import math
import threading
import time
from collections.abc import Callable
from typing import Any

from services.sandbox.shopify.plan import Field, Run, Selection

MUTATION_COST = 10
CONNECTION_COST = 2


def requested_cost(root: Selection, run: Run, *, is_mutation: bool) -> int:
    """Return what a query costs at most."""
    if is_mutation:
        return MUTATION_COST * len(root.fields)
    return math.ceil(_asked(root, run))


def actual_cost(root: Selection, data: dict[str, Any] | None, *, is_mutation: bool) -> int:
    """Return what a query cost, seen from its answer."""
    if data is None:
        return 0
    if is_mutation:
        return MUTATION_COST * len(root.fields)
    return math.ceil(_used(root, data))


def weight(size: int) -> float:
    """Return how many objects a connection of `size` counts as."""
    return size if size <= 10 else 10 + math.log10(size / 10)


def _asked(selection: Selection, run: Run) -> float:
    return sum(_asked_field(field, run) for field in selection.objects)


def _asked_field(field: Field, run: Run) -> float:
    if field.name == "pageInfo":
        return 0
    below = max((_asked(each, run) for each in field.selections.values()), default=0)
    if field.name == "edges":
        return below
    if not field.is_connection:
        return (1 + below) * len(run.arguments(field).get("ids", (None,)))
    given = run.arguments(field)
    size = given.get("first")
    return CONNECTION_COST + weight(250 if size is None else max(0, size)) * below


def _used(selection: Selection, data: dict[str, Any]) -> float:
    return sum(_used_field(field, data[field.key]) for field in selection.objects)


def _used_field(field: Field, value: Any) -> float:
    if value is None or field.name == "pageInfo":
        return 0
    only = field.selection
    if only is None:  # an interface: what is behind it is in the answer, but not its type
        return 1
    if isinstance(value, list):
        own = 0 if field.name == "edges" else 1
        return sum(own + _used(only, each) for each in value)
    if not field.is_connection:
        return 1 + _used(only, value)
    size = max((len(each) for each in value.values() if isinstance(each, list)), default=0)
    return CONNECTION_COST + (weight(size) / size * _used(only, value) if size else 0)


class Bucket:
    """The points of one app in one shop; refilled by the second. `spent` counts what was taken."""

    def __init__(
        self, size: float, restore_rate: float, now: Callable[[], float] = time.monotonic
    ) -> None:
        self.size = float(size)
        self.restore_rate = float(restore_rate)
        self._now = now
        self._lock = threading.Lock()
        self._available = self.size
        self._seen = now()
        self.spent = 0.0

    def take(self, points: float) -> bool:
        """Take `points` if they are there; say whether they were."""
        with self._lock:
            self._refill()
            if self._available < points:
                return False
            self._available -= points
            self.spent += points
            return True

    def give_back(self, points: float) -> None:
        """Return what was taken and not used."""
        with self._lock:
            self._refill()
            self._available = min(self.size, self._available + points)
            self.spent -= points

    def set(self, available: float) -> None:
        """Fill or drain the bucket to `available` points."""
        with self._lock:
            self._seen = self._now()
            self._available = min(self.size, float(available))

    def status(self) -> dict[str, float]:
        """Return `throttleStatus`."""
        with self._lock:
            self._refill()
            return {
                "maximumAvailable": self.size,
                "currentlyAvailable": float(int(self._available)),
                "restoreRate": self.restore_rate,
            }

    def _refill(self) -> None:
        now = self._now()
        self._available = min(self.size, self._available + (now - self._seen) * self.restore_rate)
        self._seen = now
