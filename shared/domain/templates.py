"""Templates: the defaults that a new customer gets in the ERP, chosen by conditions.

The first template in configured order whose condition holds is taken. None holding is a gap in
the set-up that holds the customer; there is no silent default (C365-4).
"""

from collections.abc import Mapping, Sequence

from shared.domain.conditions import facts_of
from shared.domain.customer import Customer
from shared.domain.policy import Template


def choose_template(
    customer: Customer, templates: Sequence[Template]
) -> tuple[Template | None, tuple[str, ...]]:
    """Return the template for `customer`, or None, and the names of those that were tried."""
    facts = facts_of(customer)
    tried: list[str] = []
    for template in templates:
        tried.append(template.name)
        if template.when is None or template.when.holds(facts):
            return template, tuple(tried)
    return None, tuple(tried)


def additional_values(
    template_name: str | None, values: Mapping[str, str], wanted: Mapping[str, str]
) -> dict[str, str]:
    """Resolve what a shop wants beside the number: `template`, or `values.<name>`.

    What the template does not say is left out.
    """
    known = {"template": template_name or ""} | {f"values.{k}": v for k, v in values.items()}
    return {field: known[name] for field, name in wanted.items() if known.get(name)}
