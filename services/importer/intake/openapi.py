"""The OpenAPI document of the intake, made of the same models that its answers are made of."""

from typing import Any, Final

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic.json_schema import models_json_schema

from services.importer.intake.contract import (
    CustomerSaid,
    HookReceipt,
    ProblemSaid,
    PushedBatch,
    PushReceipt,
    RequestStatus,
)
from services.importer.intake.problems import PROBLEM_TYPE
from shared.connectors.push.customer import PushedCustomer

_REF: Final = "#/components/schemas/{model}"
_ABOUT: Final = """\
Where Patron is told of customers: webhooks of shops, and customers that a system pushes.

An answer of 2xx is given once everything is recorded durably. Every refusal is a problem as RFC
9457 has it; it names the place and what is allowed there, and nothing of that request was taken.
"""
_MEANINGS: Final = {
    400: "This is no request that can be read.",
    401: "No key, a wrong key, or a signature that does not hold.",
    404: "There is nothing of that name.",
    408: "The body did not come in time.",
    413: "The body is too large.",
    415: "The body is not JSON.",
    422: "The body is read, and cannot be taken.",
    503: "Nothing can be recorded now; send the same again.",
}
_KEYS: Final[list[dict[str, list[str]]]] = [
    {"apiKey": []},
    {"signature": [], "channel": [], "timestamp": []},
]


def _said(model: type, text: str) -> dict[str, Any]:
    return {"description": text, "model": model}


def _problems(*statuses: int) -> dict[int | str, dict[str, Any]]:
    schema = {"$ref": _REF.format(model=ProblemSaid.__name__)}
    return {
        status: {
            "description": _MEANINGS[status],
            "content": {PROBLEM_TYPE: {"schema": schema}},
        }
        for status in statuses
    }


def _body(*models: type) -> dict[str, Any]:
    refs = [{"$ref": _REF.format(model=model.__name__)} for model in models]
    schema = refs[0] if len(refs) == 1 else {"anyOf": refs}
    return {"required": True, "content": {"application/json": {"schema": schema}}}


_IDEMPOTENCY_KEY: Final = {
    "name": "Idempotency-Key",
    "in": "header",
    "required": False,
    "schema": {"type": "string", "minLength": 1, "maxLength": 255, "pattern": "^[!-~]+$"},
    "description": "One for each request; with the same key and body the answer is the same.",
}

HOOK: Final[dict[str, Any]] = {
    "status_code": 200,
    "summary": "A shop says that customers have changed.",
    "description": "In the form, and with the signature, of the channel's platform. Patron fetches"
    " whom it is about; nothing else of it is used.",
    "responses": {
        200: _said(HookReceipt, "Recorded, or told before."),
        **_problems(401, 404, 408, 413, 422, 503),
    },
    "openapi_extra": {
        "requestBody": {"required": True, "content": {"application/json": {"schema": {}}}}
    },
}
PUSH: Final[dict[str, Any]] = {
    "status_code": 202,
    "summary": "Push a customer, or up to 500.",
    "description": "A channel with a mapping takes its own form of a customer instead.",
    "responses": {
        202: _said(PushReceipt, "Recorded. Of several customers, some may be refused."),
        **_problems(400, 401, 408, 413, 415, 422, 503),
    },
    "openapi_extra": {
        "requestBody": _body(PushedCustomer, PushedBatch),
        "parameters": [_IDEMPOTENCY_KEY],
        "security": _KEYS,
    },
}
STATUS: Final[dict[str, Any]] = {
    "status_code": 200,
    "summary": "How far a customer, or a request, has come.",
    "responses": {
        200: {
            "description": "Of a customer, or of all customers of a request.",
            "model": CustomerSaid | RequestStatus,
        },
        **_problems(401, 404, 503),
    },
    "openapi_extra": {"security": _KEYS},
}


def document(app: FastAPI) -> dict[str, Any]:
    """Return the document, made once."""
    if app.openapi_schema is None:
        made = get_openapi(
            title=app.title, version=app.version, description=_ABOUT, routes=app.routes
        )
        _, bodies = models_json_schema(
            [(PushedCustomer, "validation"), (PushedBatch, "validation"),
             (ProblemSaid, "serialization")],
            ref_template=_REF,
        )  # fmt: skip
        schemas = made.setdefault("components", {}).setdefault("schemas", {})
        schemas.update(bodies["$defs"])
        _drop_what_fastapi_would_say(made["paths"], schemas)
        made["components"]["securitySchemes"] = _SCHEMES
        made["components"]["schemas"] = dict(sorted(schemas.items()))
        app.openapi_schema = made
    return app.openapi_schema


def _drop_what_fastapi_would_say(paths: dict[str, Any], schemas: dict[str, Any]) -> None:
    """Leave out the answers that FastAPI gives by itself; we do not."""
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    for operation in (each for path in paths.values() for each in path.values()):
        if "HTTPValidationError" in str(operation["responses"].get("422")):
            del operation["responses"]["422"]


_SCHEMES: Final = {
    "apiKey": {"type": "http", "scheme": "bearer", "description": "An API key of the channel."},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": "Patron-Signature",
        "description": "`v1=` and the hexadecimal HMAC-SHA256, by a signing key of the channel, of"
        " `{timestamp}.{METHOD}.{path}.{body}`.",
    },
    "channel": {"type": "apiKey", "in": "header", "name": "Patron-Channel"},
    "timestamp": {
        "type": "apiKey",
        "in": "header",
        "name": "Patron-Timestamp",
        "description": "Seconds since 1970, no more than five minutes off.",
    },
}
