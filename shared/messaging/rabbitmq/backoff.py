"""Growing, jittered waits between attempts to come back."""

import random


class Backoff:
    """Waits that double from `first_seconds` to `longest_seconds` until `reset`."""

    def __init__(self, first_seconds: float = 0.1, longest_seconds: float = 10.0) -> None:
        self._first = first_seconds
        self._longest = longest_seconds
        self._next = first_seconds

    def wait_seconds(self) -> float:
        """Return how long to wait now; jittered, so that many workers do not return at once."""
        wait = self._next
        self._next = min(self._next * 2, self._longest)
        return wait * random.uniform(0.75, 1.25)  # noqa: S311

    def reset(self) -> None:
        """Start small again: things work."""
        self._next = self._first
