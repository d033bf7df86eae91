"""Webhooks: who wants to know, what happened, and the signed requests that say so.

Nothing is sent by itself: a test or a demo says when. Its promise: what is sent is signed as
Standard Webhooks want it, and a redelivery repeats the hash.
"""

import base64
import hmac
import time
from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import blake2b, sha256
from http.client import HTTPConnection, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

import orjson

from services.sandbox.bigcommerce.gate import CLIENT_SECRET, STORE_HASH, STORE_ID

Record = dict[str, Any]
SEND_TIMEOUT_SECONDS = 10


@dataclass(frozen=True, slots=True)
class Event:
    """One thing that happened in the store."""

    scope: str
    data: Record
    created_at: int
    hash: str

    def body(self) -> bytes:
        """Return the bytes of the notice; only ids are in it."""
        return orjson.dumps(
            {
                "scope": self.scope,
                "store_id": STORE_ID,
                "data": self.data,
                "hash": self.hash,
                "created_at": self.created_at,
                "producer": f"stores/{STORE_HASH}",
            }
        )

    def concerns(self, scope: str) -> bool:
        """Whether a hook of `scope` wants it; `store/customer/*` wants everything below."""
        if scope.endswith("/*"):
            return self.scope.startswith(scope[:-1])
        return scope == self.scope


def event(scope: str, data: Record, created_at: int, serial: int) -> Event:
    """Return what happened, with a hash of its own."""
    seed = f"{scope}:{serial}:{created_at}".encode() + orjson.dumps(data)
    return Event(scope, data, created_at, blake2b(seed, digest_size=20).hexdigest())


def about_customer(customer_id: int) -> Record:
    """Return the data of a customer's event."""
    return {"type": "customer", "id": customer_id}


def about_address(address_id: int, customer_id: int) -> Record:
    """Return the data of an address's event: the id is the address's."""
    return {"type": "customer", "id": address_id, "address": {"customer_id": customer_id}}


def signature(secret: str, identifier: str, timestamp: int, body: bytes) -> str:
    """Return one `v1` signature; the key is the bytes of the client secret."""
    content = f"{identifier}.{timestamp}.".encode() + body
    digest = hmac.new(secret.encode(), content, sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"


def send(
    url: str,
    body: bytes,
    *,
    identifier: str,
    headers: Mapping[str, str] | None = None,
    secret: str = CLIENT_SECRET,
    timestamp: int | None = None,
) -> int:
    """Post one notice and return the status that came back. Raises OSError where none did."""
    sent_at = int(time.time()) if timestamp is None else timestamp
    told = {
        "Content-Type": "application/json",
        "User-Agent": "BigCommerce-Webhooks (sandbox)",
        "webhook-id": identifier,
        "webhook-timestamp": str(sent_at),
        "webhook-signature": signature(secret, identifier, sent_at, body),
    } | dict(headers or {})
    parts = urlsplit(url)
    kind = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    connection = kind(parts.hostname or "", parts.port, timeout=SEND_TIMEOUT_SECONDS)
    try:
        target = parts.path or "/"
        connection.request("POST", f"{target}?{parts.query}" if parts.query else target, body, told)
        answer = connection.getresponse()
        answer.read()
        return answer.status
    finally:
        connection.close()
