"""Faults on demand: what goes wrong with the next requests, and how.

A fault either replaces the answer (the request has no effect) or spoils its delivery (the effect
stands, the client does not learn of it). Its promise: a fault strikes exactly as often as asked,
and only the requests it names.
"""

import re
import threading
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from enum import StrEnum

from services.sandbox.wire import HTML_TYPE, Delivery, Request, Response


class FaultKind(StrEnum):
    """What can go wrong.

    Without effect: too_many_requests, server_error, unavailable (503 as HTML), html (with 200),
    status (any), held (no answer until released), reset. With effect: truncated (shorter than its
    Content-Length), slow, lost (connection closed without an answer), stalled (no answer until
    released). repeated_page answers a search with the page before.
    """

    TOO_MANY_REQUESTS = "too_many_requests"
    SERVER_ERROR = "server_error"
    UNAVAILABLE = "unavailable"
    HTML = "html"
    TRUNCATED = "truncated"
    HELD = "held"
    SLOW = "slow"
    RESET = "reset"
    LOST = "lost"
    STALLED = "stalled"
    REPEATED_PAGE = "repeated_page"
    STATUS = "status"


_SPOILS_DELIVERY = {
    FaultKind.TRUNCATED: Delivery.TRUNCATED,
    FaultKind.SLOW: Delivery.SLOW,
    FaultKind.LOST: Delivery.DROPPED,
    FaultKind.STALLED: Delivery.HELD,
}
_TOO_MANY = b'{"message":"Too Many Requests"}'
_HTML_PAGE = b"<!doctype html><html><body><h1>One moment, please ...</h1></body></html>"


@dataclass(frozen=True, slots=True)
class Fault:
    """One order: after `skip` matching requests, spoil the next `times` of them.

    `path` and `containing` are searched for, in the target and in the body: one door may serve
    many purposes. `retry_after` are the seconds, or the date, that a refusal sends the caller away.
    """

    kind: FaultKind
    times: int = 1
    path: str = ""
    method: str = ""
    containing: str = ""
    skip: int = 0
    retry_after: str = ""
    status: int = 500
    body: str = '{"message":"Sandbox fault."}'
    bytes_per_second: float = 1.0

    def matches(self, request: Request) -> bool:
        """Whether this fault is meant for `request`; the path is searched, not anchored."""
        return (
            (not self.method or self.method == request.method)
            and (not self.path or re.search(self.path, request.target) is not None)
            and (
                not self.containing or re.search(self.containing.encode(), request.body) is not None
            )
        )


def told_to_wait(response: Response, retry_after: str) -> Response:
    """Return `response` with this `Retry-After`; as it is where none is given."""
    if not retry_after:
        return response
    others = tuple(header for header in response.headers if header[0] != "Retry-After")
    return replace(response, headers=(*others, ("Retry-After", retry_after)))


def _is_search(request: Request) -> bool:
    return request.path.endswith("/search")


def _too_many(fault: Fault) -> Response:
    return told_to_wait(Response(429, _TOO_MANY), fault.retry_after)


@dataclass
class FaultPlan:
    """The faults still to come, and what is being held back.

    How a platform words its own refusals, and which answers are pages, is for its sandbox to say.
    """

    unavailable: Callable[[], Response]
    server_error: Callable[[], Response]
    too_many_requests: Callable[[Fault], Response] = _too_many
    is_page: Callable[[Request], bool] = _is_search
    released: threading.Event = field(default_factory=threading.Event)

    def __post_init__(self) -> None:
        self._lock = threading.Condition()
        self._waiting: list[Fault] = []
        self._last_page: dict[str, Response] = {}
        self.struck = 0

    def order(self, fault: Fault) -> None:
        """Add a fault to the plan."""
        with self._lock:
            if self.released.is_set():
                self.released = threading.Event()
            self._waiting.append(fault)

    def clear(self) -> None:
        """Forget what is planned and let go of what is held."""
        with self._lock:
            self._waiting.clear()
        self.release()

    def release(self) -> None:
        """Let go of held and slow connections: the held ones close, the slow ones finish."""
        self.released.set()

    def wait_until_struck(self, times: int, timeout_seconds: float) -> bool:
        """Wait until faults have struck `times` in all; say whether they did."""
        with self._lock:
            return self._lock.wait_for(lambda: self.struck >= times, timeout_seconds)

    def waiting(self) -> list[Fault]:
        """Return the faults still to come."""
        with self._lock:
            return list(self._waiting)

    def answer(self, request: Request, handle: Callable[[Request], Response]) -> Response:
        """Answer by `handle`, unless a fault is due."""
        fault = self._due(request)
        if fault is None:
            response = handle(request)
            self._remember(request, response)
            return response
        if fault.kind in _SPOILS_DELIVERY:
            return replace(
                handle(request),
                delivery=_SPOILS_DELIVERY[fault.kind],
                released=self.released,
                bytes_per_second=fault.bytes_per_second,
            )
        if fault.kind is FaultKind.REPEATED_PAGE:
            return self._last_page.get(request.path) or handle(request)
        return self._instead(fault)

    def _instead(self, fault: Fault) -> Response:
        kind = fault.kind
        if kind is FaultKind.UNAVAILABLE:
            return told_to_wait(self.unavailable(), fault.retry_after)
        if kind is FaultKind.SERVER_ERROR:
            return self.server_error()
        if kind is FaultKind.TOO_MANY_REQUESTS:
            return self.too_many_requests(fault)
        replacements = {
            FaultKind.STATUS: told_to_wait(
                Response(fault.status, fault.body.encode()), fault.retry_after
            ),
            FaultKind.HTML: Response(200, _HTML_PAGE, HTML_TYPE),
            FaultKind.HELD: Response(504, b"", delivery=Delivery.HELD, released=self.released),
            FaultKind.RESET: Response(500, b"", delivery=Delivery.RESET),
        }
        return replacements[kind]

    def _due(self, request: Request) -> Fault | None:
        if not self._waiting:
            return None
        with self._lock:
            for place, fault in enumerate(self._waiting):
                if not fault.matches(request):
                    continue
                if fault.skip:
                    self._waiting[place] = replace(fault, skip=fault.skip - 1)
                    continue
                self.struck += 1
                self._lock.notify_all()
                self._waiting[place] = replace(fault, times=fault.times - 1)
                if fault.times <= 1:
                    del self._waiting[place]
                return fault
        return None

    def _remember(self, request: Request, response: Response) -> None:
        if request.method == "GET" and self.is_page(request):
            self._last_page[request.path] = response
