"""Who is asking, and what the token allows.

Its promise: a wrong store or token is a 401, a missing scope a 403, and nothing else gets past.
"""

import hmac

from services.sandbox.bigcommerce.errors import Refusal
from services.sandbox.wire import Request

STORE_HASH = "sandboxstore1"
STORE_ID = "1025646"
TOKEN = "sandboxaccesstoken000000000000b"  # noqa: S105 - a documented sandbox value
CLIENT_ID = "sandboxclientid0000000000000000"
CLIENT_SECRET = "sandboxclientsecret000000000000000000000000"  # noqa: S105 - a documented sandbox value

MODIFY = "store_v2_customers"
READ = "store_v2_customers_read_only"
B2B = "store_b2b_edition"
ALL_SCOPES = frozenset({MODIFY, READ, B2B})


class Gate:
    """Checks the store, the token and its scopes."""

    def __init__(self) -> None:
        self.store_hash = STORE_HASH
        self.token = TOKEN
        self.scopes = ALL_SCOPES
        self.is_revoked = False

    def admit(self, request: Request, store_hash: str, scope: str) -> None:
        """Raise the refusal unless the request may do what needs `scope`."""
        given = request.headers.get("x-auth-token", "")
        is_known = hmac.compare_digest(given.encode("latin-1", "replace"), self.token.encode())
        if not is_known or self.is_revoked or store_hash != self.store_hash:
            raise Refusal(401)
        if scope and not self._allows(scope):
            raise Refusal(403)

    def _allows(self, scope: str) -> bool:
        return scope in self.scopes or (scope == READ and MODIFY in self.scopes)
