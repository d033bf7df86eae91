"""Sends requests to Patron's intake, and loses answers on purpose.

Its promise: a request is sent again, with the same idempotency key, until it is answered for good.
"""

import http.client
import threading
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit
from uuid import uuid4

import orjson

from services.sandbox.push.signature import headers_for

CUSTOMERS = "/v1/customers"
_AGAIN = frozenset({408, 429, 500, 502, 503, 504})
_NO_ANSWER = 0


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back: the status (0: nothing), and the JSON of it."""

    status: int
    said: dict[str, Any] = field(default_factory=dict)


@dataclass
class Postman:
    """Knows where Patron is, and by which keys it is spoken to."""

    target: str
    api_key: str = ""
    signing_key: str = ""
    channel: str = "crm"
    tries: int = 600
    pause_seconds: float = 0.2
    closed: threading.Event = field(default_factory=threading.Event)
    answers_to_lose: int = 0
    requests_to_double: int = 0
    sent: int = 0
    lost: int = 0

    def push(self, body: Any) -> Answer:
        """Push until it is answered for good; return that answer."""
        content, key = orjson.dumps(body), str(uuid4())
        answer = Answer(_NO_ANSWER)
        for _ in range(self.tries):
            if self.requests_to_double:
                self.requests_to_double -= 1
                self.send("POST", CUSTOMERS, content, key)
            answer = self.send("POST", CUSTOMERS, content, key)
            if answer.status and answer.status not in _AGAIN:
                break
            if self.closed.wait(self.pause_seconds):
                break
        return answer

    def send(self, method: str, path: str, body: bytes = b"", key: str = "") -> Answer:
        """Send one request; return what came back."""
        place = urlsplit(self.target)
        line = http.client.HTTPConnection(place.hostname or "", place.port, timeout=30)
        self.sent += 1
        try:
            line.request(method, path, body or None, self._headers(method, path, body, key))
            if self.answers_to_lose and method == "POST":
                self.answers_to_lose -= 1
                self.lost += 1
                line.getresponse().close()  # it was done, and we do not learn what
                return Answer(_NO_ANSWER)
            response = line.getresponse()
            return Answer(response.status, _json(response.read()))
        except (OSError, http.client.HTTPException):
            return Answer(_NO_ANSWER)
        finally:
            line.close()

    def _headers(self, method: str, path: str, body: bytes, key: str) -> dict[str, str]:
        headers = {"Content-Type": "application/json"}
        if key:
            headers["Idempotency-Key"] = key
        if self.signing_key:
            signed = headers_for(self.signing_key, method, path, body)
            return {**headers, **signed, "Patron-Channel": self.channel}
        return {**headers, "Authorization": f"Bearer {self.api_key}"}


def _json(body: bytes) -> dict[str, Any]:
    try:
        said = orjson.loads(body)
    except orjson.JSONDecodeError:
        return {}
    return said if isinstance(said, dict) else {}
