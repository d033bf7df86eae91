"""Searching: whatever index answers, the result is that of looking at every customer."""

from itertools import product

import pytest

from services.sandbox.clock import stamp
from services.sandbox.magento.criteria import Criteria, Filter, Sort, fold, predicate
from services.sandbox.magento.search import find
from services.sandbox.magento.shop import Shop
from services.sandbox.magento.table import Row
from services.sandbox.people import MASS_UPDATED_AT

SHOP = Shop(customers=500, seed=7)
MASS = stamp(MASS_UPDATED_AT)

FILTERS: list[tuple[tuple[Filter, ...], ...]] = [
    (),
    ((Filter("updated_at", MASS, "eq"),), (Filter("entity_id", "250", "gt"),)),
    ((Filter("updated_at", MASS, "gt"),),),
    ((Filter("updated_at", "2024-01-01", "gteq"),), (Filter("updated_at", MASS, "lt"),)),
    ((Filter("updated_at", "2024-01-01", "gteq"),), (Filter("entity_id", "100", "lteq"),)),
    ((Filter("entity_id", "100", "gt"),), (Filter("store_id", "1,2", "in"),)),
    ((Filter("updated_at", "2025-01-01", "gt"),), (Filter("store_id", "4", "eq"),)),
    ((Filter("website_id", "2", "eq"),),),
    ((Filter("website_id", "1", "eq"),), (Filter("store_id", "4", "eq"),)),
    ((Filter("group_id", "2", "eq"), Filter("group_id", "3", "eq")),),
    ((Filter("billing_country_id", "DE", "eq"),), (Filter("store_id", "1", "eq"),)),
    ((Filter("loyalty_level", "gold", "eq"),),),
    ((Filter("default_billing", "", "null"),), (Filter("website_id", "1", "eq"),)),
    ((Filter("email", "%example.org", "like"),), (Filter("entity_id", "300", "lt"),)),
    ((Filter("entity_id", "5", "gt"),), (Filter("entity_id", "3", "lt"),)),
]
SORTS: list[tuple[Sort, ...]] = [
    (),
    (Sort("entity_id", "ASC"),),
    (Sort("entity_id", None),),
    (Sort("updated_at", "ASC"), Sort("entity_id", "ASC")),
    (Sort("updated_at", "DESC"), Sort("entity_id", "DESC")),
    (Sort("updated_at", "ASC"), Sort("entity_id", "DESC")),
    (Sort("lastname", "ASC"), Sort("entity_id", "ASC")),
]


@pytest.mark.parametrize(("groups", "sorts"), list(product(FILTERS, SORTS)))
def test_a_page_is_that_of_a_full_scan(
    groups: tuple[tuple[Filter, ...], ...], sorts: tuple[Sort, ...]
) -> None:
    """Bounds, partitions and order from an index agree with judging every row."""
    criteria = Criteria(groups, sorts)
    everyone = _scan(criteria)

    for size, page in ((0, 1), (40, 1), (40, 3), (7, 2)):
        rows, total = find(SHOP.table, criteria, size, page)
        first = (page - 1) * size
        expected = everyone[first : first + size] if size else everyone

        assert total == len(everyone)
        assert [row.id for row in rows] == expected


def test_an_email_is_found_by_its_index_and_the_other_filters_hold() -> None:
    """E-mail and website together find one account of a twin."""
    twin = SHOP.table.rows[18]
    criteria = Criteria(
        (
            (Filter("email", twin.email.upper(), "eq"),),
            (Filter("website_id", str(twin.website_id), "eq"),),
        )
    )

    rows, total = find(SHOP.table, criteria, 10, 1)

    assert [row.id for row in rows] == [18]
    assert total == 1


def test_both_keyset_queries_walk_everybody_once() -> None:
    """The cursor of two queries sees every customer, the mass update included."""
    moment, last, seen = "2000-01-01 00:00:00", 0, list[int]()

    while True:
        page = _keyset_page(moment, last)
        if not page:
            break
        seen += [row.id for row in page]
        moment, last = stamp(page[-1].updated_at), page[-1].id

    assert len(seen) == len(set(seen)) == 500


def _keyset_page(moment: str, last: int) -> list[Row]:
    ties = Criteria(
        ((Filter("updated_at", moment, "eq"),), (Filter("entity_id", str(last), "gt"),)),
        (Sort("entity_id", "ASC"),),
    )
    later = Criteria(
        ((Filter("updated_at", moment, "gt"),),),
        (Sort("updated_at", "ASC"), Sort("entity_id", "ASC")),
    )
    page, _ = find(SHOP.table, ties, 50, 1)
    return page or find(SHOP.table, later, 50, 1)[0]


def _scan(criteria: Criteria) -> list[int]:
    rows = [
        row
        for row in SHOP.table.rows.values()
        if all(any(predicate(each)(row) for each in group) for group in criteria.groups)
    ]
    rows.sort(key=lambda row: row.id)
    for sort in reversed(criteria.sorts):
        name = sort.field
        rows.sort(key=lambda row: _key(row, name), reverse=not sort.is_ascending)
    return [row.id for row in rows]


def _key(row: Row, name: str) -> tuple[bool, int, str]:
    value = fold(row.value(name))
    return value is not None, value if isinstance(value, int) else 0, str(value or "")
