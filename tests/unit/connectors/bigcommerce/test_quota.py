"""The shop's own headers: how many requests are left, and how long to stay away."""

import httpx2
import pytest

from shared.connectors.bigcommerce.quota import allowance, asked_to_wait
from shared.connectors.budget import Allowance
from shared.connectors.http import Answer


def answer(**headers: str) -> Answer:
    """Return an answer with headers, written with underscores."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Answer(429, httpx2.Headers(named), b"")


def test_what_is_left_is_read() -> None:
    """Requests, and milliseconds until they count anew."""
    told = answer(X_Rate_Limit_Requests_Left="6", X_Rate_Limit_Time_Reset_Ms="3000")

    assert allowance(told) == Allowance(remaining=6, reset_seconds=3.0)
    assert allowance(answer(X_Rate_Limit_Requests_Left="6")) is None


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"X_Rate_Limit_Time_Reset_Ms": "15000", "X_Retry_After": "2"}, 15.0),
        ({"X_Rate_Limit_Time_Reset_Ms": "1500", "X_Retry_After": "2"}, 2.0),
        ({"X_Retry_After": "17"}, 17.0),
        ({"Retry_After": "5"}, 5.0),
        ({"X_Retry_After": "soon"}, None),
        ({"X_Retry_After": "999999999"}, 86_400.0),
        ({}, None),
    ],
)
def test_the_longest_wait_holds(headers: dict[str, str], seconds: float | None) -> None:
    """Without any header it is the platform's load: nothing is said."""
    assert asked_to_wait(answer(**headers)) == seconds
