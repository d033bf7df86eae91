"""A simulated shop over HTTP: its API, and the control interface that stands for its people."""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlencode

import httpx2

from services.console.cli.failures import Refused

_PATIENCE_SECONDS: Final = 30.0
Record = dict[str, Any]


class Site:
    """Calls one shop; whatever it refuses ends the tour."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        self.url = url
        self._client = httpx2.Client(base_url=url, timeout=_PATIENCE_SECONDS, headers=headers or {})

    def close(self) -> None:
        """Close the connections."""
        self._client.close()

    def authorize(self, **headers: str) -> None:
        """Send these headers from now on."""
        self._client.headers.update(headers)

    def call(self, method: str, path: str, json: Any = None, **query: str) -> Any:
        """Return the parsed answer. Raises `Refused` for one that is no success."""
        # As these platforms want it: commas and colons as they are.
        url = f"{path}?{urlencode(query, safe=':,')}" if query else path
        response = self._client.request(method, url, json=json)
        if not response.is_success:
            status = response.status_code
            raise Refused(f"the shop answered {status} to {method} {response.request.url.path}")
        return response.json() if response.content else {}

    def control(self, method: str, path: str, json: Any = None) -> Any:
        """Do what a shopper or the shop's owner would do there."""
        return self.call(method, f"/_sandbox/{path}", json)
