"""What bounds a remote call, and what is told of each one; apart from the client that makes it.

Whoever only configures calls, or counts them, imports no HTTP library.
"""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class RemoteCall:
    """One request that was made: `outcome` is "2xx" to "5xx", "timeout" or "failed".

    `quota_left` is how many more the platform's headers allow, where they say so. Of the address
    there is but the host and its port: what stands behind them may be about a customer.
    """

    platform: str
    channel: str
    outcome: str
    seconds: float
    quota_left: int | None = None
    method: str = ""
    host: str = ""
    port: int | None = None
    status: int | None = None


CallObserver = Callable[[RemoteCall], None]


def unobserved(_call: RemoteCall) -> None:
    """Observe nothing."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How long, how much and how often.

    `total_seconds` bounds a call with all its attempts; `attempts` counts for reads only. Without
    `may_reach_private` a name that leads to a private address is refused.
    """

    total_seconds: float = 30.0
    connect_seconds: float = 5.0
    attempts: int = 3
    connections: int = 20
    max_body_bytes: int = 32 * 1024 * 1024
    may_reach_private: bool = True

    @property
    def as_extension(self) -> dict[str, float]:
        """The waits in the shape the transport takes them."""
        total = self.total_seconds
        return {"connect": self.connect_seconds, "read": total, "write": total, "pool": total}
