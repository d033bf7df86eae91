"""Free TCP ports on loopback for servers that must know their port before they start."""

import os
import random
import socket

_BELOW_EPHEMERAL = range(15_000, 32_000)
"""The kernel hands out none of these by itself, so nothing takes one between choice and use."""
_SHARES = 8
"""Test processes beside us choose from shares of their own, for the same reason."""
_given: set[int] = set()


def free_ports(count: int) -> list[int]:
    """Return `count` ports that nobody listens on, and that were not given to anybody yet."""
    found: list[int] = []
    own = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw")) % _SHARES
    share = _BELOW_EPHEMERAL[own::_SHARES]
    candidates = random.SystemRandom().sample(share, len(share))
    for port in candidates:
        if port not in _given and _is_free(port):
            found.append(port)
        if len(found) == count:
            _given.update(found)
            return found
    raise OSError("no free port on loopback")


def _is_free(port: int) -> bool:
    """Say whether nobody listens on the port; sockets lingering after a kill do not count."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True
