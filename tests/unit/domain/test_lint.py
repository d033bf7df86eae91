"""Configuration lint: templates tried before a customer does, rules that cannot work."""

from typing import Any

import pytest

from shared.domain.conditions import Condition
from shared.domain.lint import common_number, lint, try_templates
from shared.domain.policy import (
    ChannelPolicy,
    GuestPolicy,
    NumberSeries,
    Policy,
    ProcessingMethod,
    StoreViewPolicy,
    Template,
)
from tests.builders import a_policy, a_template


def selling(*views: StoreViewPolicy, templates: tuple[Template, ...], **changes: Any) -> Policy:
    """Return a policy of one shop with these store views and templates."""
    channels = {"shop": ChannelPolicy("shop", {view.code: view for view in views})}
    return a_policy(channels=channels, templates=templates, **changes)


def a_view(
    *countries: str,
    code: str = "de",
    method: ProcessingMethod = ProcessingMethod.CREATE_AND_UPDATE,
) -> StoreViewPolicy:
    """Return a store view that sells to `countries`."""
    return StoreViewPolicy(code, method, countries=countries)


def when(text: str, name: str, **changes: Any) -> Template:
    """Return a template with a condition."""
    return a_template(name, when=Condition(text), **changes)


def test_every_country_and_kind_is_tried() -> None:
    """NEW-15: individuals and businesses, with and without tax id, from each country."""
    policy = selling(
        a_view("DE", "FR"),
        templates=(when('kind == "business" && has_tax_id', "b2b"), a_template("everybody")),
    )

    trials = try_templates(policy)

    assert [(trial.country, trial.kind, trial.template) for trial in trials] == [
        (country, kind, template)
        for country in ("DE", "FR")
        for kind, template in (
            ("individual", "everybody"),
            ("business", "everybody"),
            ("business with tax id", "b2b"),
        )
    ]
    assert not any(trial.is_gap for trial in trials)


def test_a_country_without_a_template_is_a_gap() -> None:
    """NEW-15, C365-4: those customers would be held, for there is no silent default."""
    policy = selling(a_view("DE", "FR"), templates=(when('country == "DE"', "germany"),))

    gaps = [trial for trial in try_templates(policy) if trial.is_gap]

    assert {(gap.channel, gap.store_view, gap.country, gap.template) for gap in gaps} == {
        ("shop", "de", "FR", None)
    }
    assert {gap.kind for gap in gaps} == {"individual", "business", "business with tax id"}


def test_a_template_without_what_the_erp_requires_is_a_gap() -> None:
    """NEW-15, C365-4: the missing values are named; an empty one is missing too."""
    policy = selling(
        a_view("DE"),
        templates=(a_template(values={"terms": "", "zone": "EU"}),),
        required_values=("terms", "zone", "tax_group"),
    )

    gaps = [trial for trial in try_templates(policy) if trial.is_gap]

    assert {(gap.template, gap.missing) for gap in gaps} == {("standard", ("terms", "tax_group"))}


def test_views_that_create_nobody_are_not_tried() -> None:
    """NEW-15: they need no template."""
    policy = selling(a_view("DE", method=ProcessingMethod.UPDATE), templates=())

    assert try_templates(policy) == []
    assert lint(policy) == []


def test_views_without_countries_are_named_where_a_gap_may_be() -> None:
    """NEW-15: what cannot be tried is said."""
    fits_all = selling(a_view(), templates=(a_template(),))
    may_lack = selling(a_view(), templates=(when('country == "DE"', "germany"),))
    incomplete = selling(a_view(), templates=(a_template(),), required_values=("terms",))

    assert lint(fits_all) == []
    assert lint(may_lack) == [
        "templates are not tried for shop/de: give countries to have that checked"
    ]
    [_, lacking] = lint(incomplete)
    assert lacking == (
        "template standard lacks terms, which [erp] required_values wants: customers who get it"
        " are held"
    )


@pytest.mark.parametrize(
    ("templates", "said"),
    [
        (
            (when('kind == "business"', "one"), when('kind == "business"', "two"), a_template()),
            "template two is never chosen: one has the same condition",
        ),
        (
            (when('kind != ""', "one"), when('country == "DE"', "two"), a_template()),
            (
                "template two is never chosen: no customer of a configured store view and country"
                " gets it"
            ),
        ),
        (
            (when('country in ["DE", "CH"]', "one"), a_template()),
            "template one speaks of CH: no store view sells there",
        ),
    ],
)
def test_templates_that_cannot_be_meant_are_named(
    templates: tuple[Template, ...], said: str
) -> None:
    """NEW-15: one that nobody can get, or for a country that nobody sells to."""
    assert said in lint(selling(a_view("DE"), templates=templates))


def test_what_was_not_tried_is_not_called_unreachable() -> None:
    """NEW-15: a condition on the customer group may hold for somebody."""
    policy = selling(a_view("DE"), templates=(when('group == "VIP"', "vip"), a_template()))

    assert lint(policy) == []


@pytest.mark.parametrize(
    ("one", "other", "shared"),
    [
        (("C", 6), ("C", 5), "C999999"),
        (("", 5), ("1", 5), "199999"),
        (("C", 6), ("C0", 5), "C099999"),
        (("C", 5), ("C0", 5), None),
        (("C", 5), ("B", 5), None),
        (("C", 5), ("CX", 4), None),
        (("", 3), ("A", 3), None),
    ],
)
def test_series_that_can_write_the_same_number_are_found(
    one: tuple[str, int], other: tuple[str, int], shared: str | None
) -> None:
    """NEW-15: a number would be somebody's already when it is drawn."""
    first, second = NumberSeries("a", *one), NumberSeries("b", *other)

    assert common_number(first, second) == shared
    assert common_number(second, first) == shared


@pytest.mark.parametrize(
    ("guests", "method", "is_named"),
    [
        (GuestPolicy.COLLECT, ProcessingMethod.NONE, True),
        (GuestPolicy.COLLECT, ProcessingMethod.CREATE, False),
        (GuestPolicy.LINK, ProcessingMethod.CREATE, True),
        (GuestPolicy.LINK, ProcessingMethod.UPDATE, False),
    ],
)
def test_guests_whom_the_method_keeps_waiting_are_told(
    guests: GuestPolicy, method: ProcessingMethod, is_named: bool
) -> None:
    """NEW-15: they would be staged although the configuration says what to do with them."""
    view = StoreViewPolicy("de", method, guests=guests, guest_customer="G1", countries=("DE",))

    said = lint(selling(view, templates=(a_template(),)))

    assert any(line.startswith("guests of shop/de are staged") for line in said) is is_named


def test_colliding_series_are_advised_against() -> None:
    """NEW-15: both are named, with a number they share."""
    series = {name: NumberSeries(name, "C") for name in ("private", "business")}

    [advice] = lint(selling(a_view("DE"), templates=(a_template(),), number_series=series))

    assert advice == (
        "number series private and business can both write C99999: give them prefixes that differ"
    )


def test_a_view_of_companies_is_tried_with_companies() -> None:
    """NEW-15, MYOB-7: companies with and without tax id, and what their locations need."""
    view = StoreViewPolicy("b2b", countries=("DE",), reads_companies=True)
    templates = (when('entity == "company" && has_tax_id', "firm"), a_template("rest"))
    policy = selling(view, templates=templates, required_location_values=("route",))

    trials = try_templates(policy)

    assert [(trial.kind, trial.template, trial.missing) for trial in trials] == [
        ("company", "rest", ("location route",)),
        ("company with tax id", "firm", ("location route",)),
    ]
