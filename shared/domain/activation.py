"""Activation: what a store view lacks before companies or locations can be taken in (MYOB-7).

Every customer and every location of such a view must be able to get the default settings that the
ERP requires, from one template that can be theirs. Pure. Its promise: a template is passed over
only if its condition holds of none that could be thought of.
"""

import re
from collections.abc import Iterable, Iterator
from itertools import islice, product
from typing import Final

from shared.domain.conditions import Condition, ConditionInvalid, Fact
from shared.domain.customer import CustomerKind, Entity
from shared.domain.policy import LocationPolicy, Policy, StoreViewPolicy, Template
from shared.domain.templates import missing_location_values, missing_values

_TEXT: Final = re.compile(r'"([^"]*)"|\'([^\']*)\'')
_NUMBER: Final = re.compile(r"\b\d{1,6}\b")
_MOST: Final = 5000

NO_TEMPLATE: Final = "no template can be theirs"


def lacking(policy: Policy, channel: str, view: StoreViewPolicy) -> str | None:
    """Return what is missing for the companies, or the locations, of a store view; None: nothing.

    A view that brings neither, or whose companies are not taken in, needs nothing.
    """
    entity = Entity.COMPANY if view.reads_companies else Entity.ACCOUNT
    if not _is_concerned(policy, entity):
        return None
    lacks: list[str] = []
    for template in _possible(policy, channel, view, entity):
        missing = missing_values(template, policy.required_values)
        if policy.has_locations(entity):
            missing += missing_location_values(template, policy.required_location_values)
        if not missing:
            return None
        lacks.append(f"template {template.name} lacks {', '.join(missing)}")
    return "; ".join(lacks) or NO_TEMPLATE


def _is_concerned(policy: Policy, entity: Entity) -> bool:
    if entity is Entity.COMPANY:
        return policy.takes_companies
    return policy.features.locations and policy.locations is LocationPolicy.ALL


def _possible(
    policy: Policy, channel: str, view: StoreViewPolicy, entity: Entity
) -> Iterator[Template]:
    """Yield the templates that a company of the view, or a private person, could get."""
    kind = CustomerKind.BUSINESS if entity is Entity.COMPANY else CustomerKind.INDIVIDUAL
    fixed: dict[str, Fact] = {
        "channel": channel, "store_view": view.code, "kind": kind.value, "entity": entity.value,
    }  # fmt: skip
    for template in policy.templates:
        if template.when is None:
            # Whoever comes behind is never asked.
            yield template
            return
        if could_hold(template.when, fixed, view.countries):
            yield template


def could_hold(condition: Condition, fixed: dict[str, Fact], countries: Iterable[str] = ()) -> bool:
    """Whether a condition is true of something with these facts, the others being anything."""
    free = sorted(condition.names - fixed.keys())
    choices = [_choices(name, condition.text, tuple(countries)) for name in free]
    combinations = islice(product(*choices), _MOST + 1)
    for position, combination in enumerate(combinations):
        # Beyond that it is not worth the time: nobody is refused for it.
        if position == _MOST or _holds(
            condition, {**fixed, **dict(zip(free, combination, strict=True))}
        ):
            return True
    return False


def _choices(name: str, text: str, countries: tuple[str, ...]) -> list[Fact]:
    """Return what is tried for a fact: nothing, and all that the condition compares with."""
    if name == "has_tax_id":
        return [True, False]
    if name == "locations":
        named = {int(number) for number in _NUMBER.findall(text)}
        return sorted({0, 1, *named, *(n + 1 for n in named), *(max(n - 1, 0) for n in named)})
    if name == "country" and countries:
        return list(countries)
    return list(dict.fromkeys(["", *(one or other for one, other in _TEXT.findall(text))]))


def _holds(condition: Condition, facts: dict[str, Fact]) -> bool:
    try:
        return condition.holds(facts)
    except ConditionInvalid:
        return False
