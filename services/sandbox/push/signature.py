"""Signatures, written from the documentation and not from Patron's own code.

Its promise: a callback counts as genuine exactly if its documentation says so.
"""

import hashlib
import hmac
import time

TOLERANCE_SECONDS = 300


def headers_for(key: str, method: str, path: str, body: bytes) -> dict[str, str]:
    """Return the headers that sign a request now."""
    now = str(int(time.time()))
    return {
        "Patron-Timestamp": now,
        "Patron-Signature": f"v1={_digest(key, now, method, path, body)}",
    }


def is_genuine(key: str, path: str, headers: dict[str, str], body: bytes) -> bool:
    """Whether Patron signed this callback a moment ago."""
    moment = headers.get("patron-timestamp", "")
    if not moment.isdigit() or abs(time.time() - int(moment)) > TOLERANCE_SECONDS:
        return False
    wanted = f"v1={_digest(key, moment, 'POST', path, body)}"
    return hmac.compare_digest(wanted, headers.get("patron-signature", ""))


def _digest(key: str, moment: str, method: str, path: str, body: bytes) -> str:
    signed = f"{moment}.{method}.{path}.".encode() + body
    return hmac.new(key.encode(), signed, hashlib.sha256).hexdigest()
