"""The store's customers in memory, and the indices that make 100,000 of them quick to page.

A seeded customer costs a sketch until somebody reads it. Its promise: after every write the
indices agree with the rows. Not thread-safe by itself; the shop holds one lock around it.
"""

from bisect import bisect_left, bisect_right, insort
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any

import orjson

Record = dict[str, Any]


class Row:
    """One customer: what searches need at hand, the rest encoded or still unborn."""

    __slots__ = ("attributes_at", "created_at", "email", "encoded", "group_id", "id", "modified_at")

    def __init__(
        self, number: int, *, email: str, group_id: int, created_at: int, modified_at: int
    ) -> None:
        self.id = number
        self.email = email
        self.group_id = group_id
        self.created_at = created_at
        self.modified_at = modified_at
        self.attributes_at = created_at
        """No attribute value of this customer was written later than this."""
        self.encoded: bytes | None = None


class CustomerTable:
    """All customers, by id and by e-mail."""

    def __init__(self, born: Callable[[int], Record]) -> None:
        self._born = born
        self.rows: dict[int, Row] = {}
        self.ids: list[int] = []
        self._by_email: dict[str, int] = {}

    def fill(self, rows: Iterator[Row]) -> None:
        """Take in the seeded rows, which come in the order of their ids."""
        for row in rows:
            self.rows[row.id] = row
            self.ids.append(row.id)
            self._by_email[email_key(row.email)] = row.id

    def record(self, row: Row) -> Record:
        """Return a fresh copy of the whole customer, the caller's to change."""
        if row.encoded is None:
            row.encoded = _encoded(self._born(row.id))
        record: Record = orjson.loads(row.encoded)
        return record

    def write(self, record: Record) -> Row:
        """Store a customer, new or changed, and bring the indices up to date."""
        row = Row(
            record["id"],
            email=record["email"],
            group_id=record["customer_group_id"],
            created_at=moment_of(record["date_created"]),
            modified_at=moment_of(record["date_modified"]),
        )
        row.encoded = _encoded(record)
        row.attributes_at = max(
            (moment_of(each["date_modified"]) for each in record["attributes"]),
            default=row.created_at,
        )
        self.put(row)
        return row

    def put(self, row: Row) -> None:
        """Put a row in the place of the one with its id, or where there was none."""
        known = self.rows.get(row.id)
        if known is None:
            insort(self.ids, row.id)
        else:
            self._by_email.pop(email_key(known.email), None)
        self.rows[row.id] = row
        self._by_email[email_key(row.email)] = row.id

    def delete(self, number: int) -> None:
        """Remove a customer without a trace."""
        row = self.rows.pop(number)
        del self.ids[bisect_left(self.ids, number)]
        self._by_email.pop(email_key(row.email), None)

    def forget_attribute(self, number: int) -> None:
        """Delete an attribute's values everywhere; who is not born yet is born without them."""
        for row in self.rows.values():
            if row.encoded is not None:
                record = orjson.loads(row.encoded)
                kept = [each for each in record["attributes"] if each["attribute_id"] != number]
                row.encoded = _encoded(record | {"attributes": kept})

    def named(self, email: str) -> Row | None:
        """Return the customer of that e-mail."""
        return self.rows.get(self._by_email.get(email_key(email), 0))

    def after(self, number: int) -> Iterator[Row]:
        """Yield the customers with greater ids, by id."""
        for place in range(bisect_right(self.ids, number), len(self.ids)):
            yield self.rows[self.ids[place]]

    def before(self, number: int) -> Iterator[Row]:
        """Yield the customers with smaller ids, the greatest first."""
        for place in range(bisect_left(self.ids, number) - 1, -1, -1):
            yield self.rows[self.ids[place]]


def email_key(email: str) -> str:
    """Return what e-mails are compared by."""
    return email.strip().casefold()


def moment_of(text: str) -> int:
    """Read a stamp of the V3 API."""
    return int(datetime.fromisoformat(text).timestamp())


def _encoded(record: Record) -> bytes:
    # A copy of the right size: orjson leaves the 8 KiB it wrote into behind each result, which
    # for 100,000 customers is most of a gigabyte.
    return bytes(memoryview(orjson.dumps(record)))
