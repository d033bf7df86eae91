"""The shop itself: its customers and what may be done to them, without HTTP.

Its promise: each method is one transaction; under any number of threads the indices, the ledger
and the customers agree.
"""

import threading
from collections.abc import Iterator
from typing import Any

import orjson

from services.sandbox.clock import Clock
from services.sandbox.ledger import Ledger, Write
from services.sandbox.magento import saving, search, seeding
from services.sandbox.magento.criteria import Criteria
from services.sandbox.magento.errors import Refusal, no_such_entity, rules_broken, unknown_attribute
from services.sandbox.magento.stores import BY_ID as STORE_BY_ID
from services.sandbox.magento.stores import DEFAULT_STORE, FIRST_OF_WEBSITE, GENERAL, NOT_SOLD_TO
from services.sandbox.magento.table import ADDRESS_COLUMNS, CustomerTable, Row, email_key
from services.sandbox.magento.versions import DEFAULT_RELEASE, Quirks, of_release
from services.sandbox.people import person, sketch

Record = dict[str, Any]

NUMBER_ATTRIBUTE = "erp_customer_number"
DUPLICATE = "A customer with the same email address already exists in an associated website."
_SEARCHABLE = frozenset(saving.ORDER) - {
    "id", "addresses", "extension_attributes", "custom_attributes",
} | {"entity_id"} | {f"billing_{column}" for column in ADDRESS_COLUMNS}  # fmt: skip


class Shop:
    """A shop full of customers."""

    def __init__(
        self, customers: int, seed: int, *, awkward: bool = True, quirks: Quirks | None = None
    ) -> None:
        self.lock = threading.RLock()
        self.clock = Clock()
        self.ledger = Ledger()
        self.quirks = quirks or of_release(DEFAULT_RELEASE)
        self.attributes: dict[str, str] = {
            NUMBER_ATTRIBUTE: "ERP Customer Number",
            seeding.LOYALTY_ATTRIBUTE: "Loyalty Level",
        }
        self.seed = seed
        self.awkward = awkward
        self._seeded = customers
        self._last_customer = customers
        self._last_address = customers * seeding.ADDRESSES_PER_CUSTOMER
        self._owner_of_address: dict[int, int] = {}
        self.table = CustomerTable(self._born)
        self.table.fill(self._seeded_rows())

    def customer(self, number: int) -> bytes:
        """Return a customer as the API shows it, encoded."""
        with self.lock:
            return self.table.shown(self._row(number))

    def record(self, number: int) -> Record:
        """Return a customer as a dictionary of its own."""
        with self.lock:
            return self.table.record(self._row(number))

    def find(self, criteria: Criteria, size: int, page: int) -> tuple[list[bytes], int]:
        """Return one page of encoded customers, and how many match."""
        for name in {each.field for group in criteria.groups for each in group} | {
            sort.field for sort in criteria.sorts
        }:
            if name not in _SEARCHABLE and name not in self.attributes:
                raise unknown_attribute(name)
        with self.lock:
            rows, total = search.find(self.table, criteria, size, page)
            return [self._listed(row) for row in rows], total

    def create(self, given: Record, *, origin: str, store_id: int | None = None) -> Record:
        """Register a customer. The mail goes out even for the API; there is no switch."""
        with self.lock:
            given = self._placed(given, store_id)
            given["addresses"] = [
                {name: value for name, value in address.items() if name != "id"}
                for address in given.get("addresses", ())
                if address.get("country_id") not in NOT_SOLD_TO
            ]
            number = self._last_customer + 1
            record = saving.created(number, given, self._saving())
            self._refuse_duplicate(record)
            self._last_customer = number
            self._store(record, Write(record["updated_at"], origin, "create", tuple(given), given))
            if origin == "api":
                self.ledger.send_welcome_mail(number)
            return record

    def update(self, number: int, given: Record, *, origin: str, is_admin: bool) -> Record:
        """Save what a PUT brought; a different id in the body wins over the path."""
        with self.lock:
            stored = self.record(number)
            if self._merges(is_admin=is_admin) and given.get("id", number) != number:
                given = {name: stored[name] for name in stored if name != "addresses"} | given
            target = given.get("id", number)
            stored = stored if target == number else self.record(target)
            if not self._merges(is_admin=is_admin):
                _refuse_partial(given)
            record = saving.updated(stored, given, self._saving())
            self._refuse_duplicate(record)
            changed = tuple(
                name
                for name in saving.ORDER
                if name != "updated_at" and stored.get(name) != record.get(name)
            )
            self._store(record, Write(record["updated_at"], origin, "update", changed, given))
            return record

    def amend(self, record: Record, action: str, *, touches: bool) -> None:
        """Store a change made in the shop itself, moving `updated_at` only if it `touches`."""
        with self.lock:
            stored = self.record(record["id"])
            if touches:
                record["updated_at"] = self.clock.stamp()
            changed = tuple(name for name in saving.ORDER if stored.get(name) != record.get(name))
            self._store(saving.tidy(record), Write(self.clock.stamp(), "shopper", action, changed))

    def delete(self, number: int, *, origin: str) -> None:
        """Delete a customer; nothing in the shop remembers."""
        with self.lock:
            self._row(number)
            self.table.delete(number)
            self.ledger.record(number, Write(self.clock.stamp(), origin, "delete", ()))

    def address(self, number: int) -> Record:
        """Return one address."""
        with self.lock:
            record = self.owner_of(number)
            return next(each for each in record["addresses"] if each["id"] == number)

    def delete_address(self, number: int, *, origin: str) -> None:
        """Delete one address; the customer's time moves only if it was a default."""
        with self.lock:
            record = self.owner_of(number)
            was_default = str(number) in {
                record.get("default_billing"),
                record.get("default_shipping"),
            }
            record["addresses"] = [each for each in record["addresses"] if each["id"] != number]
            if was_default:
                record["updated_at"] = self.clock.stamp()
            write = Write(self.clock.stamp(), origin, "delete_address", ("addresses",))
            self._store(saving.tidy(record), write)

    def owner_of(self, address_id: int) -> Record:
        """Return the customer whose address book holds that address."""
        with self.lock:
            number = self._owner_of_address.get(
                address_id, (address_id - 1) // seeding.ADDRESSES_PER_CUSTOMER + 1
            )
            row = self.table.rows.get(number)
            record = self.table.record(row) if row else {"addresses": []}
            if not any(each["id"] == address_id for each in record["addresses"]):
                raise no_such_entity("addressId", address_id)
            return record

    def next_address_id(self) -> int:
        """Draw the id of a new address."""
        with self.lock:
            self._last_address += 1
            return self._last_address

    def remove_attribute(self, code: str) -> None:
        """Remove a custom attribute with all its values."""
        with self.lock:
            self.attributes.pop(code, None)
            self.table.drop_attribute(code)

    def attribute_values(self, code: str) -> dict[int, str]:
        """Return a custom attribute's value for every customer that has one."""
        with self.lock:
            found = {number: row.value(code) for number, row in self.table.rows.items()}
        return {number: str(value) for number, value in found.items() if value is not None}

    def _row(self, number: int) -> Row:
        if row := self.table.rows.get(number):
            return row
        raise no_such_entity("customerId", number)

    def _listed(self, row: Row) -> bytes:
        """Return a customer as lists show it: subscription is looked up by e-mail alone."""
        twins = self.table.by_email[email_key(row.email)]
        shown = self.table.shown(row)
        if len(twins) < 2:
            return shown
        record = orjson.loads(shown)
        record["extension_attributes"]["is_subscribed"] = any(
            self.table.record(self.table.rows[number])["extension_attributes"]["is_subscribed"]
            for number in twins
        )
        return orjson.dumps(record)

    def _placed(self, given: Record, store_id: int | None) -> Record:
        """Fill in website, store view and group where the client left them out."""
        website = given.get("website_id")
        if website is None:
            view = STORE_BY_ID.get(given.get("store_id") or store_id or 0, DEFAULT_STORE)
        else:
            here = STORE_BY_ID.get(store_id or 0)
            at_home = here if here and here.website_id == website else None
            view = at_home or FIRST_OF_WEBSITE.get(website, DEFAULT_STORE)
        return {"store_id": view.id, "website_id": view.website_id, "group_id": GENERAL} | given

    def _merges(self, *, is_admin: bool) -> bool:
        return self.quirks.merging == "always" or (self.quirks.merging == "admin_only" and is_admin)

    def _refuse_duplicate(self, record: Record) -> None:
        other = self.table.named(record["email"], record["website_id"])
        if other is not None and other.id != record["id"]:
            raise Refusal(400, DUPLICATE)

    def _saving(self) -> saving.Saving:
        return saving.Saving(self.quirks, self.attributes, self.clock.stamp(), self.next_address_id)

    def _store(self, record: Record, write: Write) -> None:
        self.table.write(record)
        for address in record["addresses"]:
            if address["id"] > self._seeded * seeding.ADDRESSES_PER_CUSTOMER:
                self._owner_of_address[address["id"]] = record["id"]
        self.ledger.record(record["id"], write)

    def _born(self, number: int) -> Record:
        return seeding.customer(person(self.seed, number - 1, awkward=self.awkward))

    def _seeded_rows(self) -> Iterator[Row]:
        for index in range(self._seeded):
            known = sketch(self.seed, index, awkward=self.awkward)
            view = seeding.store_view_of(known)
            yield Row(
                index + 1,
                email=known.email,
                website_id=view.website_id,
                store_id=view.id,
                group_id=seeding.group_of(known),
                created_at=known.created_at,
                updated_at=known.updated_at,
            )


def _refuse_partial(given: Record) -> None:
    """Refuse a PUT that a release without merging takes for the whole customer."""
    labels = {
        "website_id": "Associate to Website", "firstname": "First Name", "lastname": "Last Name",
        "email": "Email",
    }  # fmt: skip
    missing = [
        f'"{label}" is a required value.' for name, label in labels.items() if not given.get(name)
    ]
    if missing:
        raise rules_broken(missing)
