"""Finds one page of customers, by an index where one fits and by looking at each where none does.

Bounds on `updated_at`, `entity_id`, `store_id` and `website_id` that stand alone in their group
are answered from sorted lists, so both halves of a keyset cursor cost the same at any depth.
"""

from bisect import bisect_left
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TypeVar

from services.sandbox.magento.criteria import (
    Criteria,
    Filter,
    Predicate,
    comparable,
    fold,
    predicate,
)
from services.sandbox.magento.criteria import Row as AnyRow
from services.sandbox.magento.table import (
    ID_BITS,
    ID_MASK,
    CustomerTable,
    Partition,
    Row,
    email_key,
)

T = TypeVar("T")

FOREVER = 1 << 40


@dataclass(slots=True)
class Range:
    """An inclusive range that filters narrow."""

    low: int = 0
    high: int = FOREVER

    @property
    def is_open(self) -> bool:
        """Whether nothing has narrowed it."""
        return self.low == 0 and self.high == FOREVER

    def narrow(self, condition: str, bound: int) -> bool:
        """Apply one comparison; say whether a range can express it."""
        if condition in {"eq", "gteq", "moreq", "from", "gt"}:
            self.low = max(self.low, bound + (condition == "gt"))
        if condition in {"eq", "lteq", "to", "lt"}:
            self.high = min(self.high, bound - (condition == "lt"))
        return condition in {"eq", "gteq", "moreq", "from", "gt", "lteq", "to", "lt"}


@dataclass(slots=True)
class Plan:
    """What the indices can answer, and what must be tested row by row."""

    changed: Range = field(default_factory=Range)
    ids: Range = field(default_factory=Range)
    stores: set[int] | None = None
    websites: set[int] | None = None
    email: str | None = None
    tests: list[Predicate] = field(default_factory=list)


def find(table: CustomerTable, criteria: Criteria, size: int, page: int) -> tuple[list[Row], int]:
    """Return the rows of one page (from 1) and how many match in all; size 0 means all."""
    plan = _plan(criteria)
    order = _index_order(criteria)
    first = (page - 1) * size if size else 0
    if plan.email is None and order and not plan.tests:
        return _from_index(table, plan, order, first, size)
    rows = [row for row in _candidates(table, plan) if all(test(row) for test in plan.tests)]
    _sort(rows, criteria)
    return rows[first : first + size] if size else rows, len(rows)


def _plan(criteria: Criteria) -> Plan:
    plan = Plan()
    for group in criteria.groups:
        if not group:
            continue
        if len(group) == 1 and _absorb(plan, group[0]):
            continue
        plan.tests.append(_any_of([predicate(each) for each in group]))
    if not plan.changed.is_open and not plan.ids.is_open and plan.changed.low != plan.changed.high:
        plan.tests.append(_within(plan.ids))
        plan.ids = Range()
    return plan


def _absorb(plan: Plan, each: Filter) -> bool:
    if each.field == "email" and each.condition == "eq":
        plan.email = email_key(each.value)
        return False
    bound = comparable(each.field, each.value)
    if each.field in {"updated_at", "entity_id"} and isinstance(bound, int):
        target = plan.changed if each.field == "updated_at" else plan.ids
        return target.narrow(each.condition, bound)
    if each.field in {"store_id", "website_id"} and each.condition in {"eq", "in"}:
        wanted = {int(part) for part in each.value.split(",") if part.strip().isdigit()}
        name = "stores" if each.field == "store_id" else "websites"
        known: set[int] | None = getattr(plan, name)
        setattr(plan, name, wanted if known is None else known & wanted)
        return True
    return False


def _within(ids: Range) -> Predicate:
    def holds(row: AnyRow) -> bool:
        number = row.value("entity_id")
        return isinstance(number, int) and ids.low <= number <= ids.high

    return holds


def _any_of(tests: list[Predicate]) -> Predicate:
    return tests[0] if len(tests) == 1 else lambda row: any(test(row) for test in tests)


def _index_order(criteria: Criteria) -> tuple[str, bool] | None:
    """Say which index is already in the order asked for, and whether forwards."""
    sorts = criteria.sorts
    if not sorts:
        return "by_id", True
    names = tuple(sort.field for sort in sorts)
    rising = {sort.is_ascending for sort in sorts}
    if len(rising) > 1:
        return None
    if names == ("entity_id",):
        return "by_id", rising.pop()
    if names in {("updated_at",), ("updated_at", "entity_id")}:
        return "by_change", rising.pop()
    return None


def _from_index(
    table: CustomerTable, plan: Plan, order: tuple[str, bool], first: int, size: int
) -> tuple[list[Row], int]:
    index, forwards = order
    if index == "by_id" and not plan.changed.is_open:
        if plan.changed.low != plan.changed.high:
            keys = sorted(key & ID_MASK for key in _keys(table, plan))
            keys = keys if forwards else keys[::-1]
            return [table.rows[key] for key in _cut(keys, first, size)], len(keys)
        index = "by_change"  # within one moment the change index is in the order of ids
    elif index == "by_change" and not plan.ids.is_open and plan.changed.is_open:
        rows = list(_candidates(table, plan))
        rows.sort(key=lambda row: row.change_key, reverse=not forwards)
        return _cut(rows, first, size), len(rows)
    low, high = _bounds(plan, index)
    total, keys = 0, []
    for partition in _chosen(table, plan):
        column: list[int] = getattr(partition, index)
        start, end = bisect_left(column, low), bisect_left(column, high)
        total += max(0, end - start)
        reach = first + size if size else end - start
        keys += (
            column[start : min(end, start + reach)]
            if forwards
            else column[max(start, end - reach) : max(start, end)]
        )
    keys.sort(reverse=not forwards)
    return [table.rows[key & ID_MASK] for key in _cut(keys, first, size)], total


def _bounds(plan: Plan, index: str) -> tuple[int, int]:
    """Return the half-open range of keys that the plan allows in `index`."""
    if index == "by_id":
        return plan.ids.low, plan.ids.high + 1
    low, high = plan.changed.low << ID_BITS, (plan.changed.high + 1) << ID_BITS
    if plan.changed.low == plan.changed.high and not plan.ids.is_open:
        return low + plan.ids.low, min(high, low + plan.ids.high + 1)
    return low, high


def _keys(table: CustomerTable, plan: Plan) -> list[int]:
    low, high = _bounds(plan, "by_change")
    keys: list[int] = []
    for partition in _chosen(table, plan):
        column = partition.by_change
        keys += column[bisect_left(column, low) : bisect_left(column, high)]
    return keys


def _candidates(table: CustomerTable, plan: Plan) -> Iterable[Row]:
    """Return a superset by the best index, narrowed by every range of the plan."""
    if plan.email is not None:
        numbers: Iterable[int] = table.by_email.get(plan.email, ())
    elif not plan.changed.is_open:
        numbers = [key & ID_MASK for key in _keys(table, plan)]
    else:
        numbers = [
            number
            for partition in _chosen(table, plan)
            for number in partition.by_id[
                bisect_left(partition.by_id, plan.ids.low) : bisect_left(
                    partition.by_id, plan.ids.high + 1
                )
            ]
        ]
    rows = [table.rows[number] for number in numbers]
    if plan.email is None:
        return rows
    return [
        row
        for row in rows
        if plan.changed.low <= row.updated_at <= plan.changed.high
        and plan.ids.low <= row.id <= plan.ids.high
        and (plan.stores is None or row.store_id in plan.stores)
        and (plan.websites is None or row.website_id in plan.websites)
    ]


def _chosen(table: CustomerTable, plan: Plan) -> list[Partition]:
    if plan.stores is None and plan.websites is None:
        return [table.everyone]
    return [
        partition
        for (website, store), partition in table.by_store.items()
        if (plan.stores is None or store in plan.stores)
        and (plan.websites is None or website in plan.websites)
    ]


def _sort(rows: list[Row], criteria: Criteria) -> None:
    rows.sort(key=lambda row: row.id)
    for sort in reversed(criteria.sorts):
        name = sort.field
        rows.sort(key=lambda row: _sortable(row, name), reverse=not sort.is_ascending)


def _sortable(row: Row, name: str) -> tuple[bool, int, str]:
    value = fold(row.value(name))
    return value is not None, value if isinstance(value, int) else 0, str(value or "")


def _cut(items: list[T], first: int, size: int) -> list[T]:
    return items[first : first + size] if size else items[first:]
