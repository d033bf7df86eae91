"""Sweeping a store view: everybody, in an order that lets it be taken up anywhere."""

from itertools import pairwise

import pytest

from shared.connectors.ports import CustomerSource
from tests.conformance.channel import FULL_SIZE, ids_of, records_of
from tests.conformance.shop import Ability, Shop

pytestmark = pytest.mark.needs(Ability.SOURCE)


def test_a_sweep_sees_everybody_in_the_order_of_scan_keys(
    shop: Shop, source: CustomerSource
) -> None:
    """Compared as text, each key is greater than the one before; the last page says so."""
    registered = set(shop.register(FULL_SIZE))

    pages = list(source.sweep(shop.view, ""))

    keys = [record.scan_key for record in records_of(pages)]
    assert ids_of(pages) == registered
    assert all(before < after for before, after in pairwise(keys))
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]


def test_a_sweep_is_taken_up_after_any_record(shop: Shop, source: CustomerSource) -> None:
    """It brings the rest, and only that."""
    shop.register(FULL_SIZE)
    records = records_of(source.sweep(shop.view, ""))

    for number, record in enumerate(records):
        rest = records_of(source.sweep(shop.view, record.scan_key))
        assert rest == records[number + 1 :]


def test_a_sweep_of_an_empty_store_view_ends(shop: Shop, source: CustomerSource) -> None:
    """With a page that is the last."""
    pages = list(source.sweep(shop.view, ""))

    assert not records_of(pages)
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]


def test_a_sweep_is_not_moved_by_what_changes_meanwhile(shop: Shop, source: CustomerSource) -> None:
    """Edits reorder nothing, deletions hide nobody, and no key comes twice."""
    registered = shop.register(FULL_SIZE)
    [edited, deleted, *others] = registered
    pages = []
    for page in source.sweep(shop.view, ""):
        pages.append(page)
        if len(pages) == 1:
            shop.edit(edited)
            shop.delete(deleted)

    keys = [record.scan_key for record in records_of(pages)]
    assert ids_of(pages) >= {edited, *others}
    assert len(set(keys)) == len(keys)
