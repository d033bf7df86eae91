"""One connector, many threads, and an end."""

from concurrent.futures import ThreadPoolExecutor
from itertools import zip_longest

import pytest

from shared.connectors.ports import CustomerSink, CustomerSource
from tests.conformance.channel import (
    FULL_SIZE,
    Channel,
    fetched,
    ids_of,
    numbered,
    scan,
    succeeded,
)
from tests.conformance.shop import Ability, Shop

THREADS = 4


@pytest.mark.needs(Ability.SOURCE)
def test_threads_read_and_write_side_by_side(
    shop: Shop, source: CustomerSource, sink: CustomerSink
) -> None:
    """Each gets its own answers."""
    ids = shop.register(FULL_SIZE)

    with ThreadPoolExecutor(THREADS) as pool:
        scans = [pool.submit(scan, source, shop.view) for _ in range(2)]
        writes = [pool.submit(sink.write, [numbered(one, f"D{one}")]) for one in ids]
        fetches = [pool.submit(fetched, source, one) for one in ids]

    assert all(ids_of(each.result()) == set(ids) for each in scans)
    assert all(succeeded(outcome) for each in writes for outcome in each.result())
    assert [each.result().external_id for each in fetches] == ids
    assert [shop.number(one) for one in ids] == [f"D{one}" for one in ids]


@pytest.mark.needs(Ability.SOURCE)
def test_two_scans_do_not_mix(shop: Shop, source: CustomerSource) -> None:
    """Page by page in turn, as two store views of a shop are polled."""
    ids = set(shop.register(FULL_SIZE))

    pairs = list(zip_longest(source.changes(shop.view, None), source.sweep(shop.view, "")))

    assert ids_of(changed for changed, _ in pairs if changed) == ids
    assert ids_of(swept for _, swept in pairs if swept) == ids


@pytest.mark.needs(Ability.EXPIRING_TOKEN)
def test_threads_share_one_login(shop: Shop, channel: Channel) -> None:
    """A token that ran out is renewed once for all, or nearly so."""
    ids = shop.register(THREADS)
    source = channel.connect(**shop.expiring_credentials).reading
    fetched(source, ids[0])
    shop.expire_token()

    with ThreadPoolExecutor(THREADS) as pool:
        fetches = [pool.submit(fetched, source, one) for one in ids]

    assert [each.result().external_id for each in fetches] == ids
    assert shop.logins() == 2


def test_closing_ends_every_connection(shop: Shop, channel: Channel) -> None:
    """A channel that is configured anew leaves nothing behind."""
    ids = shop.register(THREADS)
    connector = channel.connect()
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(lambda one: connector.sink.write([numbered(one)]), ids))

    connector.close()

    assert shop.let_connections_end()
