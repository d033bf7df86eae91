"""What is known when a batch is decided: links, open staging records and directory customers.

Filled by the processor's gather and by tests; learns every decision, so that a later message of
the batch sees what an earlier one decided.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from typing import Final, NamedTuple
from uuid import UUID

from shared.domain.contacts import accounts_of
from shared.domain.customer import Customer, Source, SourceKey, Version, replaced
from shared.domain.decisions import Ambiguous, Create, Decision, Hold, Ignore, Stage, Update
from shared.domain.directory import DirectoryCustomer
from shared.domain.evidence import Clues, clues_of
from shared.domain.ids import new_id
from shared.domain.match_rules import DirectoryKey
from shared.domain.normalise import place_of
from shared.domain.policy import Policy
from shared.domain.values import value


@value
class Link:
    """A remote record that is a known customer, and what was last taken over from it.

    `is_collected` where the customer is the one that all guests share; `is_contact` where it is
    the company that the account acts for. `is_removed` where the record was found gone, which
    `version` dates by when that was.
    """

    source: SourceKey
    customer_id: UUID
    version: Version
    snapshot: Customer
    exported_number: str | None = None
    store_view: str = ""
    is_collected: bool = False
    is_removed: bool = False
    is_contact: bool = False

    def is_newer_than(self, version: Version) -> bool:
        """Whether more is known of the record than what was read as `version`."""
        if self.is_removed:
            # By our own clock: nothing dates a deletion but the look that missed the record.
            return version.read_at < self.version.read_at
        return version.is_older_than(self.version)


class Account(NamedTuple):
    """A remote record that is linked to a customer, and the store view it was last seen in."""

    source: SourceKey
    customer_id: UUID
    store_view: str


@value
class OpenStaging:
    """An imported customer that has not arrived yet."""

    id: UUID
    source: SourceKey
    version: Version


NOBODY: Final[Mapping[SourceKey, Iterable[str]]] = {}


class Known:
    """Everything a batch's decisions may look at, indexed as they look.

    `links` are those of the batch's own customers; `accounts` are all the remote records that the
    known customers are linked to already; `retired` are numbers of customers who were erased;
    `acting` are the companies that name an account among their contacts; `clues` are what
    some customers are recognised by, if that was worked out before.
    """

    def __init__(
        self,
        links: Iterable[Link] = (),
        customers: Iterable[DirectoryCustomer] = (),
        staging: Iterable[OpenStaging] = (),
        accounts: Iterable[Account] = (),
        *,
        retired: Iterable[str] = (),
        acting: Mapping[SourceKey, Iterable[str]] = NOBODY,
        clues: Iterable[tuple[Customer, Clues]] = (),
        new_id: Callable[[], UUID] = new_id,
    ) -> None:
        self.new_id = new_id
        self._retired = frozenset(retired)
        self._acting = {account: tuple(companies) for account, companies in acting.items()}
        self._links: dict[SourceKey, Link] = {}
        self._accounts: dict[UUID, dict[SourceKey, str]] = {}
        self._customers: dict[UUID, DirectoryCustomer] = {}
        self._by_key: defaultdict[tuple[DirectoryKey, str], list[UUID]] = defaultdict(list)
        self._by_place: defaultdict[str, list[tuple[UUID, str]]] = defaultdict(list)
        self._staging: dict[SourceKey, OpenStaging] = {entry.source: entry for entry in staging}
        self._reserved: dict[SourceKey, UUID] = {}
        self._recalled: dict[SourceKey, UUID] = {}
        self._clues = {id(customer): (customer, found) for customer, found in clues}
        for account in accounts:
            self._add_account(account.customer_id, account.source, account.store_view)
        for link in links:
            self._add_link(link)
        for customer in customers:
            self._add_customer(customer)

    def clues_of(self, customer: Customer, policy: Policy) -> Clues:
        """Return what a customer that is to be decided is recognised by."""
        found = self._clues.get(id(customer))
        return found[1] if found else clues_of(customer, policy)

    def link(self, source: SourceKey) -> Link | None:
        """Return the link of a remote record."""
        return self._links.get(source)

    def customer(self, customer_id: UUID | None) -> DirectoryCustomer | None:
        """Return a customer of the directory, or None if there is no such customer any more."""
        return self._customers.get(customer_id) if customer_id else None

    def customer_of(self, source: SourceKey) -> DirectoryCustomer | None:
        """Return the customer that a remote record is; None too for one that is gone there."""
        if link := self._links.get(source):
            return None if link.is_removed else self.customer(link.customer_id)
        return self.customer(self._recalled.get(source))

    def acts_for(self, account: SourceKey) -> tuple[str, ...]:
        """Return the companies that name an account among their contacts, by their remote ids."""
        return self._acting.get(account, ())

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

    def is_ahead_of(self, source: Source) -> bool:
        """Whether what is linked, staged or known to be gone is newer than what was read here."""
        key = source.key
        link, staged = self._links.get(key), self._staging.get(key)
        return bool(
            (link and link.is_newer_than(source.version))
            or (staged and source.version.is_older_than(staged.version))
        )

    def candidates(self, key: DirectoryKey, value: str) -> tuple[UUID, ...]:
        """Return the customers whose `key` is exactly `value`, oldest first."""
        return tuple(self._by_key.get((key, value), ()))

    def is_taken(self, number: str) -> bool:
        """Whether somebody has, or had, this customer number."""
        return number in self._retired or bool(
            self.candidates(DirectoryKey.CUSTOMER_NUMBER, number)
        )

    def names_at(self, place: str) -> tuple[tuple[UUID, str], ...]:
        """Return the customers at a place, each with its name key, oldest first."""
        return tuple(self._by_place.get(place, ()))

    def accounts(self, customer_id: UUID) -> Mapping[SourceKey, str]:
        """Return the remote records that are this customer, with their store views."""
        return self._accounts.get(customer_id, {})

    def is_linked_elsewhere(self, customer_id: UUID, source: SourceKey) -> bool:
        """Whether another account of the same channel is this customer already."""
        return any(
            other.channel == source.channel and other != source
            for other in self.accounts(customer_id)
        )

    def customers(self) -> Iterable[DirectoryCustomer]:
        """Return every customer of the directory that is known."""
        return self._customers.values()

    def recall(self, customer: DirectoryCustomer, accounts: Mapping[SourceKey, str]) -> None:
        """Take over what decisions before this batch will have made of a customer."""
        self._add_customer(customer)
        self._accounts.setdefault(customer.id, {}).update(accounts)
        self._recalled.update(dict.fromkeys(accounts, customer.id))

    def learn(self, decision: Decision) -> None:
        """Take over what `decision` will have made true."""
        source = decision.customer.source
        match decision:
            case Create(created=created):
                self._add_customer(created)
                self._relink(decision.customer, created.id)
                self._add_contacts(decision.customer)
            case Update(updated=updated):
                self._add_customer(updated)
                self._relink(
                    decision.customer,
                    updated.id,
                    is_collected=decision.collects,
                    is_contact=decision.joins,
                )
                self._add_contacts(decision.customer)
            case Ignore(reason="unchanged"):
                link = self._links[source.key]
                self._relink(
                    decision.customer,
                    link.customer_id,
                    is_collected=link.is_collected,
                    is_contact=link.is_contact,
                )
            case Hold() | Stage() | Ambiguous():
                self.stage(source)
            case Ignore():
                pass

    def remove(self, source: Source) -> None:
        """Take over that a remote record was found gone."""
        self._staging.pop(source.key, None)
        self._reserved.pop(source.key, None)
        if link := self._links.get(source.key):
            seen = replaced(link.version, read_at=source.version.read_at)
            self._links[source.key] = replace(link, version=seen, is_removed=True)
            self._accounts[link.customer_id].pop(source.key, None)

    def _relink(
        self,
        customer: Customer,
        customer_id: UUID,
        *,
        is_collected: bool = False,
        is_contact: bool = False,
    ) -> None:
        source, key = customer.source, customer.source.key
        self._staging.pop(key, None)
        self._reserved.pop(key, None)
        before = self._links.get(key)
        self._add_link(
            Link(
                source=key,
                customer_id=customer_id,
                version=source.version,
                snapshot=customer,
                exported_number=before.exported_number if before else None,
                store_view=source.store_view,
                is_collected=is_collected,
                is_contact=is_contact,
            )
        )

    def _add_contacts(self, company: Customer) -> None:
        for key in accounts_of(company):
            named = (*self._acting.get(key, ()), company.source.external_id)
            self._acting[key] = tuple(dict.fromkeys(named))

    def _add_link(self, link: Link) -> None:
        before = self._links.get(link.source)
        if before and before.customer_id != link.customer_id:
            self._accounts[before.customer_id].pop(link.source, None)
        self._links[link.source] = link
        self._add_account(link.customer_id, link.source, link.store_view)

    def _add_account(self, customer_id: UUID, source: SourceKey, store_view: str) -> None:
        self._accounts.setdefault(customer_id, {})[source] = store_view

    def _add_customer(self, customer: DirectoryCustomer) -> None:
        if before := self._customers.get(customer.id):
            for key in directory_keys(before):
                self._by_key[key].remove(before.id)
            if before.keys.name:
                self._by_place[place_of(before.keys.name)].remove((before.id, before.keys.name))
        self._customers[customer.id] = customer
        for key in directory_keys(customer):
            self._by_key[key].append(customer.id)
        if customer.keys.name:
            place = self._by_place[place_of(customer.keys.name)]
            place.append((customer.id, customer.keys.name))


def directory_keys(customer: DirectoryCustomer) -> list[tuple[DirectoryKey, str]]:
    """Return every normalised key that `customer` can be found by."""
    keys = (customer.number, *customer.keys[1:])
    return [(by, key) for by, key in zip(_KEYS, keys, strict=True) if key]


# In the order of the fields of `MatchKeys`, of which the first is the number.
_KEYS: Final = tuple(DirectoryKey)
