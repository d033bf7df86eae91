"""What signals ask of a process: to end, or to read its configuration again.

Heard from the first step to the last, so that none gets lost while the process starts anew. Its
promise: the first SIGTERM or SIGINT asks for the end, a second one has it at once; SIGHUP asks for
the configuration, and when the terminal that the process was started on is gone, for the end.
"""

import os
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Final

EXIT_INTERRUPTED = 130
_END: Final = (signal.SIGTERM, signal.SIGINT)


class Orders:
    """What was asked for and is not done yet. Written by the signals, read by the main thread."""

    def __init__(self) -> None:
        self.is_end_asked = False
        self._is_reload_asked = False
        self._wake: Callable[[], None] = lambda: None

    def wake_by(self, wake: Callable[[], None]) -> None:
        """Have `wake` called when a signal comes; nothing that is slow or takes a lock."""
        self._wake = wake

    def end(self) -> None:
        """Ask for the end; insist, if it was asked for before."""
        if self.is_end_asked:
            os._exit(EXIT_INTERRUPTED)
        self.is_end_asked = True
        self._wake()

    def reload(self) -> None:
        """Ask for the configuration to be read again."""
        self._is_reload_asked = True
        self._wake()

    def take_reload(self) -> bool:
        """Whether a reload was asked for since this was last called."""
        is_asked, self._is_reload_asked = self._is_reload_asked, False
        return is_asked


@contextmanager
def signals_heard() -> Iterator[Orders]:
    """Give the orders that signals bring; put the old handlers back after. Main thread only."""
    orders = Orders()
    was_on_terminal = _is_on_terminal()

    def end(number: int, frame: FrameType | None) -> None:
        orders.end()

    def hang_up(number: int, frame: FrameType | None) -> None:
        if was_on_terminal and not _is_on_terminal():
            orders.end()
        else:
            orders.reload()

    before = {number: signal.signal(number, end) for number in _END}
    before[signal.SIGHUP] = signal.signal(signal.SIGHUP, hang_up)
    try:
        yield orders
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _is_on_terminal() -> bool:
    """Whether somebody sits at standard error."""
    try:
        return os.isatty(sys.stderr.fileno())
    except (AttributeError, OSError, ValueError):
        return False
