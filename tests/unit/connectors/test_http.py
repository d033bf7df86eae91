"""The HTTP client: one bounded request, one answer or one error of ours."""

from contextlib import suppress

import httpx2
import pytest
import stamina

from shared.connectors.budget import Allowance, RateBudget
from shared.connectors.calls import Limits, RemoteCall
from shared.connectors.http import Answer, HttpClient
from shared.domain.errors import (
    AccessDenied,
    ConfigurationError,
    PatronError,
    RemoteThrottled,
    RemoteUnavailable,
    UnreadableAnswer,
)
from tests.unit.connectors.builders import Respond, Script, answering, http_client

URL = "https://shop.example/rest/V1/customers/search?email=petra%40example.com"
HTML = b"<!doctype html><h1>Petra's page</h1>"


def get(respond: Respond, limits: Limits | None = None) -> Answer:
    """Make one read."""
    return request(http_client(respond, limits))


def request(client: HttpClient, method: str = "GET", json: object = None) -> Answer:
    """Make one request."""
    return client.request(
        method, URL, headers=lambda: {"Authorization": "Bearer s3cret"}, json=json
    )


@pytest.mark.parametrize(
    ("status", "family"),
    [
        (301, ConfigurationError),
        (302, ConfigurationError),
        (401, AccessDenied),
        (403, AccessDenied),
        (408, RemoteUnavailable),
        (425, RemoteUnavailable),
        (429, RemoteThrottled),
        (500, RemoteUnavailable),
        (502, RemoteUnavailable),
        (503, RemoteUnavailable),
        (504, RemoteUnavailable),
        (599, RemoteUnavailable),
    ],
)
def test_statuses_map_into_the_families(status: int, family: type[PatronError]) -> None:
    """Each status that says nothing about the data has its own error."""
    respond = Script(httpx2.Response(status, content=HTML, headers={"Location": "http://10.0.0.1"}))

    with pytest.raises(family) as caught:
        get(respond)

    assert type(caught.value) is family
    assert f"{status}" in str(caught.value)


@pytest.mark.parametrize("status", [200, 201, 202, 204, 400, 404, 405, 409, 422])
def test_what_is_said_about_the_data_is_left_to_the_connector(status: int) -> None:
    """Success and refusals of data come back as answers."""
    answer = get(Script(answering(status, {"message": "x"})))

    assert answer.status == status


@pytest.mark.parametrize(
    ("failure", "family"),
    [
        (httpx2.ConnectTimeout("x"), RemoteUnavailable),
        (httpx2.ReadTimeout("x"), RemoteUnavailable),
        (httpx2.WriteTimeout("x"), RemoteUnavailable),
        (httpx2.PoolTimeout("x"), RemoteUnavailable),
        (httpx2.ConnectError("refused"), RemoteUnavailable),
        (httpx2.ReadError("reset"), RemoteUnavailable),
        (httpx2.WriteError("reset"), RemoteUnavailable),
        (httpx2.CloseError("x"), RemoteUnavailable),
        (httpx2.RemoteProtocolError("no HTTP"), RemoteUnavailable),
        (httpx2.LocalProtocolError("x"), RemoteUnavailable),
        (httpx2.UnsupportedProtocol("x"), RemoteUnavailable),
        (httpx2.ProxyError("x"), RemoteUnavailable),
    ],
)
def test_every_transport_failure_is_one_of_ours(
    failure: Exception, family: type[PatronError]
) -> None:
    """Nothing of the HTTP library passes the port."""
    with pytest.raises(family):
        get(Script(failure))


def test_no_error_tells_the_query_the_body_or_the_credentials() -> None:
    """Texts name the route and the status only."""
    for status in (301, 401, 429, 500):
        with pytest.raises(PatronError) as caught:
            get(Script(httpx2.Response(status, content=HTML)))

        assert not {"petra", "Petra", "s3cret"} & set(str(caught.value).replace("'", " ").split())
        assert "email" not in str(caught.value)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0", 0.0),
        ("9" * 400, 86_400.0),
        ("Mon, 05 Jan 2026 10:01:30 GMT", 90.0),
        ("Mon, 05 Jan 2026 09:00:00 GMT", 0.0),
        ("Fri, 31 Dec 9999 23:59:59 GMT", 86_400.0),
        ("soon", None),
        ("-5", None),
        ("٣", None),
        ("", None),
    ],
)
def test_retry_after_is_seconds_or_a_date_by_the_servers_clock(
    header: str, seconds: float | None
) -> None:
    """The wait is read in both forms, bounded, and nonsense is ignored."""
    headers = [(b"Retry-After", header.encode()), (b"Date", b"Mon, 05 Jan 2026 10:00:00 GMT")]

    with pytest.raises(RemoteThrottled) as caught:
        get(Script(httpx2.Response(429, headers=headers)))

    assert caught.value.retry_after_seconds == seconds


@pytest.mark.parametrize("body", [HTML, b"", b'{"items": [', b"\xff\xfe", b"NaN"])
def test_a_body_that_is_not_json_is_unreadable(body: bytes) -> None:
    """A maintenance page with status 200 is no answer (fault 40)."""
    answer = get(Script(httpx2.Response(200, content=body)))

    with pytest.raises(UnreadableAnswer, match="status 200"):
        answer.json()


def test_an_answer_over_the_cap_is_refused() -> None:
    """A body may not fill the memory."""
    with pytest.raises(UnreadableAnswer, match="over 10 bytes"):
        get(Script(httpx2.Response(200, content=b"x" * 11)), Limits(attempts=1, max_body_bytes=10))


def test_reads_are_tried_again_within_the_call() -> None:
    """A hiccup costs a read nothing but a moment, and each attempt signs anew."""
    script = Script(httpx2.ReadError("reset"), httpx2.Response(502), answering(200, "ok"))
    signatures = iter("abc")
    client = http_client(script, Limits(attempts=3))

    with stamina.set_testing(True, attempts=3):
        answer = client.request("GET", URL, headers=lambda: {"Authorization": next(signatures)})

    assert answer.json() == "ok"
    assert [request.headers["Authorization"] for request in script.requests] == ["a", "b", "c"]


def test_writes_are_never_tried_again_within_the_call() -> None:
    """Whether a write was carried out is not for this client to guess."""
    script = Script(httpx2.ReadError("reset"), answering(200, "ok"))

    with stamina.set_testing(True, attempts=3), pytest.raises(RemoteUnavailable):
        request(http_client(script, Limits(attempts=3)), "PUT", {"a": 1})

    assert len(script.requests) == 1


def test_a_throttled_read_is_not_hurried() -> None:
    """429 goes up at once: the channel waits, not the call."""
    script = Script(answering(429), answering(200, "ok"))

    with stamina.set_testing(True, attempts=3), pytest.raises(RemoteThrottled):
        get(script, Limits(attempts=3))

    assert len(script.requests) == 1


def test_each_attempt_is_observed() -> None:
    """Metrics see every request with its class of status."""
    calls: list[RemoteCall] = []
    client = http_client(
        Script(answering(200, 1), answering(404, 1), httpx2.ReadTimeout("x")), calls=calls
    )

    request(client)
    request(client)
    with pytest.raises(RemoteUnavailable):
        request(client)

    assert [call.outcome for call in calls] == ["2xx", "4xx", "timeout"]
    assert {(call.platform, call.channel) for call in calls} == {("magento", "shop-de")}


def test_bodies_are_sent_as_the_platforms_want_them() -> None:
    """JSON goes out with its type and character set; reads carry none."""
    script = Script(answering(200), answering(200))
    client = http_client(script)

    request(client, "PUT", {"name": "Zoë"})
    request(client)

    assert script.requests[0].headers["Content-Type"] == "application/json; charset=utf-8"
    assert script.requests[0].content == '{"name":"Zoë"}'.encode()
    assert "Content-Type" not in script.requests[1].headers
    assert script.requests[1].headers["User-Agent"].startswith("patron/")


def test_a_call_waits_for_its_turn_before_its_deadline_begins() -> None:
    """What the budget makes a call wait is no part of the time that the shop has."""
    waited: list[float] = []
    budget = RateBudget(0.5, clock=lambda: 1000.0, sleep=lambda _, seconds: waited.append(seconds))
    client = HttpClient(
        platform="magento",
        channel="shop-de",
        limits=Limits(attempts=1, total_seconds=1),
        transport=httpx2.MockTransport(lambda request: answering(200, [])),
        budget=budget,
    )

    for _ in range(3):
        assert request(client).is_success

    assert waited == [1.0, 3.0]


@pytest.mark.parametrize(("status", "slower"), [(200, False), (404, False), (429, True)])
def test_only_refusals_slow_a_channel_down(status: int, slower: bool) -> None:
    """A 429 halves the rate; what is said about the data does not touch it (fault 36)."""
    budget = RateBudget(10.0)
    client = HttpClient(
        platform="magento",
        channel="shop-de",
        limits=Limits(attempts=1),
        transport=httpx2.MockTransport(lambda request: answering(status, {})),
        budget=budget,
    )

    with suppress(RemoteThrottled):
        request(client)

    assert budget.rate == (5.0 if slower else 10.0)


def test_what_a_platform_says_of_requests_left_reaches_the_budget() -> None:
    """A connector reads its platform's headers; with nothing left the next call waits."""
    waited: list[float] = []
    client = HttpClient(
        platform="magento",
        channel="shop-de",
        limits=Limits(attempts=1),
        transport=httpx2.MockTransport(lambda request: answering(200, [], X_Left="0")),
        budget=RateBudget(clock=lambda: 1000.0, sleep=lambda _, seconds: waited.append(seconds)),
        allowance=lambda answer: Allowance(int(answer.headers["X-Left"]), 7.0),
    )

    request(client)
    request(client)

    assert waited == [7.0]
