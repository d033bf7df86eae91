"""The `when` of a template."""

import pytest

from shared.domain.conditions import FACTS, Condition, ConditionInvalid, Facts
from tests.builders import a_company, a_customer, an_address


def test_a_condition_is_true_of_the_facts_it_names() -> None:
    """A condition speaks of the billing country, the group and whether a tax id is given."""
    customer = a_customer(group="Wholesale", addresses=(an_address(tax_id="DE136695976"),))

    condition = Condition('country in ["DE", "AT"] && group == "Wholesale" && has_tax_id')

    assert condition.holds(Facts(customer))


def test_missing_values_are_empty_text() -> None:
    """A condition on something the shop did not say is false, not an error."""
    assert not Condition('currency == "EUR"').holds(Facts(a_customer(addresses=())))


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
    company, person = Facts(a_company()), Facts(a_customer())

    condition = Condition('entity == "company" && locations > 1 && company_name.contains("wind")')

    assert condition.holds(company)
    assert not condition.holds(person)


def test_every_fact_is_known_of_every_customer() -> None:
    """Whatever a condition may name can be asked of anybody, and has the kind that is told."""
    for customer in (a_customer(addresses=()), a_customer(), a_company()):
        facts = Facts(customer)

        kinds = {name: type(facts[name]) for name in FACTS}

        assert kinds == dict.fromkeys(FACTS, str) | {"has_tax_id": bool, "locations": int}


def test_an_answer_is_remembered_for_its_own_facts() -> None:
    """Another customer with other facts gets another answer, however often they take turns."""
    condition = Condition('country == "DE"')
    german = a_customer(addresses=(an_address(country="DE"),))
    french = a_customer(addresses=(an_address(country="FR"),))

    answers = [condition.holds(Facts(each)) for each in (german, french, german, french)]

    assert answers == [True, False, True, False]
