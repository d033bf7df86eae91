"""Faults on demand: each strikes as often as asked, and does what its name says."""

import threading

import httpx2
import pytest

from services.sandbox.faults import FaultKind
from services.sandbox.magento import SandboxMagento

CUSTOMER = "/rest/V1/customers/5"
RENAME = {"customer": {"middlename": "Struck"}}


def test_a_fault_strikes_as_often_as_asked(shop: SandboxMagento, client: httpx2.Client) -> None:
    """Twice throttled, then served."""
    shop.control.fail_next(FaultKind.TOO_MANY_REQUESTS, times=2)

    answers = [client.get(CUSTOMER) for _ in range(3)]

    assert [each.status_code for each in answers] == [429, 429, 200]
    assert "Retry-After" not in answers[0].headers
    assert shop.control.stats()["faults_struck"] == 2
    assert shop.control.requests(route="customers/{id}", status=429) == 2


def test_a_fault_strikes_only_whom_it_names(shop: SandboxMagento, client: httpx2.Client) -> None:
    """Path, method and the number to let pass choose the victim."""
    shop.control.fail_next("server_error", path="customers/5$", method="GET", skip=1)

    answers = [
        client.get("/rest/V1/customers/6"),
        client.put(CUSTOMER, json=RENAME),
        client.get(CUSTOMER),
        client.get(CUSTOMER),
        client.get(CUSTOMER),
    ]

    assert [each.status_code for each in answers] == [200, 200, 200, 500, 200]
    assert "Report ID: webapi-" in answers[3].json()["message"]


@pytest.mark.parametrize(
    ("kind", "status", "content_type"),
    [
        ("too_many_requests", 429, "application/json; charset=utf-8"),
        ("unavailable", 503, "text/html; charset=UTF-8"),
        ("html", 200, "text/html; charset=UTF-8"),
        ("status", 418, "application/json; charset=utf-8"),
    ],
)
def test_answers_that_replace_the_real_one(
    shop: SandboxMagento, client: httpx2.Client, kind: str, status: int, content_type: str
) -> None:
    """The request has no effect and something else is answered."""
    shop.control.fail_next(kind, status=418, retry_after="7")

    answer = client.put(CUSTOMER, json=RENAME)

    assert answer.status_code == status
    assert answer.headers["Content-Type"] == content_type
    assert shop.control.writes(5) == []


@pytest.mark.parametrize(
    ("kind", "error", "writes"),
    [
        ("truncated", httpx2.RemoteProtocolError, 1),
        ("lost", httpx2.RemoteProtocolError, 1),
        ("reset", httpx2.ReadError, 0),
    ],
)
def test_connections_that_break(
    shop: SandboxMagento,
    client: httpx2.Client,
    kind: str,
    error: type[Exception],
    writes: int,
) -> None:
    """A truncated or lost answer leaves its effect behind; a reset came too early for one."""
    shop.control.fail_next(kind)

    with pytest.raises(error):
        client.put(CUSTOMER, json=RENAME)

    assert len(shop.control.writes(5)) == writes
    assert client.get(CUSTOMER).status_code == 200


@pytest.mark.parametrize(("kind", "writes"), [("held", 0), ("stalled", 1)])
def test_answers_that_never_come(
    shop: SandboxMagento, client: httpx2.Client, kind: str, writes: int
) -> None:
    """The client's patience ends first, with the effect and without."""
    shop.control.fail_next(kind)

    with pytest.raises(httpx2.ReadTimeout):
        client.put(CUSTOMER, json=RENAME, timeout=0.2)

    # The client may have gone before the shop has looked at what it wants.
    assert shop.control.wait_for_fault()
    assert shop.control.wait_until(lambda: len(shop.control.writes(5)) == writes)


def test_a_held_connection_closes_when_released(
    shop: SandboxMagento, client: httpx2.Client
) -> None:
    """Whoever waits is let go without an answer."""
    shop.control.fail_next("held")
    ended = threading.Event()

    def wait() -> None:
        with pytest.raises(httpx2.RemoteProtocolError):
            client.get(CUSTOMER)
        ended.set()

    waiting = threading.Thread(target=wait)
    waiting.start()
    assert shop.control.wait_for_fault()
    shop.control.release()
    waiting.join(5)

    assert ended.is_set()


def test_a_slow_answer_arrives_whole(shop: SandboxMagento, client: httpx2.Client) -> None:
    """It drips; patience, or a release, gets all of it."""
    shop.control.fail_next("slow", bytes_per_second=20_000)

    answer = client.get("/rest/V1/customers/5?fields=id")

    assert answer.json() == {"id": 5}


def test_a_repeated_page_is_the_page_before(shop: SandboxMagento, client: httpx2.Client) -> None:
    """A client that walks pages and trusts them would loop."""
    path = "/rest/V1/customers/search?searchCriteria[pageSize]=3&searchCriteria[currentPage]="
    first = client.get(f"{path}1").json()
    shop.control.fail_next("repeated_page")

    repeated = client.get(f"{path}2").json()
    second = client.get(f"{path}2").json()

    assert repeated == first
    assert second != first


def test_maintenance_answers_everything_with_a_page(
    shop: SandboxMagento, client: httpx2.Client
) -> None:
    """503 and HTML until it ends; two minutes, unless the shop says otherwise."""
    shop.control.maintenance(on=True)
    during = client.get(CUSTOMER)
    shop.control.maintenance(on=True, retry_after="3")
    briefly = client.get(CUSTOMER)
    shop.control.maintenance(on=False)

    assert during.status_code == 503
    assert during.text.startswith("<!doctype html>")
    assert during.headers.get_list("Retry-After") == ["120"]
    assert (briefly.text, briefly.headers.get_list("Retry-After")) == (during.text, ["3"])
    assert client.get(CUSTOMER).status_code == 200


def test_cleared_faults_strike_nobody(shop: SandboxMagento, client: httpx2.Client) -> None:
    """A test can take back what it planned."""
    shop.control.fail_next("reset", times=10)

    shop.control.clear_faults()

    assert shop.control.faults_waiting() == 0
    assert client.get(CUSTOMER).status_code == 200
