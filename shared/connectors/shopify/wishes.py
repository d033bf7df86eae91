"""What a few exports want of a few records, and what became of it.

Promise: each place is written at most once, with what was wanted last.
"""

from collections.abc import Sequence
from typing import NamedTuple

from shared.connectors.shopify.settings import MetafieldKey
from shared.domain.errors import PatronError

TAGS = "tags"
NUMBER = "number"
LOCATION_PREFIX = "location:"
What = MetafieldKey | str


class Place(NamedTuple):
    """Where something is written: a metafield of a record, or one of its own properties."""

    gid: str
    what: What


class Wishes:
    """What is wanted, by place; `written` and `errors` fill as it is carried out."""

    def __init__(self) -> None:
        self.wanted: dict[Place, str] = {}
        self.written: set[Place] = set()
        self.errors: dict[Place, PatronError] = {}
        self._places: dict[int, Sequence[Place]] = {}

    @property
    def gids(self) -> Sequence[str]:
        """The records, each once."""
        return list(dict.fromkeys(place.gid for place in self.wanted))

    def add(self, position: int, wanted: dict[Place, str]) -> None:
        """Note what the export at `position` wants."""
        self.wanted |= wanted
        self._places[position] = tuple(wanted)

    def places_of(self, position: int) -> Sequence[Place]:
        """Return the places of an export."""
        return self._places[position]

    def metafields(self) -> Sequence[tuple[Place, MetafieldKey, str]]:
        """Return what is wanted of metafields: place, which metafield, value."""
        return [(p, p.what, v) for p, v in self.wanted.items() if isinstance(p.what, MetafieldKey)]

    def properties(self) -> Sequence[tuple[Place, str, str]]:
        """Return what is wanted of the records' own properties: place, its name, value."""
        return [(p, p.what, v) for p, v in self.wanted.items() if isinstance(p.what, str)]
