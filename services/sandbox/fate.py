"""What every sandbox lets a test do with time and fate, and what it tells of its books.

A sandbox's `Control` adds what its platform knows. Its promise: nothing here changes a customer.
"""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.sandbox.clock import Clock
from services.sandbox.faults import Fault, FaultKind, FaultPlan, told_to_wait
from services.sandbox.ledger import Ledger, Write
from services.sandbox.wire import Response

Record = dict[str, Any]


class Fate:
    """Time, faults and the books of one sandbox."""

    def __init__(self, clock: Clock, ledger: Ledger, faults: FaultPlan) -> None:
        self._clock = clock
        self._ledger = ledger
        self._faults = faults
        self.refusal: Response | None = None
        """What every request is answered with while the shop is under maintenance."""

    def freeze_clock(self, at: datetime | None = None) -> None:
        """Stop the shop's clock, at `at` or where it stands."""
        self._clock.freeze(at)

    def advance_clock(self, seconds: int) -> None:
        """Move the shop's clock."""
        self._clock.advance(seconds)

    def run_clock(self) -> None:
        """Let a frozen clock go on."""
        self._clock.run()

    def fail_next(self, kind: FaultKind | str, times: int = 1, **where: Any) -> None:
        """Make the next `times` requests go wrong; `where` as the fields of `Fault`."""
        self._faults.order(Fault(kind=FaultKind(kind), times=times, **where))

    def clear_faults(self) -> None:
        """Forget planned faults and let go of held connections."""
        self._faults.clear()

    def release(self) -> None:
        """Let go of held and slow connections."""
        self._faults.release()

    def faults_waiting(self) -> int:
        """Return how many faults have not struck yet."""
        return sum(fault.times for fault in self._faults.waiting())

    def wait_for_fault(self, times: int = 1, timeout_seconds: float = 10) -> bool:
        """Wait until faults have struck `times` since the start; say whether they did."""
        return self._faults.wait_until_struck(times, timeout_seconds)

    def wait_until(self, holds: Callable[[], bool], timeout_seconds: float = 10) -> bool:
        """Wait until `holds`, looked at after each request and write; say whether it came true."""
        return self._ledger.wait_until(holds, timeout_seconds)

    def maintenance(self, *, on: bool, retry_after: str = "") -> None:
        """Put the shop under maintenance: 503 as HTML, for every request.

        Without `retry_after` it sends callers away for as long as the platform does.
        """
        page = self._faults.unavailable()
        self.refusal = told_to_wait(page, retry_after) if on else None

    def stats(self) -> Record:
        """Return counts of requests, writes and welcome mails."""
        return self._ledger.stats() | {"faults_struck": self._faults.struck}

    def requests(self, method: str = "", route: str = "", status: int | None = None) -> int:
        """Count the requests that match; `route` as in `stats`."""
        return self._ledger.requests(method, route, status)

    def bugs(self) -> list[str]:
        """Return the tracebacks of the sandbox's own failures, which clients see as 500."""
        return list(self._ledger.bugs)

    def reset_stats(self) -> None:
        """Forget the books."""
        self._ledger.reset()

    def writes(self, number: int) -> list[Write]:
        """Return every write to a customer, oldest first."""
        return self._ledger.writes(number)
