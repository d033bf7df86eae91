"""A sandbox's control over HTTP, under `/_sandbox/`; no part of any platform.

For demos and for tests in other processes. Its promise: it does what its table says, nothing
more; a mistake in the call is a 400 that says so.
"""

import re
from collections.abc import Callable, Iterable
from typing import Any

import orjson

from services.sandbox.wire import Request, Response

CONTROL_PREFIX = "/_sandbox/"

Body = dict[str, Any]
Parts = tuple[str, ...]
Answer = Callable[[Body, Parts], Any]


class RemoteControl:
    """Maps method and path to what a sandbox's `Control` does."""

    def __init__(
        self, table: Iterable[tuple[str, str, Answer]], refusal: type[Exception] = LookupError
    ) -> None:
        self._refusal = refusal
        self._routes = [
            (method, re.compile(re.sub(r"\{\w+\}", r"([^/]+)", path)), answer)
            for method, path, answer in table
        ]

    def answer(self, request: Request) -> Response:
        """Carry out one control call."""
        path = request.path.removeprefix(CONTROL_PREFIX).rstrip("/")
        for method, pattern, answer in self._routes:
            if method == request.method and (hit := pattern.fullmatch(path)):
                return self._carry_out(answer, request, hit.groups())
        return _said(404, {"message": "No such control call."})

    def _carry_out(self, answer: Answer, request: Request, parts: Parts) -> Response:
        try:
            body = orjson.loads(request.body) if request.body else {}
            result = answer(body, parts)
        except (self._refusal, AttributeError, KeyError, TypeError, ValueError) as error:
            return _refused(error)
        return _said(200, {} if result is None else result)


def _refused(error: Exception) -> Response:
    own_words = getattr(error, "response", None)
    if own_words is None:
        return _said(400, {"message": f"{type(error).__name__}: {error}"})
    answer: Response = own_words()
    return answer


def _said(status: int, body: Any) -> Response:
    return Response(status, orjson.dumps(body))
