"""What a worker is made of: loops, each in a thread of its own, that tick and can be stopped."""

import threading
from collections.abc import Callable
from typing import Protocol

Beat = Callable[[], None]


class Loop(Protocol):
    """Something that runs until it is told to stop."""

    @property
    def name(self) -> str:
        """The loop's name in logs and health."""
        ...

    def run(self, beat: Beat) -> None:
        """Work until stopped, calling `beat` at least every few seconds while all is well.

        An outage of broker or database may escape: the loop is then run again after a wait.
        Anything else that escapes ends the process.
        """
        ...

    def stop(self) -> None:
        """Ask the loop to end after what it has in hand. May be called by any thread."""
        ...


class Periodic:
    """Calls `work` every `every_seconds` until stopped, and at once when woken.

    `work` returns True when there is more to do now.
    """

    def __init__(
        self, name: str, work: Callable[[Beat], bool | None], every_seconds: float
    ) -> None:
        self.name = name
        self._work = work
        self._every_seconds = every_seconds
        self._stopped = threading.Event()
        self._woken = threading.Event()

    def run(self, beat: Beat) -> None:
        """Work, wait, work again."""
        while not self._stopped.is_set():
            beat()
            self._woken.clear()
            if self._work(beat) is not True and not self._stopped.is_set():
                self._sleep(beat)

    def wake(self) -> None:
        """Have `work` called now, or again if it is being called."""
        self._woken.set()

    def stop(self) -> None:
        """End after the call in progress."""
        self._stopped.set()
        self._woken.set()

    def _sleep(self, beat: Beat) -> None:
        """Wait for the next turn in slices that keep the loop's tick fresh."""
        remaining = self._every_seconds
        while remaining > 0 and not self._woken.wait(min(remaining, 5.0)):
            remaining -= 5.0
            beat()
