"""OAuth 1.0a with HMAC-SHA256, written from RFC 5849 alone.

The connector signs with a library; checking it with the same library would prove nothing.
Its promise: pure functions of the request.
"""

import base64
import hmac
from collections.abc import Iterable
from hashlib import sha256
from urllib.parse import quote, unquote, urlsplit

Pairs = Iterable[tuple[str, str]]


def parse_authorization(header: str) -> dict[str, str]:
    """Read the parameters of an `Authorization: OAuth ...` header (RFC 5849, 3.5.1)."""
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "oauth":
        return {}
    found = {}
    for part in rest.split(","):
        name, equals, value = part.strip().partition("=")
        if equals:
            found[unquote(name)] = unquote(value.strip('"'))
    return found


def signature(
    method: str, url: str, query: Pairs, oauth: dict[str, str], secrets: tuple[str, str]
) -> str:
    """Return what the request should be signed with; `secrets` are the consumer's and token's."""
    key = "&".join(map(escape, secrets)).encode()
    text = base_string(method, url, query, oauth).encode()
    return base64.b64encode(hmac.new(key, text, sha256).digest()).decode()


def base_string(method: str, url: str, query: Pairs, oauth: dict[str, str]) -> str:
    """Build the signature base string (RFC 5849, 3.4.1)."""
    signed = [
        (name, value) for name, value in oauth.items() if name not in {"oauth_signature", "realm"}
    ]
    encoded = sorted((escape(name), escape(value)) for name, value in [*query, *signed])
    normalised = "&".join(f"{name}={value}" for name, value in encoded)
    return "&".join((method.upper(), escape(base_uri(url)), escape(normalised)))


def base_uri(url: str) -> str:
    """Return scheme, authority and path, without a default port (RFC 5849, 3.4.1.2)."""
    parts = urlsplit(url)
    host = (parts.hostname or "").lower()
    default = {"http": 80, "https": 443}.get(parts.scheme)
    authority = host if parts.port in {None, default} else f"{host}:{parts.port}"
    return f"{parts.scheme.lower()}://{authority}{parts.path or '/'}"


def escape(text: str) -> str:
    """Percent-encode as RFC 5849, 3.6 wants it: everything but the unreserved letters."""
    return quote(text, safe="~")
