"""The hands of those who keep the pushing system, and of fate; over HTTP as well."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any
from urllib.parse import quote

from services.sandbox.faults import Fault, FaultKind, FaultPlan
from services.sandbox.push.payload import RECORDS, Record, external_id, foreign
from services.sandbox.push.postman import CUSTOMERS, Answer, Postman
from services.sandbox.push.system import System
from services.sandbox.remote import Answer as Call

GARBAGE = (
    b"", b"{", b"null", b"[[[[" * 50, b'{"customers": 7}', b'{"external_id": "1", "a": NaN}',
    b'{"external_id": "1", "external_id": "2"}', b"\xff\xfe", b'{"customers": [{}, 1, "x"]}',
)  # fmt: skip


class Control:
    """What a test or a demo makes the system do."""

    def __init__(
        self, system: System, postman: Postman, faults: FaultPlan, *, speaks_own_shape: bool
    ) -> None:
        self._system = system
        self._postman = postman
        self._faults = faults
        self._speaks_own_shape = speaks_own_shape

    def push(self, numbers: Iterable[int] | None = None, batch: int = 100) -> list[Answer]:
        """Push customers (all, if none are named) as they are now; return the answers."""
        wanted = list(range(1, self._system.customers + 1) if numbers is None else numbers)
        slices = [wanted[at : at + batch] for at in range(0, len(wanted), batch)]
        return [self._postman.push(self._body(each)) for each in slices]

    def edit(self, number: int, /, **changes: Any) -> Record:
        """Change a customer, without a word to anybody."""
        return self._system.edit(number, **changes)

    def customer(self, number: int) -> Record:
        """Return a customer as it is now."""
        return self._system.record(number)

    def send_garbage(self) -> list[int]:
        """Send what no intake should take; return the statuses."""
        return [self._postman.send("POST", CUSTOMERS, each).status for each in GARBAGE]

    def lose_answers(self, times: int) -> None:
        """Lose the answers to the next pushes; each is then pushed again with its key."""
        self._postman.answers_to_lose = times

    def double(self, times: int) -> None:
        """Send the next pushes twice each."""
        self._postman.requests_to_double = times

    def status(self, number: int) -> Record:
        """Ask Patron how far a customer has come."""
        path = f"{CUSTOMERS}/{quote(external_id(number), safe='')}"
        return self._postman.send("GET", path).said

    def number_of(self, number: int) -> str | None:
        """Return the customer number that a callback told."""
        return self._system.number_of(number)

    def callbacks(self) -> Sequence[Record]:
        """Return what genuine callbacks told, each once."""
        return list(self._system.callbacks)

    def wait_until(self, holds: Callable[[], bool], timeout_seconds: float = 10) -> bool:
        """Wait until `holds`, looked at after each callback; say whether it came true."""
        return self._system.wait_until(holds, timeout_seconds)

    def fail_next(self, kind: FaultKind | str, times: int = 1, **where: Any) -> None:
        """Make the next callbacks go wrong; `where` as the fields of `Fault`."""
        self._faults.order(Fault(kind=FaultKind(kind), times=times, **where))

    def clear_faults(self) -> None:
        """Forget planned faults and let go of held connections."""
        self._faults.clear()

    def stats(self) -> Record:
        """Return what was sent, lost, and heard."""
        return {
            "customers": self._system.customers,
            "requests_sent": self._postman.sent,
            "answers_lost": self._postman.lost,
            "callbacks": len(self._system.callbacks),
            "forged_callbacks": self._system.forged,
            "numbered": len(self._system.numbers),
            "faults_struck": self._faults.struck,
        }

    def _body(self, numbers: Sequence[int]) -> Record:
        records = [self._system.record(number) for number in numbers]
        if self._speaks_own_shape:
            return {RECORDS: [foreign(record) for record in records]}
        return records[0] if len(records) == 1 else {"customers": records}


def control_table(c: Control) -> list[tuple[str, str, Call]]:
    """Return the calls of the control over HTTP."""
    return [
        ("GET", "health", lambda _, __: {"status": "ok"}),
        ("GET", "stats", lambda _, __: c.stats()),
        ("GET", "callbacks", lambda _, __: {"callbacks": c.callbacks()}),
        ("POST", "push", lambda b, _: {"statuses": [a.status for a in c.push(**b)]}),
        ("POST", "garbage", lambda _, __: {"statuses": c.send_garbage()}),
        ("GET", "customers/{number}", lambda _, p: c.customer(int(p[0]))),
        ("PATCH", "customers/{number}", lambda b, p: c.edit(int(p[0]), **b)),
        ("GET", "customers/{number}/status", lambda _, p: c.status(int(p[0]))),
        ("POST", "lose_answers", lambda b, _: c.lose_answers(int(b["times"]))),
        ("POST", "double", lambda b, _: c.double(int(b["times"]))),
        ("POST", "faults", lambda b, _: c.fail_next(**b)),
        ("DELETE", "faults", lambda _, __: c.clear_faults()),
    ]
