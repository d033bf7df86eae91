"""What must be true when the faults are over and the pipeline has come to rest.

Shop, directory, message store and processes are held against each other, each by its own books.
Its promise: every finding names customers by the shop's ids and nobody by name.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from benchmarks.soak.site import Site
from tests.e2e.comparison import compare
from tests.e2e.expectations import NUMBER, attribute, shop_customers

FIRST_NUMBER: Final = 10001
EXPLAINED: Final = frozenset({
    "poison", "remote_unavailable", "remote_throttled", "unreadable_answer",
})  # fmt: skip
"""Why a message may be given up under these faults: its workers or its shop failed it too often."""

_DONE: Final = ("written", "unchanged", "removed", "superseded")
_SHOWN: Final = 8


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was looked at: how many were, and what is wrong with them."""

    what: str
    looked_at: int
    problems: Sequence[str] = ()

    @property
    def text(self) -> str:
        """The finding in a line, or with the first of its problems."""
        if not self.problems:
            return f"{self.what}: {self.looked_at} in order"
        shown = "".join(f"\n      {problem}" for problem in self.problems[:_SHOWN])
        return f"{self.what}: {len(self.problems)} WRONG of {self.looked_at}{shown}"


class Verdict:
    """Reads all books once, and judges."""

    def __init__(self, site: Site) -> None:
        self._site = site
        rows = site.deployment.rows
        self._shop: dict[str, dict[str, Any]] = {
            str(customer["id"]): customer for customer in shop_customers(site.deployment)
        }
        self._links = {row[0]: row[1:] for row in rows(
            "SELECT l.external_id, c.number, l.exported_number, c.id FROM links l"
            " JOIN customers c ON c.id = l.customer_id"
        )}  # fmt: skip
        self._parked = dict(rows(
            "SELECT external_id, state FROM staging_customers"
            " WHERE state IN ('held', 'staged', 'ambiguous', 'processing')"
        ))  # fmt: skip
        self.dead = rows(
            "SELECT subject, type, worker, reason, attempts FROM dead_letters WHERE state = 'open'"
            " ORDER BY last_failed_at"
        )
        self._excused = {row[0] for row in self.dead}

    def findings(self) -> Iterator[Finding]:
        """Look at everything."""
        yield self._everybody_once()
        yield self._newest_content()
        yield self._numbers()
        yield self._numbers_in_the_shop()
        yield self._written_once()
        yield self._messages()
        yield self._effects_once()
        yield self._dead_letters()
        yield self._survivors()
        bugs = self._site.control.bugs()
        yield Finding("the simulated shop itself did not fail", 1, bugs)

    def _everybody_once(self) -> Finding:
        problems = []
        for external_id, customer in self._shop.items():
            if external_id in self._links or external_id in self._excused:
                continue
            if customer.get("default_billing") and external_id not in self._parked:
                problems.append(f"customer {external_id} is nowhere")
        problems += [f"customer {id_} is no customer" for id_ in self._links.keys() - self._shop]
        people = Counter(row[2] for row in self._links.values())
        problems += [f"{many} accounts are one record" for many in people.values() if many > 1]
        emails = Counter(row[0] for row in self._rows("SELECT email_key FROM customers"))
        problems += [f"{many} records are one person" for key, many in emails.items()
                     if key and many > 1]  # fmt: skip
        stray = self._value("SELECT count(*) FROM customers WHERE id NOT IN"
                            " (SELECT customer_id FROM links)")  # fmt: skip
        problems += [f"{stray} records belong to nobody"] if stray else []
        return Finding("each customer is in the directory once", len(self._shop), problems)

    def _newest_content(self) -> Finding:
        compared, different = compare(self._site.deployment)
        problems = [
            f"customer {external_id}: {', '.join(names)}"
            for external_id, names in different.items()
            if external_id not in self._excused
        ]
        return Finding("the directory has what the shop has", compared, problems)

    def _numbers(self) -> Finding:
        numbers = sorted(row[0] for row in self._rows("SELECT number FROM customers"))
        expected = [f"D{FIRST_NUMBER + place}" for place in range(len(numbers))]
        problems = [f"{got} instead of {due}" for got, due in zip(numbers, expected, strict=True)
                    if got != due]  # fmt: skip
        return Finding("numbers have no gap and no twin", len(numbers), problems)

    def _numbers_in_the_shop(self) -> Finding:
        problems = []
        for external_id, (number, exported, _) in self._links.items():
            stands = attribute(self._shop.get(external_id, {}), NUMBER)
            if not number == exported == stands and external_id not in self._excused:
                problems.append(f"customer {external_id}: {number}, noted {exported}, has {stands}")
        return Finding("each customer carries the number", len(self._links), problems)

    def _written_once(self) -> Finding:
        """Hold the shop's own books against it: a number, once there, was never another."""
        problems = []
        for external_id in self._shop:
            writes = self._site.control.writes(int(external_id))
            numbers = [
                number
                for write in writes
                if not write.is_identical and (number := attribute(write.given, NUMBER))
            ]
            if len(set(numbers)) > 1:
                problems.append(f"customer {external_id} had {len(set(numbers))} numbers")
        return Finding("no customer ever had a second number", len(self._shop), problems)

    def _messages(self) -> Finding:
        """Check that accepted = done, dead or superseded: nothing left the store for less."""
        accepted = self._value("SELECT count(*) FROM soak_books")
        owed = self._rows("SELECT b.type, b.subject FROM soak_books b WHERE NOT b.is_left")
        problems = [f"still owed: {type_} of customer {subject}" for type_, subject in owed]
        vanished = self._rows(
            "SELECT b.type, b.subject FROM soak_books b WHERE b.is_left"
            " AND NOT EXISTS (SELECT 1 FROM history h WHERE h.message_id = b.message_id)"
            " AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.message_id = b.message_id)"
        )
        # An import that brought nothing new leaves no line; then its customer must be known.
        problems += [
            f"left no trace: {type_} of customer {subject}"
            for type_, subject in vanished
            if type_ != "customer.imported" or subject not in self._links
        ]
        return Finding("each message accepted is done or given up", accepted, problems)

    def _effects_once(self) -> Finding:
        events = "h.worker = 'processor' OR split_part(h.event, '.', 2) = ANY(:done)"
        counts = self._rows(
            "SELECT h.external_id, h.event, count(*) FROM history h"
            f" WHERE h.message_id IS NOT NULL AND ({events})"
            " GROUP BY h.message_id, h.external_id, h.event",
            done=list(_DONE),
        )
        problems = [f"{many} times {event} of customer {id_}" for id_, event, many in counts
                    if many > 1]  # fmt: skip
        return Finding("each message had its effect once", len(counts), problems)

    def _dead_letters(self) -> Finding:
        problems = [
            f"{type_} of customer {subject} by the {worker}: {reason} after {attempts}"
            for subject, type_, worker, reason, attempts in self.dead
            if reason not in EXPLAINED
        ]
        return Finding("each dead letter is the work of a fault", len(self.dead), problems)

    def _survivors(self) -> Finding:
        restarts = self._site.restarts
        problems = [f"{name} ended {restarts[name]} times" for name in self._site.survivors
                    if restarts.get(name)]  # fmt: skip
        return Finding("who was not hurt is still at work", len(self._site.survivors), problems)

    def _rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        return self._site.deployment.rows(sql, **values)

    def _value(self, sql: str) -> Any:
        return self._site.deployment.value(sql)
