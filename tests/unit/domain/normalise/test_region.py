"""Regions (ASK-11, D365-14)."""

# Confusable characters are what is tested here.
# ruff: noqa: RUF001

import pytest

from shared.domain.normalise import region
from shared.domain.normalise.region import DISAGREE, UNKNOWN_CODE, Region, agreed_region


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("CA", "US", ("CA", None)),
        ("us-ca", "US", ("CA", None)),
        ("California", "US", ("CA", "California")),
        ("ONTARIO", "CA", ("ON", "ONTARIO")),
        ("3", "AT", ("3", None)),
        ("Niederösterreich", "AT", ("3", "Niederösterreich")),
        ("baden-wurttemberg", "DE", ("BW", "baden-wurttemberg")),
        ("La Coruña", "ES", ("C", "La Coruña")),
        ("Comunidad de Madrid", "ES", ("MD", "Comunidad de Madrid")),
        ("Madrid", "ES", ("M", "Madrid")),
        ("İSTANBUL", "TR", ("34", "İSTANBUL")),
        ("ısparta", "TR", ("32", "ısparta")),
    ],
)
def test_exact_code_or_name_within_the_country(
    raw: str, country: str, expected: tuple[str | None, str | None]
) -> None:
    """A region is found by its ISO code or its name, whatever the case and accents."""
    found = region(raw, country)

    assert found == expected


@pytest.mark.parametrize(
    ("raw", "country"),
    [("-", "US"), ("Alabama", "CA"), ("DE-BY", "US"), ("Bavaria-ish", "DE"), ("BAW", "DE"),
     ("La Rioja", "ES"), ("California", None), ("California", "XX"), ("Somerset", "XK")],
)  # fmt: skip
def test_anything_else_stays_text(raw: str, country: str | None) -> None:
    """A dash, a foreign region, a name two regions share: nothing of these is guessed."""
    found = region(raw, country)

    assert found == (None, raw)


@pytest.mark.parametrize("raw", [None, "", "  "])
def test_no_region_is_neither_code_nor_text(raw: str | None) -> None:
    """Nothing said is nothing found."""
    found = region(raw, "US")

    assert found == (None, None)


@pytest.mark.parametrize(
    ("code", "text", "country", "expected"),
    [
        ("BAW", "Baden-Württemberg", "DE", Region("BW", "Baden-Württemberg")),
        ("US-CA", "California", "US", Region("CA", "California")),
        ("CA", None, "US", Region("CA", None)),
        (None, "California", "US", Region("CA", "California")),
        (None, "Somewhere", "US", Region(None, "Somewhere")),
        ("-", None, "US", Region(None, "-", UNKNOWN_CODE)),
        ("-", "Somewhere", "US", Region(None, "Somewhere", UNKNOWN_CODE)),
        ("CA", "Alabama", "US", Region("CA", "Alabama", DISAGREE)),
        ("XY", None, None, Region("XY", None)),
        ("XY", None, "XK", Region("XY", None)),
        (None, None, "US", Region(None, None)),
    ],
)
def test_code_and_text_fields_agree(
    code: str | None, text: str | None, country: str | None, expected: Region
) -> None:
    """A platform's own code gives way to the name beside it; a contradiction is left alone."""
    found = agreed_region(code, text, country)

    assert found == expected
