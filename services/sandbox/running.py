"""What every running sandbox is: a socket that exists as long as a `with` block.

Its promise: leaving the block leaves no thread and no socket behind.
"""

from types import TracebackType
from typing import Self

from services.sandbox.faults import FaultPlan
from services.sandbox.wire import Server


class RunningSandbox:
    """Serves from `start` to `close`. A platform's sandbox builds the server and its faults."""

    _server: Server
    _faults: FaultPlan

    @property
    def url(self) -> str:
        """Where it listens: scheme, host and port."""
        return self._server.url

    @property
    def port(self) -> int:
        """The port it listens on."""
        return self._server.port

    def start(self) -> Self:
        """Begin to serve."""
        self._server.start()
        return self

    def close(self) -> None:
        """Stop serving and cut every connection."""
        self._faults.clear()
        self._server.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()
