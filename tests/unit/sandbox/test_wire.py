"""The server: HTTP/1.1 on a real socket, and nothing left behind."""

import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

import httpx2
import pytest

from services.sandbox.magento import SandboxMagento
from services.sandbox.wire import Request, Response, Server


@contextmanager
def echoing() -> Iterator[Server]:
    """Serve the body of each request back."""

    def echo(request: Request) -> Response:
        return Response(200, request.method.encode() + b" " + request.path.encode() + request.body)

    server = Server(echo)
    server.start()
    try:
        yield server
    finally:
        server.close()


def test_one_connection_serves_many_requests() -> None:
    """Keep-alive by default, closed on request."""
    with echoing() as server, socket.create_connection(("127.0.0.1", server.port)) as line:
        stream = line.makefile("rb")
        line.sendall(
            b"GET /a HTTP/1.1\r\nHost: x\r\n\r\nGET /b HTTP/1.1\r\nConnection: close\r\n\r\n"
        )
        everything = stream.read()
        stream.close()

    assert everything.count(b"200 OK") == 2
    assert everything.endswith(b"GET /b")


def test_a_body_may_come_in_chunks() -> None:
    """A client that streams its body is understood."""
    with echoing() as server:
        answer = httpx2.post(f"{server.url}/c%20d", content=iter([b"one", b"two"]))

    assert answer.content == b"POST /c donetwo"


def test_whoever_waits_for_permission_to_send_gets_it() -> None:
    """`Expect: 100-continue` is answered before the body."""
    with echoing() as server, socket.create_connection(("127.0.0.1", server.port)) as line:
        line.sendall(
            b"PUT /e HTTP/1.1\r\nExpect: 100-continue\r\nContent-Length: 2\r\n"
            b"Connection: close\r\n\r\n"
        )
        stream = line.makefile("rb")
        first = stream.readline()
        line.sendall(b"ok")
        rest = stream.read()
        stream.close()

    assert first == b"HTTP/1.1 100 Continue\r\n"
    assert rest.endswith(b"PUT /eok")


@pytest.mark.parametrize(
    "noise",
    [
        b"nonsense\r\n\r\n",
        b"GET / HTTP/1.1\r\nno colon\r\n\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: many\r\n\r\n",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
        b"PUT / HTTP/1.1\r\nContent-Length: 9\r\n\r\ncut off",
        b"PUT / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n9\r\ncut off",
    ],
)
def test_noise_is_a_bad_request(noise: bytes) -> None:
    """The connection is answered and ends; the server goes on. Nobody is given half a request."""
    with echoing() as server:
        with socket.create_connection(("127.0.0.1", server.port)) as line:
            line.sendall(noise)
            line.shutdown(socket.SHUT_WR)
            stream = line.makefile("rb")
            answer = stream.read()
            stream.close()
        after = httpx2.get(f"{server.url}/f")

    assert answer.startswith(b"HTTP/1.1 400 Bad Request")
    assert after.status_code == 200


def test_leaving_a_shop_leaves_no_thread_behind() -> None:
    """Idle connections are cut, held ones let go, and the port is free again."""
    before = set(threading.enumerate())
    with SandboxMagento(customers=5) as shop:
        port = shop.port
        idle = socket.create_connection(("127.0.0.1", port))
        shop.control.fail_next("held")
        held = socket.create_connection(("127.0.0.1", port))
        held.sendall(b"GET /rest/V1/customers/1 HTTP/1.1\r\nHost: x\r\n\r\n")
        assert shop.control.wait_for_fault()
    idle.close()
    held.close()

    left = set(threading.enumerate()) - before
    for thread in left:
        thread.join(10)
    assert [thread.name for thread in left if thread.is_alive()] == []
    with SandboxMagento(customers=5, port=port) as again:
        assert again.port == port


def test_many_threads_see_one_shop(shop: SandboxMagento, client: httpx2.Client) -> None:
    """Parallel writes to one customer and registrations with one e-mail stay consistent."""

    def rename(number: int) -> int:
        body = {"customer": {"middlename": f"M{number}"}}
        return client.put("/rest/V1/customers/5", json=body).status_code

    def register(_: int) -> int:
        body = {"customer": {"email": "race@example.com", "firstname": "A", "lastname": "B"}}
        return client.post("/rest/V1/customers", json=body).status_code

    with ThreadPoolExecutor(8) as pool:
        renamed = list(pool.map(rename, range(40)))
        registered = list(pool.map(register, range(20)))

    assert set(renamed) == {200}
    assert sorted(registered) == [200] + [400] * 19
    assert len(shop.control.writes(5)) == 40
    assert shop.control.customer_count() == 401
