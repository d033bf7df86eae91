"""Who may ask: tokens, scopes, and the state of the shop.

Its promise: a bad token is a 401 whose `errors` is a string; a missing scope is a 200 with
ACCESS_DENIED.
"""

import hmac
import threading
from hashlib import sha256
from urllib.parse import parse_qs

import orjson

from services.sandbox.clock import Clock
from services.sandbox.shopify.errors import BAD_TOKEN, FieldError, Refusal, access_denied
from services.sandbox.shopify.shop import Shop
from services.sandbox.wire import Request, Response

CLIENT_ID = "sandboxclientid00000000000000000"
CLIENT_SECRET = "shpss_sandboxclientsecret00000000"  # noqa: S105 - a documented sandbox value
TOKEN = "shpat_sandboxaccesstoken000000000"  # noqa: S105 - a documented sandbox value
TOKEN_SECONDS = 86_399


def demand(shop: Shop, field: str, *, writes: bool = False) -> None:
    """Raise the error of a missing scope unless the app may use a root field."""
    is_company = field.startswith(("compan", "Compan"))
    if is_company and not shop.quirks.sells_to_companies:
        raise FieldError("The shop's plan does not include B2B.", "ACCESS_DENIED")
    verb = "write" if writes else "read"
    enough = [f"{verb}_customers"] + ([f"{verb}_companies"] if is_company else [])
    if not shop.scopes.intersection(enough):
        raise access_denied(field, " or ".join(f"`{each}`" for each in enough))


class Gate:
    """Checks tokens, and hands out those of client credentials."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._issued: dict[str, int] = {}
        self._count = 0
        self.client_secret = CLIENT_SECRET
        self.permanent: str | None = TOKEN

    def check(self, request: Request) -> None:
        """Raise the 401 unless the request carries a valid token."""
        given = request.headers.get("x-shopify-access-token", "")
        if self.permanent and hmac.compare_digest(given, self.permanent):
            return
        with self._lock:
            expires = self._issued.get(given, 0)
        if expires <= self._clock.now():
            raise Refusal(401, BAD_TOKEN)

    def grant(self, request: Request, scopes: frozenset[str]) -> Response:
        """Answer the client credentials grant."""
        given = _form(request)
        if given.get("grant_type") != "client_credentials":
            return _oauth_error(400, "unsupported_grant_type")
        known = hmac.compare_digest(given.get("client_id", ""), CLIENT_ID)
        secret = hmac.compare_digest(given.get("client_secret", ""), self.client_secret)
        if not (known and secret):
            return _oauth_error(401, "invalid_client")
        with self._lock:
            self._count += 1
            token = f"shpat_{sha256(f'{self._count}'.encode()).hexdigest()[:32]}"
            self._issued[token] = self._clock.now() + TOKEN_SECONDS
        body = {
            "access_token": token,
            "scope": ",".join(sorted(scopes)),
            "expires_in": TOKEN_SECONDS,
        }
        return Response(200, orjson.dumps(body))

    def expire(self) -> None:
        """Let every issued token expire now."""
        with self._lock:
            self._issued.clear()

    def revoke(self) -> None:
        """Make every token invalid, the permanent one included."""
        self.permanent = None
        self.expire()

    def restore(self) -> None:
        """Make the permanent token valid again."""
        self.permanent = TOKEN


def _form(request: Request) -> dict[str, str]:
    if "json" in request.headers.get("content-type", ""):
        try:
            found = orjson.loads(request.body)
        except ValueError:
            return {}
        pairs = found.items() if isinstance(found, dict) else ()
        return {name: value for name, value in pairs if isinstance(value, str)}
    return {name: values[0] for name, values in parse_qs(request.body.decode("latin-1")).items()}


def _oauth_error(status: int, error: str) -> Response:
    return Response(status, orjson.dumps({"error": error, "error_description": error}))
