"""What the shop calls its attributes and groups, fetched when first needed and then remembered.

Promise: what was added later is found, at the cost of at most one fetch a minute.
"""

import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from shared.connectors.bigcommerce.answers import Item, id_of

_REFRESH_SECONDS: Final = 60.0
_FRESH_SECONDS: Final = 1.0


class Names:
    """Looks up what has an id and a name in the shop; threads may share it."""

    def __init__(self, fetch: Callable[[], Sequence[Item]]) -> None:
        self._fetch = fetch
        self._lock = threading.Lock()
        self._names: Mapping[int, str] = {}
        self._fetched_at: float | None = None

    def learn(self, ids: Iterable[int]) -> None:
        """Fetch the shop's list if one of these is not known yet."""
        if not all(number in self._names for number in ids):
            self._refresh()

    def name(self, number: int) -> str:
        """Return the name of an id, or the id as text where the shop does not list it.

        Asks nobody: translating happens within transactions. `learn` comes first.
        """
        return self._names.get(number, str(number))

    def id(self, name: str) -> int | None:
        """Return the id that `name` belongs to, or that it is; None without one."""
        if (known := self._id(name)) is None:
            self._refresh()
            known = self._id(name)
        return known

    def confirms(self, name: str) -> bool:
        """Whether the shop still has what `name` belongs to, by a fresh look."""
        self._refresh(_FRESH_SECONDS)
        return self._id(name) is not None

    def _id(self, name: str) -> int | None:
        by_name = {known: number for number, known in self._names.items()}
        by_id = {str(number): number for number in self._names}
        return by_name.get(name, by_id.get(name))

    def _refresh(self, older_than_seconds: float = _REFRESH_SECONDS) -> None:
        with self._lock:
            now = time.monotonic()
            if self._fetched_at is None or now - self._fetched_at > older_than_seconds:
                self._names = {id_of(item): str(item.get("name", "")) for item in self._fetch()}
                self._fetched_at = now
