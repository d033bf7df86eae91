"""The `when` of a template."""

import pytest

from shared.domain.conditions import Condition, ConditionInvalid, facts_of
from tests.builders import a_company, a_customer, an_address


def test_a_condition_is_true_of_the_facts_it_names() -> None:
    """A condition speaks of the billing country, the group and whether a tax id is given."""
    customer = a_customer(group="Wholesale", addresses=(an_address(tax_id="DE136695976"),))

    condition = Condition('country in ["DE", "AT"] && group == "Wholesale" && has_tax_id')

    assert condition.holds(facts_of(customer))


def test_missing_values_are_empty_text() -> None:
    """A condition on something the shop did not say is false, not an error."""
    assert not Condition('currency == "EUR"').holds(facts_of(a_customer(addresses=())))


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("country ==", "Failed to parse"),
        ('contry == "DE"', "unknown name 'contry'"),
        ("country", "not true or false"),
        ("1 + 1", "not true or false"),
    ],
)
def test_a_condition_that_cannot_work_is_refused_when_it_is_read(text: str, what: str) -> None:
    """A typing error shows at start, not with the first customer."""
    with pytest.raises(ConditionInvalid, match=what):
        Condition(text)


def test_a_condition_may_speak_of_companies() -> None:
    """MYOB-7: what it is kept as, its name, and how many locations it has."""
    company, person = facts_of(a_company()), facts_of(a_customer())

    condition = Condition('entity == "company" && locations > 1 && company_name.contains("wind")')

    assert condition.holds(company)
    assert not condition.holds(person)
