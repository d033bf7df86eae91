"""A line between a client and a server that a test can stall, drain or cut.

A TCP proxy on loopback, for a broker or a database. Its promise: what it carries is complete and in
order until it is told otherwise, and then the fault is in the direction that was named and in no
other. Stalled bytes are held, as by a dead switch: no reset, no end, only silence. Connections made
after a cut are new ones.
"""

import selectors
import socket
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Final, Literal, Self

Direction = Literal["requests", "answers"]
BOTH: Final[tuple[Direction, ...]] = ("requests", "answers")

_CHUNK: Final = 65_536
_TICK_SECONDS: Final = 0.02
# Closing a socket that lingers for no time at all sends RST, not FIN.
_RESET: Final = struct.pack("ii", 1, 0)


class Proxy:
    """Listens on `port` and carries every connection to the server's port.

    `hear` is given every piece of what clients say, before it is carried on.
    """

    def __init__(self, server_port: int, hear: Callable[[bytes], None] = lambda said: None) -> None:
        self._server = ("127.0.0.1", server_port)
        self._hear = hear
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._peers: dict[socket.socket, socket.socket] = {}
        self._servers: set[socket.socket] = set()
        self._stalled: frozenset[Direction] = frozenset()
        self._drained: frozenset[Direction] = frozenset()
        self._stop = threading.Event()
        # Entered again by a test's `hear` that stalls or cuts.
        self._lock = threading.RLock()
        self._thread = threading.Thread(target=self._carry, name="proxy", daemon=True)

    def __enter__(self) -> Self:
        """Open the line."""
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """Cut every connection and stop listening."""
        self._stop.set()
        self._thread.join()
        self.cut()
        self._selector.close()
        self._listener.close()

    def stall(self, *directions: Direction) -> None:
        """Hold up what goes in these directions, or in both."""
        self._stalled = frozenset(directions or BOTH)

    def drain(self, *directions: Direction) -> None:
        """Swallow what goes in these directions, or in both; nobody is told."""
        self._drained = frozenset(directions or BOTH)

    def flow(self) -> None:
        """Carry everything again, what was held up first."""
        self._stalled = self._drained = frozenset()

    def cut(self) -> None:
        """Reset every connection, at both ends."""
        with self._lock:
            for end in list(self._peers):
                self._drop(end)

    def _carry(self) -> None:
        while not self._stop.is_set():
            ready = self._selector.select(_TICK_SECONDS)
            with self._lock:
                for key, _ in ready:
                    if key.fileobj is self._listener:
                        self._accept()
                    elif isinstance(key.fileobj, socket.socket):
                        self._forward(key.fileobj)
            if self._stalled:
                self._stop.wait(_TICK_SECONDS)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            server = socket.create_connection(self._server)
        except OSError:
            _close(client)
            return
        self._servers.add(server)
        self._peers |= {client: server, server: client}
        for end in (client, server):
            self._selector.register(end, selectors.EVENT_READ)

    def _forward(self, end: socket.socket) -> None:
        direction: Direction = "answers" if end in self._servers else "requests"
        if end not in self._peers or direction in self._stalled:
            return
        try:
            data = end.recv(_CHUNK)
            if data and direction == "requests":
                self._hear(data)
            if data and end in self._peers:
                if direction not in self._drained:
                    self._peers[end].sendall(data)
                return
        except OSError:
            pass
        self._drop(end)

    def _drop(self, end: socket.socket) -> None:
        peer = self._peers.pop(end, None)
        if peer is None:
            return
        del self._peers[peer]
        for each in (end, peer):
            self._servers.discard(each)
            with suppress(KeyError, ValueError):
                self._selector.unregister(each)
            _close(each)


def _close(end: socket.socket) -> None:
    with suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET)
    end.close()
