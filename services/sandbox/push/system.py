"""What the pushing system knows: its customers as they are now, and what it was told of them.

Its promise: it remembers every genuine callback once, whatever else comes to its door.
"""

import threading
from collections.abc import Callable
from typing import Any

from services.sandbox.people import person
from services.sandbox.push.payload import Record, canonical, external_id


class System:
    """The customers of a seed, with what was changed about them."""

    def __init__(self, customers: int, seed: int, *, awkward: bool) -> None:
        self.customers = customers
        self.lock = threading.Condition()
        self.numbers: dict[str, str] = {}
        self.callbacks: list[Record] = []
        self.forged = 0
        self._deliveries: set[str] = set()
        self._changes: dict[int, Record] = {}
        self._record: Callable[[int], Record] = lambda number: canonical(
            person(seed, number - 1, awkward=awkward)
        )

    def record(self, number: int) -> Record:
        """Return a customer as it is now, in Patron's shape."""
        if not 1 <= number <= self.customers:
            raise KeyError(f"there is no customer {number}")
        with self.lock:
            return {**self._record(number), **self._changes.get(number, {})}

    def edit(self, number: int, /, **changes: Any) -> Record:
        """Change a customer."""
        self.record(number)
        with self.lock:
            self._changes.setdefault(number, {}).update(changes)
        return self.record(number)

    def hear(self, said: Record, delivery: str) -> None:
        """Take a genuine callback; one that is told again is known by its delivery."""
        with self.lock:
            if delivery in self._deliveries:
                return
            self._deliveries.add(delivery)
            self.callbacks.append(said)
            self.numbers[said["external_id"]] = said["customer_number"]
            self.lock.notify_all()

    def doubt(self) -> None:
        """Count a callback that Patron did not sign."""
        with self.lock:
            self.forged += 1
            self.lock.notify_all()

    def number_of(self, number: int) -> str | None:
        """Return the customer number that was told."""
        with self.lock:
            return self.numbers.get(external_id(number))

    def wait_until(self, holds: Callable[[], bool], timeout_seconds: float) -> bool:
        """Wait until `holds`, looked at after each callback; say whether it came true."""
        with self.lock:
            return self.lock.wait_for(holds, timeout_seconds)
