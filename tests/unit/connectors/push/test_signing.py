"""Signatures of pushes and callbacks."""

from datetime import UTC, datetime, timedelta
from typing import Final

import pytest

from shared.connectors.push.signing import (
    SIGNATURE,
    TIMESTAMP,
    SignatureRefused,
    Signed,
    sign,
    verify,
)

NOW: Final = datetime(2025, 11, 20, 8, 3, 17, tzinfo=UTC)
KEY, OLD = "k" * 40, "o" * 40
REQUEST: Final = Signed("POST", "/v1/customers", b"{}")
HEADERS: Final = sign(KEY, NOW, REQUEST)


def test_a_signature_is_known_by_any_of_the_keys() -> None:
    """So that one can take the place of another."""
    assert verify(HEADERS, [KEY], NOW, REQUEST) == verify(HEADERS, [OLD, KEY], NOW, REQUEST)


def test_several_signatures_may_be_given() -> None:
    """By a sender who changes the key; those of other schemes are not looked at."""
    given = {**HEADERS, SIGNATURE: f"v0=ff, v1={'0' * 64} {HEADERS[SIGNATURE]}"}

    assert verify(given, [KEY], NOW, REQUEST)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {SIGNATURE: HEADERS[SIGNATURE]},
        {TIMESTAMP: HEADERS[TIMESTAMP]},
        {**HEADERS, TIMESTAMP: str(int(HEADERS[TIMESTAMP]) + 1)},
        {**HEADERS, TIMESTAMP: "١٧٦٣٦٢٥٧٩٧"},
        {**HEADERS, SIGNATURE: HEADERS[SIGNATURE].upper()},
        {**HEADERS, SIGNATURE: HEADERS[SIGNATURE][:-1]},
        {**HEADERS, SIGNATURE: "v1=\udc80"},
        {**HEADERS, SIGNATURE: " ".join(["v1=00"] * 9 + [HEADERS[SIGNATURE]])},
    ],
)
def test_what_does_not_hold_is_refused(headers: dict[str, str]) -> None:
    """Whatever it is that is wrong."""
    with pytest.raises(SignatureRefused):
        verify(headers, [KEY], NOW, REQUEST)


@pytest.mark.parametrize(
    "request_", [Signed("GET", *REQUEST[1:]), Signed("POST", "/v1", b"{}"),
                 Signed("POST", "/v1/customers", b"{} ")]
)  # fmt: skip
def test_a_signature_is_for_one_request(request_: Signed) -> None:
    """Method, path and body, byte for byte."""
    with pytest.raises(SignatureRefused):
        verify(HEADERS, [KEY], NOW, request_)


@pytest.mark.parametrize(("seconds", "holds"), [(300, True), (-300, True), (301, False),
                                                (-301, False)])  # fmt: skip
def test_a_signature_is_good_for_five_minutes(seconds: int, *, holds: bool) -> None:
    """Before and after: clocks differ."""
    at = NOW + timedelta(seconds=seconds)
    if holds:
        assert verify(HEADERS, [KEY], at, REQUEST)
    else:
        with pytest.raises(SignatureRefused):
            verify(HEADERS, [KEY], at, REQUEST)


def test_without_keys_nothing_holds() -> None:
    """Not even what was signed by nothing."""
    with pytest.raises(SignatureRefused):
        verify(sign("", NOW, REQUEST), [], NOW, REQUEST)
