"""A request that found its route, as the resources see it."""

from dataclasses import dataclass

from services.sandbox.bigcommerce.query import Query
from services.sandbox.wire import Request


@dataclass(frozen=True, slots=True)
class Call:
    """The request, its query, and what stood in the path."""

    request: Request
    query: Query
    parts: tuple[str, ...] = ()

    def number(self, place: int = 0) -> int:
        """Return the id at `place` of the path."""
        return int(self.parts[place])
