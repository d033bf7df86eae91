"""Reading what changed: everybody is seen, and whoever reads on misses nobody."""

from collections.abc import Sequence

import pytest

from shared.connectors.ports import CustomerSource, Page
from tests.conformance.channel import (
    FULL_SIZE,
    fetched,
    fingerprints_of,
    ids_of,
    last_mark,
    records_of,
    scan,
    stepped_back,
)
from tests.conformance.shop import Ability, Shop

LONG_SECONDS = 600
"""Longer than the importer steps back."""

pytestmark = pytest.mark.needs(Ability.SOURCE)


def test_a_full_scan_sees_everybody(shop: Shop, source: CustomerSource) -> None:
    """Each customer of the store view at least once; one page is the last, and it has a mark."""
    registered = set(shop.register(FULL_SIZE))

    pages = scan(source, shop.view)

    assert ids_of(pages) == registered == shop.ids()
    assert len(pages) > 1
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]
    assert last_mark(pages).changed_at.utcoffset() is not None


def test_a_scan_of_an_empty_store_view_ends(shop: Shop, source: CustomerSource) -> None:
    """With a page that is the last."""
    pages = scan(source, shop.view)

    assert not records_of(pages)
    assert [page.is_last for page in pages] == [False] * (len(pages) - 1) + [True]


@pytest.mark.needs(Ability.OTHER_VIEW)
def test_a_scan_keeps_to_its_store_view(shop: Shop, source: CustomerSource) -> None:
    """Customers of another store view are read there and nowhere else."""
    here, there = set(shop.register(3)), set(shop.register(3, shop.other_view))

    assert ids_of(scan(source, shop.view)) == here
    assert ids_of(scan(source, shop.other_view)) == there
    assert ids_of(source.sweep(shop.view, "")) == here


def test_the_next_run_brings_what_changed(shop: Shop, source: CustomerSource) -> None:
    """Edited and new customers, with their new content."""
    first, *_ = shop.register(FULL_SIZE)
    before = scan(source, shop.view)
    shop.advance_clock(3600)
    shop.edit(first)
    [new] = shop.register()

    after = scan(source, shop.view, stepped_back(last_mark(before)))

    seen = fingerprints_of(records_of(after))
    assert {first, new} <= seen.keys()
    assert seen[first] != fingerprints_of(records_of(before))[first]


def test_what_changes_while_it_is_read_is_not_lost(shop: Shop, source: CustomerSource) -> None:
    """Shoppers edit behind and ahead of a long scan; it, or the next, has their last word."""
    waiting = shop.register(FULL_SIZE)
    pages = []
    for page in source.changes(shop.view, None):
        pages.append(page)
        shop.advance_clock(LONG_SECONDS)
        if len(waiting) > 1:
            shop.edit(waiting.pop(0))
            shop.edit(waiting.pop())

    pages += scan(source, shop.view, stepped_back(last_mark(pages)))

    now = {each: fetched(source, each).fingerprint for each in shop.ids()}
    assert fingerprints_of(records_of(pages)) == now


def test_whoever_registers_while_it_is_read_is_not_lost(shop: Shop, source: CustomerSource) -> None:
    """By this run or by the next."""
    shop.register(FULL_SIZE)
    pages = []
    for page in source.changes(shop.view, None):
        pages.append(page)
        shop.advance_clock(LONG_SECONDS)
        if len(pages) == 2:
            shop.register(2)

    pages += scan(source, shop.view, stepped_back(last_mark(pages)))

    assert ids_of(pages) == shop.ids()


def test_one_that_is_deleted_while_it_is_read_hides_nobody(
    shop: Shop, source: CustomerSource
) -> None:
    """Pages counted from the start would slide past a neighbour."""
    first, *others = shop.register(FULL_SIZE)
    pages = []
    for page in source.changes(shop.view, None):
        pages.append(page)
        if len(pages) == 1:
            shop.delete(first)

    assert ids_of(pages) >= set(others)


def test_many_changes_of_one_moment_are_all_read(shop: Shop, source: CustomerSource) -> None:
    """More customers with one change time than a page holds, and a mark in their midst."""
    shop.freeze_clock()
    registered = set(shop.register(FULL_SIZE))

    pages = scan(source, shop.view)

    assert ids_of(pages) == registered
    for number in range(len(pages)):
        assert _completed(shop, source, pages[: number + 1]) == registered


def test_a_run_is_taken_up_after_every_page(shop: Shop, source: CustomerSource) -> None:
    """From the mark that was stored last, or from the beginning where there is none yet."""
    registered = set()
    for _ in range(FULL_SIZE):
        registered |= set(shop.register())
        shop.advance_clock(1)
    pages = scan(source, shop.view)

    for number in range(len(pages)):
        assert _completed(shop, source, pages[: number + 1]) == registered


def test_marks_never_go_back(shop: Shop, source: CustomerSource) -> None:
    """Within a run each mark is as far as the one before, or further."""
    for _ in range(FULL_SIZE):
        shop.register()
        shop.advance_clock(1)

    marks = [page.mark for page in scan(source, shop.view) if page.mark]

    keys = [(mark.changed_at, mark.scan_key) for mark in marks]
    assert keys == sorted(keys)


def test_a_run_ends_though_the_shop_is_busy(shop: Shop, source: CustomerSource) -> None:
    """Somebody who edits between any two pages does not keep it going for ever."""
    first, *_ = shop.register(FULL_SIZE)
    count = 0
    for _ in source.changes(shop.view, None):
        shop.advance_clock(5)
        shop.edit(first)
        count += 1

    assert count <= 2 * FULL_SIZE


def test_what_changes_by_itself_changes_no_fingerprint(shop: Shop, source: CustomerSource) -> None:
    """A record that is read twice is the same record."""
    [one] = shop.register()

    assert fetched(source, one) == fetched(source, one)


@pytest.mark.needs(Ability.CHANGES_BY_ITSELF)
def test_a_touch_changes_no_fingerprint(shop: Shop, source: CustomerSource) -> None:
    """Else a customer would be imported again for nothing."""
    [one] = shop.register()
    before = fetched(source, one)
    shop.advance_clock(60)
    shop.touch(one)

    after = fetched(source, one)

    assert after != before
    assert after.fingerprint == before.fingerprint


@pytest.mark.needs(Ability.ADDRESSES)
def test_an_edited_address_changes_the_fingerprint(shop: Shop, source: CustomerSource) -> None:
    """Whether or not the platform says that the customer changed."""
    [one, other] = shop.register(2)
    before = fetched(source, one), fetched(source, other)
    shop.edit_address(one)

    after = fetched(source, one), fetched(source, other)

    assert after[0].fingerprint != before[0].fingerprint
    assert after[1].fingerprint == before[1].fingerprint


def test_a_scan_a_sweep_and_a_fetch_find_one_record(shop: Shop, source: CustomerSource) -> None:
    """One id, one key, one fingerprint, however the record was come by."""
    shop.register(FULL_SIZE)

    scanned = {record.external_id: record for record in records_of(scan(source, shop.view))}
    swept = {record.external_id: record for record in records_of(source.sweep(shop.view, ""))}

    for each in shop.ids():
        one = fetched(source, each)
        for other in (scanned[each], swept[each]):
            assert (other.scan_key, other.fingerprint) == (one.scan_key, one.fingerprint)
            assert other.changed_at == one.changed_at


def test_a_record_is_aware_of_its_zone(shop: Shop, source: CustomerSource) -> None:
    """Times carry their offset, and lie near the shop's own clock."""
    [one] = shop.register()

    record = fetched(source, one)

    assert record.changed_at.utcoffset() is not None
    assert record.created_at is None or record.created_at <= record.changed_at


@pytest.mark.parametrize("odd", ["", "0", "no-such-id", "../1", "1?x=2", "\u0663", "9" * 18])
def test_an_odd_id_is_nobody(shop: Shop, source: CustomerSource, odd: str) -> None:
    """Ids come from webhooks and command lines too: none leads anywhere else in the shop."""
    shop.register(4)

    assert source.fetch(odd) is None


def test_deleted_and_unknown_customers_are_gone(shop: Shop, source: CustomerSource) -> None:
    """`fetch` says None, and only of them."""
    first, second = shop.register(2)
    shop.delete(first)

    assert source.fetch(first) is None
    assert source.fetch(shop.unknown_id) is None
    assert fetched(source, second).external_id == second


def _completed(shop: Shop, source: CustomerSource, pages: Sequence[Page]) -> set[str]:
    """Return whom one sees who broke off after these pages and read on from the last mark."""
    marks = [page.mark for page in pages if page.mark]
    rest = scan(source, shop.view, marks[-1] if marks else None)
    return ids_of(pages) | ids_of(rest)
