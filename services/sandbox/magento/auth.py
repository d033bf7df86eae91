"""Who is asking, and what they may do.

Its promise: a request is either somebody with rights, a guest, or refused with the platform's
own words; a nonce is good once, and a timestamp for ten minutes.
"""

import hmac
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from hashlib import sha256

from services.sandbox.clock import Clock
from services.sandbox.magento import oauth1
from services.sandbox.magento.errors import Refusal, not_authorized, oauth_refused
from services.sandbox.wire import Request

CONSUMER_KEY = "sandboxconsumerkey00000000000000"
CONSUMER_SECRET = "sandboxconsumersecret00000000000"  # noqa: S105 - a documented sandbox value
ACCESS_TOKEN = "sandboxaccesstoken00000000000000"  # noqa: S105 - a documented sandbox value
ACCESS_TOKEN_SECRET = "sandboxtokensecret00000000000000"  # noqa: S105 - a documented sandbox value
ADMIN_USER = "admin"
ADMIN_PASSWORD = "sandbox-Admin-1"  # noqa: S105 - a documented sandbox value

READ = "Magento_Customer::customer"
MANAGE = "Magento_Customer::manage"
DELETE = "Magento_Customer::delete"
GROUP = "Magento_Customer::group"
STORE = "Magento_Backend::store"
ALL_RIGHTS = frozenset({READ, MANAGE, DELETE, GROUP, STORE})

TIMESTAMP_TOLERANCE_SECONDS = 600
ADMIN_TOKEN_SECONDS = 4 * 3600
MOST_FAILURES = 6
LOCKED_SECONDS = 30 * 60
_REQUIRED = (
    "oauth_consumer_key", "oauth_token", "oauth_signature", "oauth_signature_method",
    "oauth_nonce", "oauth_timestamp",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Identity:
    """The one who asks."""

    kind: str
    rights: frozenset[str] = frozenset()

    def demand(self, resource: str) -> None:
        """Raise the 401 unless this identity may use `resource`."""
        if resource not in self.rights:
            raise not_authorized(resource)


GUEST = Identity("guest")


class Gate:
    """Checks signatures and tokens, and hands out admin tokens."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._nonces: set[str] = set()
        self._older_nonces: set[str] = set()
        self._nonces_since = 0.0
        self._tokens: dict[str, int] = {}
        self._failures = 0
        self._locked_until = 0
        self.rights: dict[str, frozenset[str]] = {"integration": ALL_RIGHTS, "admin": ALL_RIGHTS}
        self.access_token_secret = ACCESS_TOKEN_SECRET
        self.real_time: Callable[[], float] = time.time

    def identify(self, request: Request, *, integration_as_bearer: bool) -> Identity:
        """Say who sent the request. Raises `Refusal` for a signature that does not hold."""
        header = request.headers.get("authorization", "")
        scheme, _, credential = header.partition(" ")
        if scheme.lower() == "oauth":
            self._verify(request, oauth1.parse_authorization(header))
            return Identity("integration", self.rights["integration"])
        if scheme.lower() != "bearer":
            return GUEST
        if integration_as_bearer and hmac.compare_digest(credential, ACCESS_TOKEN):
            return Identity("integration", self.rights["integration"])
        with self._lock:
            expires = self._tokens.get(credential, 0)
        return Identity("admin", self.rights["admin"]) if expires > self._clock.now() else GUEST

    def issue_admin_token(self, username: str, password: str) -> str:
        """Return a token for four hours; six wrong passwords lock the account for 30 minutes."""
        now = self._clock.now()
        with self._lock:
            if username != ADMIN_USER or password != ADMIN_PASSWORD or now < self._locked_until:
                self._failures += 1
                if self._failures >= MOST_FAILURES:
                    self._locked_until = now + LOCKED_SECONDS
                    self._failures = 0
                raise Refusal(
                    401,
                    "The account sign-in was incorrect or your account is disabled temporarily. "
                    "Please wait and try again later.",
                )
            self._failures = 0
            token = sha256(f"admin:{now}:{len(self._tokens)}".encode()).hexdigest()[:32]
            self._tokens[token] = now + ADMIN_TOKEN_SECONDS
            return token

    def _verify(self, request: Request, oauth: dict[str, str]) -> None:
        for name in _REQUIRED:
            if not oauth.get(name):
                raise Refusal(400, f"{name} is a required field. Enter and try again.")
        if oauth["oauth_signature_method"] != "HMAC-SHA256":
            raise oauth_refused(
                "Signature method %1 is not supported.", oauth["oauth_signature_method"]
            )
        if oauth["oauth_consumer_key"] != CONSUMER_KEY:
            raise oauth_refused("A consumer having the specified key does not exist.")
        if oauth["oauth_token"] != ACCESS_TOKEN:
            raise oauth_refused("Specified token does not exist.")
        # Before the signature, as the platform does: a badly signed request uses its nonce up.
        self._check_timestamp(oauth["oauth_timestamp"])
        self._use_nonce(oauth["oauth_nonce"])
        expected = oauth1.signature(
            request.method,
            f"http://{request.headers.get('host', '')}{request.raw_path}",
            request.query,
            oauth,
            (CONSUMER_SECRET, self.access_token_secret),
        )
        if not hmac.compare_digest(expected.encode(), oauth["oauth_signature"].encode()):
            raise oauth_refused("The signature is invalid. Verify and try again.")

    def _check_timestamp(self, text: str) -> None:
        # Against real time: a test that moves the shop's clock does not move the client's.
        # The platform swallows its own message about the timestamp and says this instead.
        deviation = abs(int(text) - self.real_time()) if text.isdigit() else float("inf")
        if deviation > TIMESTAMP_TOLERANCE_SECONDS:
            raise oauth_refused("An error occurred validating the nonce")

    def _use_nonce(self, nonce: str) -> None:
        # Two generations, each as long as a timestamp can be good, so nothing is ever scanned.
        now = self.real_time()
        with self._lock:
            if now - self._nonces_since > 2 * TIMESTAMP_TOLERANCE_SECONDS:
                self._older_nonces, self._nonces = self._nonces, set()
                self._nonces_since = now
            if nonce in self._nonces or nonce in self._older_nonces:
                raise oauth_refused("The nonce is already being used by the consumer with ID %1", 1)
            self._nonces.add(nonce)
