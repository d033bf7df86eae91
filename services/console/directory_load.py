"""Loads existing customers into the directory: new numbers are created, known ones updated.

What the file says of a customer is merged by the code that merges what a shop says, and found by
the same keys, so that a shop's customers are matched with those loaded (ASK-8). Its promise: a
batch is one transaction with its line in the audit log, and loading a file again changes nothing.
"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from uuid import UUID

import orjson

from services.console.directory_file import DIRECTORY, Entry
from services.processor.gather import Inquiry, gather
from services.processor.rows import Row, address_row, customer_row
from shared.domain.addresses import address_merge
from shared.domain.customer import Address, Customer
from shared.domain.directory import DirectoryCustomer, customer_fields
from shared.domain.ids import new_id
from shared.domain.known import Known
from shared.domain.match_rules import DirectoryKey
from shared.domain.merge import field_merge
from shared.domain.normalise import match_keys
from shared.domain.ownership import Ownership
from shared.domain.places import new_addresses
from shared.domain.policy import Policy
from shared.domain.updates import after_update
from shared.persistence import audit, history, number_series
from shared.persistence.tables import customer_addresses, customers
from shared.persistence.unit_of_work import UnitOfWork

_EVERYTHING = Ownership()


@dataclass
class Loading:
    """What a batch of customers changes, row by row."""

    policy: Policy
    correlation_id: UUID = field(default_factory=new_id)
    created: dict[UUID, DirectoryCustomer] = field(default_factory=dict)
    updated: dict[UUID, DirectoryCustomer] = field(default_factory=dict)
    changes: dict[UUID, list[str]] = field(default_factory=dict)
    unchanged: int = 0
    alike: int = 0
    erased: int = 0

    @property
    def counts(self) -> Counter[str]:
        """How many customers were created, updated, left alone; and what is to be known of them.

        `alike` are those with the e-mail address or tax id of another: matching will not choose.
        `erased` were erased in Patron and are not loaded again.
        """
        return Counter(
            created=len(self.created),
            updated=len(self.updated),
            unchanged=self.unchanged,
            alike=self.alike,
            erased=self.erased,
        )

    @property
    def highest(self) -> dict[str, int]:
        """The highest counter of each number series that could have written a loaded number."""
        numbers = [each.number or "" for each in self.created.values()]
        highest: dict[str, int] = {}
        for series in self.policy.number_series.values():
            counters = [c for number in numbers if (c := series.counter(number)) is not None]
            if counters and max(counters) >= series.start:
                highest[series.name] = max(counters)
        return highest


def plan_batch(
    entries: Sequence[Entry],
    work: UnitOfWork,
    policy: Policy,
    seen: set[int],
    *,
    locks: bool = True,
) -> Loading:
    """Say what `entries` change, and keep others from deciding about these people meanwhile.

    `seen` remembers, from batch to batch, by what the customers of the file will be found.
    """
    inquiries = [Inquiry(entry.customer.source.key, entry.customer) for entry in entries]
    known = gather(inquiries, work, policy, locks=locks)
    loading = Loading(policy)
    for entry in entries:
        _take(entry, known, loading, seen)
    return loading


def write_batch(loading: Loading, work: UnitOfWork, *, actor: str, file: str) -> None:
    """Write the batch, move the number series past its numbers, and note who did it."""
    _write_customers(loading, work)
    number_series.pass_by(work.connection, loading.highest)
    events = [("customer.loaded", each) for each in loading.created.values()]
    events += [("customer.load_updated", each) for each in loading.updated.values()]
    history.append(work.connection, [_line(event, each, loading, work) for event, each in events])
    detail = orjson.dumps(dict(loading.counts)).decode()
    audit.note(work, actor=actor, action="directory.loaded", subject=file, detail=detail)


def _take(entry: Entry, known: Known, loading: Loading, seen: set[int]) -> None:
    found = known.candidates(DirectoryKey.CUSTOMER_NUMBER, entry.number)
    existing = known.customer(found[0]) if found else None
    if existing is None and known.is_taken(entry.number):
        loading.erased += 1
        return
    loading.alike += _is_like_another(entry, existing, known, seen)
    if existing is None:
        created = _created(entry, loading.policy)
        loading.created[created.id] = created
        return
    empty = Customer(source=entry.customer.source, addresses=_empty(entry.customer))
    fields = field_merge(entry.customer, empty, existing, _EVERYTHING, repairs=True).changes
    addresses = address_merge(entry.customer, empty, existing, _EVERYTHING, new_id, repairs=True)
    updated = replace(
        after_update(
            existing, entry.customer, match_keys(entry.customer), fields, addresses.changes
        ),
        template=entry.template or existing.template,
        defaults={**existing.defaults, **entry.values},
    )
    if updated == existing:
        loading.unchanged += 1
        return
    loading.updated[updated.id] = updated
    names = [*fields, *(["addresses"] if addresses.changes else [])]
    names += ["template"] if updated.template != existing.template else []
    names += ["values"] if updated.defaults != existing.defaults else []
    loading.changes[updated.id] = names


def _created(entry: Entry, policy: Policy) -> DirectoryCustomer:
    """Return a new customer: the template's values, and over them what the file says."""
    templates = {template.name: template.values for template in policy.templates}
    return DirectoryCustomer(
        id=new_id(),
        number=entry.number,
        fields=customer_fields(entry.customer),
        keys=match_keys(entry.customer),
        template=entry.template,
        defaults={**templates.get(entry.template or "", {}), **entry.values},
        addresses=new_addresses(entry.customer, new_id),
        # Its first record in a shop will say whether that is an account or a company.
        entity=None,
    )


def _empty(customer: Customer) -> tuple[Address, ...]:
    """Return the customer's addresses before anything was said of them."""
    return tuple(Address(external_id=address.external_id) for address in customer.addresses)


def _is_like_another(
    entry: Entry, existing: DirectoryCustomer | None, known: Known, seen: set[int]
) -> bool:
    """Whether another customer, there or in the file, has the same e-mail address or tax id."""
    keys = match_keys(entry.customer)
    mine = {existing.id} if existing else set()
    is_alike = False
    for by, value in ((DirectoryKey.EMAIL, keys.email), (DirectoryKey.TAX_ID, keys.tax_id)):
        if value:
            is_alike |= hash((by, value)) in seen or bool({*known.candidates(by, value)} - mine)
            seen.add(hash((by, value)))
    return is_alike


def _write_customers(loading: Loading, work: UnitOfWork) -> None:
    created = [customer_row(each, each.number, work.now) for each in loading.created.values()]
    work.bulk.insert(customers, created)
    updated = [customer_row(each, each.number, work.now) for each in loading.updated.values()]
    for row in updated:
        del row["created_at"], row["state"]
    work.bulk.update(customers, updated, key=("id",))
    rows: list[Row] = [
        address_row(address, customer.id, work.now)
        for customer in (*loading.created.values(), *loading.updated.values())
        for address in customer.addresses
    ]
    if rows:
        changes = [name for name in rows[0] if name not in ("id", "customer_id")]
        work.bulk.upsert(customer_addresses, rows, key=("id",), update=changes)


def _line(event: str, customer: DirectoryCustomer, loading: Loading, work: UnitOfWork) -> Row:
    fields = loading.changes.get(customer.id)
    return history.line(
        at=work.now,
        correlation_id=loading.correlation_id,
        channel=DIRECTORY,
        external_id=customer.number or "-",
        customer_id=customer.id,
        worker="console",
        event=event,
        detail=orjson.dumps({"fields": fields}).decode() if fields else None,
    )
