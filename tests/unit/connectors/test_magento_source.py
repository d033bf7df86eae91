"""The cursor: nothing missed, nothing twice, never moved by a page that cannot be trusted."""

from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx2
import pytest

from shared.connectors.magento.groups import Groups
from shared.connectors.magento.source import MagentoSource
from shared.connectors.ports import Watermark
from shared.domain.errors import ConfigurationError, RemoteUnavailable, UnreadableAnswer
from tests.unit.connectors.builders import (
    NOW,
    Script,
    answering,
    found,
    groups_answer,
    item,
    magento,
    settings,
    source,
)

AT = "2026-01-05 10:00:0"
SINCE = Watermark(datetime(2026, 1, 5, 10, 0, 1, tzinfo=UTC), "000000000007")


def row(customer_id: int, second: int, **changes: Any) -> dict[str, Any]:
    """Return a customer that changed in some second of one minute."""
    return item(customer_id, updated_at=f"{AT}{second}", **changes)


def ids(reader: MagentoSource, since: Watermark | None = None) -> list[list[str]]:
    """Return the ids of each page of changes."""
    return [[record.external_id for record in page.records] for page in reader.changes("de", since)]


def asked(request: httpx2.Request) -> dict[str, str]:
    """Return the search criteria of a request, without their common prefix."""
    pairs = parse_qsl(request.url.query.decode(), keep_blank_values=True)
    return {name.removeprefix("searchCriteria"): value for name, value in pairs}


def test_a_first_run_asks_for_everything_of_the_store_view() -> None:
    """No watermark, no bound; the order and its directions are always said."""
    script = Script(found(row(1, 1)))

    assert ids(source(script)) == [["1"]]

    assert asked(script.requests[0]) == {
        "[filter_groups][0][filters][0][field]": "store_id",
        "[filter_groups][0][filters][0][value]": "3",
        "[filter_groups][0][filters][0][condition_type]": "eq",
        "[sortOrders][0][field]": "updated_at",
        "[sortOrders][0][direction]": "ASC",
        "[sortOrders][1][field]": "entity_id",
        "[sortOrders][1][direction]": "ASC",
        "[pageSize]": "2",
        "[currentPage]": "1",
    }


def test_a_later_run_finishes_the_second_and_then_goes_on() -> None:
    """Two queries lead on from (T, N): the rest of T, then what is after T."""
    script = Script(found(row(8, 1)), found(row(3, 2)))

    assert ids(source(script), SINCE) == [["8"], ["3"]]

    rest, after = (asked(request) for request in script.requests)
    assert rest["[filter_groups][1][filters][0][field]"] == "updated_at"
    assert rest["[filter_groups][1][filters][0][condition_type]"] == "eq"
    assert rest["[filter_groups][1][filters][0][value]"] == "2026-01-05 10:00:01"
    assert rest["[filter_groups][2][filters][0][field]"] == "entity_id"
    assert rest["[filter_groups][2][filters][0][condition_type]"] == "gt"
    assert rest["[filter_groups][2][filters][0][value]"] == "7"
    assert rest["[sortOrders][0][field]"] == "entity_id"
    assert after["[filter_groups][1][filters][0][condition_type]"] == "gt"
    assert after["[filter_groups][1][filters][0][value]"] == "2026-01-05 10:00:01"
    assert {request["[currentPage]"] for request in (rest, after)} == {"1"}


def test_brackets_and_blanks_are_percent_encoded() -> None:
    """What is signed is what is sent."""
    script = Script(found(), found())

    ids(source(script), SINCE)

    query = script.requests[0].url.query
    assert b"searchCriteria%5Bfilter_groups%5D%5B1%5D%5Bfilters%5D%5B0%5D%5Bvalue%5D=" in query
    assert b"2026-01-05%2010%3A00%3A01" in query
    assert not set(b"[]+ ") & set(query)


def test_many_changes_of_one_second_are_read_to_their_end() -> None:
    """A second with more rows than a page (an import, a mass action) loses none."""
    script = Script(
        found(row(1, 1), row(2, 1), total=5),
        found(row(3, 1), row(4, 1), total=3),
        found(row(5, 1)),
        found(row(1, 2)),
    )

    assert ids(source(script)) == [["1", "2"], ["3", "4"], ["5"], ["1"]]


def test_only_the_last_page_says_so() -> None:
    """The importer may note a success only then."""
    script = Script(found(row(1, 1), row(2, 1), total=3), found(), found(row(3, 2)))

    assert [page.is_last for page in source(script).changes("de", None)] == [False, True]


def test_an_idle_shop_gives_one_empty_last_page() -> None:
    """Nothing new is a result, too."""
    script = Script(found(), found())

    pages = list(source(script).changes("de", SINCE))

    assert [(list(page.records), page.is_last) for page in pages] == [([], True)]


def test_a_page_that_the_shop_cuts_short_is_not_the_last() -> None:
    """A cap below our page size must not end a run early."""
    script = Script(found(row(1, 1), total=2), found(), found(row(2, 2)))

    assert ids(source(script)) == [["1"], ["2"]]


def test_a_run_ends_at_the_shops_clock() -> None:
    """In a busy shop a run ends; what changed after its start is for the next one."""
    clock = {"Date": "Mon, 05 Jan 2026 10:00:02 GMT"}
    script = Script(
        found(row(1, 1), row(2, 2), total=9, **clock),
        found(total=0),
        found(row(3, 2), row(4, 3), total=9),
    )

    pages = list(source(script).changes("de", None))

    assert [page.is_last for page in pages] == [False, True]


@pytest.mark.parametrize(
    "second_page",
    [
        found(row(1, 1), row(2, 1), total=9),
        found(row(2, 1), row(3, 2), total=9),
        found(row(3, 2), row(3, 2), total=9),
        found(row(3, 0), row(4, 1), total=9),
        found(total=9),
        found(row(5, 2, store_id=4), total=9),
        answering(200, {"items": "all", "total_count": 1}),
        answering(200, {"items": [5], "total_count": 1}),
        answering(200, {"items": []}),
        answering(200, []),
        httpx2.Response(200, content=b"<html>maintenance</html>"),
    ],
)
def test_a_page_that_cannot_be_trusted_moves_no_cursor(second_page: httpx2.Response) -> None:
    """Repeated, backward, foreign, contradictory or mangled pages end the run with an error."""
    script = Script(found(row(1, 1), row(2, 1), total=9), second_page)
    pages = source(script).changes("de", None)
    first = next(pages)

    with pytest.raises(UnreadableAnswer):
        next(pages)

    assert [record.external_id for record in first.records] == ["1", "2"]


def test_a_failure_in_the_middle_is_raised_in_its_place() -> None:
    """Pages before it were given and stay given."""
    script = Script(found(row(1, 1), row(2, 1), total=9), answering(503))
    pages = source(script).changes("de", None)
    next(pages)

    with pytest.raises(RemoteUnavailable):
        next(pages)


def test_a_sweep_goes_by_id() -> None:
    """Every record above the key, in the order of ids."""
    script = Script(found(row(8, 3), row(9, 1), total=3), found(row(10, 2)))

    pages = list(source(script).sweep("de", "000000000007"))

    assert [[r.scan_key for r in page.records] for page in pages] == [
        ["000000000008", "000000000009"],
        ["000000000010"],
    ]
    assert [page.is_last for page in pages] == [False, True]
    bounds = [asked(r)["[filter_groups][1][filters][0][value]"] for r in script.requests]
    assert bounds == ["7", "9"]


def test_a_sweep_starts_at_the_beginning() -> None:
    """An empty key comes before every id."""
    script = Script(found())

    pages = list(source(script).sweep("de", ""))

    assert [page.is_last for page in pages] == [True]
    assert asked(script.requests[0])["[filter_groups][1][filters][0][value]"] == "0"


def test_a_sweep_refuses_to_go_back() -> None:
    """A shop that repeats a page must not make customers look deleted."""
    script = Script(found(row(8, 3), row(9, 1), total=3), found(row(9, 2)))
    pages = source(script).sweep("de", "")
    next(pages)

    with pytest.raises(UnreadableAnswer):
        next(pages)


def test_one_customer_is_fetched_by_id() -> None:
    """The record is the same as in a search."""
    script = Script(answering(200, item()))

    record = source(script).fetch("4711")

    assert record is not None
    assert record.external_id == "4711"
    assert script.requests[0].url.path == "/rest/V1/customers/4711"


def test_a_customer_that_does_not_exist_is_none() -> None:
    """Only when the shop says so of the customer."""
    gone = {"message": "No such entity with %fieldName = %fieldValue"}
    gone_parameters = {"parameters": {"fieldName": "customerId", "fieldValue": 4711}}
    script = Script(answering(404, {**gone, **gone_parameters}))

    assert source(script).fetch("4711") is None
    assert source(script).fetch("../store/websites") is None


def test_a_missing_route_is_not_a_missing_customer() -> None:
    """A wrong address must not make every customer look deleted."""
    script = Script(answering(404, {"message": "Request does not match any route."}))

    with pytest.raises(ConfigurationError):
        source(script).fetch("4711")


def test_an_answer_about_another_customer_is_refused() -> None:
    """A cache in between must not mix customers up."""
    with pytest.raises(UnreadableAnswer):
        source(Script(answering(200, item(4712)))).fetch("4711")


def test_a_store_view_that_is_not_configured_is_a_configuration_error() -> None:
    """Asking for it is our mistake."""
    with pytest.raises(ConfigurationError):
        list(source(Script()).changes("fr", None))


def test_groups_are_fetched_once_and_before_the_translation() -> None:
    """A customer's group is told by its code; one that is not listed, by its id."""
    script = Script(answering(200, item()), groups_answer(), answering(200, item(group_id=9)))
    client = magento(script)
    reader = MagentoSource("shop-de", settings(), client, Groups(client))
    records = [reader.fetch("4711"), reader.fetch("4711")]
    assert len(script.requests) == 3

    customers = [reader.to_customer(record, "de", NOW) for record in records if record]

    assert [customer.group for customer in customers] == ["General", "9"]
    assert len(script.requests) == 3
    assert str(customers[0].source.key) == "shop-de/4711"
    assert customers[0].source.version.read_at == NOW


def test_a_watermark_between_two_seconds_is_rounded_down() -> None:
    """Stepping back by half a second must not trip over the row in the middle."""
    since = Watermark(datetime(2026, 1, 5, 10, 0, 1, 500_000, tzinfo=UTC), "000000000007")
    script = Script(found(row(3, 1)), found())

    assert ids(source(script), since) == [["3"], []]

    rest = asked(script.requests[0])
    assert rest["[filter_groups][1][filters][0][value]"] == "2026-01-05 10:00:01"
    assert rest["[filter_groups][2][filters][0][value]"] == "0"
