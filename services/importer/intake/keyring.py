"""Who is asking: the channel that an API key or a signature belongs to.

Its promise: every key is compared, each in constant time, so that how long a refusal takes says
nothing of the keys or of which channels there are; and no key is kept where it could be logged.
"""

import hmac
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from hashlib import sha256
from typing import Final

from services.importer.intake.problems import unauthorized
from shared.connectors.push.signing import (
    SIGNATURE,
    SignatureRefused,
    Signed,
    verify,
)
from shared.domain.errors import ConfigurationError

CHANNEL: Final = "patron-channel"


@dataclass(frozen=True, slots=True)
class Caller:
    """Whose request it is; `signature` is what it was signed with, if it was."""

    channel: str
    signature: str | None = None


@dataclass(frozen=True, slots=True)
class ChannelKeys:
    """The keys of one channel."""

    api_keys: Sequence[str] = field(default=(), repr=False)
    signing_keys: Sequence[str] = field(default=(), repr=False)


class Keyring:
    """The keys of every channel that is pushed to."""

    def __init__(self, channels: Mapping[str, ChannelKeys]) -> None:
        self._digests = [
            (_digest(key), channel) for channel, keys in channels.items() for key in keys.api_keys
        ]
        self._signing = {channel: tuple(keys.signing_keys) for channel, keys in channels.items()}
        owners = dict(self._digests)
        for digest, channel in self._digests:
            if owners[digest] != channel:
                names = sorted({owners[digest], channel})
                raise ConfigurationError(f"channels {' and '.join(names)} share an API key")

    def by_api_key(self, headers: Mapping[str, str]) -> Caller | None:
        """Return who an API key belongs to; None where none is sent. Raises `Problem`."""
        scheme, _, key = headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer" or not key:
            return None
        given, found = _digest(key.strip()), None
        for digest, channel in self._digests:
            # No early end: whoever guesses must not learn how far he came.
            if hmac.compare_digest(digest, given):
                found = channel
        if found is None:
            raise unauthorized()
        return Caller(found)

    def by_signature(self, headers: Mapping[str, str], signed: Signed, at: datetime) -> Caller:
        """Return whose signature it is. Raises `Problem`."""
        channel = headers.get(CHANNEL, "")
        try:
            signature = verify(headers, self._signing.get(channel, ()), at, signed)
        except SignatureRefused:
            raise unauthorized() from None
        return Caller(channel, signature)

    @staticmethod
    def is_signed(headers: Mapping[str, str]) -> bool:
        """Whether a request claims to be signed, so that its body has to be read first."""
        return SIGNATURE in headers


def _digest(key: str) -> bytes:
    return sha256(key.encode("utf-8", "surrogatepass")).digest()
