"""Listing customers: filters, pages, cursors, and what is embedded."""

from typing import Any

import httpx2
import pytest

from services.sandbox.bigcommerce import SandboxBigCommerce
from services.sandbox.bigcommerce.paging import cursor_of
from services.sandbox.people import sketch

CUSTOMERS = "/v3/customers"
SINCE = "date_modified:min=2026-01-05T10:00:00"


def ids(answer: httpx2.Response) -> list[int]:
    """Return the ids of what was answered."""
    return [each["id"] for each in answer.json()["data"]]


def walk(client: httpx2.Client, query: str) -> list[int]:
    """Follow the cursor until it ends."""
    found: list[int] = []
    after = ""
    while True:
        answer = client.get(f"{CUSTOMERS}?{query}{after}").json()
        found += [each["id"] for each in answer["data"]]
        cursors = answer["meta"]["cursor_pagination"]
        if "next" not in cursors["links"]:
            return found
        after = f"&after={cursors['end_cursor']}"


def test_a_missing_customer_is_an_empty_200(client: httpx2.Client) -> None:
    """There is no 404 for an id or an e-mail that nobody has."""
    by_id = client.get(f"{CUSTOMERS}?id:in=9999")
    by_email = client.get(f"{CUSTOMERS}?email:in=nobody@example.com")

    assert (by_id.status_code, by_id.json()["data"]) == (200, [])
    assert (by_email.status_code, by_email.json()["data"]) == (200, [])


def test_a_single_customer_has_no_route_of_its_own(client: httpx2.Client) -> None:
    """V3 knows lists only."""
    assert client.get(f"{CUSTOMERS}/5").status_code == 404


def test_an_unknown_filter_is_refused_by_name(client: httpx2.Client) -> None:
    """422, and the title says which."""
    answer = client.get(f"{CUSTOMERS}?foo=1")

    assert answer.status_code == 422
    assert answer.json()["title"].startswith("The filter(s): foo are not valid")


def test_a_cursor_walks_everybody_changed_since_once(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """Many share one change time, more than a page holds; the position is the id."""
    expected = [
        each["id"]
        for number in range(1, 401)
        if (each := shop.control.customer(number))["date_modified"] >= "2026-01-05T10:00:00Z"
    ]

    assert walk(client, f"{SINCE}&limit=50") == expected


def test_a_cursor_page_tells_only_of_cursors(client: httpx2.Client) -> None:
    """The first page tells both ways on; a page after a cursor no totals; a later one no cursor."""
    first = client.get(f"{CUSTOMERS}?limit=3").json()["meta"]
    after = client.get(f"{CUSTOMERS}?limit=3&after={cursor_of(204)}&page=9").json()
    second = client.get(f"{CUSTOMERS}?limit=3&page=2").json()["meta"]

    assert set(first) == {"pagination", "cursor_pagination"}
    assert first["cursor_pagination"]["end_cursor"] == cursor_of(3)
    assert set(after["meta"]) == {"cursor_pagination"}
    assert [each["id"] for each in after["data"]] == [205, 206, 207]
    assert set(second) == {"pagination"}
    assert cursor_of(204) == "eyJpZCI6MjA0fQ"


def test_past_the_end_there_is_nothing(client: httpx2.Client) -> None:
    """200 and empty, by page and by cursor, and no cursor to go on from."""
    by_page = client.get(f"{CUSTOMERS}?page=99").json()
    by_cursor = client.get(f"{CUSTOMERS}?after={cursor_of(400)}").json()

    assert by_page["data"] == by_cursor["data"] == []
    assert "end_cursor" not in by_cursor["meta"]["cursor_pagination"]


def test_the_way_back_by_cursor(client: httpx2.Client) -> None:
    """`before` gives the page that ends before it, in the order of the ids."""
    assert ids(client.get(f"{CUSTOMERS}?before={cursor_of(205)}&limit=3")) == [202, 203, 204]


def test_pages_by_change_time_skip_who_changes_meanwhile(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """Somebody on page 1 who changes during the scan moves page 2 along: one is never seen."""
    query = f"{CUSTOMERS}?sort=date_modified:asc&limit=10&page="
    first = ids(client.get(f"{query}1"))
    unseen = ids(client.get(f"{query}2"))[0]
    shop.control.touch(first[0])

    second = ids(client.get(f"{query}2"))

    assert unseen not in first + second


def test_an_encoded_colon_breaks_a_date_filter(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """`%3A` in the value finds nobody; in the name it does no harm."""
    plain = ids(client.get(f"{CUSTOMERS}?{SINCE}&limit=250"))
    in_name = ids(client.get(f"{CUSTOMERS}?{SINCE.replace('d:m', 'd%3Am')}&limit=250"))
    in_value = ids(client.get(f"{CUSTOMERS}?date_modified:min=2026-01-05T10%3A00%3A00"))
    shop.control.set_quirks(encoded_dates="ignored")
    ignored = ids(client.get(f"{CUSTOMERS}?date_modified:min=2026-01-05T10%3A00%3A00&limit=250"))
    shop.control.set_quirks(encoded_dates="refused")
    refused = client.get(f"{CUSTOMERS}?date_modified:min=2026-01-05T10%3A00%3A00")

    assert plain == in_name
    assert (len(plain), in_value, len(ignored)) == (len(plain), [], 250)
    assert refused.status_code == 422


def test_the_zone_of_a_naive_date_is_the_stores_secret(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """With a store two hours ahead, a naive bound means two hours earlier; a zone is clear."""
    changed = shop.control.customer(5)["date_modified"]
    bare = changed.removesuffix("Z")
    query = f"{CUSTOMERS}?id:in=5&date_modified:max="

    utc = ids(client.get(query + bare))
    shop.control.set_quirks(naive_dates_hours=2)
    ahead = ids(client.get(query + bare))
    zoned = ids(client.get(query + changed))

    assert (utc, ahead, zoned) == ([5], [], [5])


def test_a_date_alone_is_midnight_unless_the_time_of_day_is_added(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """A bound without a time loses the day's first half where the present time is added."""
    changed = shop.control.customer(5)["date_modified"]
    shop.control.freeze_clock()
    query = f"{CUSTOMERS}?id:in=5&date_modified:min={changed[:10]}"

    midnight = ids(client.get(query))
    shop.control.set_quirks(dates_get_time_of_day=True)
    shop.control.advance_clock(_seconds_until_last_second_of_day(shop.control.now()))
    late = ids(client.get(query))

    assert (midnight, late) == ([5], [])


def _seconds_until_last_second_of_day(now: str) -> int:
    hours, minutes, seconds = map(int, now[11:19].split(":"))
    return 86_399 - (hours * 3600 + minutes * 60 + seconds)


@pytest.mark.parametrize(
    "query",
    ["date_modified:min=yesterday", "id:in=five", "sort=email:asc", "include=orders", "after=%21"],
)
def test_nonsense_is_a_422(client: httpx2.Client, query: str) -> None:
    """Dates, ids, sorts, includes and cursors must be such."""
    assert client.get(f"{CUSTOMERS}?{query}").status_code == 422


def test_filters_find_what_they_name(shop: SandboxBigCommerce, client: httpx2.Client) -> None:
    """By e-mail, company, group, phone and name; letters of either case."""
    number = next(n for n in range(1, 401) if shop.control.customer(n)["company"])
    known = shop.control.customer(number)
    name = f"{known['first_name']} {known['last_name']}"
    queries: dict[str, Any] = {
        "email:in": known["email"].upper(),
        "company:in": known["company"],
        "customer_group_id:in": str(known["customer_group_id"]),
        "phone:in": known["phone"],
        "name:in": name,
        "name:like": known["last_name"][:4],
    }

    for filtered, value in queries.items():
        found = client.get(CUSTOMERS, params={filtered: value, "limit": 250})
        assert number in ids(found), filtered


def test_sub_resources_come_on_demand_and_ten_at_most(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """The counts tell that there are more; the addresses' own list has them all."""
    number = next(n for n in range(1, 401) if len(shop.control.customer(n)["addresses"]) > 10)
    wanted = "include=addresses,attributes,formfields"

    bare = client.get(f"{CUSTOMERS}?id:in={number}").json()["data"][0]
    rich = client.get(f"{CUSTOMERS}?id:in={number}&{wanted}").json()["data"][0]
    book = client.get(f"/v3/customers/addresses?customer_id:in={number}").json()["data"]

    assert "addresses" not in bare
    assert "attributes" not in bare
    assert "form_fields" not in bare
    assert (len(rich["addresses"]), rich["address_count"], len(book)) == (10, 12, 12)


def test_customer_n_is_the_same_person_in_every_shop(shop: SandboxBigCommerce) -> None:
    """With an offset the crowds of two shops overlap."""
    with SandboxBigCommerce(customers=20, seed=7, first_person=10) as other:
        names = [other.control.customer(n)["last_name"] for n in range(1, 21)]

    assert names == [shop.control.customer(n)["last_name"] for n in range(11, 31)]
    assert names == [sketch(7, index).lastname for index in range(10, 30)]


def test_emails_are_unique_here(shop: SandboxBigCommerce) -> None:
    """Who is a twin elsewhere has tagged the e-mail; nothing else about the person differs."""
    emails = {shop.control.customer(n)["email"].casefold() for n in range(1, 401)}
    twin, first = shop.control.customer(18), shop.control.customer(17)

    assert len(emails) == 400
    assert sketch(7, 17).is_twin
    assert (twin["last_name"], twin["phone"]) == (first["last_name"], first["phone"])
    assert twin["email"] == first["email"].replace("@", "+shop@")
