"""The token that a request shows: one that somebody gave us, or one that is asked for.

Promise: what is secret leaves this module only as the header's value.
"""

import threading
import time
from collections.abc import Callable
from typing import NamedTuple, Protocol

from shared.connectors.shopify.settings import ClientCredentials, PermanentToken

RENEW_BEFORE_SECONDS = 300.0


class Grant(NamedTuple):
    """A token, and for how long it is good."""

    token: str
    seconds: float


class Tokens(Protocol):
    """Gives the token of a request."""

    def token(self) -> str:
        """Return a token that should do."""
        ...

    def renew(self, refused: str) -> bool:
        """After `refused` met 401: whether another try with a new one makes sense."""
        ...


class Given:
    """A token that does not run out."""

    def __init__(self, credentials: PermanentToken) -> None:
        self._token = credentials.token.get_secret_value()

    def token(self) -> str:
        """Return it."""
        return self._token

    def renew(self, refused: str) -> bool:
        """Never: we cannot get another one."""
        del refused
        return False


class Granted:
    """A token fetched by `ask` when it is first needed, and again before it runs out."""

    def __init__(
        self, ask: Callable[[], Grant], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._ask = ask
        self._clock = clock
        self._lock = threading.Lock()
        self._token: str | None = None
        self._good_until = 0.0

    def token(self) -> str:
        """Return the token, asking first where there is none that lasts."""
        with self._lock:
            if self._token is None or self._clock() >= self._good_until:
                grant = self._ask()
                # A token of less than this is used for as long as it is taken.
                seconds = max(grant.seconds - RENEW_BEFORE_SECONDS, grant.seconds / 2)
                self._token, self._good_until = grant.token, self._clock() + seconds
            return self._token

    def renew(self, refused: str) -> bool:
        """Forget the refused token, unless another thread has already replaced it."""
        with self._lock:
            if self._token == refused:
                self._token = None
        return True


def tokens(
    credentials: ClientCredentials | PermanentToken, ask: Callable[[ClientCredentials], Grant]
) -> Tokens:
    """Return the configured way; `ask` exchanges an app's credentials for a token."""
    if isinstance(credentials, PermanentToken):
        return Given(credentials)
    return Granted(lambda: ask(credentials))
