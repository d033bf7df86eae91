"""A small HTTP/1.1 server on a real socket, whose answers can be delivered badly on purpose.

`http.server` spends most of a small request in the e-mail header parser and hides the socket;
a sandbox needs the speed, and the socket to cut, drip, hold and reset an answer.

Its promise: what the handler returns goes out in one write, and nothing survives `close`.
"""

import contextlib
import socket
import struct
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from http import HTTPStatus
from typing import BinaryIO
from urllib.parse import parse_qsl, unquote

LONGEST_LINE_BYTES = 65_536
JSON_TYPE = "application/json; charset=utf-8"
HTML_TYPE = "text/html; charset=UTF-8"
BAD_REQUEST = b"HTTP/1.1 400 Bad Request\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


class MalformedRequest(Exception):
    """What came in is not HTTP; the connection ends."""


class Delivery(StrEnum):
    """How an answer reaches, or fails to reach, the client."""

    WHOLE = "whole"
    TRUNCATED = "truncated"
    SLOW = "slow"
    HELD = "held"
    RESET = "reset"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Request:
    """One request as it was received; header names in lower case."""

    method: str
    target: str
    path: str
    query: list[tuple[str, str]]
    headers: dict[str, str]
    body: bytes

    @property
    def raw_path(self) -> str:
        """The path as sent, still percent-encoded."""
        return self.target.partition("?")[0]


@dataclass(frozen=True, slots=True)
class Response:
    """One answer, and how it is to be delivered."""

    status: int
    body: bytes
    content_type: str = JSON_TYPE
    headers: tuple[tuple[str, str], ...] = ()
    delivery: Delivery = Delivery.WHOLE
    released: threading.Event | None = None
    bytes_per_second: float = 1.0

    def head(self, *, closing: bool) -> bytes:
        """Return the status line and headers."""
        lines = [
            f"HTTP/1.1 {self.status} {HTTPStatus(self.status).phrase}",
            f"Content-Type: {self.content_type}",
            f"Content-Length: {len(self.body)}",
            *(f"{name}: {value}" for name, value in self.headers),
        ]
        if closing:
            lines.append("Connection: close")
        return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1")


Handler = Callable[[Request], Response]


@dataclass
class Server:
    """Serves `handler` on one port, a thread per connection, until closed."""

    handler: Handler
    host: str = "127.0.0.1"
    port: int = 0
    closed: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._listener = socket.create_server((self.host, self.port), backlog=512)
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._connections: dict[socket.socket, threading.Thread] = {}
        self._acceptor = threading.Thread(target=self._accept, name="sandbox-accept", daemon=True)

    @property
    def url(self) -> str:
        """Where the server listens."""
        return f"http://{self.host}:{self.port}"

    def start(self) -> None:
        """Begin to accept connections."""
        self._acceptor.start()

    def close(self) -> None:
        """Stop accepting, cut every connection, and wait for the threads."""
        self.closed.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        if self._acceptor.is_alive():
            self._acceptor.join()
        self._listener.close()
        with self._lock:
            connections = dict(self._connections)
        for connection in connections:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        for thread in connections.values():
            thread.join(timeout=5)

    def _accept(self) -> None:
        while not self.closed.is_set():
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            thread = threading.Thread(target=self._converse, args=(connection,), daemon=True)
            with self._lock:
                self._connections[connection] = thread
            thread.start()

    def _converse(self, connection: socket.socket) -> None:
        try:
            with connection, connection.makefile("rb") as stream:
                while not self.closed.is_set() and self._exchange(connection, stream):
                    pass
        except MalformedRequest:
            pass
        except OSError:
            pass  # the client went away, or we were told to cut the connection
        finally:
            with self._lock:
                self._connections.pop(connection, None)

    def _exchange(self, connection: socket.socket, stream: BinaryIO) -> bool:
        """Answer one request; say whether the connection goes on."""
        try:
            request = read_request(stream, connection)
        except MalformedRequest:
            connection.sendall(BAD_REQUEST)
            raise
        if request is None:
            return False
        response = self.handler(request)
        closing = request.headers.get("connection", "").lower() == "close"
        if response.delivery is Delivery.WHOLE:
            connection.sendall(response.head(closing=closing) + response.body)
            return not closing
        self._misdeliver(connection, response)
        return False

    def _misdeliver(self, connection: socket.socket, response: Response) -> None:
        data = response.head(closing=False) + response.body
        match response.delivery:
            case Delivery.TRUNCATED:
                connection.sendall(data[: len(data) - max(1, len(response.body) // 2)])
            case Delivery.SLOW:
                self._drip(connection, data, response)
            case Delivery.HELD:
                self._hold(response)
            case Delivery.RESET:
                # Linger zero makes the kernel send RST instead of FIN.
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            case _:
                pass  # dropped: the connection closes without a byte

    def _drip(self, connection: socket.socket, data: bytes, response: Response) -> None:
        released = response.released or self.closed
        for position in range(len(data)):
            if released.wait(1 / response.bytes_per_second) or self.closed.is_set():
                connection.sendall(data[position:])
                return
            connection.sendall(data[position : position + 1])

    def _hold(self, response: Response) -> None:
        released = response.released or self.closed
        while not released.wait(0.05) and not self.closed.is_set():
            pass


def read_request(stream: BinaryIO, connection: socket.socket) -> Request | None:
    """Read the next request, or None when the client has closed the connection."""
    line = stream.readline(LONGEST_LINE_BYTES)
    if not line:
        return None
    parts = line.decode("latin-1").split()
    if len(parts) != 3 or not parts[2].startswith("HTTP/1."):
        raise MalformedRequest
    headers = _read_headers(stream)
    if headers.get("expect", "").lower() == "100-continue":
        connection.sendall(b"HTTP/1.1 100 Continue\r\n\r\n")
    method, target, _ = parts
    path, _, query = target.partition("?")
    return Request(
        method=method,
        target=target,
        path=unquote(path),
        query=parse_qsl(query, keep_blank_values=True),
        headers=headers,
        body=_read_body(stream, headers),
    )


def _read_headers(stream: BinaryIO) -> dict[str, str]:
    headers: dict[str, str] = {}
    while (line := stream.readline(LONGEST_LINE_BYTES)) not in (b"\r\n", b"\n"):
        name, colon, value = line.decode("latin-1").partition(":")
        if not colon:
            raise MalformedRequest
        headers[name.strip().lower()] = value.strip()
    return headers


def _read_body(stream: BinaryIO, headers: dict[str, str]) -> bytes:
    if headers.get("transfer-encoding", "").lower() == "chunked":
        return _read_chunks(stream)
    try:
        length = int(headers.get("content-length", "0"))
    except ValueError:
        raise MalformedRequest from None
    return _read_whole(stream, length) if length > 0 else b""


def _read_chunks(stream: BinaryIO) -> bytes:
    chunks = []
    while size := _chunk_size(stream):
        chunks.append(_read_whole(stream, size))
        stream.readline(LONGEST_LINE_BYTES)
    while stream.readline(LONGEST_LINE_BYTES) not in (b"\r\n", b"\n", b""):
        pass  # trailers are of no interest
    return b"".join(chunks)


def _read_whole(stream: BinaryIO, length: int) -> bytes:
    """Read a body; one that is cut off, as by a client that was killed, is no request."""
    body = stream.read(length)
    if len(body) < length:
        raise MalformedRequest
    return body


def _chunk_size(stream: BinaryIO) -> int:
    try:
        return int(stream.readline(LONGEST_LINE_BYTES).split(b";")[0], 16)
    except ValueError:
        raise MalformedRequest from None
