"""What is asked of the shop, and what a page must be to be believed."""

from datetime import UTC, datetime, timedelta

import orjson
import pytest

from shared.connectors.bigcommerce.query import cursor_after
from shared.connectors.bigcommerce.record import record_of
from shared.connectors.ports import Watermark
from shared.domain.errors import ConfigurationError, UnreadableAnswer
from tests.unit.connectors.bigcommerce.builders import (
    Script,
    address,
    answering,
    asked,
    attribute,
    connected,
    found,
    item,
    settings,
)

SINCE = Watermark(datetime(2026, 11, 20, 8, 0, tzinfo=UTC))
DATE = "Fri, 20 Nov 2026 08:30:00 GMT"


def test_a_first_run_asks_for_everybody_by_cursor() -> None:
    """No filter, no sort; the cursor is the shop's own."""
    script = Script(found(item(1), item(2), cursor="abc"), found(item(3)))

    pages = list(connected(script).reading.changes("b2c", None))

    assert [[r.external_id for r in page.records] for page in pages] == [["1", "2"], ["3"], []]
    first, second = map(asked, script.requests)
    assert first == {"limit": "2", "include": "addresses,attributes,formfields"}
    assert second == {**first, "after": "abc"}


def test_a_later_run_asks_for_changes_with_bare_colons() -> None:
    """An encoded colon breaks the filter; and changed attributes are asked for besides."""
    script = Script(found(item(1)), found(attribute(5, "D-1", customer_id=9)), found(item(9)))

    pages = list(connected(script).reading.changes("b2c", SINCE))

    assert [r.external_id for page in pages for r in page.records] == ["1", "9"]
    changed, values, others = script.requests
    assert b"date_modified:min=2026-11-20T08:00:00" in changed.url.query
    assert values.url.path.endswith("/customers/attribute-values")
    assert b"date_modified:min=2026-11-20T08:00:00" in values.url.query
    assert asked(others)["id:in"] == "9"


def test_the_mark_is_by_the_shops_clock_less_the_overlap() -> None:
    """Its clock when the run began, not ours and not when it ended (NEW-14)."""
    script = Script(
        found(item(1), item(2), cursor="abc", Date=DATE),
        found(item(3), Date="Fri, 20 Nov 2026 09:30:00 GMT"),
    )

    *rest, last = connected(script).reading.changes("b2c", None)

    assert [page.mark for page in rest] == [None, None]
    assert last.is_last
    began_at = datetime(2026, 11, 20, 8, 30, tzinfo=UTC)
    assert last.mark == Watermark(began_at - timedelta(minutes=15))


def test_a_wider_overlap_is_kept() -> None:
    """For a shop that reads times in another zone."""
    script = Script(found(item(1), Date=DATE))

    [*_, last] = connected(script, settings(overlap_minutes=1560)).reading.changes("b2c", None)

    assert last.mark == Watermark(datetime(2026, 11, 19, 6, 30, tzinfo=UTC))


def test_a_sweep_goes_on_from_any_id() -> None:
    """By a cursor of our own making."""
    script = Script(found(item(8)))

    records = [r for p in connected(script).reading.sweep("b2c", "000000000007") for r in p.records]

    assert [record.external_id for record in records] == ["8"]
    assert asked(script.requests[0])["after"] == cursor_after(7)


@pytest.mark.parametrize("again", [item(2), item(1)])
def test_a_page_that_repeats_is_not_believed(again: dict[str, object]) -> None:
    """Nor one that goes back."""
    script = Script(found(item(1), item(2), cursor="abc"), found(again, cursor="abc"))

    with pytest.raises(UnreadableAnswer):
        list(connected(script).reading.changes("b2c", None))


@pytest.mark.parametrize(
    "body",
    [
        [],
        {"data": None},
        {"data": ["text"]},
        {"data": [], "meta": {"pagination": {"total": 5}}},
    ],
)
def test_an_answer_of_another_shape_is_not_believed(body: object) -> None:
    """The cursor stays where it is."""
    with pytest.raises(UnreadableAnswer):
        list(connected(Script(answering(200, body))).reading.changes("b2c", None))


def test_what_is_not_embedded_is_read_for_all_of_a_page_at_once() -> None:
    """The shop embeds ten of each; several customers share a call (XPR-2)."""
    cut = {"address_count": 12, "attribute_count": 2}
    script = Script(
        found(item(1, **cut), item(2, **cut)),
        found(address(1, customer_id=1), address(2, customer_id=2)),
    )

    [page, _] = connected(script).reading.changes("b2c", None)

    assert [len(record.payload["addresses"]) for record in page.records] == [1, 1]
    assert asked(script.requests[1])["customer_id:in"] == "1,2"
    assert asked(script.requests[1])["include"] == "formfields"


def test_a_customer_belongs_to_the_view_of_its_storefront() -> None:
    """By where it comes from, then by where it may log in; else to the rest (XPR-2)."""
    using = settings({"first": {"channel_id": 1}, "second": {"channel_id": 2}, "rest": {}})
    reader = connected(Script(), using).reading
    views = [
        reader.store_view_of(record_of(item(origin_channel_id=origin, channel_ids=channels)))
        for origin, channels in [(1, None), (7, [9, 2]), (7, None), (1, [2])]
    ]

    assert views == ["first", "second", "rest", "first"]


def test_an_unknown_view_is_an_error_of_the_setup() -> None:
    """Nothing is asked."""
    with pytest.raises(ConfigurationError):
        connected(Script()).reading.changes("none", None)


def test_a_token_is_sent_and_nothing_else_is_told() -> None:
    """Not in the address, where logs would show it."""
    script = Script(found(item()))

    connected(script).reading.fetch("4711")

    [request] = script.requests
    assert request.headers["X-Auth-Token"] == "s3cret"
    assert "s3cret" not in str(request.url)
    assert request.url.path == "/stores/abc123/v3/customers"
    assert orjson.loads(request.content or b"null") is None
