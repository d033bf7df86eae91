"""Store views that are refused until everything is there (MYOB-7)."""

from pathlib import Path

import pytest

from shared.config import ConfigurationInvalid, load_settings
from shared.domain.activation import could_hold
from shared.domain.conditions import Condition
from tests.unit.config.builders import a_file, changed

COMPANIES = ("remote = { store_id = 2, website_id = 1 }", 'remote = { entity = "companies" }')
WANTED = '[erp]\nrequired_values = ["terms"]\nrequired_location_values = ["route"]\n'
COMPLETE = (
    'values = { terms = "NET30" }',
    'values = { terms = "NET30" }\nlocation_values = { route = "P" }',
)
PLACE = "patron.toml: channels.shop.store_views.1.remote.entity: companies cannot be taken in yet: "


def problems(path: Path) -> list[str]:
    """Return what is told of a configuration, nothing if it can be used."""
    try:
        load_settings(path, {})
    except ConfigurationInvalid as error:
        return [str(problem) for problem in error.problems]
    return []


def test_companies_need_what_locations_need(tmp_path: Path) -> None:
    """MYOB-7: the key of the view and what the template lacks are named."""
    path = a_file(tmp_path, changed(COMPANIES) + WANTED)

    assert problems(path) == [f"{PLACE}template standard lacks location route"]


def test_companies_need_what_customers_need(tmp_path: Path) -> None:
    """MYOB-7: required values, of a template that a company could get."""
    path = a_file(tmp_path, changed(COMPANIES, COMPLETE) + WANTED.replace('"terms"', '"zone"'))

    assert problems(path) == [f"{PLACE}template standard lacks zone"]


def test_what_is_complete_is_activated(tmp_path: Path) -> None:
    """MYOB-7: one template that has everything is enough."""
    incomplete = (
        '[[templates]]\nname = "b2b"\nnumber_series = "debtors"\nwhen = \'kind == "business"\'\n\n'
    )
    text = changed(
        COMPANIES,
        COMPLETE,
        ('[[templates]]\nname = "standard"', incomplete + '[[templates]]\nname = "standard"'),
    )

    assert problems(a_file(tmp_path, text + WANTED)) == []


@pytest.mark.parametrize(
    "when",
    [
        'kind == "individual"',
        'entity == "account"',
        'store_view == "de"',
        'country == "DE" && kind != "business"',
    ],
)
def test_a_template_for_others_is_none_for_companies(tmp_path: Path, when: str) -> None:
    """MYOB-7: without a template that could be theirs companies are not taken in at all."""
    condition = ('number_series = "debtors"', f"number_series = \"debtors\"\nwhen = '{when}'")
    path = a_file(tmp_path, changed(COMPANIES, condition))

    assert problems(path) == [f"{PLACE}no template can be theirs"]


def test_locations_of_individuals_need_their_values(tmp_path: Path) -> None:
    """MYOB-7: `locations = "all"` is refused for each view whose customers would lack something."""
    path = a_file(tmp_path, changed() + WANTED.replace("[erp]", '[erp]\nlocations = "all"'))

    assert problems(path) == [
        f'patron.toml: channels.shop.store_views.{n}.code: locations = "all" cannot be activated'
        " yet: template standard lacks location route"
        for n in (0, 1)
    ]


@pytest.mark.parametrize(
    "text",
    [
        changed() + WANTED,
        changed(COMPANIES) + WANTED + "[features]\nbusiness_accounts = false\n",
        changed(COMPANIES, ('code = "fr"', 'code = "fr"\nimport = false')) + WANTED,
        changed(COMPANIES),
    ],
    ids=["persons", "switched off", "not imported", "nothing required"],
)
def test_what_is_not_activated_is_not_refused(tmp_path: Path, text: str) -> None:
    """MYOB-7: persons alone, companies that are not taken in, views that are not read."""
    assert problems(a_file(tmp_path, text)) == []


@pytest.mark.parametrize(
    ("text", "is_possible"),
    [
        ('country == "DE"', True),
        ('country == "US"', False),
        ('group in ["gold", "silver"] && locations > 7', True),
        ('!has_tax_id && company_name.startsWith("Nord")', True),
        ('kind == "individual" || region == "BY"', True),
        ('kind == "individual" && region == "BY"', False),
        ("locations < 0", False),
    ],
)
def test_whether_a_condition_could_hold_is_tried(text: str, *, is_possible: bool) -> None:
    """MYOB-7: what is fixed is fixed; the rest is tried with all that the condition names."""
    condition = Condition(text)

    assert could_hold(condition, {"kind": "business"}, ("DE", "AT")) == is_possible


def test_a_condition_that_takes_too_long_to_try_is_believed() -> None:
    """Nobody is refused because his condition is long."""
    codes = ", ".join(f'"{n}"' for n in range(90))
    free = " && ".join(f"{name} in [{codes}]" for name in ("group", "currency", "language"))

    assert could_hold(Condition(f'kind == "x" && {free}'), {"kind": "business"})
