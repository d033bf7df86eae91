"""Whether what the shop shows is what the directory holds, customer by customer."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from services.console.demo.configuration import (
    NUMBER_ATTRIBUTE,
    TEMPLATE_ATTRIBUTE,
    TERMS_ATTRIBUTE,
)
from services.console.demo.shop import Customer, attribute, default_billing
from shared.persistence.directory_reader import Linked

MOST_SHOWN = 5


@dataclass
class Verdict:
    """How many customers are as they should be, and what is wrong with the others."""

    numbered: int = 0
    waiting: int = 0
    refused: int = 0
    faults: list[str] = field(default_factory=list)

    @property
    def unnumbered(self) -> int:
        """How many rightly have no number in the shop."""
        return self.waiting + self.refused

    @property
    def is_good(self) -> bool:
        """Whether every customer is as it should be."""
        return not self.faults


def verify(
    shown: Iterable[Customer],
    linked: Mapping[str, Linked],
    waiting: Mapping[str, str],
    refused: Collection[str],
) -> Verdict:
    """Compare every customer the shop shows with what Patron knows of it.

    `linked`, `waiting` (with the reasons) and `refused` are by the customer's id in the shop.
    """
    verdict = Verdict()
    for customer in shown:
        external_id = str(customer["id"])
        if external_id in refused:
            fault = _fault_of_unnumbered(customer, "refused by the shop")
            verdict.refused += 1
        elif external_id in linked:
            fault = _fault_of_numbered(customer, linked[external_id])
            verdict.numbered += 1
        elif external_id in waiting:
            fault = _fault_of_unnumbered(customer, waiting[external_id])
            verdict.waiting += 1
        else:
            fault = "neither linked nor waiting"
        if fault:
            verdict.faults.append(f"customer {external_id}: {fault}")
    return verdict


def _fault_of_numbered(customer: Customer, linked: Linked) -> str | None:
    """Return what is wrong with a customer that should have everything from the directory."""
    if default_billing(customer) is None:
        return "linked without a default billing address"
    wanted = {
        NUMBER_ATTRIBUTE: linked.number,
        TEMPLATE_ATTRIBUTE: linked.template,
        TERMS_ATTRIBUTE: linked.defaults.get("payment_terms"),
    }
    different = [code for code, value in wanted.items() if attribute(customer, code) != value]
    return f"the shop shows another {', '.join(different)}" if different else None


def _fault_of_unnumbered(customer: Customer, reason: str) -> str | None:
    """Return what is wrong with a customer that should have no number."""
    if attribute(customer, NUMBER_ATTRIBUTE):
        return f"{reason}, yet the shop shows a number"
    is_mistaken = reason == "no_billing_address" and default_billing(customer)
    return "held for want of a billing address that it has" if is_mistaken else None
