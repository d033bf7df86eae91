"""Merge: what becomes of a field that shop and directory both have a word about (NEW-6).

Three values meet: what the shop says now, what it said when it was last taken over (the link's
snapshot), and what the directory holds. Only what the shop changed since then is news; whether it
is taken is up to the owner of the field. Its promise: a field that the source did not speak of is
never a change, and nothing that one side loses to the other is lost without a word.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from shared.domain.customer import Customer, CustomerKind, replaced
from shared.domain.decisions import FieldConflict
from shared.domain.directory import (
    CUSTOMER_FIELDS,
    DirectoryCustomer,
    FieldValue,
    customer_fields,
)
from shared.domain.ownership import BlankPolicy, FieldRule, Owner, Ownership

Fields = Mapping[str, FieldValue]


@dataclass(frozen=True, slots=True)
class FieldMerge:
    """The fields that change with their new values, and where the two sides differed."""

    changes: dict[str, FieldValue]
    conflicts: tuple[FieldConflict, ...] = ()


def field_merge(
    customer: Customer,
    snapshot: Customer | None,
    existing: DirectoryCustomer,
    ownership: Ownership,
    *,
    repairs: bool = False,
) -> FieldMerge:
    """Return what `customer` changes about the fields of `existing`.

    Without a snapshot (the first link) it only fills what the directory lacks (XPR-9). With
    `repairs` the fields that the platform owns are brought back to what the shop says.
    """
    said = customer_fields(customer)
    if not customer.said("kind"):
        del said["kind"]
    changed_at, times = customer.source.version.changed_at, existing.field_times

    def is_erp_newer(name: str) -> bool:
        return name in times and times[name] > changed_at

    before = None if snapshot is None else customer_fields(snapshot)
    sides = Sides(said, before, existing.fields)
    merge = merge_fields(sides, ownership.rule, is_erp_newer, repairs=repairs)
    return _without_kind(merge) if _keeps_its_company(sides, merge) else merge


def agreed(customer: Customer, snapshot: Customer | None) -> Customer:
    """Return the next snapshot: `customer`, and what only an earlier one spoke of.

    So that a source which speaks of a field now and then changes it only when it says something
    else.
    """
    if snapshot is None:
        return customer
    unsaid = snapshot.model_fields_set - customer.model_fields_set
    earlier = {name: getattr(snapshot, name) for name in unsaid & _REMEMBERED}
    merged: Customer = replaced(customer, **earlier) if earlier else customer
    return merged


@dataclass(frozen=True, slots=True)
class Sides:
    """What the shop says, what it said before (None: never heard of), what the directory holds."""

    said: Fields
    before: Fields | None
    present: Fields


def merge_fields(
    sides: Sides,
    rule_for: Callable[[str], FieldRule],
    is_erp_newer: Callable[[str], bool],
    *,
    repairs: bool = False,
) -> FieldMerge:
    """Settle every field by its rule."""
    merge = _Merge(sides, rule_for, is_erp_newer, repairs)
    for name in sides.said:
        if name not in _FOLLOWS:
            merge.settle(name)
    for name in _FOLLOWS:
        if name in sides.said:
            merge.settle(name)
    return FieldMerge(merge.changes, tuple(merge.conflicts))


def is_blank(value: FieldValue) -> bool:
    """Whether a field is empty."""
    return value is None or value == ""


def same_value(one: FieldValue, other: FieldValue) -> bool:
    """Whether two values are equal; every blank is the same."""
    return one == other or (is_blank(one) and is_blank(other))


@dataclass(slots=True)
class _Merge:
    """Collects what becomes of each field."""

    sides: Sides
    rule_for: Callable[[str], FieldRule]
    is_erp_newer: Callable[[str], bool]
    repairs: bool
    changes: dict[str, FieldValue] = field(default_factory=dict)
    conflicts: list[FieldConflict] = field(default_factory=list)

    def settle(self, name: str) -> None:
        """Decide whose value a field has from now on."""
        sides = self.sides
        if same_value(sides.said[name], sides.present.get(name)):
            return
        if sides.before is None:
            self._meet(name)
        elif not same_value(sides.said[name], sides.before.get(name)) or self.repairs:
            self._change(name, sides.before)

    def _meet(self, name: str) -> None:
        """Fill a gap on a first link, unless the field is the ERP's (XPR-9)."""
        said, present = self.sides.said[name], self.sides.present.get(name)
        if is_blank(said):
            return
        is_erps = self.rule_for(name).owner is Owner.ERP
        if is_blank(present) and not is_erps:
            self.changes[name] = said
        else:
            self._conflict(name, Owner.ERP if is_erps else Owner.ONLY_IF_EMPTY, wins=False)

    def _change(self, name: str, before: Fields) -> None:
        said, present = self.sides.said[name], self.sides.present.get(name)
        rule = self.rule_for(name)
        if same_value(said, before.get(name)) and rule.owner is not Owner.PLATFORM:
            return
        if is_blank(said) and rule.blank is BlankPolicy.KEEP and not self._follows(name):
            return
        erp_changed = not same_value(present, before.get(name))
        match rule.owner:
            case Owner.PLATFORM:
                wins = True
            case Owner.ERP:
                wins = False
            case Owner.ONLY_IF_EMPTY:
                wins = is_blank(present)
            case Owner.NEWEST:
                wins = not (erp_changed and self.is_erp_newer(name))
        if wins:
            self.changes[name] = said
        if erp_changed or not wins:
            self._conflict(name, rule.owner, wins=wins)

    def _follows(self, name: str) -> bool:
        """Whether a blank belongs to a value that was taken just now."""
        return any(not is_blank(self.changes.get(other)) for other in _FOLLOWS.get(name, ()))

    def _conflict(self, name: str, owner: Owner, *, wins: bool) -> None:
        said, present = self.sides.said[name], self.sides.present.get(name)
        winner: Literal["platform", "erp"] = "platform" if wins else "erp"
        self.conflicts.append(FieldConflict(name, said, present, owner.value, winner))


def _keeps_its_company(sides: Sides, merge: FieldMerge) -> bool:
    """Whether the shop calls an individual whom a company name that is kept makes a business."""
    return (
        merge.changes.get("kind") == CustomerKind.INDIVIDUAL
        and "company_name" in sides.said
        and is_blank(sides.said["company_name"])
        and "company_name" not in merge.changes
        and not is_blank(sides.present.get("company_name"))
    )


def _without_kind(merge: FieldMerge) -> FieldMerge:
    return FieldMerge(
        {name: value for name, value in merge.changes.items() if name != "kind"},
        tuple(conflict for conflict in merge.conflicts if conflict.field != "kind"),
    )


_REMEMBERED: Final = frozenset({*CUSTOMER_FIELDS, "addresses", "contacts", "companies", "entity"})
_FOLLOWS: Final[Mapping[str, tuple[str, ...]]] = {
    "phone_extension": ("phone",),
    "region": ("country",),
    "region_code": ("region", "country"),
}
"""Fields that mean nothing without another: blank with a new one of those, they are blank."""
