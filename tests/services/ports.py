"""Free TCP ports on loopback for servers that must know their port before they start."""

import random
import socket

_BELOW_EPHEMERAL = range(15_000, 32_000)
"""The kernel hands out none of these by itself, so nothing takes one between choice and use."""


def free_ports(count: int) -> list[int]:
    """Return `count` ports that nobody listens on, all different."""
    found: list[int] = []
    candidates = random.SystemRandom().sample(_BELOW_EPHEMERAL, len(_BELOW_EPHEMERAL))
    for port in candidates:
        if _is_free(port):
            found.append(port)
        if len(found) == count:
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
