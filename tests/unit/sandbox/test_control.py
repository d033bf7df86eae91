"""The control interface: what shoppers do, and when `updated_at` tells the truth about it."""

import threading
from datetime import UTC, datetime

import httpx2
import pytest

from services.sandbox.magento import SandboxMagento

NOON = datetime(2026, 11, 1, 12, 0, tzinfo=UTC)


def test_an_address_edited_by_a_shopper_leaves_the_time_alone(shop: SandboxMagento) -> None:
    """The lie that only a sweep finds: the content changed, the time did not."""
    before = shop.control.customer(5)

    after = shop.control.edit_address(5, city="Neustadt", telephone="030 123456")

    assert after["addresses"][0]["city"] == "Neustadt"
    assert after["updated_at"] == before["updated_at"]


def test_a_moved_default_does_move_the_time(shop: SandboxMagento) -> None:
    """The default lives on the customer's row."""
    before = shop.control.customer(5)
    address = {name: value for name, value in before["addresses"][0].items() if name != "id"}

    kept = shop.control.add_address(5, **address | {"default_billing": False})
    moved = shop.control.edit_address(5, kept["addresses"][-1]["id"], default_billing=True)

    assert moved["updated_at"] > before["updated_at"]
    assert moved["default_billing"] == str(moved["addresses"][-1]["id"])


@pytest.mark.parametrize("deed", ["touch", "fail_login", "reset_password"])
def test_the_time_moves_though_nothing_changed(shop: SandboxMagento, deed: str) -> None:
    """The lie in the other direction: only a hash of the content tells."""
    before = shop.control.customer(5)

    after = getattr(shop.control, deed)(5)

    assert after["updated_at"] > before["updated_at"]
    assert after | {"updated_at": ""} == before | {"updated_at": ""}


def test_shoppers_register_without_the_apis_mail_count(shop: SandboxMagento) -> None:
    """Mails are counted for customers that the API created, not for shoppers' own."""
    new = shop.control.register(
        {"email": "new@example.com", "firstname": "Ann", "lastname": "New"}, store_id=4
    )

    assert (new["store_id"], new["website_id"]) == (4, 2)
    assert shop.control.stats()["welcome_mails"] == 0
    assert shop.control.writes(new["id"])[0].origin == "shopper"


def test_the_clock_stops_moves_and_goes_on(shop: SandboxMagento) -> None:
    """What is written carries the shop's time."""
    shop.control.freeze_clock(NOON)
    shop.control.advance_clock(90)

    assert shop.control.touch(5)["updated_at"] == "2026-11-01 12:01:30"
    shop.control.run_clock()
    assert shop.control.now() >= "2026-11-01 12:01:30"


def test_the_control_interface_over_http(shop: SandboxMagento) -> None:
    """Another process can do what a test in this one can."""
    with httpx2.Client(base_url=f"{shop.url}/_sandbox", timeout=5) as remote:
        remote.post("/clock", json={"freeze": "2026-11-01 12:00:00"})
        remote.patch("/customers/5/address", json={"city": "Neustadt"})
        new = remote.post(
            "/customers", json={"email": "n@example.com", "firstname": "A", "lastname": "N"}
        ).json()
        remote.post("/faults", json={"kind": "html", "times": 2, "path": "customers"})
        remote.delete("/faults")
        remote.put("/rights/admin", json={"rights": ["Magento_Customer::customer"]})
        remote.patch("/quirks", json={"two_factor": True})
        remote.delete("/customers/6")
        token = remote.post("/admin_token").json()["token"]
        writes = remote.get("/writes/5").json()
        stats = remote.get("/stats").json()

    answer = httpx2.get(
        f"{shop.url}/rest/V1/customers/5", headers={"Authorization": f"Bearer {token}"}
    )
    assert answer.json()["addresses"][0]["city"] == "Neustadt"
    assert new["created_at"] == "2026-11-01 12:00:00"
    assert writes[0]["action"] == "edit_address"
    assert stats["customers"] == 400


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/faults", {"kind": "earthquake"}, 400),
        ("POST", "/faults", {"nonsense": 1}, 400),
        ("PATCH", "/quirks", {"nonsense": 1}, 400),
        ("GET", "/customers/99999", None, 404),
        ("PATCH", "/customers/1/address", {"city": "X"}, 400),
        ("GET", "/nothing", None, 404),
        ("POST", "/customers", {"email": "x"}, 400),
    ],
)
def test_mistakes_in_control_calls_are_told(
    shop: SandboxMagento, method: str, path: str, body: object, status: int
) -> None:
    """A mistake is an answer, not a broken connection."""
    answer = httpx2.request(method, f"{shop.url}/_sandbox{path}", json=body)

    assert answer.status_code == status
    assert answer.json()["message"]


def test_a_test_can_wait_for_what_a_client_does(
    shop: SandboxMagento, client: httpx2.Client
) -> None:
    """No polling: the condition is looked at after each request and write."""
    control = shop.control
    path = "/rest/V1/customers/5"
    writing = threading.Thread(target=client.put, args=(path,), kwargs={"json": {"customer": {}}})

    writing.start()
    came = control.wait_until(lambda: control.requests("PUT", "customers/{id}", 200) == 1)
    writing.join()

    assert came
    assert not control.wait_until(lambda: False, timeout_seconds=0.01)


def test_an_attribute_is_told_of_everybody_who_has_it(shop: SandboxMagento) -> None:
    """For benchmarks, which would otherwise ask 100,000 times; no trace in the books."""
    shop.control.add_attribute("erp_price_group")
    shop.control.edit_profile(
        5, custom_attributes=[{"attribute_code": "erp_price_group", "value": "RETAIL"}]
    )

    answer = httpx2.get(f"{shop.url}/_sandbox/attributes/erp_price_group")

    assert answer.json() == {"5": "RETAIL"}
    assert shop.control.requests() == 0
