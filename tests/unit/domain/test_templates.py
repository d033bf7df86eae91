"""What new customers get, by conditions, and where their numbers come from (C365-4)."""

import pytest

from shared.domain.conditions import Condition
from shared.domain.customer import Custom, Customer
from shared.domain.decide import decide
from shared.domain.decisions import Create, Hold, Instruction
from shared.domain.policy import NumberSeries
from tests.builders import (
    a_customer,
    a_policy,
    a_source,
    a_template,
    an_address,
    in_directory,
    knowing,
)


def lives_in(**place: str) -> Customer:
    """Return a customer whose billing address is there."""
    return a_customer(addresses=(an_address(**place),))


@pytest.mark.parametrize(
    ("condition", "customer"),
    [
        pytest.param('country == "AT"', lives_in(country="AT"), id="country"),
        pytest.param(
            'country == "US" && region == "CA"', lives_in(country="US", region_code="CA"),
            id="region",
        ),
        pytest.param('group == "Wholesale"', a_customer(group="Wholesale"), id="group"),
        pytest.param(
            'channel == "shop" && store_view == "de"', a_customer(), id="store-view"
        ),
        pytest.param('kind == "business"', a_customer(kind="business"), id="kind"),
        pytest.param("has_tax_id", a_customer(tax_id="DE136695976"), id="tax-id"),
        pytest.param('currency == "CHF"', a_customer(currency="CHF"), id="currency"),
    ],
)  # fmt: skip
def test_the_template_is_chosen_by_what_is_known_of_the_customer(
    condition: str, customer: Customer
) -> None:
    """C365-4: country, region, group, store view, kind, tax id and currency choose it."""
    templates = (a_template("special", when=Condition(condition)), a_template("rest"))
    others = a_customer(
        "2", source=a_source("2", channel="outlet"), currency="EUR", group="General"
    )
    channels = {**a_policy().channels}
    channels["outlet"] = channels["shop"]
    policy = a_policy(templates=templates, channels=channels)

    chosen, other = (decide(each, knowing(), policy) for each in (customer, others))

    assert isinstance(chosen, Create)
    assert isinstance(other, Create)
    assert (chosen.template.name, other.template.name) == ("special", "rest")


def test_a_number_series_belongs_to_its_template() -> None:
    """C365-4: companies and persons are numbered apart."""
    templates = (
        a_template("company", number_series="companies", when=Condition('kind == "business"')),
        a_template("person", number_series="debtors"),
    )
    series = {name: NumberSeries(name) for name in ("companies", "debtors")}
    policy = a_policy(templates=templates, number_series=series)

    company, person = (
        decide(each, knowing(), policy) for each in (a_customer(kind="business"), a_customer())
    )

    assert isinstance(company, Create)
    assert isinstance(person, Create)
    assert company.template.number_series == "companies"
    assert person.template.number_series == "debtors"


@pytest.mark.parametrize(
    ("number_from", "number"),
    [
        ("external_id", "M-1"),
        ("customer_number", "M-0815"),
        ("attributes.old_number", "M-77"),
    ],
)
def test_the_number_may_be_the_platforms(number_from: str, number: str) -> None:
    """C365-4: instead of a series, the platform's id, its number or a custom field."""
    template = a_template(number_series=None, number_from=number_from, number_prefix="M-")
    custom = Custom(attributes={"old_number": 77})
    customer = a_customer(customer_number="0815", custom=custom)

    decision = decide(customer, knowing(), a_policy(templates=(template,)))

    assert isinstance(decision, Create)
    assert decision.created.number == number
    assert decision.created.keys.customer_number == number


def test_without_the_platforms_number_a_customer_is_held() -> None:
    """C365-4: a number is never made up where the platform should have given one."""
    template = a_template(number_series=None, number_from="attributes.old_number")

    decision = decide(a_customer(), knowing(), a_policy(templates=(template,)))

    assert isinstance(decision, Hold)
    assert decision.reason == "no_number"
    assert decision.explanation.notes == ("attributes.old_number is empty",)


def test_a_number_that_somebody_has_is_not_given_again() -> None:
    """C365-4: the platform's number may be another customer's already."""
    template = a_template(number_series=None, number_from="external_id")
    other = in_directory(a_customer("9", email="other@example.com"), number="1")

    decision = decide(a_customer("1"), knowing(other), a_policy(templates=(template,)))

    assert isinstance(decision, Hold)
    assert decision.reason == "number_taken"


def test_a_number_of_ours_that_nobody_here_has_is_not_written_over() -> None:
    """C365-4: the shop shows what a series of ours gave; the database is older than the shop."""
    customer = a_customer(customer_number="D10007")

    decision = decide(customer, knowing(), a_policy())
    kept = decide(customer, knowing(), a_policy(), Instruction(number="D10007"))
    anew = decide(customer, knowing(), a_policy(), Instruction(creates=True))

    assert isinstance(decision, Hold)
    assert decision.reason == "has_number"
    assert isinstance(kept, Create)
    assert kept.created.number == "D10007"
    assert isinstance(anew, Create)
    assert anew.created.number is None


@pytest.mark.parametrize("number", ["K77", "D00007", "D1"])
def test_a_number_that_no_series_of_ours_gave_holds_nobody(number: str) -> None:
    """C365-4: whatever else wrote it, the customer gets one of ours."""
    decision = decide(a_customer(customer_number=number), knowing(), a_policy())

    assert isinstance(decision, Create)


def test_a_template_that_lacks_what_the_erp_requires_holds_the_customer() -> None:
    """C365-4: an incomplete template is a gap in the set-up, told with the names of its values."""
    policy = a_policy(required_values=("price_group", "payment_terms", "tax_area"))

    decision = decide(a_customer(), knowing(), policy)

    assert isinstance(decision, Hold)
    assert decision.reason == "incomplete_template"
    assert decision.explanation.notes == ("template standard lacks payment_terms, tax_area",)
