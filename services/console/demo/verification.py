"""Whether what a shop shows is what the directory holds, customer by customer."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field

from services.console.demo.shops.port import Account
from shared.domain.templates import additional_values
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
    shown: Iterable[Account],
    linked: Mapping[str, Linked],
    waiting: Mapping[str, str],
    refused: Collection[str],
    additional_data: Mapping[str, str],
) -> Verdict:
    """Compare every customer that the shop shows with what became of it.

    `linked`, `waiting` (with the reasons) and `refused` are by the customer's id in the shop;
    `additional_data` says what is written there beside the number, as configured.
    """
    verdict = Verdict()
    for account in shown:
        external_id = account.external_id
        if external_id in refused:
            fault = _fault_of_unnumbered(account, "refused by the shop")
            verdict.refused += 1
        elif external_id in linked:
            fault = _fault_of_numbered(account, linked[external_id], additional_data)
            verdict.numbered += 1
        elif external_id in waiting:
            fault = _fault_of_unnumbered(account, waiting[external_id])
            verdict.waiting += 1
        else:
            fault = "neither linked nor waiting"
        if fault:
            verdict.faults.append(f"customer {external_id}: {fault}")
    return verdict


def _fault_of_numbered(
    account: Account, linked: Linked, additional_data: Mapping[str, str]
) -> str | None:
    """Return what is wrong with a customer that should have everything from the directory."""
    if not account.has_billing:
        return "linked without a default billing address"
    wanted = additional_values(linked.template, linked.defaults, additional_data)
    different = [name for name, value in wanted.items() if account.values.get(name) != value]
    if account.number != linked.number:
        different.insert(0, "customer number")
    return f"the shop shows another {', '.join(different)}" if different else None


def _fault_of_unnumbered(account: Account, reason: str) -> str | None:
    """Return what is wrong with a customer that should have no number."""
    if account.number:
        return f"{reason}, yet the shop shows a number"
    is_mistaken = reason == "no_billing_address" and account.has_billing
    return "held for want of a billing address that it has" if is_mistaken else None
