"""Walks what changed in one of the shop's lists, oldest change first, however much that is.

The search is an index: a row may stand where an older change of it belongs for some minutes, and
answers are the rows of now. So only a change that is older than that is trusted to say where the
scan is (`position`), and a whole scan vouches for the time until shortly before it began (`mark`).
Shopify's paging ends at 25,000 rows, so a longer walk starts again from its position. Promise: what
lies before a mark was seen, and a page that cannot be trusted is an error.
"""

from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from shared.connectors.ports import Watermark
from shared.connectors.shopify.client import Item
from shared.connectors.shopify.reading import Found
from shared.connectors.shopify.record import changed_at, number_in, stamp
from shared.domain.errors import UnreadableAnswer

INDEX_LAG = timedelta(minutes=5)
LONGEST_CHAIN = 20_000
_SECOND = timedelta(seconds=1)
_SAME_DAY = timedelta(hours=38)  # a day, in whatever zone the shop may count it
Search = Callable[[str | None, str | None, str], Found]


@dataclass(frozen=True, slots=True)
class Step:
    """A page of a scan, and how far the list was seen by then; None: nothing is certain yet."""

    items: Sequence[Item]
    is_last: bool
    mark: Watermark | None


class ChangeScan:
    """One walk through what changed at or after `since` (None: everything)."""

    def __init__(
        self,
        search: Search,
        since: datetime | None,
        *,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        longest_chain: int = LONGEST_CHAIN,
    ) -> None:
        self._search = search
        self._start = since.replace(microsecond=0) if since else None
        self._now = now
        self._longest_chain = longest_chain
        self._certain_until: datetime | None = None
        self._position: datetime | None = None

    @property
    def certain_until(self) -> datetime:
        """Until when the index is believed; known once the first page is there."""
        return self._certain_until or self._now() - INDEX_LAG

    def steps(self) -> Iterator[Step]:
        """Yield the pages; the last has the mark of the whole scan."""
        while True:
            is_whole = yield from self._chain()
            if is_whole:
                return
            if self._position is not None and self._position != self._start:
                self._start = self._position
            elif self._start is not None and self._position == self._start:
                # More rows of one second than a chain reaches.
                yield from self._second(self._start)
                self._start += _SECOND
            else:
                # So many rows changed just now; the next scan finds them settled.
                yield Step((), is_last=True, mark=None)
                return

    def _chain(self) -> Generator[Step, None, bool]:
        """Walk from where we are; return whether the end was reached."""
        query = None if self._start is None else f"updated_at:>='{stamp(self._start)}'"
        cursor: str | None = None
        seen, before = 0, None
        while seen < self._longest_chain:
            found = self._search(query, cursor, "UPDATED_AT")
            self._note_time(found)
            before = self._trusted(found, cursor, before)
            self._advance(found.items)
            seen += len(found.items)
            cursor = found.cursor
            if cursor is None:
                yield Step(self._wanted(found.items), is_last=True, mark=self._final_mark())
                return True
            yield Step(self._wanted(found.items), is_last=False, mark=self._mark(self._position))
        return False

    def _second(self, second: datetime) -> Iterator[Step]:
        """Walk the rows of one second by their ids."""
        when = f"updated_at:>='{stamp(second)}' updated_at:<='{stamp(second)}'"
        for items in by_id(self._search, after=0, where=when):
            wanted = [item for item in items if _second_of(item) == second]
            yield Step(wanted, is_last=False, mark=None)

    def _note_time(self, found: Found) -> None:
        if self._certain_until is None:
            self._certain_until = min(found.at or self._now(), self._now()) - INDEX_LAG

    def _trusted(
        self, found: Found, cursor: str | None, before: Sequence[int] | None
    ) -> Sequence[int]:
        """Return the ids of a page. Raises `UnreadableAnswer` for one that proves nothing."""
        start = self._start
        if found.items and start and changed_at(found.items[0]) < start - _SAME_DAY:
            # A filter that the shop does not understand is ignored, and everybody comes.
            raise UnreadableAnswer("the shop ignores which changes were asked for")
        ids = [number_in(item) for item in found.items]
        if (cursor is not None and found.cursor == cursor) or (ids and ids == before):
            raise UnreadableAnswer("a page of changes repeats")
        return ids

    def _advance(self, items: Sequence[Item]) -> None:
        settled = [at for item in items if (at := changed_at(item)) < self.certain_until]
        if settled:
            last = max(settled).replace(microsecond=0)
            self._position = max(self._position, last) if self._position else last

    def _wanted(self, items: Sequence[Item]) -> Sequence[Item]:
        """Drop what a search by whole days would bring in addition."""
        start = self._start
        return [item for item in items if start is None or changed_at(item) >= start]

    def _final_mark(self) -> Watermark:
        return Watermark(self.certain_until.replace(microsecond=0))

    def _mark(self, position: datetime | None) -> Watermark | None:
        return None if position is None else Watermark(position)


def by_id(search: Search, *, after: int, where: str = "") -> Iterator[Sequence[Item]]:
    """Yield the rows with an id greater than `after` in the order of ids, page by page.

    Always the first page behind the last id, so that no paging ends and no row moves.
    """
    while True:
        parts = [where, f"id:>{after}" if after else ""]
        query = " ".join(filter(None, parts)) or None
        found = search(query, None, "ID")
        ids = [number_in(item) for item in found.items]
        if any(one >= other for one, other in zip([after, *ids], ids, strict=False)):
            raise UnreadableAnswer("a page by ids repeats or goes back")
        is_last = found.cursor is None
        if found.items or is_last:
            yield found.items
        if is_last:
            return
        after = ids[-1]


def _second_of(item: Item) -> datetime:
    return changed_at(item).replace(microsecond=0)
