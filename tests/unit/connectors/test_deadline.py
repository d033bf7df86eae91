"""The deadline of a call, against servers that trickle, on real sockets."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from shared.connectors.calls import Limits
from shared.connectors.http import HttpClient
from shared.domain.errors import RemoteUnavailable, UnreadableAnswer

LIMITS = Limits(total_seconds=0.4, attempts=1)
HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n"
Serve = Callable[[socket.socket, threading.Event], None]


@contextmanager
def server(serve: Serve) -> Iterator[str]:
    """Run a server for one connection; yields its address."""
    done = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def run() -> None:
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                serve(connection, done)

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            done.set()
            thread.join()


def trickle(prefix: bytes) -> Serve:
    """Send `prefix` at once and then a byte every 20 ms, for as long as the test runs."""

    def serve(connection: socket.socket, done: threading.Event) -> None:
        connection.sendall(prefix)
        while not done.wait(0.02):
            try:
                connection.sendall(b"x")
            except OSError:
                return

    return serve


def soonest(serve: Serve) -> float:
    """Return how long a call that must fail took: the machine may stand still, not each time."""
    seconds = []
    for _ in range(3):
        with server(serve) as url:
            seconds.append(call(url))
    return min(seconds)


def call(url: str) -> float:
    """Make a call that must fail; return how long that took."""
    client = HttpClient(platform="magento", channel="shop-de", limits=LIMITS)
    started = time.monotonic()
    try:
        with pytest.raises(RemoteUnavailable):
            client.request("GET", url, headers=dict)
        return time.monotonic() - started
    finally:
        client.close()


@pytest.mark.parametrize(
    "serve",
    [trickle(b""), trickle(b"HTTP/1.1 200 OK\r\nX-Slow: "), trickle(HEAD)],
    ids=["before the status", "in a header", "in the body"],
)
def test_a_trickling_answer_ends_at_the_deadline(serve: Serve) -> None:
    """However lively each read is, the call is over in time (fault 38)."""
    assert soonest(serve) == pytest.approx(0.4, abs=0.3)


def test_a_silent_server_ends_at_the_deadline() -> None:
    """No answer at all is the same."""

    def serve(_connection: socket.socket, done: threading.Event) -> None:
        done.wait(10)

    assert soonest(serve) == pytest.approx(0.4, abs=0.3)


def test_a_connection_is_used_again() -> None:
    """Two requests travel on one connection."""
    ports: list[int] = []

    def serve(connection: socket.socket, _done: threading.Event) -> None:
        answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\n{}"
        ports.append(connection.getpeername()[1])
        connection.sendall(answer)
        connection.recv(65_536)
        connection.sendall(answer)

    with server(serve) as url:
        client = HttpClient(platform="magento", channel="shop-de", limits=LIMITS)
        answers = [client.request("GET", url, headers=dict).json() for _ in range(2)]
        client.close()

    assert answers == [{}, {}]
    assert len(ports) == 1


def test_a_truncated_body_is_unreadable() -> None:
    """A body shorter than announced is rejected whole."""

    def serve(connection: socket.socket, _done: threading.Event) -> None:
        connection.sendall(HEAD + b'{"items": []}')

    client = HttpClient(platform="magento", channel="shop-de", limits=LIMITS)
    with server(serve) as url, pytest.raises(UnreadableAnswer, match="truncated"):
        client.request("GET", url, headers=dict)
    client.close()


def test_nobody_listening_is_unavailable() -> None:
    """A refused connection names the host and the reason."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}/"
    client = HttpClient(platform="magento", channel="shop-de", limits=LIMITS)

    with pytest.raises(RemoteUnavailable, match="refused"):
        client.request("GET", url, headers=dict)

    client.close()
