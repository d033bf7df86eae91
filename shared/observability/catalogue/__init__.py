"""The catalogue of metrics: all that a process counts, by what it is about.

The metrics are made of it, and so is docs/metrics.md. Labels are bounded: a worker, an outcome, a
reason code, a platform or a channel of the configuration; never an id, an address or a URL.
"""

from collections.abc import Mapping
from typing import Final

from shared.observability.catalogue.entries import Entry
from shared.observability.catalogue.work import CUSTOMERS, LETTERS, MESSAGES
from shared.observability.catalogue.world import BROKER, CHANNELS, DATABASE, IMPORT

CATALOGUE: Final[Mapping[str, tuple[Entry, ...]]] = {
    "Messages": MESSAGES,
    "Dead letters": LETTERS,
    "Customers": CUSTOMERS,
    "Reading shops": IMPORT,
    "Channels": CHANNELS,
    "The broker": BROKER,
    "The database, and the process": DATABASE,
}
ENTRIES: Final = tuple(entry for entries in CATALOGUE.values() for entry in entries)
