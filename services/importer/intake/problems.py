"""What is wrong with a request, as RFC 9457 has it: `application/problem+json`.

For whoever calls us. Its promise: a problem names the place and what is allowed there, says what
to do, and never repeats a value.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from fastapi.responses import JSONResponse

PROBLEM_TYPE: Final = "application/problem+json"
_PAGE: Final = "urn:patron:problem:"


@dataclass(eq=False)
class Problem(Exception):
    """One refusal. `kind` is its stable name; `errors` are (JSON pointer, what is allowed)."""

    status: int
    kind: str
    detail: str
    errors: Sequence[tuple[str, str]] = ()
    headers: Mapping[str, str] = field(default_factory=dict)

    def response(self) -> JSONResponse:
        """Return it as an answer."""
        content: dict[str, Any] = {
            "type": f"{_PAGE}{self.kind}",
            "title": HTTPStatus(self.status).phrase,
            "status": self.status,
            "detail": self.detail,
        }
        if self.errors:
            content["errors"] = [{"pointer": p, "detail": d} for p, d in self.errors]
        return JSONResponse(
            content,
            status_code=self.status,
            media_type=PROBLEM_TYPE,
            headers={**self.headers, "Cache-Control": "no-store"},
        )


def unauthorized() -> Problem:
    """Return the one refusal of everybody who is not known, whatever it was that did not fit."""
    return Problem(
        401,
        "unauthorized",
        "send one of the channel's API keys as `Authorization: Bearer KEY`, or sign the request",
        headers={"WWW-Authenticate": "Bearer"},
    )


def not_found(detail: str = "there is nothing here") -> Problem:
    """Return that there is nothing at this place."""
    return Problem(404, "not-found", detail)


def too_large(limit: int) -> Problem:
    """Return that a body is larger than is read."""
    return Problem(413, "too-large", f"the body may have {limit} bytes; send fewer customers")


def unavailable(seconds: int = 5) -> Problem:
    """Return that nothing could be recorded now, and nothing was."""
    return Problem(
        503,
        "unavailable",
        "nothing was taken; send the same request again",
        headers={"Retry-After": str(seconds)},
    )


def failed() -> Problem:
    """Return that a bug of ours is in the way."""
    return Problem(500, "failed", "this is our mistake and was noted; nothing was taken")
