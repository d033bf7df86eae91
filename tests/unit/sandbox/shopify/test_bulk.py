"""Bulk operations: started, polled, fetched."""

from typing import Any

import orjson
import pytest

from services.sandbox.shopify import SandboxShopify
from services.sandbox.shopify.gids import customer_gid
from tests.unit.sandbox.shopify.asking import Asking

START = """
mutation Start($query: String!) {
  bulkOperationRunQuery(query: $query) {
    bulkOperation { id status } userErrors { field message code }
  }
}
"""
STATUS = """
query Status($id: ID!) { bulkOperation(id: $id) {
  status errorCode objectCount rootObjectCount fileSize url completedAt
} }
"""
EVERYBODY = """{ customers { edges { node {
  id firstName addressesV2 { edges { node { id city } } }
} } } }"""


def _finished(shop: SandboxShopify, ask: Asking, query: str) -> tuple[list[str], dict[str, Any]]:
    started = ask(START, query=query)["bulkOperation"]
    seen = [started["status"]]
    assert shop.control.bulk.wait()
    while seen[-1] not in {"COMPLETED", "FAILED"}:
        last = ask(STATUS, id=started["id"])
        seen.append(last["status"])
    return seen, last


def test_a_file_holds_everybody_with_their_addresses(shop: SandboxShopify, ask: Asking) -> None:
    """Each object on a line, children after their parent and with its id."""
    seen, last = _finished(shop, ask, EVERYBODY)

    lines = [orjson.loads(line) for line in ask.get(last["url"]).content.splitlines()]
    assert seen == ["CREATED", "RUNNING", "COMPLETED"]
    customers = [each for each in lines if "__parentId" not in each]
    assert [each["id"] for each in customers] == [customer_gid(n) for n in range(1, 81)]
    assert set(customers[0]) == {"id", "firstName"}
    fifth = [each["city"] for each in lines if each.get("__parentId") == customer_gid(5)]
    assert fifth == [each["city"] for each in shop.control.customer(5)["addresses"]]
    assert last["objectCount"] == str(len(lines))
    assert last["rootObjectCount"] == "80"
    assert int(last["fileSize"]) == len(ask.get(last["url"]).content)


def test_without_rows_there_is_no_file(shop: SandboxShopify, ask: Asking) -> None:
    """COMPLETED, and the url is null."""
    query = "{ customers(query: \"updated_at:>='2099-01-01'\") { nodes { id } } }"

    _, last = _finished(shop, ask, query)

    assert (last["status"], last["url"], last["objectCount"]) == ("COMPLETED", None, "0")


@pytest.mark.parametrize(
    "query",
    [
        "{ shop { name } }",
        "{ customers { nodes { unknown } } }",
        "{ customers { pageInfo { hasNextPage } } }",
        'mutation { customerDelete(input: {id: "x"}) { deletedCustomerId } }',
    ],
)
def test_what_is_no_bulk_query_is_refused(ask: Asking, query: str) -> None:
    """It must start with a list, and know its fields."""
    answer = ask(START, query=query)

    assert (answer["bulkOperation"], answer["userErrors"][0]["code"]) == (None, "INVALID")


def test_five_at_once(shop: SandboxShopify, ask: Asking) -> None:
    """The sixth is refused until one has completed; held ones go on RUNNING."""
    shop.control.bulk.hold()
    started = [ask(START, query=EVERYBODY)["bulkOperation"]["id"] for _ in range(5)]

    sixth = ask(START, query=EVERYBODY)
    states = {ask(STATUS, id=started[0])["status"] for _ in range(5)}
    shop.control.bulk.release()
    assert shop.control.bulk.wait()
    newest = [ask("{ currentBulkOperation { id status } }") for _ in range(2)][-1]

    assert sixth["userErrors"][0]["code"] == "OPERATION_IN_PROGRESS"
    assert states == {"RUNNING"}
    assert newest == {"id": started[-1], "status": "COMPLETED"}
    assert ask(START, query=EVERYBODY)["userErrors"] == []


def test_protected_data_is_withheld_here_too(shop: SandboxShopify, ask: Asking) -> None:
    """Null in the file, as in any answer."""
    shop.control.set_quirks(protects_data=True)

    _, last = _finished(shop, ask, EVERYBODY)

    lines = [orjson.loads(line) for line in ask.get(last["url"]).content.splitlines()]
    assert {each.get("firstName") for each in lines} == {None}
    assert {each.get("city") for each in lines} == {None}


def test_an_operation_may_fail(shop: SandboxShopify, ask: Asking) -> None:
    """By fate; it has no file then."""
    started = ask(START, query=EVERYBODY)["bulkOperation"]["id"]
    shop.control.bulk.fail(started)
    failed = ask(STATUS, id=started)

    assert (failed["status"], failed["errorCode"]) == ("FAILED", "INTERNAL_SERVER_ERROR")
    assert failed["url"] is None


def test_a_file_that_is_not_there_is_404(shop: SandboxShopify, ask: Asking) -> None:
    """Nothing else lives behind that door."""
    assert ask.get(f"{shop.url}/_bulk/7.jsonl").status_code == 404
