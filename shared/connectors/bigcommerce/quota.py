"""What BigCommerce's headers say of the requests that are left, and of how long to stay away."""

from shared.connectors.budget import Allowance
from shared.connectors.http import LONGEST_WAIT_SECONDS, Answer, wait_asked_for

_LEFT = "X-Rate-Limit-Requests-Left"
_RESET = "X-Rate-Limit-Time-Reset-Ms"
_RETRY = "X-Retry-After"


def allowance(answer: Answer) -> Allowance | None:
    """Return what is left of the shop's quota, which all its apps share."""
    left, reset = _number(answer, _LEFT), _number(answer, _RESET)
    if left is None or reset is None:
        return None
    return Allowance(remaining=int(left), reset_seconds=reset / 1000)


def asked_to_wait(answer: Answer) -> float | None:
    """Return for how many seconds a refusal sends us away: the longest of what it says."""
    reset = _number(answer, _RESET)
    said = (
        wait_asked_for(answer),
        _number(answer, _RETRY),
        None if reset is None else reset / 1000,
    )
    waits = [seconds for seconds in said if seconds is not None]
    return min(max(waits), LONGEST_WAIT_SECONDS) if waits else None


def _number(answer: Answer, header: str) -> float | None:
    text = answer.headers.get(header, "").strip()
    return float(text) if text.isascii() and text.isdigit() else None
