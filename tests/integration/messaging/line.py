"""A line between client and broker that a test can freeze and cut.

A TCP proxy on loopback. Freezing holds what is under way in either direction, as a dead switch
does: no reset, no end, only silence. Connections made after `thaw` are new ones.
"""

import selectors
import socket
import threading
from contextlib import suppress
from types import TracebackType
from typing import Self

_CHUNK = 65_536
_TICK_SECONDS = 0.05


class Line:
    """Listens on `port` and carries every connection to the broker's port."""

    def __init__(self, broker_port: int) -> None:
        self._broker = ("127.0.0.1", broker_port)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._listener.getsockname()[1]
        self._selector = selectors.DefaultSelector()
        self._selector.register(self._listener, selectors.EVENT_READ)
        self._peers: dict[socket.socket, socket.socket] = {}
        self._from_broker: set[socket.socket] = set()
        self._mute: frozenset[str] = frozenset()
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._thread = threading.Thread(target=self._carry, name="line", daemon=True)

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

    def freeze(self, *, answers_only: bool = False) -> None:
        """Carry nothing any more, or nothing from the broker."""
        self._mute = frozenset({"answers"} if answers_only else {"answers", "requests"})

    def thaw(self) -> None:
        """Carry everything again, what was held up first."""
        self._mute = frozenset()

    def cut(self) -> None:
        """Reset every connection."""
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
            if self._mute:
                self._stop.wait(_TICK_SECONDS)

    def _accept(self) -> None:
        client, _ = self._listener.accept()
        try:
            broker = socket.create_connection(self._broker)
        except OSError:
            client.close()
            return
        self._from_broker.add(broker)
        self._peers |= {client: broker, broker: client}
        for end in (client, broker):
            self._selector.register(end, selectors.EVENT_READ)

    def _forward(self, end: socket.socket) -> None:
        peer = self._peers.get(end)
        if peer is None or ("answers" if end in self._from_broker else "requests") in self._mute:
            return
        try:
            data = end.recv(_CHUNK)
            if data:
                peer.sendall(data)
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
            self._from_broker.discard(each)
            with suppress(KeyError, ValueError):
                self._selector.unregister(each)
            each.close()
