"""Which deliveries of a channel are not settled yet, and how to settle them in few frames.

Pure bookkeeping, no I/O. Its promise: a tag is settled once, and `multiple` never covers a
delivery that was not meant.
"""

from collections.abc import Collection, Iterable, Sequence
from itertools import takewhile
from typing import NamedTuple


class Settlement(NamedTuple):
    """One frame to send: this delivery, or with `multiple` all unsettled ones up to it."""

    tag: int
    multiple: bool


class Ledger:
    """The unsettled delivery tags of one channel, in the order of their arrival."""

    def __init__(self) -> None:
        self._open: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def add(self, tags: Iterable[int]) -> None:
        """Note deliveries."""
        self._open.update(dict.fromkeys(tags))

    def settle(self, tags: Collection[int]) -> Sequence[Settlement]:
        """Strike off those of `tags` that are unsettled, and say which frames tell the broker."""
        wanted = set(tags) & self._open.keys()
        if not wanted:
            return ()
        oldest = list(takewhile(wanted.__contains__, self._open))
        for tag in wanted:
            del self._open[tag]
        scattered = sorted(wanted.difference(oldest))
        together = [Settlement(oldest[-1], multiple=len(oldest) > 1)] if oldest else []
        return [*together, *(Settlement(tag, multiple=False) for tag in scattered)]

    def clear(self) -> None:
        """Forget everything: the channel is gone and the broker will deliver again."""
        self._open.clear()
