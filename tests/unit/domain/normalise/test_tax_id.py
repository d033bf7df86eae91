"""Tax ids (D365-14, ASK-10)."""

# Confusable characters are what is tested here.
# ruff: noqa: RUF001

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.normalise import tax_id, tax_id_key
from shared.domain.normalise.tax_id import NOT_VALID


@pytest.mark.parametrize(
    ("spellings", "country"),
    [
        (["DE136695976", "136695976", "de 136 695 976", "136.695.976", "１３６６９５９７６"], "DE"),
        (["EL094259216", "GR094259216", "094259216", "EL 094 259 216"], "GR"),
        (["EL094259216", "094259216"], "EL"),
        (["GB980780684", "UK 980 7806 84", "XI980780684", "980 7806 84"], "GB"),
        (["GB980780684", "980780684"], "UK"),
        (["ATU13585627", "U13585627", "AT U13585627"], "AT"),
        (["ESB58378431", "B-58378431"], "ES"),
        (["NL004495445B01", "4495445B01", "NL 0044.95.445.B01"], "NL"),
        (["CHE-107.787.577 IVA", "CHE107787577MWST", "CHE-107.787.577"], "CH"),
        (["NO 995 525 828 MVA", "995525828"], "NO"),
        (["IT00743110157", "00743110157"], "IT"),
        (["16.727.230/0001-97", "16727230000197"], "BR"),
    ],
)
def test_spellings_of_a_number_share_a_key(spellings: list[str], country: str) -> None:
    """Separators, case and the prefix, EL or GR, UK or GB, make no other number."""
    keys = {tax_id_key(each, country) for each in spellings}

    assert len(keys) == 1
    assert None not in keys


def test_foreign_number_keeps_its_country() -> None:
    """A German VAT number on an Austrian or a countryless customer is still that number."""
    keys = {tax_id_key("DE136695976", country) for country in ("DE", "AT", "US", None)}

    assert keys == {"DE136695976"}


@pytest.mark.parametrize(
    ("raw", "country"),
    [(None, "DE"), ("", "DE"), ("-", "DE"), ("n/a", "GB"), ("DE136695977", "DE"),
     ("136695976", None), ("136695976", "XX"), ("000000000", "DE")],
)  # fmt: skip
def test_what_fails_the_check_is_no_key(raw: str | None, country: str | None) -> None:
    """Nobody is matched by a number that is wrong, or that nothing says the country of."""
    key = tax_id_key(raw, country)

    assert key is None


@pytest.mark.parametrize(
    ("raw", "country", "expected"),
    [
        ("de 136 695 976", "DE", ("DE136695976", None)),
        ("136 695 976", "DE", ("136695976", None)),
        ("GR094259216", "GR", ("EL094259216", None)),
        ("UK980780684", "GB", ("GB980780684", None)),
        ("CHE-107.787.577 IVA", "CH", ("CHE-107.787.577 IVA", None)),
        ("DE 136 695 977", "DE", ("DE 136 695 977", NOT_VALID)),
        ("DE136695977", None, ("DE136695977", NOT_VALID)),
        ("whatever", "XX", ("whatever", None)),
        ("whatever", None, ("whatever", None)),
        ("", "DE", ("", None)),
    ],
)
def test_value_to_keep(raw: str, country: str | None, expected: tuple[str, str | None]) -> None:
    """Valid VAT numbers lose their separators; wrong and unknown ones stay as written."""
    found = tax_id(raw, country)

    assert found == expected


@settings(derandomize=True, deadline=None, max_examples=500)
@given(
    st.text(max_size=20) | st.from_regex(r"\A[A-Z]{0,3}[ -]?[0-9]{5,12}[A-Z]?\Z"),
    st.sampled_from([None, "DE", "EL", "GR", "UK", "GB", "IT", "ES", "FR", "CH", "NO", "US", "MX"]),
)
def test_canonical_value_has_the_same_key(raw: str, country: str | None) -> None:
    """Writing a number canonically changes neither its key nor, the second time, itself."""
    once = tax_id(raw, country)

    assert tax_id(once[0], country) == once
    assert tax_id_key(once[0], country) == tax_id_key(raw, country)
