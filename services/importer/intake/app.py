"""The intake as an ASGI application: routes, and every failure as a problem.

    POST /v1/webhooks/{channel}       a shop says that customers have changed
    POST /v1/customers                a system pushes customers
    GET  /v1/customers/{reference}    how far a customer, or a request, has come
    GET  /v1/openapi.json             all that in OpenAPI
    GET  /readyz                      for a load balancer: whether anything can be recorded now

Its promise: an answer of 2xx is given once everything is committed; nothing of a body, and no key,
is ever logged.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Annotated, Any, Final

import structlog
from fastapi import FastAPI, Path, Request
from fastapi.responses import JSONResponse, PlainTextResponse
from pydantic import BaseModel
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from services.importer.intake import openapi
from services.importer.intake.answers import receipt_said, status_said
from services.importer.intake.body import parsed, read_body
from services.importer.intake.contract import CustomerSaid, HookReceipt, PushReceipt, RequestStatus
from services.importer.intake.hooks import Hooks
from services.importer.intake.keyring import Caller, Keyring
from services.importer.intake.problems import (
    Problem,
    failed,
    not_found,
    unauthorized,
    unavailable,
)
from services.importer.intake.pushing import Push, Pushes
from services.importer.intake.reading import Door, read_customers
from shared.connectors.push.signing import Signed
from shared.domain.errors import PatronError, TransientError
from shared.messaging.properties import traceparent
from shared.observability.health import Check
from shared.observability.metrics import Metrics
from shared.observability.tracing import NO_TRACING, Tracer
from shared.persistence.unit_of_work import UnitsOfWork

_LONGEST_KEY: Final = 255
_NO_CHANNEL: Final = "-"
_log = structlog.get_logger()


def _is_ready() -> None:
    """Find nothing wrong."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True)
class Intake:
    """What the routes work with. `doors` are the channels that are pushed to, by name.

    `readiness` says why nothing could be recorded now; its words are for ourselves alone.
    """

    hooks: Hooks
    pushes: Pushes
    keyring: Keyring
    doors: Mapping[str, Door]
    units: UnitsOfWork
    metrics: Metrics
    max_body_bytes: int
    request_seconds: float
    tracer: Tracer = NO_TRACING
    clock: Callable[[], datetime] = field(default=_utc_now)
    readiness: Check = _is_ready

    async def hook(self, request: Request, channel: str) -> JSONResponse:
        """Take a webhook in."""
        if not self.hooks.has(channel):
            raise not_found("no such channel takes webhooks")
        request.state.channel = channel
        body = await read_body(request, self.max_body_bytes, self.request_seconds)
        is_news = await run_in_threadpool(self._hook, request, channel, body)
        request.state.outcome = "accepted" if is_news else "duplicate"
        return _json(HookReceipt(outcome=request.state.outcome), 200)

    async def push(self, request: Request) -> JSONResponse:
        """Take pushed customers in."""
        caller = self.keyring.by_api_key(request.headers)
        if caller is None and not self.keyring.is_signed(request.headers):
            raise unauthorized()
        body = await read_body(request, self.max_body_bytes, self.request_seconds)
        caller = caller or self._signer(request, body)
        request.state.channel = caller.channel
        receipt = await run_in_threadpool(self._push, request, caller, body)
        request.state.outcome = receipt[1]
        return _json(receipt[0], 202, {"Location": receipt[0].status_url})

    async def status(self, request: Request, reference: str) -> JSONResponse:
        """Tell how far a customer or a request has come."""
        caller = self.keyring.by_api_key(request.headers) or self._signer(request, b"")
        request.state.channel = caller.channel
        said = await run_in_threadpool(self._status, caller.channel, reference)
        request.state.outcome = "told"
        return _json(said, 200)

    def _hook(self, request: Request, channel: str, body: bytes) -> bool:
        # A stranger's word on how his traces are kept is not heard: whose it is shows in there.
        with self.tracer.within(f"webhook {channel}", "server", attributes=_attributes(channel)):
            return self.hooks.take(channel, dict(request.headers), body)

    def _signer(self, request: Request, body: bytes) -> Caller:
        raw_path: bytes = request.scope["raw_path"]
        signed = Signed(request.method, raw_path.decode("ascii", "replace"), body)
        return self.keyring.by_signature(request.headers, signed, self.clock())

    def _push(self, request: Request, caller: Caller, body: bytes) -> tuple[PushReceipt, str]:
        door = self.doors[caller.channel]
        given = read_customers(parsed(body, request.headers.get("content-type")), door)
        key = _idempotency_key(request.headers.get("idempotency-key"))
        name, parent = f"push {caller.channel}", traceparent(request.headers.get("traceparent"))
        attributes = {**_attributes(caller.channel), "patron.records": len(given)}
        with self.tracer.within(name, "server", parent=parent, attributes=attributes):
            receipt = self.pushes.take(Push(door, given, body, key, caller.signature))
        said = receipt_said(receipt)
        outcome = "duplicate" if receipt.is_repeated else "accepted"
        _log.info(
            "intake.pushed",
            channel=caller.channel,
            request_id=str(receipt.request_id),
            outcome=outcome,
            customers=len(said.customers),
            refused=sum(item.outcome == "refused" for item in said.customers),
            parked=sum(item.outcome == "parked" for item in said.customers),
        )
        return said, outcome

    def _status(self, channel: str, reference: str) -> RequestStatus | CustomerSaid:
        if "\0" in reference:
            raise not_found()
        with self.units.read() as work:
            return status_said(work, channel, reference)


def create_app(intake: Intake) -> FastAPI:
    """Return the application around `intake`."""
    app = FastAPI(
        title="Patron intake",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        redirect_slashes=False,
    )
    _add_routes(app, intake)
    app.add_exception_handler(Problem, _tell_problem)
    app.add_exception_handler(HTTPException, _tell_http)
    app.middleware("http")(_counting(intake.metrics))
    return app


def _add_routes(app: FastAPI, intake: Intake) -> None:
    @app.post("/v1/webhooks/{channel}", **openapi.HOOK)
    async def take_webhook(
        request: Request, channel: Annotated[str, Path(description="The channel's name.")]
    ) -> JSONResponse:
        return await intake.hook(request, channel)

    @app.post("/v1/customers", **openapi.PUSH)
    async def push_customers(request: Request) -> JSONResponse:
        return await intake.push(request)

    @app.get("/v1/customers/{reference:path}", **openapi.STATUS)
    async def get_status(
        request: Request,
        reference: Annotated[str, Path(description="Your id of a customer, or a request's id.")],
    ) -> JSONResponse:
        return await intake.status(request, reference)

    @app.get("/v1/openapi.json", include_in_schema=False)
    async def get_openapi() -> JSONResponse:
        return JSONResponse(openapi.document(app))

    @app.get("/readyz", include_in_schema=False)
    async def get_readiness() -> PlainTextResponse:
        problem = await run_in_threadpool(intake.readiness)
        text, status = ("not ready\n", 503) if problem else ("ok\n", 200)
        return PlainTextResponse(text, status, {"Cache-Control": "no-store"})


def _counting(
    metrics: Metrics,
) -> Callable[[Request, Callable[[Request], Awaitable[Any]]], Awaitable[Any]]:
    """Return what counts every request, and turns what nobody foresaw into a problem."""

    async def count(request: Request, call_next: Callable[[Request], Awaitable[Any]]) -> Any:
        request.state.channel, request.state.outcome = _NO_CHANNEL, ""
        try:
            response = await call_next(request)
        except TransientError as error:
            _log.warning("intake.unavailable", reason=error.reason, error=str(error))
            response = unavailable().response()
        except PatronError as error:
            _log.error("intake.failed", reason=error.reason, error=str(error))
            response = unavailable(60).response()
        except Exception:  # noqa: BLE001 - told, and answered
            _log.exception("intake.failed")
            response = failed().response()
        outcome = request.state.outcome or _OUTCOMES.get(response.status_code, "other")
        if request.url.path.startswith(_COUNTED):
            kind = "webhook" if "/webhooks/" in request.url.path else "push"
            metrics.intake.labels(request.state.channel, kind, outcome).inc()
        return response

    return count


_COUNTED: Final = ("/v1/webhooks/", "/v1/customers")
_OUTCOMES: Final = {
    400: "malformed", 401: "unauthorized", 404: "not_found", 408: "too_slow", 413: "too_large",
    415: "malformed", 422: "refused", 500: "failed", 503: "unavailable",
}  # fmt: skip


def _attributes(channel: str) -> dict[str, str | int]:
    return {"patron.channel": channel, "http.request.method": "POST"}


def _idempotency_key(key: str | None) -> str | None:
    if key is None:
        return None
    if not (0 < len(key) <= _LONGEST_KEY and key.isascii() and key.isprintable()):
        detail = f"Idempotency-Key should be 1 to {_LONGEST_KEY} visible ASCII characters"
        raise Problem(400, "bad-key", detail)
    return key


def _json(said: BaseModel, status: int, headers: Mapping[str, str] | None = None) -> JSONResponse:
    content = said.model_dump(mode="json", exclude_none=True)
    return JSONResponse(content, status, {"Cache-Control": "no-store", **(headers or {})})


def _tell_problem(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, Problem)  # noqa: S101 - registered for it
    return error.response()


def _tell_http(_request: Request, error: Exception) -> JSONResponse:
    assert isinstance(error, HTTPException)  # noqa: S101 - registered for it
    if error.status_code == 404:  # noqa: PLR2004 - HTTP's own
        return not_found().response()
    headers = dict(error.headers or {})
    return Problem(error.status_code, "refused", str(error.detail), headers=headers).response()
