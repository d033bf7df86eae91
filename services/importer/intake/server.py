"""Serves the intake from a loop of the importer, and drains it when the importer ends.

uvicorn, in the loop's own thread. Its promise: what has been read whole is answered before the
loop ends; nobody holds a connection without saying anything, or by saying it slowly.
"""

import asyncio
import logging
import socket
import threading
from asyncio import FIRST_COMPLETED
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

import structlog
import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol, RequestResponseCycle

from shared.runtime.loops import Beat

_HEAD_SECONDS: Final = 10.0
_LARGEST_HEAD_BYTES: Final = 32 * 1024
_KEEP_ALIVE_SECONDS: Final = 15
_BEAT_SECONDS: Final = 1.0
_log = structlog.get_logger()


class IntakeServer:
    """Listens from when it is made; answers while it runs."""

    def __init__(
        self,
        app: Any,
        host: str,
        port: int,
        *,
        connections: int = 200,
        drain_seconds: int = 20,
    ) -> None:
        self.name = "intake"
        self._socket = socket.create_server(
            (host, port), family=_family(host), backlog=128, reuse_port=False
        )
        self._app = app
        self._connections = connections
        self._drain_seconds = drain_seconds
        self._stopped = threading.Event()
        self._wake: Callable[[], None] = lambda: None
        self._server: uvicorn.Server | None = None

    @property
    def port(self) -> int:
        """The port that is listened on; of use when 0 was asked for."""
        return int(self._socket.getsockname()[1])

    def readiness(self) -> str | None:
        """Say whether nobody is answered. A health check."""
        server = self._server
        is_answering = server is not None and server.started and not server.should_exit
        return None if is_answering else "the intake does not answer"

    def run(self, beat: Beat) -> None:
        """Answer until stopped."""
        # Its own lines have texts of clients in them; what matters is told by us.
        logging.getLogger("uvicorn").setLevel(logging.CRITICAL)
        _log.info("intake.listening", port=self.port)
        asyncio.run(self._serve(beat))

    def stop(self) -> None:
        """Take no more requests, and end when those in hand are answered."""
        self._stopped.set()
        self._wake()

    def close(self) -> None:
        """Free the port."""
        self._socket.close()

    async def _serve(self, beat: Beat) -> None:
        server, woken = uvicorn.Server(self._config()), asyncio.Event()
        self._server = server
        loop = asyncio.get_running_loop()

        def wake() -> None:
            with suppress(RuntimeError):  # the loop has ended meanwhile
                loop.call_soon_threadsafe(woken.set)

        self._wake = wake
        serving = asyncio.create_task(server.serve(sockets=[self._socket]))
        told = asyncio.create_task(woken.wait())
        while not (serving.done() or self._stopped.is_set()):
            beat()
            await asyncio.wait([serving, told], timeout=_BEAT_SECONDS, return_when=FIRST_COMPLETED)
        server.should_exit = True
        await serving
        told.cancel()

    def _config(self) -> uvicorn.Config:
        return uvicorn.Config(
            self._app,
            http=HurriedProtocol,
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            limit_concurrency=self._connections,
            timeout_keep_alive=_KEEP_ALIVE_SECONDS,
            timeout_graceful_shutdown=self._drain_seconds,
            h11_max_incomplete_event_size=_LARGEST_HEAD_BYTES,
        )


class HurriedProtocol(H11Protocol):
    """Closes a connection whose request's head does not come in time.

    uvicorn waits for the first byte, and for the last of a head, as long as a client likes.
    """

    _head_due: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin to wait for a head."""
        super().connection_made(transport)
        self._hurry()

    def data_received(self, data: bytes) -> None:
        """Stop waiting once there is a request; begin again where there is none."""
        super().data_received(data)
        if self._is_answering():
            self._relax()
        elif self._head_due is None:
            self._hurry()

    def connection_lost(self, exc: Exception | None) -> None:
        """Wait for nothing any more."""
        self._relax()
        super().connection_lost(exc)

    def _hurry(self) -> None:
        self._head_due = self.loop.call_later(_HEAD_SECONDS, self._give_up)

    def _relax(self) -> None:
        if self._head_due is not None:
            self._head_due.cancel()
            self._head_due = None

    def _give_up(self) -> None:
        self._head_due = None
        if not self._is_answering():
            self.transport.close()

    def _is_answering(self) -> bool:
        cycle: RequestResponseCycle | None = self.cycle
        return cycle is not None and not cycle.response_complete


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET
