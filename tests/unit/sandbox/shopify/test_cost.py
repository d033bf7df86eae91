"""What queries cost, and the bucket that pays."""

from services.sandbox.shopify import Quirks, SandboxShopify
from services.sandbox.shopify.cost import Bucket
from tests.unit.sandbox.shopify.asking import CUSTOMERS, UPDATE, Asking

PAGE = """
query Page($first: Int!) { customers(first: $first) {
  nodes { id updatedAt firstName defaultEmailAddress { emailAddress } } pageInfo { endCursor }
} }
"""


def test_a_page_costs_what_was_measured_on_the_platform(ask: Asking) -> None:
    """100 objects with one child each 24 points, 250 of them 25; scalars cost nothing."""
    costs = [
        ask.answer(PAGE, first=size)["extensions"]["cost"]["requestedQueryCost"]
        for size in (100, 250)
    ]

    assert costs == [24, 25]


def test_what_was_not_used_is_given_back(shop: SandboxShopify, ask: Asking) -> None:
    """A small answer to a large question costs little."""
    shop.control.set_points(1000)

    answer = ask.answer(CUSTOMERS, query="id:1", first=250)

    cost = answer["extensions"]["cost"]
    assert (cost["requestedQueryCost"], cost["actualQueryCost"]) == (14, 2)
    assert cost["throttleStatus"]["maximumAvailable"] == 2000.0
    assert cost["throttleStatus"]["currentlyAvailable"] >= 998.0


def test_an_empty_bucket_answers_throttled_with_200(shop: SandboxShopify, ask: Asking) -> None:
    """No data, no effect, and the cost that was asked for; it is counted."""
    shop.control.set_points(-1000)

    answer = ask.post(UPDATE, input={"id": "gid://shopify/Customer/7420000000001", "note": "x"})

    body = answer.json()
    assert answer.status_code == 200
    assert "data" not in body
    assert body["errors"][0]["message"] == "Throttled"
    assert body["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert body["extensions"]["cost"]["requestedQueryCost"] == 10
    assert body["extensions"]["cost"]["actualQueryCost"] is None
    assert shop.control.throttled() == shop.control.stats()["throttled"] == 1
    assert shop.control.customer(1)["note"] is None


def test_the_bucket_refills_by_the_second() -> None:
    """Not beyond its size; ten times the rate is a clock ten times as fast."""
    seconds = [0.0]
    bucket = Bucket(2000, 100, lambda: seconds[0])

    assert bucket.take(1900)
    assert not bucket.take(200)
    seconds[0] = 1.5
    assert bucket.status()["currentlyAvailable"] == 250.0
    assert bucket.take(200)
    seconds[0] = 1000.0
    assert bucket.status() == {
        "maximumAvailable": 2000.0, "currentlyAvailable": 2000.0, "restoreRate": 100.0,
    }  # fmt: skip


def test_a_query_may_be_too_dear_for_any_bucket(shop: SandboxShopify, ask: Asking) -> None:
    """Nested lists multiply; halving the page helps."""
    document = """query Deep($first: Int!) { companies(first: $first) { nodes {
      contacts(first: $first) { nodes { customer { addressesV2(first: $first) { nodes { id } } } } }
    } } }"""

    dear = ask.answer(document, first=250)
    fair = ask.answer(document, first=2)

    assert dear["errors"][0]["extensions"]["code"] == "MAX_COST_EXCEEDED"
    assert dear["errors"][0]["extensions"]["maxCost"] == 1000
    assert "data" not in dear
    assert fair["data"]["companies"]["nodes"]


def test_the_most_a_query_may_cost_is_a_parameter() -> None:
    """So that a test can see a page refused and its half answered."""
    assert Quirks().max_query_cost == 1000
