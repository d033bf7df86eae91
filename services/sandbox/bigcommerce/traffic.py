"""Between the door and the resources: the quota, the few PUTs at a time, and the way's length.

Its promise: a request over the limit has no effect, and every answer says how the store stands.
"""

import threading
from collections.abc import Callable
from dataclasses import dataclass, replace

from services.sandbox.bigcommerce.errors import Refusal, server_error
from services.sandbox.bigcommerce.limits import Headers, Slots, Window
from services.sandbox.bigcommerce.quirks import Quirks
from services.sandbox.wire import Request, Response

MOST_PUTS = 3


@dataclass
class Traffic:
    """Lets requests pass, or refuses them."""

    window: Window
    quirks: Callable[[], Quirks]
    latency_seconds: float = 0.0
    tells: bool = True

    def __post_init__(self) -> None:
        self._puts = Slots(MOST_PUTS)
        self._lock = threading.Condition()
        self._hurries = 0
        self.refused = 0

    def pass_on(self, request: Request, handle: Callable[[], Response]) -> Response:
        """Answer by `handle` if the store can take it."""
        standing = self.window.take()
        headers = standing.headers() if self.tells else ()
        if not standing.is_allowed:
            return _with(self._refusal(), headers)
        if request.method != "PUT" or not self.quirks().limits_concurrent_puts:
            return _with(self._travelled(handle), headers)
        if not self._puts.take():
            return _with(self._refusal(), headers)
        try:
            return _with(self._travelled(handle), headers)
        finally:
            self._puts.give_back()

    def hurry(self) -> None:
        """Let every answer that is on its way arrive now."""
        with self._lock:
            self._hurries += 1
            self._lock.notify_all()

    def _travelled(self, handle: Callable[[], Response]) -> Response:
        # Counted from the start, so that a hurry between the effect and the wait is not missed.
        hurries = self._hurries
        response = handle()
        if self.latency_seconds:
            with self._lock:
                self._lock.wait_for(lambda: self._hurries > hurries, self.latency_seconds)
        return response

    def _refusal(self) -> Response:
        with self._lock:
            self.refused += 1
            nth = self.quirks().every_nth_429_is_500
            if nth and self.refused % nth == 0:
                return server_error()
        return Refusal(429).response()


def _with(response: Response, headers: Headers) -> Response:
    return replace(response, headers=(*response.headers, *headers))
