"""The demo's verdict: it must notice what is wrong."""

from collections.abc import Mapping
from uuid import UUID

import pytest

from services.console.demo.shops.magento import account
from services.console.demo.shops.port import Account
from services.console.demo.verification import Verdict, verify
from shared.persistence.directory_reader import Linked, LinkLine
from tests.builders import NOON

NONE: Mapping[str, str] = {}
LINK = LinkLine("shop", "1", UUID(int=1), "synchronized", "de", None, NOON, "C1")
LINKED = {"1": Linked(LINK, "C1", "standard", {"payment_terms": "NET30"})}
RIGHT = {"erp_customer_number": "C1", "erp_template": "standard", "erp_payment_terms": "NET30"}
ADDITIONAL = {"erp_template": "template", "erp_payment_terms": "values.payment_terms"}


def a_customer(attributes: Mapping[str, str] = NONE, *, billing: bool = True) -> Account:
    """Return customer 1 as a Magento shop shows it."""
    shown = {
        "id": 1,
        "default_billing": "5" if billing else None,
        "addresses": [{"id": 5}],
        "custom_attributes": [{"attribute_code": k, "value": v} for k, v in attributes.items()],
    }
    return account(shown, "de")


def judge(
    customer: Account, linked: Mapping[str, Linked] = LINKED, waiting: Mapping[str, str] = NONE
) -> Verdict:
    """Return the verdict on one customer."""
    return verify([customer], linked, waiting, (), ADDITIONAL)


def test_a_customer_with_everything_is_numbered() -> None:
    """Number, template and terms are the directory's."""
    verdict = judge(a_customer(RIGHT))

    assert (verdict.numbered, verdict.faults) == (1, [])


@pytest.mark.parametrize(
    ("code", "called"),
    [
        ("erp_customer_number", "customer number"),
        ("erp_template", "erp_template"),
        ("erp_payment_terms", "erp_payment_terms"),
    ],
)
def test_whatever_differs_is_a_fault(code: str, called: str) -> None:
    """Each of the three is compared."""
    verdict = judge(a_customer(RIGHT | {code: "other"}))

    assert verdict.faults == [f"customer 1: the shop shows another {called}"]


def test_a_customer_that_waits_must_show_no_number() -> None:
    """A number without a link came from nowhere."""
    held = {"1": "no_billing_address"}

    right = judge(a_customer(billing=False), {}, held)
    wrong = judge(a_customer({"erp_customer_number": "C9"}, billing=False), {}, held)

    assert (right.waiting, right.is_good) == (1, True)
    assert wrong.faults == ["customer 1: no_billing_address, yet the shop shows a number"]


@pytest.mark.parametrize(
    ("customer", "linked", "waiting", "fault"),
    [
        (a_customer(), {}, {}, "neither linked nor waiting"),
        (a_customer(), {}, {"1": "no_billing_address"}, "held for want of a billing address"),
        (a_customer(RIGHT, billing=False), LINKED, {}, "linked without a default billing"),
    ],
)
def test_a_decision_that_does_not_fit_the_shop_is_a_fault(
    customer: Account, linked: dict[str, Linked], waiting: dict[str, str], fault: str
) -> None:
    """Eligibility is judged by what the shop shows, not by what was decided."""
    (found,) = judge(customer, linked, waiting).faults

    assert fault in found
