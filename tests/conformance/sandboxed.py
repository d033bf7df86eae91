"""What the drivers of all sandboxes have in common: they open and close, time passes, ends show."""

from collections.abc import Sequence
from typing import Any, Final, Protocol, Self, cast

from services.sandbox.wire import Server
from tests.conformance import person
from tests.conformance.shop import Trouble

_LONGEST_SECONDS: Final = 5.0


class Control(Protocol):
    """What every sandbox's control does."""

    def freeze_clock(self) -> None:
        """Stop the clock."""

    def advance_clock(self, seconds: int) -> None:
        """Move it on."""

    def release(self) -> None:
        """Let go of what is held."""

    def bugs(self) -> Sequence[str]:
        """Return the sandbox's own failures."""


class Sandbox(Protocol):
    """What every sandbox is."""

    @property
    def control(self) -> Control:
        """Its control."""

    @property
    def url(self) -> str:
        """Where it listens."""

    def start(self) -> object:
        """Begin to serve."""

    def close(self) -> None:
        """End."""


class Sandboxed:
    """The half of a `Shop` that is alike in all sandboxes."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._running = sandbox
        self._registered = 0

    def __enter__(self) -> Self:
        self._running.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._running.close()

    @property
    def elsewhere(self) -> dict[str, Any]:
        """Go one path too far."""
        return {"base_url": f"{self._running.url}/elsewhere"}

    @property
    def open_line(self) -> dict[str, Any]:
        """Leave the encryption out."""
        return {"base_url": "http://shop.example"}

    def bounded(self, attempts: int, total_seconds: float) -> dict[str, Any]:
        """Bound every call."""
        return {"timeouts": {"attempts": attempts, "total_seconds": total_seconds}}

    def freeze_clock(self) -> None:
        """Stop it."""
        self._running.control.freeze_clock()

    def advance_clock(self, seconds: int) -> None:
        """Move it on."""
        self._running.control.advance_clock(seconds)

    def release(self) -> None:
        """Let go of what is held."""
        self._running.control.release()

    def bugs(self) -> Sequence[str]:
        """Ask the sandbox."""
        return self._running.control.bugs()

    def let_connections_end(self) -> bool:
        """Wait for the conversations of the sandbox's server."""
        server = cast("Server", vars(self._running)["_server"])
        threads = list(server._connections.values())
        for thread in threads:
            thread.join(_LONGEST_SECONDS)
        return not any(thread.is_alive() for thread in threads)

    def next_number(self) -> int:
        """Count up, for everything that has to be new."""
        self._registered += 1
        return self._registered

    def next_email(self) -> str:
        """Return an e-mail address that nobody has yet."""
        return person.email_of(self.next_number())

    def next_word(self) -> str:
        """Return a word of letters that was never used."""
        return "Word" + str(self.next_number()).translate(str.maketrans("0123456789", "abcdefghij"))


PLAIN: Final = {
    Trouble.SERVER_ERROR: "server_error",
    Trouble.UNAVAILABLE: "unavailable",
    Trouble.HTML: "html",
    Trouble.TRUNCATED: "truncated",
    Trouble.RESET: "reset",
    Trouble.LOST: "lost",
    Trouble.HELD: "held",
}
"""Troubles that every sandbox makes in its own words, by the name of the fault."""
