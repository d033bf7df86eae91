"""What earlier runs of changes brought: a run steps back in time, and would bring it again.

Promise: what a run brings counts only once the run is over and taken in; until then it is brought
again.
"""

from collections.abc import Iterable

from shared.connectors.bigcommerce.answers import Item
from shared.connectors.content import digest


class Earlier:
    """Remembers the rows of the last run that came to its end, by their content."""

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()
        self._met: set[str] = set()

    def begin(self) -> None:
        """Begin a run."""
        self._met = set()

    def end(self) -> None:
        """Note that all of the run was taken in."""
        self._known = frozenset(self._met)

    def news(self, rows: Iterable[Item]) -> list[Item]:
        """Return the rows that the last run did not bring."""
        marked = [(digest(row), row) for row in rows]
        self._met.update(mark for mark, _ in marked)
        return [row for mark, row in marked if mark not in self._known]
