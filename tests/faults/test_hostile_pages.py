"""What the shop shows cannot be read, in one record or a whole page: the import goes on."""

from typing import Any

import pytest

from tests.e2e.deployment import Deployment
from tests.e2e.expectations import shop_customers
from tests.faults.oracle import assert_nothing_lost_or_done_twice

pytestmark = pytest.mark.timeout(120)
PAGE = 5
# What is truncated is asked for three times within one call.
TIMES = {"truncated": 3, "html": 1, "repeated_page": 1}
SPOILED = {"de": ("truncated", 1), "fr": ("html", 2), "nl": ("repeated_page", 3)}


@pytest.fixture
def customers() -> int:
    """Have more customers in each store view than a page holds."""
    return 60


def test_spoiled_pages_and_records_hold_up_nothing(deployment: Deployment) -> None:
    """The cursor waits before the page; a bad record is put aside by itself (faults 39, 40)."""
    deployment.environment["PATRON_CHANNELS__SHOP__CONNECTOR__PAGE_SIZE"] = str(PAGE)
    control = deployment.shop.control
    awkward = _in_view(deployment, 1)[PAGE + 2]["id"]
    control.edit_address(awkward, city="Langenfeld " * 40)
    for kind, store_id in SPOILED.values():
        control.fail_next(kind, TIMES[kind], skip=1, path=_search_of(store_id))
    end_of_first_page = {
        view: _in_view(deployment, store_id)[PAGE - 1]["id"]
        for view, (_, store_id) in SPOILED.items()
    }

    deployment.start()
    failed: dict[str, dict[str, Any]] = {}

    def have_failed() -> bool:
        for view, cursor in _failed(deployment).items():
            failed.setdefault(view, cursor)
        return len(failed) == len(SPOILED)

    deployment.until(have_failed, "three views have failed")

    assert {view: cursor["watermark_key"] for view, cursor in failed.items()} == {
        view: f"{last:012d}" for view, last in end_of_first_page.items()
    }
    assert all(c["last_error"].startswith("unreadable_answer: ") for c in failed.values())
    assert "truncated" in failed["de"]["last_error"]
    assert "HTML" in failed["fr"]["last_error"]
    assert "repeats" in failed["nl"]["last_error"]
    deployment.until_idle(60)
    [(state, reason, problems)] = deployment.rows(
        "SELECT state, reason, explanation FROM staging_customers WHERE external_id = :id",
        id=str(awkward),
    )
    assert (state, reason) == ("held", "unreadable")
    assert b"addresses.0.city" in problems
    assert b"Langenfeld" not in problems
    linked = deployment.value("SELECT count(*) FROM links")
    assert linked == control.customer_count() - 1

    control.edit_address(awkward, city="Langenfeld", telephone="0211 555123")
    control.touch(awkward)
    deployment.request_import()
    deployment.until_idle(60)

    assert _failed(deployment) == {}
    assert_nothing_lost_or_done_twice(deployment)


def _in_view(deployment: Deployment, store_id: int) -> list[dict[str, Any]]:
    """Return a store view's customers in the order in which they are polled."""
    mine = [each for each in shop_customers(deployment) if each["store_id"] == store_id]
    return sorted(mine, key=lambda each: (each["updated_at"], each["id"]))


def _search_of(store_id: int) -> str:
    """Match the searches of one store view by their first filter."""
    return rf"search\?.*groups%5D%5B0%5D%5Bfilters%5D%5B0%5D%5Bvalue%5D={store_id}&"


def _failed(deployment: Deployment) -> dict[str, dict[str, Any]]:
    rows = deployment.rows(
        "SELECT store_view, watermark_key, last_error FROM cursors WHERE last_error IS NOT NULL"
    )
    return {view: {"watermark_key": key, "last_error": error} for view, key, error in rows}
