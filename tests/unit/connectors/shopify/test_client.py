"""One document, one answer: whole data or an error of ours."""

import httpx2
import orjson
import pytest

from shared.connectors.budget import RateBudget
from shared.connectors.shopify.auth import RENEW_BEFORE_SECONDS, Grant, Granted
from shared.connectors.shopify.documents import PING
from shared.connectors.shopify.errors import CostExceeded, FieldsDenied
from shared.domain.errors import (
    AccessDenied,
    ConfigurationError,
    PatronError,
    RemoteThrottled,
    RemoteUnavailable,
    UnreadableAnswer,
)
from tests.unit.connectors.shopify.builders import (
    Script,
    answer,
    client,
    costing,
    error,
    ok,
    settings,
)

CREDENTIALS = {"kind": "client_credentials", "client_id": "an-app", "client_secret": "shpss_secret"}
UNAUTHORIZED = "[API] Invalid API key or access token (unrecognized login or wrong password)"


def refusal(status: int, errors: object = "Unavailable Shop") -> httpx2.Response:
    """Return an answer whose `errors` is a text."""
    return httpx2.Response(status, content=orjson.dumps({"errors": errors}))


def grant(token: str) -> httpx2.Response:
    """Return a token."""
    body = {"access_token": token, "scope": "write_customers", "expires_in": 86399}
    return httpx2.Response(200, content=orjson.dumps(body))


def test_a_query_is_sent_as_shopify_wants_it() -> None:
    """To the version's address, with the token, and the operation's name."""
    script = Script(answer({"shop": {}}))

    reply = client(script).ask(PING)

    [request] = script.requests
    assert request.method == "POST"
    assert str(request.url) == "https://nordwind.myshopify.com/admin/api/2026-07/graphql.json"
    assert request.headers["X-Shopify-Access-Token"] == "shpat_secret"
    assert orjson.loads(request.content).keys() == {"query", "variables", "operationName"}
    assert reply.data == {"shop": {}}
    assert reply.at == script.date


@pytest.mark.parametrize(
    ("errors", "family"),
    [
        ([error("THROTTLED")], RemoteThrottled),
        ([error("MAX_COST_EXCEEDED")], CostExceeded),
        ([error("ACCESS_DENIED", path=["companies"])], AccessDenied),
        ([error("SHOP_INACTIVE")], ConfigurationError),
        ([error("INTERNAL_SERVER_ERROR")], RemoteUnavailable),
        ([error("undefinedField")], ConfigurationError),
        ([{"message": "syntax error"}], ConfigurationError),
        ("a text", ConfigurationError),
        ({"base": ["a text"]}, ConfigurationError),
    ],
)
def test_errors_with_200_are_failures_whatever_data_comes_with_them(
    errors: object, family: type[PatronError]
) -> None:
    """Partial data is not taken."""
    body = {"data": {"shop": {"name": "x"}}, "errors": errors, "extensions": {}}

    with pytest.raises(family):
        client(Script(ok(body))).ask(PING)


@pytest.mark.parametrize(
    ("status", "family"),
    [
        (400, PatronError),
        (401, AccessDenied),
        (402, ConfigurationError),
        (403, AccessDenied),
        (404, ConfigurationError),
        (423, ConfigurationError),
        (429, RemoteThrottled),
        (430, RemoteThrottled),
        (500, RemoteUnavailable),
        (503, RemoteUnavailable),
    ],
)
def test_every_status_has_its_error(status: int, family: type[PatronError]) -> None:
    """`errors` may be a text there."""
    with pytest.raises(family):
        client(Script(refusal(status))).ask(PING)


def test_a_throttled_query_says_how_long_to_wait_and_slows_the_channel() -> None:
    """The points that are missing by the rate at which they come back."""
    budget = RateBudget(10.0)
    refused = answer(None, error("THROTTLED"), cost=costing(requested=540, available=40))

    with pytest.raises(RemoteThrottled) as caught:
        client(Script(refused), budget=budget).ask(PING)

    assert caught.value.retry_after_seconds == 5
    assert budget.rate == 5


def test_personal_data_that_is_denied_is_told_by_its_kind() -> None:
    """By the path of each error; anything else that is denied is just denied."""
    names = error("ACCESS_DENIED", path=["found", "nodes", 0, "firstName"])
    streets = error("ACCESS_DENIED", path=["found", "nodes", 0, "addressesV2", "nodes", 1, "zip"])
    companies = error("ACCESS_DENIED", path=["companies"])

    with pytest.raises(FieldsDenied) as both:
        client(Script(answer({}, names, streets))).ask(PING)
    with pytest.raises(FieldsDenied) as more:
        client(Script(answer({}, names, companies))).ask(PING)

    assert both.value.protected == {"names", "addresses"}
    assert more.value.protected == frozenset()


@pytest.mark.parametrize("body", [{}, {"data": None}, {"data": []}, []])
def test_an_answer_without_data_is_unreadable(body: object) -> None:
    """And tried again later."""
    with pytest.raises(UnreadableAnswer):
        client(Script(ok(body))).ask(PING)


def test_another_version_is_noticed() -> None:
    """Shopify answers by the oldest version that it supports, without a word."""
    other = ok(answer({"shop": {}}))
    other.headers["X-Shopify-API-Version"] = "2027-01"
    asking = client(Script(other, answer({"shop": {}})))

    asking.ask(PING)
    told = asking.other_version
    asking.ask(PING)

    assert told == "2027-01"
    assert asking.other_version is None


def test_a_token_is_asked_for_and_asked_for_again_when_it_is_refused() -> None:
    """Once for each query."""
    script = Script(
        grant("shpat_one"),
        refusal(401, UNAUTHORIZED),
        grant("shpat_two"),
        answer({"shop": {}}),
    )

    client(script, settings(auth=CREDENTIALS)).ask(PING)

    paths = [request.url.path for request in script.requests]
    assert paths[0] == paths[2] == "/admin/oauth/access_token"
    assert orjson.loads(script.requests[0].content) == {
        "grant_type": "client_credentials",
        "client_id": "an-app",
        "client_secret": "shpss_secret",
    }
    assert script.requests[3].headers["X-Shopify-Access-Token"] == "shpat_two"


def test_a_token_that_is_refused_twice_is_a_configuration_error() -> None:
    """The channel pauses."""
    script = Script(
        grant("shpat_one"),
        refusal(401, UNAUTHORIZED),
        grant("shpat_two"),
        refusal(401, UNAUTHORIZED),
    )

    with pytest.raises(AccessDenied) as caught:
        client(script, settings(auth=CREDENTIALS)).ask(PING)

    assert "Invalid API key or access token" in str(caught.value)
    assert not script.answers


@pytest.mark.parametrize("status", [400, 401])
def test_credentials_that_are_refused_are_not_tried_twice(status: int) -> None:
    """The shop says why."""
    body = {"error": "invalid_client", "error_description": "client secret is wrong"}
    script = Script(httpx2.Response(status, content=orjson.dumps(body)))

    with pytest.raises(AccessDenied) as caught:
        client(script, settings(auth=CREDENTIALS)).ask(PING)

    assert "client secret is wrong" in str(caught.value)
    assert "shpss" not in str(caught.value)


@pytest.mark.parametrize("body", [[], {}, {"access_token": 1}, {"access_token": "a\nb"}])
def test_an_answer_that_is_no_token_is_unreadable(body: object) -> None:
    """Nothing odd goes into a header."""
    script = Script(httpx2.Response(200, content=orjson.dumps(body)))

    with pytest.raises(UnreadableAnswer):
        client(script, settings(auth=CREDENTIALS)).ask(PING)


def test_a_token_is_renewed_before_it_runs_out() -> None:
    """So that hardly a query meets a token that is over."""
    now, asked = 0.0, 0

    def ask() -> Grant:
        nonlocal asked
        asked += 1
        return Grant(f"token {asked}", 86_399)

    tokens = Granted(ask, clock=lambda: now)
    first = tokens.token()
    now = 86_399 - RENEW_BEFORE_SECONDS

    assert (first, tokens.token()) == ("token 1", "token 2")


def test_what_shoppers_typed_is_in_no_error_text() -> None:
    """Neither from a message nor from a field."""
    said = [error("BAD_REQUEST", "Email einkauf@nordwind-beispiel.de of Petersen is invalid")]

    with pytest.raises(PatronError) as caught:
        client(Script(answer(None, *said))).ask(PING)

    assert "Petersen" not in str(caught.value)
    assert "nordwind" not in str(caught.value)
    assert "is invalid" in str(caught.value)
