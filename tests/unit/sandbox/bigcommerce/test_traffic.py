"""Limits: the quota and its headers, few PUTs at a time, tokens, scopes, faults."""

import threading
from collections.abc import Callable

import httpx2
import pytest

from services.sandbox.bigcommerce import SandboxBigCommerce
from services.sandbox.bigcommerce.gate import B2B, MODIFY, READ
from services.sandbox.bigcommerce.limits import Window

CUSTOMERS = "/v3/customers"
RENAME = [{"id": 5, "company": "Nordwind AG"}]


class FakeTime:
    """A clock that stands until moved."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


def test_a_window_grants_its_quota_and_then_waits() -> None:
    """It begins with the first request in it; what is refused costs nothing."""
    clock = FakeTime()
    window = Window(2, 30.0, clock)

    first = window.take()
    clock.now += 10.5
    second, third = window.take(), window.take()
    clock.now += 19.5
    fresh = window.take()

    assert (first.is_allowed, second.is_allowed, third.is_allowed) == (True, True, False)
    assert dict(first.headers()) == {
        "X-Rate-Limit-Time-Window-Ms": "30000",
        "X-Rate-Limit-Time-Reset-Ms": "30000",
        "X-Rate-Limit-Requests-Quota": "2",
        "X-Rate-Limit-Requests-Left": "1",
    }
    assert dict(third.headers())["X-Rate-Limit-Time-Reset-Ms"] == "19500"
    assert dict(third.headers())["X-Retry-After"] == "19"
    assert (fresh.is_allowed, fresh.left) == (True, 1)


def test_a_scaled_window_never_asks_for_whole_seconds() -> None:
    """On a fast clock a second would be most of the window: the milliseconds tell."""
    window = Window(0, 0.5, FakeTime())

    assert "X-Retry-After" not in dict(window.take().headers())


def test_over_the_quota_a_request_has_no_effect(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """429 with the headers; counted, and not among the writes."""
    shop.control.set_quota(2, window_seconds=60)

    answers = [client.put(CUSTOMERS, json=RENAME) for _ in range(3)]

    assert [each.status_code for each in answers] == [200, 200, 429]
    assert [each.headers["X-Rate-Limit-Requests-Left"] for each in answers] == ["1", "0", "0"]
    assert 0 < int(answers[2].headers["X-Rate-Limit-Time-Reset-Ms"]) <= 60_000
    assert 0 < int(answers[2].headers["X-Retry-After"]) <= 60
    assert (shop.control.refused(), shop.control.requests(status=429)) == (1, 1)
    assert len(shop.control.writes(5)) == 2


def test_a_new_window_opens(shop: SandboxBigCommerce, client: httpx2.Client) -> None:
    """The wait that the headers ask for is enough."""
    shop.control.set_quota(1, window_seconds=0.05)
    # Two calls fall into one window unless the machine stands still in between.
    answers = (client.get(CUSTOMERS) for _ in range(100))
    refused = next(each for each in answers if each.status_code == 429)

    threading.Event().wait(int(refused.headers["X-Rate-Limit-Time-Reset-Ms"]) / 1000)

    assert client.get(CUSTOMERS).status_code == 200


def test_sometimes_500_stands_in_for_429(shop: SandboxBigCommerce, client: httpx2.Client) -> None:
    """A refusal all the same, and it counts as one."""
    shop.control.set_quota(0)
    shop.control.set_quirks(every_nth_429_is_500=2)

    statuses = [client.get(CUSTOMERS).status_code for _ in range(4)]

    assert statuses == [429, 500, 429, 500]
    assert shop.control.refused() == 4


def at_once(client: httpx2.Client, count: int) -> Callable[[], list[int]]:
    """Start so many PUTs; the result waits for their statuses."""
    statuses: list[int] = []

    def put() -> None:
        statuses.append(client.put(CUSTOMERS, json=RENAME, timeout=20).status_code)

    threads = [threading.Thread(target=put) for _ in range(count)]
    for thread in threads:
        thread.start()

    def join() -> list[int]:
        for thread in threads:
            thread.join()
        return statuses

    return join


def test_a_fourth_put_at_the_same_time_is_refused(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """Three are under way; reading goes on; when they are through, there is room again."""
    shop.control.set_latency(10)
    underway = at_once(client, 3)
    assert shop.control.wait_until(lambda: len(shop.control.writes(5)) == 3)

    fourth = client.put(CUSTOMERS, json=RENAME)
    shop.control.set_latency(0)
    reading = client.get(f"{CUSTOMERS}?id:in=5")
    shop.control.release()

    assert underway() == [200, 200, 200]
    assert (fourth.status_code, reading.status_code) == (429, 200)
    assert client.put(CUSTOMERS, json=RENAME).status_code == 200


def test_the_limit_of_concurrent_puts_can_be_lifted(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """As on a store where it was never met."""
    shop.control.set_quirks(limits_concurrent_puts=False)
    shop.control.set_latency(10)
    underway = at_once(client, 5)
    assert shop.control.wait_until(lambda: len(shop.control.writes(5)) == 5)

    shop.control.release()

    assert underway() == [200] * 5


def test_platform_load_is_a_429_without_the_quotas_headers(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """At most `X-Retry-After`; whoever reads only the quota's headers knows nothing."""
    shop.control.fail_next("too_many_requests")
    shop.control.fail_next("too_many_requests", retry_after="7")

    bare, told = client.get(CUSTOMERS), client.get(CUSTOMERS)

    assert (bare.status_code, told.status_code) == (429, 429)
    assert not [name for name in bare.headers if name.startswith("x-r")]
    assert told.headers["X-Retry-After"] == "7"
    assert shop.control.refused() == 0


@pytest.mark.parametrize("status", [423, 501, 502, 504, 507])
def test_any_status_can_be_ordered(
    shop: SandboxBigCommerce, client: httpx2.Client, status: int
) -> None:
    """Locked, plan limit, bad gateways: once, and only where asked."""
    shop.control.fail_next("status", status=status, method="PUT", path="customers$")

    reading, writing = client.get(CUSTOMERS), client.put(CUSTOMERS, json=RENAME)

    assert (reading.status_code, writing.status_code) == (200, status)
    assert shop.control.writes(5) == []


def test_a_lost_answer_has_taken_effect(shop: SandboxBigCommerce, client: httpx2.Client) -> None:
    """The customer exists, the client does not know: it has to look before it tries again."""
    shop.control.fail_next("lost", method="POST")

    with pytest.raises(httpx2.RemoteProtocolError):
        client.post(
            CUSTOMERS, json=[{"email": "a@example.com", "first_name": "A", "last_name": "B"}]
        )

    assert client.get(f"{CUSTOMERS}?email:in=a@example.com").json()["data"][0]["id"] == 401


def test_a_repeated_page_is_the_page_before(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """A client that walks pages and trusts them would loop."""
    first = client.get(f"{CUSTOMERS}?page=1&limit=3").json()
    shop.control.fail_next("repeated_page")

    assert client.get(f"{CUSTOMERS}?page=2&limit=3").json() == first


def test_a_token_can_be_wrong_or_revoked(shop: SandboxBigCommerce, client: httpx2.Client) -> None:
    """401, for another store's path too; nothing is counted against the quota."""
    wrong = client.get(CUSTOMERS, headers={"X-Auth-Token": "x"})
    elsewhere = client.get(f"{shop.url}/stores/other/v3/customers")
    shop.control.revoke_token()
    revoked = client.get(CUSTOMERS)
    shop.control.restore_token("another")
    renewed = client.get(CUSTOMERS, headers={"X-Auth-Token": "another"})

    assert {each.status_code for each in (wrong, elsewhere, revoked)} == {401}
    assert revoked.json()["status"] == 401
    assert (renewed.status_code, shop.token) == (200, "another")
    assert renewed.headers["X-Rate-Limit-Requests-Left"] == "149"


def test_a_scope_can_be_missing(
    shop: SandboxBigCommerce, client: httpx2.Client, b2b: httpx2.Client
) -> None:
    """403: reading needs the smaller scope, writing the greater, webhooks none."""
    shop.control.set_scopes(READ)
    reading, writing = client.get(CUSTOMERS), client.put(CUSTOMERS, json=RENAME)
    hooks, companies = client.get("/v3/hooks"), b2b.get("/companies")
    shop.control.set_scopes()
    shop.control.remove_scope(MODIFY, READ)
    nothing = client.get(CUSTOMERS)
    shop.control.set_scopes(B2B)
    b2b_alone = b2b.get("/companies")

    assert (reading.status_code, writing.status_code) == (200, 403)
    assert (hooks.status_code, companies.status_code) == (200, 403)
    assert (nothing.status_code, b2b_alone.status_code) == (403, 200)


def test_maintenance_answers_everything_with_a_page(
    shop: SandboxBigCommerce, client: httpx2.Client
) -> None:
    """503 and HTML until it ends."""
    shop.control.maintenance(on=True)
    during = client.get(CUSTOMERS)
    shop.control.maintenance(on=False)

    assert (during.status_code, during.text[:9]) == (503, "<!doctype")
    assert client.get(CUSTOMERS).status_code == 200
