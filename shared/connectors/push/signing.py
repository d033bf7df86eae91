"""Signatures of pushed requests and of callbacks: HMAC-SHA256 over a moment and what is sent.

    Patron-Timestamp: 1763625797
    Patron-Signature: v1=<hex of HMAC-SHA256(key, "{timestamp}.{METHOD}.{path}.{body}")>

For both directions, and for those who test against them. Its promise: a comparison takes as long
for a wrong signature as for a right one, and whichever of several keys it was made with.
"""

import hmac
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

TIMESTAMP: Final = "patron-timestamp"
SIGNATURE: Final = "patron-signature"
TOLERANCE_SECONDS: Final = 300
_SCHEME: Final = "v1="
_MOST_SIGNATURES: Final = 4
_LONGEST_TIMESTAMP: Final = 12


class Signed(NamedTuple):
    """What a signature is over, beside its moment; the path as it is sent, without a query."""

    method: str
    path: str
    body: bytes = b""


class SignatureRefused(Exception):
    """A signature, or the moment in it, does not hold. The text says which."""


def sign(key: str, at: datetime, signed: Signed) -> dict[str, str]:
    """Return the headers that sign a request."""
    timestamp = str(int(at.timestamp()))
    return {TIMESTAMP: timestamp, SIGNATURE: _SCHEME + _digest(key, timestamp, signed)}


def verify(headers: Mapping[str, str], keys: Sequence[str], at: datetime, signed: Signed) -> str:
    """Return the signature of a request, given in lower-case `headers`, that one of `keys` made.

    Raises `SignatureRefused`. Without any key everything is refused, in the same time.
    """
    timestamp = headers.get(TIMESTAMP, "")
    given = headers.get(SIGNATURE, "").replace(",", " ").split()[:_MOST_SIGNATURES]
    given = [each.removeprefix(_SCHEME) for each in given if each.startswith(_SCHEME)]
    if not (given and timestamp):
        raise SignatureRefused("the signature is missing")
    right = ""
    for key in keys or [""]:
        expected = _digest(key, timestamp, signed)
        for each in given:
            # Every pair is compared, so that the time tells nothing of which key it was.
            if hmac.compare_digest(expected.encode(), each.encode("utf-8", "surrogatepass")):
                right = expected
    if not (right and keys):
        raise SignatureRefused("the signature does not hold")
    if not _is_now(timestamp, at):
        raise SignatureRefused("the signature's time is more than five minutes off")
    return right


def _is_now(timestamp: str, at: datetime) -> bool:
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST_TIMESTAMP):
        return False
    return abs(at.timestamp() - int(timestamp)) <= TOLERANCE_SECONDS


def _digest(key: str, timestamp: str, signed: Signed) -> str:
    head = f"{timestamp}.{signed.method}.{signed.path}.".encode("utf-8", "surrogateescape")
    return hmac.digest(key.encode(), head + signed.body, "sha256").hex()
