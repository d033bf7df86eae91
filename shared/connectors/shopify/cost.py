"""The arithmetic of Shopify's bucket of points: what it holds by now, and when a query fits.

Pure: no clock, no lock. A share of the bucket stays untouched, so that others who draw from it
meanwhile make nobody's query fail; filling up goes on all the same, and nothing is lost by it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_UNTOUCHED_SHARE = 0.25


@dataclass(frozen=True, slots=True)
class Bucket:
    """What the shop said last, at `at`: points to be had, the most it holds, points a second."""

    maximum: float
    available: float
    restore_rate: float
    at: float

    def expected(self, now: float) -> float:
        """Return how many points are there now if nobody has drawn any since."""
        return min(self.maximum, self.available + self.restore_rate * max(0.0, now - self.at))

    def seconds_until(self, cost: float, reserved: float, now: float) -> float:
        """Return how long it takes until `cost` fits in beside what is `reserved`."""
        untouched = max(0.0, min(self.maximum * _UNTOUCHED_SHARE, self.maximum - cost))
        missing = cost + untouched + reserved - self.expected(now)
        # Less than a point is none: waiting for it would be waiting for a rounding error.
        return missing / self.restore_rate if missing >= 1 else 0.0


@dataclass(frozen=True, slots=True)
class Cost:
    """What an answer says of its cost: points asked for beforehand, and the bucket after it."""

    requested: float | None
    bucket: Bucket | None

    @property
    def wait_seconds(self) -> float:
        """How long a query that was refused has to wait."""
        if self.requested is None or self.bucket is None:
            return 1.0
        missing = self.requested - self.bucket.available
        return max(1.0, missing / self.bucket.restore_rate)


def cost_of(body: Mapping[str, Any], now: float) -> Cost:
    """Read `extensions.cost` of an answer; what is not there is None."""
    extensions = body.get("extensions")
    cost = extensions.get("cost") if isinstance(extensions, Mapping) else None
    if not isinstance(cost, Mapping):
        return Cost(None, None)
    return Cost(_number(cost.get("requestedQueryCost")), _bucket(cost.get("throttleStatus"), now))


def _bucket(status: Any, now: float) -> Bucket | None:
    if not isinstance(status, Mapping):
        return None
    maximum = _number(status.get("maximumAvailable"))
    available = _number(status.get("currentlyAvailable"))
    rate = _number(status.get("restoreRate"))
    if not maximum or available is None or not rate:
        return None
    return Bucket(maximum, available, rate, now)


def _number(value: Any) -> float | None:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and value >= 0 else None
