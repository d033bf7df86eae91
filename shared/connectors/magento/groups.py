"""The shop's customer groups by id and code, fetched when first needed and then remembered.

Promise: groups that were added later are found, at the cost of at most one fetch a minute.
"""

import threading
import time
from collections.abc import Iterable, Mapping

from shared.connectors.magento.client import Item, MagentoClient
from shared.connectors.magento.search import Search, Where
from shared.domain.errors import UnreadableAnswer

_PAGE = 300
_REFRESH_SECONDS = 60.0


class Groups:
    """Looks customer groups up; threads may share it."""

    def __init__(self, client: MagentoClient) -> None:
        self._client = client
        self._lock = threading.Lock()
        self._codes: Mapping[int, str] = {}
        self._fetched_at: float | None = None

    def learn(self, group_ids: Iterable[int]) -> None:
        """Fetch the shop's groups if one of these is not known yet."""
        if not all(group_id in self._codes for group_id in group_ids):
            self._refresh()

    def code(self, group_id: int) -> str:
        """Return the code of a group, or its id as text where the shop does not list it.

        Asks nobody: translating happens within transactions. `learn` comes first.
        """
        return self._codes.get(group_id, str(group_id))

    def id(self, name: str) -> int | None:
        """Return the id of the group that `name` is the code or the id of; None without one."""
        if (known := self._id(name)) is None:
            self._refresh()
            known = self._id(name)
        return known

    def _id(self, name: str) -> int | None:
        by_name = {code: group_id for group_id, code in self._codes.items()}
        by_id = {str(group_id): group_id for group_id in self._codes}
        return by_name.get(name, by_id.get(name))

    def _refresh(self) -> None:
        with self._lock:
            now = time.monotonic()
            if self._fetched_at is None or now - self._fetched_at > _REFRESH_SECONDS:
                self._codes = self._fetch()
                self._fetched_at = now

    def _fetch(self) -> Mapping[int, str]:
        codes: dict[int, str] = {}
        last: int | None = None
        while True:
            where = () if last is None else (Where("id", "gt", last),)
            found = self._client.search_groups(Search(where, ("id",), _PAGE))
            page = {_id_of(item): str(item.get("code", "")) for item in found.items}
            if page and last is not None and min(page) <= last:
                raise UnreadableAnswer("a page of customer groups repeats")
            codes |= page
            if len(found.items) >= found.total:
                return codes
            if not page:
                raise UnreadableAnswer("the shop counts customer groups but shows none")
            last = max(page)


def _id_of(item: Item) -> int:
    group_id = item.get("id")
    if not isinstance(group_id, int):
        raise UnreadableAnswer("customer group without an id")
    return group_id
