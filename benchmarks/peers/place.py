"""Where a peer works, and which variant it is to be: from the environment of its process."""

import gc
import os
from typing import Final

VARIANT: Final = "PEER_VARIANT"
DATABASE: Final = "PEER_DATABASE"
BROKER: Final = "PEER_BROKER"


def is_tuned() -> bool:
    """Whether the fast variant is wanted rather than the plain one."""
    return os.environ[VARIANT] == "tuned"


def database_url() -> str:
    """Return the database, as libpq names it."""
    return os.environ[DATABASE]


def broker_url() -> str:
    """Return the broker and its virtual host."""
    return os.environ[BROKER]


def spare_the_collector() -> None:
    """Have the collector of reference cycles look seldom, as the product's workers do.

    What was imported lives as long as the process, and what a message makes is gone after it.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000)
