"""Addresses: what an imported customer changes about the addresses of a directory customer.

Identity is the platform's id (ASK-15); the defaults are flags that move and leave the addresses
where they are (C365-18). What the shop changed about an address it changed field by field, and
the owner of the group `addresses` says whether that is taken. Its promise: an address goes only
where the shop removed it, no account takes another's away, and there is never a second default of
a kind, nor none where there was one.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Final, Literal
from uuid import UUID

from shared.domain.customer import Address, Customer
from shared.domain.decisions import AddressChanges, FieldConflict
from shared.domain.directory import (
    DirectoryAddress,
    DirectoryCustomer,
    FieldValue,
    address_fields,
)
from shared.domain.merge import Sides, merge_fields, same_value
from shared.domain.ownership import ADDRESSES, BlankPolicy, FieldRule, Owner, Ownership
from shared.domain.places import (
    directory_address,
    in_one_line,
    pair,
    said_fields,
    same_place,
    same_text,
)

Kind = Literal["default_billing", "default_shipping"]


@dataclass(frozen=True, slots=True)
class AddressMerge:
    """What is written about the addresses, and where the two sides differed."""

    changes: AddressChanges
    conflicts: tuple[FieldConflict, ...] = ()


def address_merge(
    customer: Customer,
    snapshot: Customer | None,
    existing: DirectoryCustomer,
    ownership: Ownership,
    new_id: Callable[[], UUID],
    *,
    repairs: bool = False,
) -> AddressMerge:
    """Return what `customer` changes about the addresses of `existing`.

    New addresses are added whoever owns them: an order may go there. An owner `newest` is taken
    for `platform`, as the directory does not know when it changed an address.
    """
    rule = ownership.rule(ADDRESSES)
    before = snapshot.addresses if snapshot and snapshot.said("addresses") else None
    repairs = repairs and rule.owner is Owner.PLATFORM
    if not customer.said("addresses") or (before == customer.addresses and not repairs):
        return _NOTHING
    if not customer.addresses and rule.blank is BlankPolicy.KEEP:
        return _NOTHING
    merge = _Merge(customer, before, existing, rule, repairs=repairs)
    merge.take(new_id)
    merge.move_defaults()
    merge.remove()
    return AddressMerge(merge.changes(), tuple(merge.conflicts))


def addresses_after(
    existing: DirectoryCustomer, changes: AddressChanges
) -> tuple[DirectoryAddress, ...]:
    """Return the addresses of `existing` with `changes` applied."""
    changed = {address.id: address for address in changes.changed}
    kept = (a for a in existing.addresses if a.id not in changes.removed)
    return (*(changed.get(a.id, a) for a in kept), *changes.added)


class _Merge:
    """Collects the changes to one customer's addresses."""

    def __init__(
        self,
        customer: Customer,
        before: tuple[Address, ...] | None,
        existing: DirectoryCustomer,
        rule: FieldRule,
        *,
        repairs: bool,
    ) -> None:
        self.conflicts: list[FieldConflict] = []
        self._channel = customer.source.channel
        self._said = customer.addresses
        self._before = before
        self._by_id: dict[str | None, Address] = {
            a.external_id: a for a in before or () if a.external_id
        }
        self._gone = self._by_id.keys() - {a.external_id for a in self._said}
        self._existing = {address.id: address for address in existing.addresses}
        self._after = dict(self._existing)
        self._rule = rule
        self._may_overwrite = rule.owner in (Owner.PLATFORM, Owner.NEWEST)
        self._repairs = repairs
        self._targets: list[UUID | None] = []

    def take(self, new_id: Callable[[], UUID]) -> None:
        """Bring the known addresses up to date and add the others."""
        for address, known in zip(self._said, self._pairs(self._said), strict=True):
            base = self._base(address, known)
            if known:
                self._update(address, known, base)
                self._targets.append(known.id)
            elif base is None or self._comes_back(address, base):
                added = directory_address(address, self._channel, new_id())
                self._after[added.id] = added
                self._targets.append(added.id)
            else:
                self._targets.append(None)

    def move_defaults(self) -> None:
        """Let each default be where the shop moved it."""
        had = [known.id if known else None for known in self._pairs(self._before or ())]
        for kind in _KINDS:
            before = _default(self._before or (), had, kind)
            self._move(kind, before, _default(self._said, self._targets, kind))

    def remove(self) -> None:
        """Remove the channel's addresses that the shop no longer has."""
        for known in self._existing.values():
            is_gone = known.channel == self._channel and known.external_id in self._gone
            if is_gone and known.id not in self._targets:
                self._remove(self._after[known.id], self._by_id[known.external_id])

    def changes(self) -> AddressChanges:
        """Return what has to be written."""
        before, after = self._existing, self._after
        return AddressChanges(
            added=tuple(a for key, a in after.items() if key not in before),
            changed=tuple(a for key, a in after.items() if key in before and a != before[key]),
            removed=tuple(key for key in before if key not in after),
        )

    def _pairs(self, addresses: tuple[Address, ...]) -> list[DirectoryAddress | None]:
        return pair(addresses, self._channel, self._existing.values())

    def _base(self, address: Address, known: DirectoryAddress | None) -> Address | None:
        """Return what the shop said of this address before."""
        if address.external_id in self._by_id:
            return self._by_id[address.external_id]
        if known and self._is_replaced(known):
            return self._by_id[known.external_id]
        if address.external_id is None:
            content = address_fields(address)
            return next(
                (a for a in self._before or () if same_place(address_fields(a), content)), None
            )
        return None

    def _is_replaced(self, known: DirectoryAddress) -> bool:
        """Whether the shop gave up the id that this address was known by."""
        return known.channel == self._channel and known.external_id in self._gone

    def _update(self, address: Address, known: DirectoryAddress, base: Address | None) -> None:
        merged = known
        if base != address or self._repairs:
            merged = replace(known, fields={**known.fields, **self._changes(address, known, base)})
        is_to_be_named = known.external_id is None or self._is_replaced(known)
        if address.external_id and is_to_be_named:
            merged = replace(merged, channel=self._channel, external_id=address.external_id)
        self._after[known.id] = merged

    def _changes(
        self, address: Address, known: DirectoryAddress, base: Address | None
    ) -> dict[str, FieldValue]:
        before = None if base is None else address_fields(base)
        merge = merge_fields(
            Sides(said_fields(address), before, known.fields),
            lambda _name: self._rule,
            lambda _name: False,
            repairs=self._repairs,
        )
        for conflict in merge.conflicts:
            if base is not None or not same_text(conflict.platform, conflict.erp):
                self.conflicts.append(replace(conflict, field=f"{ADDRESSES}.{conflict.field}"))
        return merge.changes

    def _comes_back(self, address: Address, base: Address) -> bool:
        """Whether an address is added again that the directory gave up, or another account has."""
        content, before = address_fields(address), address_fields(base)
        is_edited = any(not same_value(v, before[name]) for name, v in said_fields(address).items())
        if not (is_edited or self._repairs):
            return False
        shared = next((a for a in self._existing.values() if same_place(a.fields, before)), None)
        is_taken = self._rule.owner is not Owner.ERP
        if not shared or not is_taken:
            present = in_one_line(shared.fields) if shared else None
            self._conflict(ADDRESSES, in_one_line(content), present, wins=is_taken)
        return is_taken

    def _move(self, kind: Kind, before: UUID | None, target: UUID | None) -> None:
        holder = next((a for a in self._after.values() if _has(a, kind)), None)
        was_moved = target != before or self._repairs
        if target is None or not was_moved or (holder and holder.id == target):
            return
        wins = holder is None or (self._before is not None and self._may_overwrite)
        if holder and (holder.id != before or not wins):
            said = in_one_line(self._after[target].fields)
            self._conflict(f"{ADDRESSES}.{kind}", said, in_one_line(holder.fields), wins=wins)
        if wins:
            self._give(kind, target)

    def _remove(self, known: DirectoryAddress, base: Address) -> None:
        held = [kind for kind in _KINDS if _has(known, kind)]
        heirs = [_default(self._said, self._targets, kind) for kind in held]
        is_taken = self._may_overwrite and None not in heirs
        is_edited = any(
            not same_value(known.fields.get(name), value)
            for name, value in address_fields(base).items()
        )
        if is_edited or not is_taken:
            self._conflict(ADDRESSES, None, in_one_line(known.fields), wins=is_taken)
        if is_taken:
            for kind, heir in zip(held, heirs, strict=True):
                if heir:
                    self._give(kind, heir)
            del self._after[known.id]

    def _give(self, kind: Kind, target: UUID) -> None:
        for address in self._after.values():
            if _has(address, kind) != (address.id == target):
                self._after[address.id] = _with(address, kind, is_default=address.id == target)

    def _conflict(self, field: str, said: FieldValue, present: FieldValue, *, wins: bool) -> None:
        is_erps = self._rule.owner is Owner.ERP
        met = Owner.ERP if is_erps else Owner.ONLY_IF_EMPTY
        owner = met if self._before is None else self._rule.owner
        winner: Literal["platform", "erp"] = "platform" if wins else "erp"
        self.conflicts.append(FieldConflict(field, said, present, owner.value, winner))


def _default(addresses: tuple[Address, ...], ids: list[UUID | None], kind: Kind) -> UUID | None:
    """Return the id of the first address that is the default."""
    flags = (getattr(address, f"is_{kind}") for address in addresses)
    return next((id_ for id_, flag in zip(ids, flags, strict=True) if flag), None)


def _has(address: DirectoryAddress, kind: Kind) -> bool:
    billing, shipping = address.is_default_billing, address.is_default_shipping
    return billing if kind == "default_billing" else shipping


def _with(address: DirectoryAddress, kind: Kind, *, is_default: bool) -> DirectoryAddress:
    if kind == "default_billing":
        return replace(address, is_default_billing=is_default)
    return replace(address, is_default_shipping=is_default)


_KINDS: Final[tuple[Kind, ...]] = ("default_billing", "default_shipping")
_NOTHING: Final = AddressMerge(AddressChanges())
