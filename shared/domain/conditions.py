"""Conditions: the `when` of a template, in the Common Expression Language (CEL).

A small port over the CEL library. Unknown names are refused when a condition is read, not when
the first customer meets it.
"""

from collections.abc import Mapping
from importlib.machinery import PathFinder
from importlib.util import find_spec, module_from_spec
from typing import Any, Final

from shared.domain.customer import Customer

Fact = str | bool | int

FACTS: Final[Mapping[str, str]] = {
    "channel": "the channel's name",
    "store_view": "the store view's code",
    "kind": '"individual" or "business"',
    "country": "ISO 3166-1 alpha-2 code of the billing address, such as DE",
    "region": "ISO 3166-2 part or text of the billing address's region",
    "group": "the shop's customer group",
    "currency": "ISO 4217 code",
    "language": "language code",
    "has_tax_id": "whether a tax id is given (true or false)",
    "entity": '"account" or "company", as the shop keeps it',
    "company_name": "the company's name",
    "locations": "how many addresses it has (a number)",
}
"""What a condition may speak of. Missing values are empty text."""


class ConditionInvalid(ValueError):
    """A condition that cannot be read or does not answer true or false."""


class Condition:
    """One compiled condition. Equal by its text."""

    __slots__ = ("_names", "_program", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._program = _CEL.compile(text)
        except ValueError as error:
            raise ConditionInvalid(_first_line(error)) from None
        self._names = frozenset(self._program.variables())
        if unknown := sorted(self._names - FACTS.keys()):
            known = ", ".join(FACTS)
            raise ConditionInvalid(f"unknown name {unknown[0]!r}; known are {known}")
        self.holds(_SAMPLE)

    @property
    def names(self) -> frozenset[str]:
        """The facts that the condition speaks of."""
        return self._names

    def holds(self, facts: Mapping[str, Fact]) -> bool:
        """Whether the condition is true of `facts`. Raises ConditionInvalid otherwise."""
        try:
            # Handing a fact over costs more than looking at it: only those that are asked for.
            answer = self._program.execute({name: facts[name] for name in self._names})
        except (RuntimeError, ValueError, TypeError) as error:
            raise ConditionInvalid(_first_line(error)) from None
        if not isinstance(answer, bool):
            raise ConditionInvalid(f"answers {type(answer).__name__}, not true or false")
        return answer

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Condition) and other.text == self.text

    def __hash__(self) -> int:
        return hash(self.text)

    def __repr__(self) -> str:
        return f"Condition({self.text!r})"


def facts_of(customer: Customer) -> dict[str, Fact]:
    """Return what conditions may know about `customer`."""
    billing = customer.default_billing
    return {
        "channel": customer.source.channel,
        "store_view": customer.source.store_view,
        "kind": customer.kind.value,
        "country": (billing and billing.country) or "",
        "region": (billing and (billing.region_code or billing.region)) or "",
        "group": customer.group or "",
        "currency": customer.currency or "",
        "language": customer.language or "",
        "has_tax_id": bool(customer.tax_id or (billing and billing.tax_id)),
        "entity": customer.entity.value,
        "company_name": customer.company_name or (billing and billing.company_name) or "",
        "locations": len(customer.addresses),
    }


def _compiled_part_of_cel() -> Any:
    """Return the CEL library without the interactive shell that its package imports.

    That shell costs a process a third of its start, and 30 MB.
    """
    package = find_spec("cel")
    spec = package and PathFinder.find_spec("cel", package.submodule_search_locations)
    if not (spec and spec.loader):
        raise ImportError("common-expression-language is not installed")
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


_CEL: Final = _compiled_part_of_cel()
_SAMPLE: Final[Mapping[str, Fact]] = {
    **dict.fromkeys(FACTS, ""), "has_tax_id": False, "locations": 0,
}  # fmt: skip


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
