"""The store itself: its customers and what may be done to them, without HTTP.

Its promise: each method is one transaction; under any number of threads the indices, the ledger
and the customers agree.
"""

import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import Any

from services.sandbox.bigcommerce import birth, hooks, records, rules, seeding
from services.sandbox.bigcommerce.birth import CREATE_FAILED
from services.sandbox.bigcommerce.errors import Refusal
from services.sandbox.bigcommerce.groups import seeded_groups
from services.sandbox.bigcommerce.journal import Journal
from services.sandbox.bigcommerce.quirks import Quirks
from services.sandbox.bigcommerce.table import CustomerTable, Row
from services.sandbox.clock import Clock
from services.sandbox.ledger import Ledger
from services.sandbox.people import person, sketch

Record = dict[str, Any]

UPDATE_FAILED = "Update customers failed."


class Shop:
    """A store full of customers."""

    def __init__(
        self,
        customers: int,
        seed: int,
        *,
        awkward: bool = True,
        first_person: int = 0,
        quirks: Quirks | None = None,
    ) -> None:
        self.lock = threading.RLock()
        self.clock = Clock()
        self.ledger = Ledger()
        self.journal = Journal(self.lock, self.clock, self.ledger)
        self.quirks = quirks or Quirks()
        self.seed, self.awkward, self.first_person = seed, awkward, first_person
        self.seeded = customers
        self.attributes = seeding.definitions()
        self.groups = seeded_groups()
        self._last_ids = {
            "customer": customers,
            "address": customers * seeding.ADDRESSES_PER_CUSTOMER,
            "attribute_value": customers * seeding.ATTRIBUTES_PER_CUSTOMER,
            "attribute": max(self.attributes),
            "group": max(self.groups),
        }
        self.businesses: dict[int, tuple[int, int]] = {}
        """Customers who buy for a company, with when it was made and last changed."""
        self._owner_of_address: dict[int, int] = {}
        self.table = CustomerTable(self._born)
        self.table.fill(self._seeded_rows())

    def transaction(self) -> AbstractContextManager[None]:
        """Do all or nothing, unless a quirk keeps what was done before the refusal."""
        return self.journal.transaction(keeps=self.quirks.keeps_good_items)

    def now(self) -> str:
        """Return the time as the API writes it."""
        return seeding.stamp(self.clock.now())

    def next_id(self, kind: str) -> int:
        """Draw the id of something new."""
        with self.lock:
            self._last_ids[kind] = self._last_ids.get(kind, 0) + 1
            return self._last_ids[kind]

    def happened(self, scope: str, data: Record) -> None:
        """Note what webhooks may tell."""
        self.journal.happened(scope, data)

    def row(self, number: int) -> Row | None:
        """Return a customer's row."""
        return self.table.rows.get(number)

    def record(self, number: int) -> Record:
        """Return a customer as a dictionary of its own. Raises KeyError where there is none."""
        with self.lock:
            return self.table.record(self.table.rows[number])

    def create(self, given: Record, *, origin: str, place: int = 0) -> Record:
        """Register a customer with addresses and attribute values."""
        with self.lock:
            rules.demand(given, rules.REQUIRED_OF_CUSTOMER)
            known = rules.CUSTOMER | rules.ONLY_AT_BIRTH
            fields = rules.picked(given, known, place, CREATE_FAILED)
            rules.check_customer(fields, place, CREATE_FAILED, self.group_ids())
            self._refuse_duplicate(fields["email"], 0, "create")
            number = self._last_ids["customer"] + 1
            blank = records.blank_customer(number, self.now(), fields.get("origin_channel_id", 1))
            kept = {name: fields[name] for name in fields if name in rules.CUSTOMER}
            record = blank | records.saved(blank, kept)
            record["addresses"] = birth.addresses(
                number, fields.get("addresses", []), place, self.next_id
            )
            record["attributes"] = birth.attributes(
                number, fields.get("attributes", []), self.attributes, self.now(), self.next_id
            )
            self._last_ids["customer"] = number
            self._store(record)
            self.journal.wrote(number, origin, "create", tuple(given), given)
            if fields.get("trigger_account_created_notification"):
                self.journal.mailed(number)
            self.happened("store/customer/created", hooks.about_customer(number))
            return record

    def update(self, number: int, given: Record, *, origin: str, place: int = 0) -> Record:
        """Save what a PUT brought; what it did not bring stays, sub-resources are ignored."""
        with self.lock:
            if number not in self.table.rows:
                raise Refusal(422, UPDATE_FAILED, {f"{place}.id": "invalid customer ID"})
            stored = self.record(number)
            fields = rules.picked(given, rules.CUSTOMER, place, UPDATE_FAILED)
            rules.check_customer(fields, place, UPDATE_FAILED, self.group_ids())
            if "email" in fields:
                self._refuse_duplicate(fields["email"], number, "update")
            if self.quirks.independent_companies and self.is_company_user(number):
                fields.pop("customer_group_id", None)
            record = stored | records.saved(stored, fields)
            changed = tuple(name for name in record if stored[name] != record[name])
            touches = set(fields) - {"form_fields"} or self.quirks.touches_on_form_field
            if touches:
                record["date_modified"] = self.now()
            self._store(record)
            self.journal.wrote(number, origin, "update", changed, given)
            if set(changed) - {"form_fields"}:
                self.happened("store/customer/updated", hooks.about_customer(number))
            return record

    def delete(self, number: int, *, origin: str) -> None:
        """Delete a customer; nothing in the store remembers, and nothing is refused."""
        with self.lock:
            if number in self.table.rows:
                self.table.delete(number)
                self.journal.wrote(number, origin, "delete", (), {})
                self.happened("store/customer/deleted", hooks.about_customer(number))

    def amend(
        self,
        record: Record,
        action: str,
        *,
        origin: str,
        touches: bool,
        given: Record | None = None,
    ) -> None:
        """Store a customer whose sub-resources changed; the time moves only if it `touches`."""
        with self.lock:
            stored = self.record(record["id"])
            changed = tuple(
                name for name in record if _content(stored[name]) != _content(record[name])
            )
            if touches:
                record["date_modified"] = self.now()
            self._store(record)
            self.journal.wrote(record["id"], origin, action, changed, given or {})

    def note(self, number: int, action: str, given: Record, *, origin: str) -> None:
        """Write into the books what did not change the customer's own record."""
        self.journal.wrote(number, origin, action, tuple(given), given)

    def is_company_user(self, number: int) -> bool:
        """Whether a customer buys for a company of the B2B Edition."""
        return number in self.businesses

    def owner_of_address(self, number: int) -> Record | None:
        """Return the customer whose address book holds that address."""
        with self.lock:
            row = self.row(self._owner_of_address.get(number, _first_owner(number)))
            record = self.table.record(row) if row else {"addresses": []}
            return record if any(each["id"] == number for each in record["addresses"]) else None

    def group_ids(self) -> frozenset[int]:
        """Return the ids of the customer groups."""
        return frozenset(self.groups)

    def _store(self, record: Record) -> None:
        before = self.table.rows.get(record["id"])
        self.journal.may_take_back(lambda: self._restore(record["id"], before))
        self.table.write(record)
        for address in record["addresses"]:
            if _first_owner(address["id"]) != record["id"]:
                self._owner_of_address[address["id"]] = record["id"]

    def _restore(self, number: int, row: Row | None) -> None:
        if row is None:
            self.table.delete(number)
        else:
            self.table.put(row)

    def _refuse_duplicate(self, email: str, number: int, verb: str) -> None:
        other = self.table.named(email)
        if other is not None and other.id != number:
            title = CREATE_FAILED if verb == "create" else UPDATE_FAILED
            doing = "creating" if verb == "create" else "updating"
            problem = f"Error {doing} customers: email {email} already in use"
            raise Refusal(422, title, {f".customer_{verb}": problem})

    def seeded_record(self, number: int) -> Record:
        """Return a customer as the store was opened with it, blank where it came later."""
        with self.lock:
            if number > self.seeded:
                return records.blank_customer(number, self.now(), 1)
            return self._born(number)

    def _born(self, number: int) -> Record:
        index = self.first_person + number - 1
        human = person(self.seed, index, awkward=self.awkward)
        record = seeding.customer(number, human, awkward=self.awkward)
        record["attributes"] = [
            each for each in record["attributes"] if each["attribute_id"] in self.attributes
        ]
        return record

    def _seeded_rows(self) -> Iterator[Row]:
        for number in range(1, self.seeded + 1):
            known = sketch(self.seed, self.first_person + number - 1, awkward=self.awkward)
            if known.is_business:
                self.businesses[number] = known.created_at, known.updated_at
            yield Row(
                number,
                email=seeding.email_of(known),
                group_id=seeding.group_of(known),
                created_at=known.created_at,
                modified_at=known.updated_at,
            )


def _first_owner(address_id: int) -> int:
    """Return whose address it was when the store was opened."""
    return (address_id - 1) // seeding.ADDRESSES_PER_CUSTOMER + 1


def _content(value: Any) -> Any:
    """Return what a field says, without the times at which an attribute value was written."""
    if not isinstance(value, list):
        return value
    times = {"date_created", "date_modified"}
    return [
        {name: each[name] for name in each if name not in times} if isinstance(each, dict) else each
        for each in value
    ]
