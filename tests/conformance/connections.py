"""Waits until nobody is connected to a sandbox any more."""

from typing import Final, cast

from services.sandbox.wire import Server

_LONGEST_SECONDS: Final = 5.0


def let_connections_end(sandbox: object) -> bool:
    """Wait for the conversations of a sandbox's server; say whether all have ended."""
    server = cast("Server", vars(sandbox)["_server"])
    threads = list(server._connections.values())
    for thread in threads:
        thread.join(_LONGEST_SECONDS)
    return not any(thread.is_alive() for thread in threads)
