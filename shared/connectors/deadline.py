"""A transport whose every wait on the network ends at the deadline of the call it belongs to.

HTTP libraries bound each read, so a peer that sends one byte a second can hold a worker for
hours. Promise: within `deadline(seconds)` no wait of this transport outlives it, however the
answer trickles in. (Looking a name up is the operating system's wait and is not covered.) Nothing
is said to a private address that a name leads to, unless that is allowed.
"""

import ssl
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from ipaddress import ip_address
from typing import Any

import httpcore2
import httpx2

_ends_at: ContextVar[float | None] = ContextVar("deadline_ends_at", default=None)


@contextmanager
def deadline(seconds: float) -> Iterator[None]:
    """Bound what this thread waits for on a `DeadlineTransport`; an outer deadline still holds."""
    ends_at = time.monotonic() + seconds
    outer = _ends_at.get()
    token = _ends_at.set(ends_at if outer is None else min(ends_at, outer))
    try:
        yield
    finally:
        _ends_at.reset(token)


class PrivateAddress(Exception):
    """A name leads to an address of this machine or of the network that it is in."""


class DeadlineTransport(httpx2.HTTPTransport):
    """A pool of HTTP/1.1 connections that respects `deadline`; follows nothing, keeps no cookie."""

    def __init__(
        self, *, connections: int, tls: ssl.SSLContext, may_reach_private: bool = True
    ) -> None:
        super().__init__(verify=tls)
        self._pool = httpcore2.ConnectionPool(
            ssl_context=tls,
            max_connections=connections,
            max_keepalive_connections=connections,
            keepalive_expiry=30.0,
            network_backend=_Backend(may_reach_private=may_reach_private),
        )


def _left(timeout: float | None, expired: type[httpcore2.TimeoutException]) -> float | None:
    ends_at = _ends_at.get()
    if ends_at is None:
        return timeout
    left = ends_at - time.monotonic()
    if left <= 0:
        raise expired("deadline")
    return left if timeout is None else min(timeout, left)


class _Stream(httpcore2.NetworkStream):
    def __init__(self, stream: httpcore2.NetworkStream) -> None:
        self._stream = stream

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._stream.read(max_bytes, _left(timeout, httpcore2.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, _left(timeout, httpcore2.WriteTimeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left))

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore2.NetworkBackend):
    def __init__(self, *, may_reach_private: bool) -> None:
        self._backend = httpcore2.SyncBackend()
        self._may_reach_private = may_reach_private

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[httpcore2.SOCKET_OPTION] | None = None,
    ) -> httpcore2.NetworkStream:
        left = _left(timeout, httpcore2.ConnectTimeout)
        stream = self._backend.connect_tcp(host, port, left, local_address, socket_options)
        # Looked at once it is connected, so that a name cannot be answered twice in two ways.
        if not (self._may_reach_private or _is_written_down(host) or _is_public(stream)):
            stream.close()
            raise PrivateAddress
        return _Stream(stream)


def _is_written_down(host: str) -> bool:
    """Whether whoever configured the host meant this address and no other."""
    try:
        ip_address(host)
    except ValueError:
        return host == "localhost"
    return True


def _is_public(stream: httpcore2.NetworkStream) -> bool:
    address = stream.get_extra_info("server_addr")[0]
    return ip_address(address.partition("%")[0]).is_global
