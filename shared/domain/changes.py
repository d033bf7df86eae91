"""Changes: what an imported customer changes in the directory, field by field.

Three-way: a field changes when the shop's value is not what it last said (the link's snapshot)
and not what the directory holds. On a first link there is no snapshot; then only what the
directory lacks is filled in, so that matching never overwrites. A blank never wipes a value.
Addresses are the platform's by id, or by content; default flags move, addresses stay (C365-18),
and one is removed only when the shop removed it.
"""

from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import replace
from uuid import UUID

from shared.domain.customer import Address, Customer
from shared.domain.decisions import AddressChanges
from shared.domain.directory import (
    DirectoryAddress,
    DirectoryCustomer,
    FieldValue,
    address_fields,
    customer_fields,
)

NewId = Callable[[], UUID]


def field_changes(
    customer: Customer, snapshot: Customer | None, existing: DirectoryCustomer
) -> dict[str, FieldValue]:
    """Return the directory fields that `customer` changes, with their new values."""
    said = customer_fields(customer)
    if snapshot is None:
        return {
            name: value
            for name, value in said.items()
            if not _is_blank(value) and _is_blank(existing.fields.get(name))
        }
    before = customer_fields(snapshot)
    return {
        name: value
        for name, value in said.items()
        if not _is_blank(value) and value != before.get(name) and value != existing.fields.get(name)
    }


def new_addresses(customer: Customer, new_id: NewId) -> tuple[DirectoryAddress, ...]:
    """Return the directory's addresses for a new customer."""
    return tuple(
        _directory_address(address, customer.source.channel, new_id())
        for address in customer.addresses
    )


def address_changes(
    customer: Customer, snapshot: Customer | None, existing: DirectoryCustomer, new_id: NewId
) -> AddressChanges:
    """Return what `customer` changes about the addresses of `existing`."""
    merge = _AddressMerge(customer.source.channel, existing, is_first=snapshot is None)
    before = {a.external_id: a for a in snapshot.addresses if a.external_id} if snapshot else {}
    for address in customer.addresses:
        if address.external_id and before.get(address.external_id) == address:
            merge.keep(address)
        else:
            merge.take(address, new_id)
    merge.remove(before.keys() - {address.external_id for address in customer.addresses})
    return merge.changes()


def addresses_after(
    existing: DirectoryCustomer, changes: AddressChanges
) -> tuple[DirectoryAddress, ...]:
    """Return the addresses of `existing` with `changes` applied."""
    changed = {address.id: address for address in changes.changed}
    kept = (a for a in existing.addresses if a.id not in changes.removed)
    return (*(changed.get(a.id, a) for a in kept), *changes.added)


class _AddressMerge:
    """Collects the changes to one customer's addresses, keeping one default of each kind."""

    def __init__(self, channel: str, existing: DirectoryCustomer, *, is_first: bool) -> None:
        self._channel = channel
        self._before = {address.id: address for address in existing.addresses}
        self._after = dict(self._before)
        self._seen: set[UUID] = set()
        self._is_first = is_first

    def keep(self, address: Address) -> None:
        """Leave an address alone that the shop left alone."""
        if known := self._find(address):
            self._seen.add(known.id)

    def take(self, address: Address, new_id: NewId) -> None:
        """Add `address`, or bring the one that it is up to date."""
        known = self._find(address)
        incoming = _directory_address(address, self._channel, known.id if known else new_id())
        if known:
            incoming = self._merged(known, incoming)
        incoming = self._with_defaults(known, incoming)
        self._seen.add(incoming.id)
        self._after[incoming.id] = incoming

    def remove(self, external_ids: AbstractSet[str | None]) -> None:
        """Remove the channel's addresses that the shop no longer has."""
        for address in list(self._after.values()):
            is_gone = address.channel == self._channel and address.external_id in external_ids
            if is_gone and address.id not in self._seen:
                del self._after[address.id]

    def changes(self) -> AddressChanges:
        """Return what has to be written."""
        before, after = self._before, self._after
        return AddressChanges(
            added=tuple(a for key, a in after.items() if key not in before),
            changed=tuple(a for key, a in after.items() if key in before and a != before[key]),
            removed=tuple(key for key in before if key not in after),
        )

    def _find(self, address: Address) -> DirectoryAddress | None:
        unseen = [a for a in self._after.values() if a.id not in self._seen]
        for known in unseen:
            same_platform = known.channel == self._channel and known.external_id
            if same_platform and known.external_id == address.external_id:
                return known
        content = address_fields(address)
        return next((a for a in unseen if _same_place(a.fields, content)), None)

    def _merged(self, known: DirectoryAddress, incoming: DirectoryAddress) -> DirectoryAddress:
        merge = _filled if self._is_first else _unless_blank
        merged = replace(incoming, fields=merge(known.fields, incoming.fields))
        is_another_accounts = self._is_first or known.channel != self._channel
        if known.external_id and is_another_accounts:
            return replace(merged, channel=known.channel, external_id=known.external_id)
        return merged

    def _with_defaults(
        self, known: DirectoryAddress | None, incoming: DirectoryAddress
    ) -> DirectoryAddress:
        if self._is_first:
            return replace(
                incoming,
                is_default_billing=self._first_default("is_default_billing", known, incoming),
                is_default_shipping=self._first_default("is_default_shipping", known, incoming),
            )
        for flag in ("is_default_billing", "is_default_shipping"):
            if getattr(incoming, flag):
                self._clear(flag, incoming.id)
        return incoming

    def _first_default(
        self, flag: str, known: DirectoryAddress | None, incoming: DirectoryAddress
    ) -> bool:
        if known and getattr(known, flag):
            return True
        taken = any(getattr(a, flag) for a in self._after.values())
        return bool(getattr(incoming, flag)) and not taken

    def _clear(self, flag: str, except_id: UUID) -> None:
        for address in list(self._after.values()):
            if address.id != except_id and getattr(address, flag):
                cleared = (
                    replace(address, is_default_billing=False)
                    if flag == "is_default_billing"
                    else replace(address, is_default_shipping=False)
                )
                self._after[address.id] = cleared


def _directory_address(address: Address, channel: str, address_id: UUID) -> DirectoryAddress:
    return DirectoryAddress(
        id=address_id,
        channel=channel,
        external_id=address.external_id,
        is_default_billing=address.is_default_billing,
        is_default_shipping=address.is_default_shipping,
        fields=address_fields(address),
    )


def _same_place(one: Mapping[str, FieldValue], other: Mapping[str, FieldValue]) -> bool:
    names = ("lines", "postcode", "city", "country", "first_name", "last_name", "company_name")
    return all(_folded(one.get(name)) == _folded(other.get(name)) for name in names)


def _folded(value: FieldValue) -> str:
    return " ".join(str(value or "").casefold().split())


def _filled(
    known: Mapping[str, FieldValue], incoming: Mapping[str, FieldValue]
) -> dict[str, FieldValue]:
    return {n: known[n] if not _is_blank(known.get(n)) else v for n, v in incoming.items()}


def _unless_blank(
    known: Mapping[str, FieldValue], incoming: Mapping[str, FieldValue]
) -> dict[str, FieldValue]:
    return {n: known.get(n) if _is_blank(v) else v for n, v in incoming.items()}


def _is_blank(value: FieldValue) -> bool:
    return value is None or value == ""
