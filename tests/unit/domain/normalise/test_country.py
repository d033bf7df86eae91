"""Countries by codes and names (D365-13, ASK-10)."""

import pycountry
import pytest

from shared.domain.normalise import country_code, iso3


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        ("de", "DE"), ("DEU", "DE"), (" Germany ", "DE"), ("GERMANY", "DE"), ("Deutschland", "DE"),
        ("EL", "GR"), ("GR", "GR"), ("Ελλάδα", "GR"), ("UK", "GB"), ("gb", "GB"),
        ("Österreich", "AT"), ("Osterreich", "AT"), ("Schweiz", "CH"), ("Suisse", "CH"),
        ("Svizzera", "CH"), ("España", "ES"), ("Nederland", "NL"), ("Holland", "NL"),
        ("Polska", "PL"), ("Česko", "CZ"), ("Czech Republic", "CZ"), ("Suomi", "FI"),
        ("TÜRKİYE", "TR"), ("Turkiye", "TR"), ("Turkey", "TR"), ("U.S.A.", "US"), ("USA", "US"),
        ("NO", "NO"), ("Norge", "NO"), ("Kosovo", "XK"), ("Guinea", "GN"), ("Niger", "NE"),
    ],
)  # fmt: skip
def test_country_is_known_by_any_of_its_names(raw: str, code: str) -> None:
    """Codes of ISO, the tax office and the post, English names and native ones all serve."""
    found = country_code(raw)

    assert found == code


@pytest.mark.parametrize("raw", [None, "", " ", "-", "XX", "ZZZ", "Atlantis", "D", "\x00"])
def test_what_names_no_country_is_none(raw: str | None) -> None:
    """An unknown country is a data error for the caller to show, never the nearest one."""
    found = country_code(raw)

    assert found is None


@pytest.mark.parametrize("country", list(pycountry.countries), ids=lambda c: c.alpha_2)
def test_every_iso_country_goes_both_ways(country: "pycountry.db.Country") -> None:
    """Both codes and the English name of every country of ISO 3166 lead to each other."""
    codes = {country_code(each) for each in (country.alpha_2, country.alpha_3, country.name)}

    assert codes == {country.alpha_2}
    assert iso3(country.alpha_2) == country.alpha_3


def test_three_letters_from_the_other_names() -> None:
    """The ERP's three letters are found from EL and UK too, and for Kosovo, which ISO lacks."""
    found = [iso3(each) for each in ("EL", "UK", "XK", "XX", None)]

    assert found == ["GRC", "GBR", "XKX", None, None]
