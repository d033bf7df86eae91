"""A running sandbox of a system that pushes: its customers, its postman, its door for callbacks.

    with SandboxPush("http://127.0.0.1:9110", api_key=KEY, customers=200) as crm:
        crm.control.push()

Its promise: leaving the `with` block leaves no thread and no socket behind.
"""

import threading
from typing import Self

import orjson

from services.sandbox.faults import FaultPlan
from services.sandbox.push.control import Control, control_table
from services.sandbox.push.postman import Postman
from services.sandbox.push.signature import is_genuine
from services.sandbox.push.system import System
from services.sandbox.remote import CONTROL_PREFIX, RemoteControl
from services.sandbox.running import RunningSandbox
from services.sandbox.wire import HTML_TYPE, Request, Response, Server

CALLBACK_PATH = "/patron"
CALLBACK_SECRET = "sandbox-callback-secret-0000000000"  # noqa: S105 - no secret at all
API_KEY = "sandbox-api-key-000000000000000000000"


class SandboxPush(RunningSandbox):
    """A marketing system that exists as long as its `with` block, or until `close`."""

    def __init__(
        self,
        target: str,
        customers: int = 100,
        seed: int = 7,
        *,
        api_key: str = API_KEY,
        signing_key: str = "",
        channel: str = "crm",
        callback_secret: str = CALLBACK_SECRET,
        awkward: bool = True,
        speaks_own_shape: bool = False,
        pushes_at_start: bool = False,
        host: str = "127.0.0.1",
        port: int = 0,
    ) -> None:
        self._system = System(customers, seed, awkward=awkward)
        self._postman = Postman(target, api_key, signing_key, channel)
        self._secret = callback_secret
        self._faults = FaultPlan(unavailable=_unavailable, server_error=lambda: Response(500, b""))
        self.control = Control(
            self._system, self._postman, self._faults, speaks_own_shape=speaks_own_shape
        )
        self._remote = RemoteControl(control_table(self.control))
        self._server = Server(self._handle, host, port)
        self._pusher = threading.Thread(target=self.control.push, name="pusher", daemon=True)
        self._pushes_at_start = pushes_at_start

    @property
    def callback_url(self) -> str:
        """Where it wants to be told customer numbers."""
        return f"{self.url}{CALLBACK_PATH}"

    def start(self) -> Self:
        """Begin to serve, and to push if that was asked for."""
        super().start()
        if self._pushes_at_start:
            self._pusher.start()
        return self

    def close(self) -> None:
        """Stop pushing and serving."""
        self._postman.closed.set()
        if self._pusher.is_alive():
            self._pusher.join(30)
        super().close()

    def _handle(self, request: Request) -> Response:
        if request.path.startswith(CONTROL_PREFIX):
            return self._remote.answer(request)
        return self._faults.answer(request, self._hear)

    def _hear(self, request: Request) -> Response:
        if (request.method, request.path) != ("POST", CALLBACK_PATH):
            return Response(404, b"{}")
        if not is_genuine(self._secret, request.raw_path, request.headers, request.body):
            self._system.doubt()
            return Response(401, b"{}")
        self._system.hear(orjson.loads(request.body), request.headers.get("patron-delivery", ""))
        return Response(204, b"")


def _unavailable() -> Response:
    return Response(503, b"<h1>One moment, please ...</h1>", HTML_TYPE)
