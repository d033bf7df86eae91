"""How a request proves to Magento who sends it: a signature, a token, or a login for a token.

Promise: what is secret leaves this module only inside an `Authorization` header.
"""

import logging
import threading
from collections.abc import Callable
from typing import Protocol

from oauthlib import oauth1

from shared.connectors.magento.settings import Admin, Bearer, MagentoSettings, OAuth1


class Authentication(Protocol):
    """Makes the `Authorization` header of a request."""

    def header(self, method: str, url: str) -> str:
        """Return the header's value for one request."""
        ...

    def renew(self, refused: str) -> bool:
        """After header `refused` met 401: whether another try with a new one makes sense."""
        ...


class Signed:
    """OAuth 1.0a with HMAC-SHA256, the only method Magento takes. Signatures serve once."""

    def __init__(self, credentials: OAuth1) -> None:
        # oauthlib logs tokens and base strings at DEBUG.
        logging.getLogger("oauthlib").setLevel(logging.WARNING)
        self._client = oauth1.Client(
            credentials.consumer_key.get_secret_value(),
            client_secret=credentials.consumer_secret.get_secret_value(),
            resource_owner_key=credentials.access_token.get_secret_value(),
            resource_owner_secret=credentials.access_token_secret.get_secret_value(),
            signature_method=oauth1.SIGNATURE_HMAC_SHA256,
        )

    def header(self, method: str, url: str) -> str:
        """Sign the method, the address and its query; JSON bodies are not signed."""
        _, headers, _ = self._client.sign(url, http_method=method)
        return str(headers["Authorization"])

    def renew(self, refused: str) -> bool:
        """Never: an integration's tokens do not expire."""
        del refused
        return False


class Token:
    """A bearer token that somebody gave us."""

    def __init__(self, credentials: Bearer) -> None:
        self._header = f"Bearer {credentials.token.get_secret_value()}"

    def header(self, method: str, url: str) -> str:
        """Return the same header for every request."""
        del method, url
        return self._header

    def renew(self, refused: str) -> bool:
        """Never: we cannot get another one."""
        del refused
        return False


class LoggedIn:
    """A token fetched by `login` when it is first needed, and again after it was refused."""

    def __init__(self, login: Callable[[], str]) -> None:
        self._login = login
        self._lock = threading.Lock()
        self._header: str | None = None

    def header(self, method: str, url: str) -> str:
        """Return the token's header, logging in first where there is none."""
        del method, url
        with self._lock:
            if self._header is None:
                self._header = f"Bearer {self._login()}"
            return self._header

    def renew(self, refused: str) -> bool:
        """Forget the refused token, unless another thread has already replaced it."""
        with self._lock:
            if self._header == refused:
                self._header = None
        return True


def authentication(settings: MagentoSettings, login: Callable[[Admin], str]) -> Authentication:
    """Return the configured way; `login` exchanges an administrator's login for a token."""
    credentials = settings.auth
    if isinstance(credentials, OAuth1):
        return Signed(credentials)
    if isinstance(credentials, Bearer):
        return Token(credentials)
    return LoggedIn(lambda: login(credentials))
