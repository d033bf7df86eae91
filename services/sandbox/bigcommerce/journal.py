"""What was done in the store, so that it can be told, written down, and taken back.

Its promise: a refused transaction leaves no trace in the customers, the events or the books.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from services.sandbox.bigcommerce import hooks
from services.sandbox.bigcommerce.errors import Refusal
from services.sandbox.bigcommerce.seeding import stamp
from services.sandbox.clock import Clock
from services.sandbox.ledger import Ledger, Write

Record = dict[str, Any]
Deed = Callable[[], object]


class Journal:
    """Events and the ledger, written at the end of a transaction where there is one."""

    def __init__(self, lock: threading.RLock, clock: Clock, ledger: Ledger) -> None:
        self._lock = lock
        self._clock = clock
        self._ledger = ledger
        self._undo: list[Deed] | None = None
        self._notes: list[Deed] = []
        self.events: list[hooks.Event] = []

    @contextmanager
    def transaction(self, *, keeps: bool) -> Iterator[None]:
        """Do all or nothing; or, if it `keeps`, all until the refusal."""
        with self._lock:
            self._undo, first_event = [], len(self.events)
            try:
                yield
            except Refusal:
                if not keeps:
                    for take_back in reversed(self._undo):
                        take_back()
                    del self.events[first_event:]
                    self._notes.clear()
                raise
            finally:
                for note in self._notes:
                    note()
                self._notes.clear()
                self._undo = None

    def happened(self, scope: str, data: Record) -> None:
        """Note what webhooks may tell."""
        with self._lock:
            self.events.append(hooks.event(scope, data, self._clock.now(), len(self.events)))

    def wrote(
        self, number: int, origin: str, action: str, changed: tuple[str, ...], given: Record
    ) -> None:
        """Note a write to a customer, a company or a user."""
        write = Write(stamp(self._clock.now()), origin, action, changed, given)
        self._note(lambda: self._ledger.record(number, write))

    def mailed(self, number: int) -> None:
        """Note a welcome mail."""
        self._note(lambda: self._ledger.send_welcome_mail(number))

    def may_take_back(self, deed: Deed) -> None:
        """Remember how to undo what is about to be done."""
        if self._undo is not None:
            self._undo.append(deed)

    def _note(self, note: Deed) -> None:
        with self._lock:
            if self._undo is None:
                note()
            else:
                self._notes.append(note)
