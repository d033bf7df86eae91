"""The shop's customers in memory, and the indices that make 100,000 of them quick to page.

A seeded customer costs a sketch until somebody reads it. Its promise: after every write the
indices agree with the rows. Not thread-safe by itself; the shop holds one lock around it.
"""

from bisect import bisect_left, insort
from collections import defaultdict
from collections.abc import Callable, Iterator
from typing import Any

import orjson

from services.sandbox.clock import moment_of
from services.sandbox.magento import saving, seeding
from services.sandbox.magento.criteria import Value, fold

Record = dict[str, Any]

ID_BITS = 32
ID_MASK = (1 << ID_BITS) - 1
ADDRESS_COLUMNS = frozenset(
    {"postcode", "city", "country_id", "telephone", "company", "region", "street", "fax",
     "firstname", "lastname", "vat_id"}
)  # fmt: skip


class Row:
    """One customer: what searches need at hand, the rest encoded or still unborn."""

    __slots__ = (
        "created_at", "email", "encoded", "group_id", "id", "is_as_seeded", "store_id", "table",
        "updated_at", "website_id",
    )  # fmt: skip

    def __init__(
        self, number: int, *, email: str, website_id: int, store_id: int,
        group_id: int, created_at: int, updated_at: int,
    ) -> None:  # fmt: skip
        self.table: CustomerTable | None = None
        self.id = number
        self.email = email
        self.website_id = website_id
        self.store_id = store_id
        self.group_id = group_id
        self.created_at = created_at
        self.updated_at = updated_at
        self.encoded: bytes | None = None
        self.is_as_seeded = True

    @property
    def change_key(self) -> int:
        """Sorts by change time, then by id."""
        return self.updated_at << ID_BITS | self.id

    @property
    def entity_id(self) -> int:
        """The id, under the name it is searched by."""
        return self.id

    def value(self, field: str) -> Value:
        """Return a field by the name it is searched by."""
        if field in _AT_HAND:
            found: Value = getattr(self, field)
            return found
        if self.table is None or (self.is_as_seeded and field not in _SEEDED):
            return None
        record = self.table.record(self)
        if field.startswith("billing_"):
            return _billing(record, field.removeprefix("billing_"))
        if field in record:
            found = record[field]
            return int(found) if field.startswith("default_") else found
        for attribute in record.get("custom_attributes", ()):
            if attribute["attribute_code"] == field:
                return str(attribute["value"])
        return None


_AT_HAND = frozenset(
    {"entity_id", "email", "website_id", "store_id", "group_id", "created_at", "updated_at"}
)
# What a customer that nobody has written to can have a value for; no other needs a look.
_SEEDED = frozenset(saving.ORDER) | {seeding.LOYALTY_ATTRIBUTE} | {
    f"billing_{column}" for column in ADDRESS_COLUMNS
}  # fmt: skip


def _billing(record: Record, column: str) -> Value:
    for address in record["addresses"]:
        if address.get("default_billing"):
            value = address.get(column)
            if column == "region":
                return value["region"] if value else None
            return "\n".join(value) if isinstance(value, list) else value
    return None


class Partition:
    """The customers of one store view (or of all), by id and by change."""

    __slots__ = ("by_change", "by_id")

    def __init__(self) -> None:
        self.by_id: list[int] = []
        self.by_change: list[int] = []

    def add(self, row: Row) -> None:
        """Insert a row into both indices."""
        insort(self.by_id, row.id)
        insort(self.by_change, row.change_key)

    def remove(self, row: Row) -> None:
        """Take a row out of both indices."""
        del self.by_id[bisect_left(self.by_id, row.id)]
        del self.by_change[bisect_left(self.by_change, row.change_key)]


class CustomerTable:
    """All customers, by id, by e-mail and by store view."""

    def __init__(self, born: Callable[[int], Record]) -> None:
        self._born = born
        self._purged: set[str] = set()
        self.rows: dict[int, Row] = {}
        self.by_email: dict[str, tuple[int, ...]] = {}
        self.everyone = Partition()
        self.by_store: defaultdict[tuple[int, int], Partition] = defaultdict(Partition)

    def fill(self, rows: Iterator[Row]) -> None:
        """Take in the seeded rows at once, sorting each index once."""
        for row in rows:
            row.table = self
            self.rows[row.id] = row
            self._learn_email(row)
            for partition in self._partitions(row):
                partition.by_id.append(row.id)
                partition.by_change.append(row.change_key)
        for partition in (self.everyone, *self.by_store.values()):
            partition.by_id.sort()
            partition.by_change.sort()

    def record(self, row: Row) -> Record:
        """Return a fresh copy of the whole customer, the caller's to change."""
        record: Record = orjson.loads(self.shown(row))
        return record

    def shown(self, row: Row) -> bytes:
        """Return the customer as the API shows it, encoded; a seeded one is born here."""
        if row.encoded is None:
            row.encoded = _encoded(without_attributes(self._born(row.id), self._purged))
        return row.encoded

    def write(self, record: Record) -> Row:
        """Store a customer, new or changed, and bring the indices up to date."""
        if known := self.rows.get(record["id"]):
            self._forget(known)
        row = Row(
            record["id"],
            email=record["email"],
            website_id=record["website_id"],
            store_id=record["store_id"],
            group_id=record["group_id"],
            created_at=moment_of(record["created_at"]),
            updated_at=moment_of(record["updated_at"]),
        )
        row.table = self
        row.encoded = _encoded(record)
        row.is_as_seeded = False
        self.rows[row.id] = row
        self._learn_email(row)
        for partition in self._partitions(row):
            partition.add(row)
        return row

    def delete(self, number: int) -> None:
        """Remove a customer without a trace."""
        self._forget(self.rows.pop(number))

    def named(self, email: str, website_id: int) -> Row | None:
        """Return the customer of that e-mail in that website."""
        for number in self.by_email.get(email_key(email), ()):
            if self.rows[number].website_id == website_id:
                return self.rows[number]
        return None

    def drop_attribute(self, code: str) -> None:
        """Delete a custom attribute's values everywhere, as removing the attribute does."""
        self._purged.add(code)
        for row in self.rows.values():
            if row.encoded is not None:
                row.encoded = _encoded(without_attributes(orjson.loads(row.encoded), {code}))

    def _partitions(self, row: Row) -> tuple[Partition, Partition]:
        return self.everyone, self.by_store[row.website_id, row.store_id]

    def _learn_email(self, row: Row) -> None:
        key = email_key(row.email)
        self.by_email[key] = (*self.by_email.get(key, ()), row.id)

    def _forget(self, row: Row) -> None:
        key = email_key(row.email)
        self.by_email[key] = tuple(other for other in self.by_email[key] if other != row.id)
        for partition in self._partitions(row):
            partition.remove(row)


def email_key(email: str) -> str:
    """Return what the database compares e-mails by."""
    return str(fold(email))


def _encoded(record: Record) -> bytes:
    # A copy of the right size: orjson leaves the 8 KiB it wrote into behind each result, which
    # for 100,000 customers is most of a gigabyte.
    return bytes(memoryview(orjson.dumps(record)))


def without_attributes(record: Record, codes: set[str]) -> Record:
    """Return the customer without the custom attributes of these codes."""
    if not codes:
        return record
    kept = [
        attribute
        for attribute in record.get("custom_attributes", ())
        if attribute["attribute_code"] not in codes
    ]
    record.pop("custom_attributes", None)
    return record | ({"custom_attributes": kept} if kept else {})
