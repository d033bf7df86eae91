"""Templates: the defaults that a new customer gets in the ERP, chosen by conditions.

The first template in configured order whose condition holds is taken. None holding is a gap in
the set-up that holds the customer; there is no silent default (C365-4).
"""

from collections.abc import Mapping, Sequence

from shared.domain.conditions import Facts
from shared.domain.customer import Customer
from shared.domain.evidence import custom_text
from shared.domain.normalise import clean_line
from shared.domain.policy import Policy, Template


def choose_template(
    customer: Customer, templates: Sequence[Template]
) -> tuple[Template | None, tuple[str, ...]]:
    """Return the template for `customer`, or None, and the names of those that were tried."""
    facts = Facts(customer)
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
    found = {
        field: template_name if name == "template" else values.get(name.removeprefix("values."))
        for field, name in wanted.items()
    }
    return {field: value for field, value in found.items() if value}


def missing_values(template: Template, required: Sequence[str]) -> tuple[str, ...]:
    """Return the values that the ERP requires and the template does not give."""
    return tuple(name for name in required if not template.values.get(name))


def missing_location_values(template: Template, required: Sequence[str]) -> tuple[str, ...]:
    """Return likewise what the ERP requires of a location and the template does not give."""
    return tuple(f"location {name}" for name in required if not template.location_values.get(name))


def number_from_platform(template: Template, customer: Customer) -> str | None:
    """Return the customer number that the platform has, or None where it has none.

    Only for a template that takes its numbers from there.
    """
    where = template.number_from or ""
    family, dot, name = where.partition(".")
    if dot:
        text = custom_text(customer.custom, family, name)
    elif where == "external_id":
        text = customer.source.external_id
    else:
        text = clean_line(customer.customer_number or "") or None
    return f"{template.number_prefix}{text}" if text else None


def given_by_us(number: str, policy: Policy) -> dict[str, int]:
    """Return by which counters our number series write `number`, by the name of the series."""
    return {
        name: counter
        for name, series in policy.number_series.items()
        if (counter := series.counter(number)) is not None and counter >= series.start
    }


def numbers_spoken_of(customer: Customer, policy: Policy) -> set[str]:
    """Return the customer numbers that deciding about `customer` may have to look up.

    Those that a template would take from the platform, and that of the customer of all guests.
    """
    templates = policy.templates_with_numbers
    found = {number_from_platform(template, customer) for template in templates}
    if customer.is_guest:
        view = policy.store_view(customer.source.channel, customer.source.store_view)
        found.add(view.guest_customer if view else None)
    return {number for number in found if number}
