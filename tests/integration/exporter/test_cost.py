"""What customers cost their shop, counted in requests."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

from tests.integration.exporter.outpost import Outpost

PAGE_SIZE = 7


@contextmanager
def counted(outpost: Outpost) -> Iterator[Counter[str]]:
    """Count the requests to the shop, by method and route."""
    before = _requests(outpost)
    found: Counter[str] = Counter()
    yield found
    found.update(_requests(outpost) - before)


def _requests(outpost: Outpost) -> Counter[str]:
    books = outpost.shop.control.stats()["requests"]
    return Counter({f"{each['method']} {each['route']}": each["count"] for each in books})


def test_a_page_is_read_with_no_more_requests_than_it_was(sqlite_outpost: Outpost) -> None:
    """Nobody is asked for alone: pages of the list, and each page once more at the most."""
    with counted(sqlite_outpost) as requests:
        customers = len(sqlite_outpost.poll())

    assert customers > 20
    assert requests.pop("GET customerGroups/search") == 1
    assert set(requests) == {"GET customers/search"}
    assert requests.total() <= 2 * -(-customers // PAGE_SIZE)


def test_a_customer_is_written_to_with_no_more_requests_than_it_was(
    sqlite_outpost: Outpost,
) -> None:
    """Number and additional data together: the customer is read once, and written once."""
    customers = len(sqlite_outpost.poll())
    sqlite_outpost.process()

    with counted(sqlite_outpost) as requests:
        sqlite_outpost.export()

    assert sqlite_outpost.owed() == {}
    assert requests == {"GET customers/{id}": customers, "PUT customers/{id}": customers}
