"""What is known when a batch is decided: links, open staging records and directory customers.

Filled by the processor's gather and by tests; learns every decision, so that a later message of
the batch sees what an earlier one decided.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from uuid_utils.compat import uuid7

from shared.domain.customer import Customer, Source, SourceKey, Version
from shared.domain.decisions import Ambiguous, Create, Decision, Hold, Ignore, Stage, Update
from shared.domain.directory import DirectoryCustomer
from shared.domain.policy import MatchBy


@dataclass(frozen=True, slots=True)
class Link:
    """A remote record that is a known customer, and what was last taken over from it."""

    source: SourceKey
    customer_id: UUID
    version: Version
    snapshot: Customer
    exported_number: str | None = None


@dataclass(frozen=True, slots=True)
class OpenStaging:
    """An imported customer that has not arrived yet."""

    id: UUID
    source: SourceKey
    version: Version


class Known:
    """Everything a batch's decisions may look at, indexed as they look.

    `links` are those of the batch's own customers; `linked` says which remote records the known
    customers are linked to already.
    """

    def __init__(
        self,
        links: Iterable[Link] = (),
        customers: Iterable[DirectoryCustomer] = (),
        staging: Iterable[OpenStaging] = (),
        linked: Iterable[tuple[SourceKey, UUID]] = (),
        new_id: Callable[[], UUID] = uuid7,
    ) -> None:
        self.new_id = new_id
        self._links: dict[SourceKey, Link] = {}
        self._linked: defaultdict[UUID, set[SourceKey]] = defaultdict(set)
        self._customers: dict[UUID, DirectoryCustomer] = {}
        self._by_key: defaultdict[tuple[MatchBy, str], dict[UUID, None]] = defaultdict(dict)
        self._staging: dict[SourceKey, OpenStaging] = {entry.source: entry for entry in staging}
        self._reserved: dict[SourceKey, UUID] = {}
        for source, customer_id in linked:
            self._linked[customer_id].add(source)
        for link in links:
            self._add_link(link)
        for customer in customers:
            self._add_customer(customer)

    def link(self, source: SourceKey) -> Link | None:
        """Return the link of a remote record."""
        return self._links.get(source)

    def customer(self, customer_id: UUID) -> DirectoryCustomer:
        """Return a customer of the directory. Raises KeyError if it was not gathered."""
        return self._customers[customer_id]

    def staging(self, source: SourceKey) -> OpenStaging | None:
        """Return the open staging record of a remote record."""
        return self._staging.get(source)

    def staging_id(self, source: SourceKey) -> UUID:
        """Return the id under which a remote record is staged: the open record's, or a new one."""
        if entry := self._staging.get(source):
            return entry.id
        return self._reserved.setdefault(source, self.new_id())

    def stage(self, source: Source) -> None:
        """Take over that `source` has an open staging record now."""
        key = source.key
        self._staging[key] = OpenStaging(self.staging_id(key), key, source.version)

    def candidates(self, by: MatchBy, key: str) -> tuple[UUID, ...]:
        """Return the customers whose `by` equals `key` exactly, oldest first."""
        return tuple(self._by_key.get((by, key), ()))

    def is_linked_elsewhere(self, customer_id: UUID, source: SourceKey) -> bool:
        """Whether another account of the same channel is this customer already."""
        return any(
            other.channel == source.channel and other != source
            for other in self._linked.get(customer_id, ())
        )

    def learn(self, decision: Decision) -> None:
        """Take over what `decision` will have made true."""
        source = decision.customer.source
        match decision:
            case Create(created=created):
                self._add_customer(created)
                self._relink(decision.customer, created.id)
            case Update(updated=updated):
                self._add_customer(updated)
                self._relink(decision.customer, updated.id)
            case Ignore(reason="unchanged"):
                self._relink(decision.customer, self._links[source.key].customer_id)
            case Hold() | Stage() | Ambiguous():
                self.stage(source)
            case Ignore():
                pass

    def _relink(self, customer: Customer, customer_id: UUID) -> None:
        self._staging.pop(customer.source.key, None)
        self._reserved.pop(customer.source.key, None)
        before = self._links.get(customer.source.key)
        self._add_link(
            Link(
                source=customer.source.key,
                customer_id=customer_id,
                version=customer.source.version,
                snapshot=customer,
                exported_number=before.exported_number if before else None,
            )
        )

    def _add_link(self, link: Link) -> None:
        self._links[link.source] = link
        self._linked[link.customer_id].add(link.source)

    def _add_customer(self, customer: DirectoryCustomer) -> None:
        if before := self._customers.get(customer.id):
            for key in directory_keys(before):
                self._by_key[key].pop(before.id, None)
        self._customers[customer.id] = customer
        for key in directory_keys(customer):
            self._by_key[key][customer.id] = None


def directory_keys(customer: DirectoryCustomer) -> list[tuple[MatchBy, str]]:
    """Return every normalised key that `customer` can be found by."""
    keys = customer.keys._replace(customer_number=customer.number)
    return [(by, key) for by in _KEYS if (key := getattr(keys, by))]


_KEYS: Final = tuple(MatchBy)
