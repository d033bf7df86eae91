"""Tokens, scopes, versions, protected data, and shops that do not answer."""

import httpx2
import pytest

from services.sandbox.shopify import SandboxShopify
from services.sandbox.shopify.gids import customer_gid
from tests.unit.sandbox.shopify.asking import CREATE, CUSTOMER, Asking

NAME = "{ shop { name } }"


def _grant(shop: SandboxShopify, http: httpx2.Client, **more: str) -> httpx2.Response:
    given = {"grant_type": "client_credentials", "client_id": shop.client_id,
             "client_secret": shop.client_secret}  # fmt: skip
    return http.post(f"{shop.url}/admin/oauth/access_token", data=given | more)


def test_a_wrong_token_is_401_with_a_string(ask: Asking) -> None:
    """`errors` is no list there."""
    ask.headers = {"X-Shopify-Access-Token": "wrong"}

    answer = ask.post(NAME)

    assert answer.status_code == 401
    assert answer.json()["errors"].startswith("[API] Invalid API key or access token")


def test_client_credentials_buy_a_token_for_a_day(
    shop: SandboxShopify, ask: Asking, http: httpx2.Client
) -> None:
    """Of the shop's clock; it may also be made to expire."""
    granted = _grant(shop, http).json()
    ask.headers = {"X-Shopify-Access-Token": granted["access_token"]}

    assert granted["expires_in"] == 86_399
    assert "write_customers" in granted["scope"].split(",")
    assert ask.post(NAME).status_code == 200
    shop.control.advance_clock(86_399)
    assert ask.post(NAME).status_code == 401
    ask.headers = {"X-Shopify-Access-Token": _grant(shop, http).json()["access_token"]}
    assert ask.post(NAME).status_code == 200
    shop.control.expire_tokens()
    assert ask.post(NAME).status_code == 401


def test_client_credentials_may_come_as_json_and_be_wrong(
    shop: SandboxShopify, http: httpx2.Client
) -> None:
    """A form is as good as JSON; a wrong secret or grant is refused."""
    given = {"grant_type": "client_credentials", "client_id": shop.client_id,
             "client_secret": shop.client_secret}  # fmt: skip

    right = http.post(f"{shop.url}/admin/oauth/access_token", json=given)
    wrong = _grant(shop, http, client_secret="nonsense")
    other = _grant(shop, http, grant_type="password")

    assert right.json()["access_token"].startswith("shpat_")
    assert (wrong.status_code, wrong.json()["error"]) == (401, "invalid_client")
    assert (other.status_code, other.json()["error"]) == (400, "unsupported_grant_type")


def test_a_revoked_token_is_worth_nothing(shop: SandboxShopify, ask: Asking) -> None:
    """Until it is restored."""
    shop.control.revoke_token()
    gone = ask.post(NAME).status_code
    shop.control.restore_token()

    assert (gone, ask.post(NAME).status_code) == (401, 200)


@pytest.mark.parametrize(
    ("asked", "served"),
    [("2026-07", "2026-07"), ("2024-01", "2025-10"), ("unstable", "unstable")],
)
def test_the_header_tells_which_version_answered(
    shop: SandboxShopify, http: httpx2.Client, asked: str, served: str
) -> None:
    """A retired version is served by the oldest supported one, without a word."""
    url = f"{shop.url}/admin/api/{asked}/graphql.json"

    answer = http.post(url, json={"query": NAME}, headers=shop.headers())

    assert (answer.status_code, answer.headers["X-Shopify-API-Version"]) == (200, served)


@pytest.mark.parametrize("path", ["/admin/api/2031-01/graphql.json", "/admin/api/2026-07/x", "/"])
def test_other_doors_are_404(shop: SandboxShopify, http: httpx2.Client, path: str) -> None:
    """A version that is not there yet, and whatever is no part of the API."""
    assert http.post(f"{shop.url}{path}", json={"query": NAME}).status_code == 404


@pytest.mark.parametrize(
    ("body", "content_type", "status"),
    [(b"{", "application/json", 400), (b"{}", "application/json", 400), (b"{}", "text/plain", 415)],
)
def test_a_body_that_is_no_query_is_refused(
    shop: SandboxShopify, http: httpx2.Client, body: bytes, content_type: str, status: int
) -> None:
    """Broken JSON, no query, another content type."""
    headers = shop.headers() | {"Content-Type": content_type}

    answer = http.post(shop.graphql_url, content=body, headers=headers)

    assert (answer.status_code, type(answer.json()["errors"])) == (status, str)


def test_an_unknown_field_is_an_error_with_200(ask: Asking) -> None:
    """As every mistake in the query itself."""
    answer = ask.post("{ customers(first: 1) { nodes { erpNumber } } }")

    assert answer.status_code == 200
    assert "erpNumber" in answer.json()["errors"][0]["message"]
    assert "data" not in answer.json()


def test_a_missing_scope_denies_the_field(shop: SandboxShopify, ask: Asking) -> None:
    """200, ACCESS_DENIED, and null where null may stand; no data at all where it may not."""
    shop.control.remove_scopes("write_customers")
    write = ask.answer(CREATE, input={"email": "a@example.com"})
    read = ask.answer(CUSTOMER, id=customer_gid(1))
    shop.control.remove_scopes("read_customers")
    both = ask.answer("{ shop { name } customers(first: 1) { nodes { id } } }")
    firms = ask.answer("{ companies(first: 1) { nodes { id } } }")

    assert write["data"] == {"customerCreate": None}
    assert write["errors"][0]["extensions"]["requiredAccess"] == "`write_customers` access scope."
    assert read["data"]["customer"]["id"] == customer_gid(1)
    assert both["data"] is None
    assert both["errors"][0]["path"] == ["customers"]
    assert firms["data"]["companies"]["nodes"]
    shop.control.restore_scopes()
    assert ask.found()


def test_protected_data_is_null_and_never_cleared(shop: SandboxShopify, ask: Asking) -> None:
    """Partial nulls: the answer has data and errors, one for each field with its path."""
    shop.control.set_quirks(protects_data=True)

    answer = ask.answer(CUSTOMER, id=customer_gid(5))

    customer = answer["data"]["customer"]
    assert customer["id"] == customer_gid(5)
    assert customer["firstName"] is customer["defaultEmailAddress"] is None
    assert customer["addressesV2"]["nodes"][0]["address1"] is None
    assert customer["addressesV2"]["nodes"][0]["countryCodeV2"] is not None
    assert {each["extensions"]["code"] for each in answer["errors"]} == {"ACCESS_DENIED"}
    assert ["customer", "addressesV2", "nodes", 0, "city"] in [
        each["path"] for each in answer["errors"]
    ]
    assert shop.control.customer(5)["firstName"] is not None


@pytest.mark.parametrize("status", [402, 403, 404, 423])
def test_a_shop_may_be_unavailable(shop: SandboxShopify, ask: Asking, status: int) -> None:
    """Frozen, forbidden, gone or locked, until it opens again."""
    shop.control.make_unavailable(status)
    answer = ask.post(NAME)
    shop.control.make_unavailable(None)

    assert (answer.status_code, type(answer.json()["errors"])) == (status, str)
    assert ask.post(NAME).status_code == 200


def test_a_shop_may_be_under_maintenance(shop: SandboxShopify, ask: Asking) -> None:
    """503 as HTML, whatever was asked for."""
    shop.control.maintenance(on=True)
    answer = ask.post(NAME)
    shop.control.maintenance(on=False)

    assert (answer.status_code, answer.headers["Content-Type"]) == (503, "text/html; charset=UTF-8")
    assert ask.post(NAME).status_code == 200


def test_faults_strike_one_operation(shop: SandboxShopify, http: httpx2.Client) -> None:
    """Two doors there are not: what tells requests apart is the operation's name."""

    def post(name: str) -> httpx2.Response:
        body = {"query": f"query {name} {NAME}", "operationName": name}
        return http.post(shop.graphql_url, json=body, headers=shop.headers())

    shop.control.fail_next("too_many_requests", operation="Ping", retry_after="2")
    shop.control.throttle_next(operation="Slow")
    shop.control.break_next(operation="Broken")
    shop.control.break_next(code="SHOP_INACTIVE", operation="Frozen")

    limited, throttled, broken = post("Ping"), post("Slow").json(), post("Broken").json()

    assert post("Other").json()["data"]
    assert post("Frozen").json()["errors"][0]["extensions"]["code"] == "SHOP_INACTIVE"
    assert (limited.status_code, limited.headers["Retry-After"]) == (429, "2")
    assert throttled["errors"][0]["extensions"]["code"] == "THROTTLED"
    assert broken["errors"][0]["extensions"]["code"] == "INTERNAL_SERVER_ERROR"
    assert shop.control.faults_waiting() == 0
    assert shop.control.requests(route="Ping", status=429) == 1


def test_a_lost_answer_has_its_effect(shop: SandboxShopify, ask: Asking) -> None:
    """The customer is there, though the client never learnt of it."""
    shop.control.fail_next("lost")

    with pytest.raises(httpx2.TransportError):
        ask(CREATE, input={"email": "lost@example.com"})

    assert shop.control.customer_count() == 81
