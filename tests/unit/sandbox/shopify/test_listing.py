"""Lists: order, paging, limits, and where paging silently ends."""

import pytest

from services.sandbox.shopify import SandboxShopify
from services.sandbox.shopify.gids import customer_gid
from tests.unit.sandbox.shopify.asking import CUSTOMERS, Asking


def _walk(ask: Asking, **variables: object) -> list[str]:
    found: list[str] = []
    after = None
    while True:
        page = ask(CUSTOMERS, after=after, **variables)
        found += [each["id"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            return found


@pytest.mark.parametrize("sort", ["ID", "UPDATED_AT", "CREATED_AT", "NAME"])
def test_pages_hold_everything_once(ask: Asking, sort: str) -> None:
    """In whatever order, pages of seven add up to all of them."""
    found = _walk(ask, first=7, sort=sort)

    assert sorted(found) == [customer_gid(count) for count in range(1, 81)]


def test_reversed_pages_are_the_same_backwards(ask: Asking) -> None:
    """`reverse` turns the whole list, not the page."""
    assert _walk(ask, first=9, sort="UPDATED_AT", reverse=True) == list(
        reversed(_walk(ask, first=9, sort="UPDATED_AT"))
    )


def test_a_customer_changed_during_the_scan_is_seen_again(
    shop: SandboxShopify, ask: Asking
) -> None:
    """Ascending by change time, a changed row moves to the end: seen twice, not lost."""
    first = ask(CUSTOMERS, first=10, sort="UPDATED_AT")
    shop.control.touch(first["nodes"][0]["id"])

    rest = ask(CUSTOMERS, first=100, sort="UPDATED_AT", after=first["pageInfo"]["endCursor"])

    assert rest["nodes"][-1]["id"] == first["nodes"][0]["id"]
    assert len(rest["nodes"]) == 71


def test_a_cursor_belongs_to_its_order(ask: Asking) -> None:
    """A cursor of another sort key is refused, and so is one that is none."""
    cursor = ask(CUSTOMERS, first=5, sort="UPDATED_AT")["pageInfo"]["endCursor"]

    other = ask.answer(CUSTOMERS, first=5, sort="ID", after=cursor)
    wrong = ask.answer(CUSTOMERS, first=5, after="nonsense")

    assert "Invalid cursor" in other["errors"][0]["message"]
    assert other["data"] is None
    assert "not a valid cursor" in wrong["errors"][0]["message"]


@pytest.mark.parametrize("first", [None, 251, -1])
def test_a_page_has_a_size_of_at_most_250(ask: Asking, first: int | None) -> None:
    """None at all, too many and fewer than none are refused."""
    assert ask.answer(CUSTOMERS, first=first)["errors"]


def test_paging_ends_without_a_word(ask: Asking, shop: SandboxShopify) -> None:
    """Beyond the limit there is no next page, though there are more; counts saturate."""
    shop.control.set_quirks(most_listed=25)

    found = _walk(ask, first=10)
    count = ask("{ customersCount(limit: null) { count precision } }")

    assert len(found) == 25
    assert count == {"count": 26, "precision": "AT_LEAST"}


def test_counts_are_exact_below_the_limit(ask: Asking) -> None:
    """`customersCount` counts what a search finds."""
    everybody = ask("{ customersCount { count precision } }")
    some = ask('{ customersCount(query: "id:<=7420000000010") { count } }')

    assert everybody == {"count": 80, "precision": "EXACT"}
    assert some == {"count": 10}


def test_short_lists_are_paged_too(shop: SandboxShopify, ask: Asking) -> None:
    """Addresses come in pages of their own."""
    for number in range(5):
        shop.control.add_address(3, address1=f"Weg {number}", city="Ulm", countryCode="DE")
    query = """query ($id: ID!, $after: String) { customer(id: $id) {
      addressesV2(first: 2, after: $after) {
        nodes { address1 } pageInfo { hasNextPage endCursor } } } }"""

    seen: list[str] = []
    after = None
    while True:
        page = ask(query, id=customer_gid(3), after=after)["addressesV2"]
        seen += [each["address1"] for each in page["nodes"]]
        after = page["pageInfo"]["endCursor"]
        if not page["pageInfo"]["hasNextPage"]:
            break

    assert seen[-5:] == [f"Weg {number}" for number in range(5)]


def test_nodes_come_by_id_at_most_250_at_once(ask: Asking) -> None:
    """In the order asked for, null for what is not there."""
    ids = [customer_gid(3), customer_gid(999), customer_gid(1)]
    document = "query Nodes($ids: [ID!]!) { nodes(ids: $ids) { id } }"

    assert ask(document, ids=ids) == [{"id": ids[0]}, None, {"id": ids[2]}]
    assert ask.answer(document, ids=ids * 84)["errors"]
