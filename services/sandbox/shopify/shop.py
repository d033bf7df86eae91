"""The shop itself: its records, its clock and its books, without GraphQL or HTTP.

Its promise: what is saved here stands in the indices and in the ledger, whoever saved it.
"""

import threading
from collections import defaultdict
from collections.abc import Iterable, Iterator
from zoneinfo import ZoneInfo

from services.sandbox.clock import Clock
from services.sandbox.ledger import Ledger, Write
from services.sandbox.people import person
from services.sandbox.shopify import seeding
from services.sandbox.shopify.gids import count_of, gid, kind_of, number
from services.sandbox.shopify.quirks import Quirks
from services.sandbox.shopify.seeding import Crowd
from services.sandbox.shopify.table import Indexing, Record, Table
from services.sandbox.shopify.times import iso

TIMEZONE = "Europe/Berlin"
CURRENCY = "EUR"
NAMESPACE, KEY = "erp", "customer_number"
ADDRESSES_PER_CUSTOMER = 4
OWNERS = {"Customer": "CUSTOMER", "Company": "COMPANY", "CompanyLocation": "COMPANY_LOCATION"}
"""What may have metafields, and how its definitions call it."""
ALL_SCOPES = frozenset(
    {
        "read_customers", "write_customers", "read_companies", "write_companies",
        "read_customer_merge",
    }
)  # fmt: skip
ROLES = ("Location admin", "Ordering only")


class Shop:
    """A shop full of customers, and perhaps of companies."""

    def __init__(self, customers: int, crowd: Crowd, quirks: Quirks) -> None:
        self.lock = threading.RLock()
        self.clock = Clock()
        self.ledger = Ledger()
        self.quirks = quirks
        self.scopes = ALL_SCOPES
        self.zone = ZoneInfo(TIMEZONE)
        self.crowd = crowd
        self.indexing = Indexing(self.clock)
        self.tables = {
            "Customer": Table(self.indexing, _customer_keys, self._born),
            "Company": Table(self.indexing, _external_key),
            "CompanyLocation": Table(self.indexing, _external_key),
            "CompanyContact": Table(self.indexing, _contact_keys),
            "CompanyContactRoleAssignment": Table(self.indexing),
            "WebhookSubscription": Table(self.indexing),
        }
        self.customers = self.tables["Customer"]
        self.companies = self.tables["Company"]
        self.locations = self.tables["CompanyLocation"]
        self.contacts = self.tables["CompanyContact"]
        self.definitions: dict[tuple[str, str, str], Record] = {}
        self._links: defaultdict[tuple[str, str, int], list[int]] = defaultdict(list)
        self._last = {
            "MailingAddress": customers * ADDRESSES_PER_CUSTOMER,
            "CompanyAddress": 0,
            "Metafield": 0,
            "MetafieldDefinition": 0,
        }
        self.customers.fill(self._seeded(customers))

    def now(self) -> str:
        """Return the time as the API writes it."""
        return iso(self.clock.now())

    def next_gid(self, kind: str) -> str:
        """Draw the id of a part of a record: an address, a metafield or its definition."""
        self._last[kind] += 1
        return gid(kind, self._last[kind])

    def find(self, kind: str, text: str | None) -> Record | None:
        """Return the record of a kind with that global id."""
        return self.tables[kind].get(count_of(kind, text)) if text else None

    def holder(self, key: str) -> Record | None:
        """Return the customer that has a unique value: `email:…`, `phone:…`, `metafield:…`."""
        return self.customers.get(self.customers.holder(key))

    def node(self, text: str) -> Record | None:
        """Return whatever has that global id."""
        kind = kind_of(text) or ""
        if kind in self.tables:
            return self.find(kind, text)
        if kind == "CompanyContactRole":
            return self.role(text)
        known = (each for each in self.definitions.values() if each["id"] == text)
        return next(known, None)

    def role(self, text: str) -> Record | None:
        """Return a company's role by its id."""
        count = count_of("CompanyContactRole", text)
        company = (count + 1) // 2 if count else None
        if count is None or company not in self.companies.rows:
            return None
        return roles_of(company)[(count + 1) % 2]

    def link(self, kind: str, count: int, owner: str, owner_count: int) -> None:
        """Note that a record belongs to an owner: a contact to a customer, and the like."""
        self._links[kind, owner, owner_count].append(count)

    def unlink(self, kind: str, count: int, owner: Record) -> None:
        """Note that a record belongs to that owner no more."""
        self._links[kind, owner["__typename"], owner["_number"]].remove(count)

    def linked(self, kind: str, owner: Record) -> list[Record]:
        """Return the records of a kind that belong to an owner."""
        table = self.tables[kind]
        counts = self._links.get((kind, owner["__typename"], owner["_number"]), ())
        return [table.rows[count].record for count in counts if count in table.rows]

    def save(
        self, record: Record, write: tuple[str, str, Record], *, touches: bool = True
    ) -> Record:
        """Store a record, new or changed; `write` is origin, action and what was given."""
        origin, action, given = write
        kind, count = record["__typename"], record["_number"]
        table = self.tables[kind]
        before = table.get(count) or {}
        if touches:
            record = record | {"updatedAt": self.now()}
        changed = tuple(
            name.lstrip("_")
            for name in record
            if name != "updatedAt" and record[name] != before.get(name)
        )
        table.put(count, record)
        self.ledger.record(number(kind, count), Write(self.now(), origin, action, changed, given))
        return record

    def delete(self, record: Record, origin: str, action: str = "delete") -> None:
        """Delete a record; nothing in the shop remembers."""
        kind, count = record["__typename"], record["_number"]
        for contact in self.linked("CompanyContact", record) if kind == "Customer" else ():
            self._dismiss(contact)
        self.tables[kind].drop(count)
        self.ledger.record(number(kind, count), Write(self.now(), origin, action, ()))

    def _dismiss(self, contact: Record) -> None:
        """Take a contact and its roles from a company."""
        for role in self.linked("CompanyContactRoleAssignment", contact):
            self.tables["CompanyContactRoleAssignment"].drop(role["_number"])
        self.contacts.drop(contact["_number"])
        company = self.companies.rows[contact["_company"]].record
        if company["_main"] == contact["_number"]:
            self.companies.put(company["_number"], company | {"_main": None})

    def _born(self, count: int) -> Record:
        """Return a customer that nobody has written to."""
        crowd = self.crowd
        known = person(crowd.seed, crowd.index(count), awkward=crowd.awkward)
        email = seeding.email_of(crowd, known.sketch)
        phone = seeding.phone_wanted(crowd, known.sketch)
        holder = self.customers.holder
        return seeding.customer(
            crowd,
            known,
            count,
            email if email and holder(email_key(email)) == count else None,
            phone if phone and holder(f"phone:{phone}") == count else None,
        )

    def _seeded(self, customers: int) -> Iterator[tuple[int, int, int, Iterable[str]]]:
        for count in range(1, customers + 1):
            known = self.crowd.sketch(count)
            email = seeding.email_of(self.crowd, known)
            phone = seeding.phone_wanted(self.crowd, known)
            keys = [email_key(email)] if email else []
            if phone:
                keys.append(f"phone:{phone}")
            yield count, known.created_at, known.updated_at, keys


def email_key(email: str) -> str:
    """Return what e-mails are compared by."""
    return f"email:{email.lower()}"


def metafield_key(namespace: str, key: str, value: str) -> str:
    """Return what unique metafields are compared by."""
    return f"metafield:{namespace}.{key}:{value}"


def roles_of(company: int) -> list[Record]:
    """Return the two roles that every company has."""
    return [
        {
            "__typename": "CompanyContactRole",
            "id": gid("CompanyContactRole", 2 * company - 1 + place),
            "name": name,
            "note": None,
        }
        for place, name in enumerate(ROLES)
    ]


def _customer_keys(record: Record) -> Iterator[str]:
    if record["email"]:
        yield email_key(record["email"])
    if record["phone"]:
        yield f"phone:{record['phone']}"
    for (namespace, key), metafield in record["_metafields"].items():
        if metafield["_is_unique"]:
            yield metafield_key(namespace, key, metafield["value"])


def _external_key(record: Record) -> Iterator[str]:
    if record["externalId"]:
        yield f"external:{record['externalId']}"


def _contact_keys(record: Record) -> Iterator[str]:
    yield f"customer:{record['_customer']}:{record['_company']}"
