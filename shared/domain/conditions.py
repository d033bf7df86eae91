"""Conditions: the `when` of a template, in the Common Expression Language (CEL).

A small port over the CEL library. Unknown names are refused when a condition is read, not when
the first customer meets it.
"""

from collections.abc import Callable, Mapping
from functools import lru_cache
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
    """One compiled condition. Equal by its text.

    Most customers agree in what a condition asks for, so its last answers are remembered.
    """

    __slots__ = ("_answer", "_names", "_program", "text")

    def __init__(self, text: str) -> None:
        self.text = text
        try:
            self._program = _CEL.compile(text)
        except ValueError as error:
            raise ConditionInvalid(_first_line(error)) from None
        self._names = tuple(self._program.variables())
        self._answer = lru_cache(maxsize=_ANSWERS)(self._execute)
        if unknown := sorted(self.names - FACTS.keys()):
            known = ", ".join(FACTS)
            raise ConditionInvalid(f"unknown name {unknown[0]!r}; known are {known}")
        self.holds(_SAMPLE)

    @property
    def names(self) -> frozenset[str]:
        """The facts that the condition speaks of."""
        return frozenset(self._names)

    def holds(self, facts: Mapping[str, Fact]) -> bool:
        """Whether the condition is true of `facts`. Raises ConditionInvalid otherwise."""
        return self._answer(*[facts[name] for name in self._names])

    def _execute(self, *facts: Fact) -> bool:
        try:
            answer = self._program.execute(dict(zip(self._names, facts, strict=True)))
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


class Facts(dict[str, Fact]):
    """What conditions may know about a customer; each is looked at when the first asks for it."""

    def __init__(self, customer: Customer) -> None:
        self._customer = customer

    def __missing__(self, name: str) -> Fact:
        fact = self[name] = _FACT_OF[name](self._customer)
        return fact


def _billing(customer: Customer, *fields: str) -> str:
    """Return the first of these fields that the billing address has, or empty text."""
    values = (getattr(customer.default_billing, field, None) for field in fields)
    return next(filter(None, values), "")


_FACT_OF: Final[Mapping[str, Callable[[Customer], Fact]]] = {
    "channel": lambda customer: customer.source.channel,
    "store_view": lambda customer: customer.source.store_view,
    "kind": lambda customer: str(customer.kind),
    "country": lambda customer: _billing(customer, "country"),
    "region": lambda customer: _billing(customer, "region_code", "region"),
    "group": lambda customer: customer.group or "",
    "currency": lambda customer: customer.currency or "",
    "language": lambda customer: customer.language or "",
    "has_tax_id": lambda customer: bool(customer.tax_id or _billing(customer, "tax_id")),
    "entity": lambda customer: str(customer.entity),
    "company_name": lambda customer: customer.company_name or _billing(customer, "company_name"),
    "locations": lambda customer: len(customer.addresses),
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
_ANSWERS: Final = 1024
_SAMPLE: Final[Mapping[str, Fact]] = {
    **dict.fromkeys(FACTS, ""), "has_tax_id": False, "locations": 0,
}  # fmt: skip


def _first_line(error: Exception) -> str:
    return str(error).splitlines()[0]
