"""The sandbox's own books: what was asked, what was written, which mails went out.

Its promise: every write to a customer stands here once, in order, whoever made it.
"""

import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from services.sandbox.wire import Delivery, Response


@dataclass(frozen=True, slots=True)
class Write:
    """One write to one customer."""

    at: str
    origin: str
    action: str
    changed: tuple[str, ...]
    given: dict[str, Any] = field(default_factory=dict)

    @property
    def is_identical(self) -> bool:
        """Whether the write changed nothing but the time of change."""
        return self.action == "update" and not self.changed


class Ledger:
    """Counts requests and keeps every write."""

    def __init__(self) -> None:
        self._lock = threading.Condition()
        self._requests: Counter[tuple[str, str, int]] = Counter()
        self._writes: defaultdict[int, list[Write]] = defaultdict(list)
        self._mails: list[int] = []
        self._entries = 0
        self.bugs: list[str] = []

    def count_request(self, method: str, route: str, response: Response) -> None:
        """Count one request; under status 0 where the client never sees a whole answer."""
        is_answered = response.delivery in {Delivery.WHOLE, Delivery.SLOW}
        status = response.status if is_answered else 0
        with self._lock:
            self._requests[method, route, status] += 1
            self._entries += 1
            self._lock.notify_all()

    def record(self, customer_id: int, write: Write) -> None:
        """Note a write."""
        with self._lock:
            self._writes[customer_id].append(write)
            self._entries += 1
            self._lock.notify_all()

    def send_welcome_mail(self, customer_id: int) -> None:
        """Note the mail that a new customer gets, wanted or not."""
        with self._lock:
            self._mails.append(customer_id)

    def wait_until(self, holds: Callable[[], bool], timeout_seconds: float) -> bool:
        """Wait until `holds`, looked at after each request and write; say whether it came true."""
        deadline = time.monotonic() + timeout_seconds
        while True:
            seen = self._entries
            if holds():  # asked without the lock, so that it may ask the shop anything
                return True
            with self._lock:
                while self._entries == seen:
                    if not self._lock.wait(deadline - time.monotonic()):
                        return holds()

    def writes(self, customer_id: int) -> list[Write]:
        """Return the writes to one customer, oldest first."""
        with self._lock:
            return list(self._writes.get(customer_id, ()))

    def reset(self) -> None:
        """Forget everything."""
        with self._lock:
            self._requests.clear()
            self._writes.clear()
            self._mails.clear()
            self.bugs.clear()

    def requests(self, method: str = "", route: str = "", status: int | None = None) -> int:
        """Count the requests that match what is given; `route` as in `stats`."""
        with self._lock:
            return sum(
                count
                for (one_method, one_route, one_status), count in self._requests.items()
                if (not method or one_method == method)
                and (not route or one_route == route)
                and (status is None or one_status == status)
            )

    def stats(self) -> dict[str, Any]:
        """Return everything countable."""
        with self._lock:
            api_writes = [
                (number, write)
                for number, writes in self._writes.items()
                for write in writes
                if write.origin == "api"
            ]
            return {
                "requests": [
                    {"method": method, "route": route, "status": status, "count": count}
                    for (method, route, status), count in sorted(self._requests.items())
                ],
                "requests_total": self._requests.total(),
                "welcome_mails": len(self._mails),
                "creates": sum(write.action == "create" for _, write in api_writes),
                "updates": sum(write.action == "update" for _, write in api_writes),
                "identical_updates": sum(write.is_identical for _, write in api_writes),
                "deletes": sum(write.action == "delete" for _, write in api_writes),
                "bugs": len(self.bugs),
                "customers_written": len({number for number, _ in api_writes}),
            }


def as_json(write: Write) -> dict[str, Any]:
    """Return a write as the control interface shows it."""
    return asdict(write) | {"is_identical": write.is_identical}
