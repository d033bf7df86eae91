"""Waiting for what threads do, for as long as they get on with it.

Promise: a loop that waits here ticks while any thread shows a sign of life, and no longer, so that
a thread that hangs is found out.
"""

import threading
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, wait
from typing import TypeVar

from shared.runtime.loops import Beat

T = TypeVar("T")


def finished(
    futures: Iterable[Future[T]], beat: Beat, progress: threading.Event, look_seconds: float = 2.0
) -> Iterator[Future[T]]:
    """Yield what is finished, as it finishes; `progress` is set by every thread that gets on."""
    pending = set(futures)
    while pending:
        done, pending = wait(pending, timeout=look_seconds, return_when="FIRST_COMPLETED")
        if done or progress.is_set():
            progress.clear()
            beat()
        yield from done
