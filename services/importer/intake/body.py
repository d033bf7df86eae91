"""A request's body: read whole within bounds, and then only as plain, strict JSON.

Its promise: no more than the limit is ever held in memory, nobody holds a connection by sending
slowly, and what is deep, ambiguous or no JSON at all is refused before anybody looks into it.
"""

import asyncio
import re
from typing import Any, Final

import orjson
from fastapi import Request
from starlette.requests import ClientDisconnect

from services.importer.intake.problems import Problem, too_large
from shared.domain.errors import Undecodable
from shared.messaging.strict import check_json, check_no_duplicate_keys

DEEPEST: Final = 16


async def read_body(request: Request, limit: int, seconds: float) -> bytes:
    """Return the body. Raises `Problem` for one that is too large or too slow."""
    declared = request.headers.get("content-length", "")
    if declared.isdigit() and int(declared) > limit:
        raise too_large(limit)
    try:
        async with asyncio.timeout(seconds):
            return await _collected(request, limit)
    except TimeoutError:
        closing = {"Connection": "close"}
        raise Problem(408, "too-slow", "the body did not come in time", headers=closing) from None
    except ClientDisconnect:
        raise Problem(400, "broken-off", "the body broke off") from None


def parsed(body: bytes, content_type: str | None) -> Any:
    """Return what the body says. Raises `Problem`."""
    media_type = (content_type or "").partition(";")[0].strip().lower()
    if media_type != "application/json" and not media_type.endswith("+json"):
        raise Problem(415, "not-json", "send application/json")
    if _nests_deeper(body, DEEPEST):
        raise Problem(400, "too-deep", f"objects and lists may be nested {DEEPEST} deep")
    try:
        check_json(body)
        check_no_duplicate_keys(body)
    except Undecodable as error:
        raise Problem(400, "not-json", f"the body cannot be read: {error}") from None
    return orjson.loads(body)


async def _collected(request: Request, limit: int) -> bytes:
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > limit:
            raise too_large(limit)
    return bytes(body)


def _nests_deeper(body: bytes, deepest: int) -> bool:
    """Whether brackets stand deeper than that; found without building what is in them."""
    depth = 0
    for bracket in _STRING.sub(b"", body).translate(None, _NO_BRACKETS):
        depth += 1 if bracket in b"[{" else -1
        if depth > deepest:
            return True
    return False


# Possessive, so that a string without an end costs no more than one with it.
_STRING: Final = re.compile(rb'"(?:[^"\\]++|\\.)*+"?', re.DOTALL)
_NO_BRACKETS: Final = bytes(set(range(256)) - set(b"[]{}"))
