"""Creation: what a customer who is nobody known becomes, and what may keep it waiting."""

from shared.domain.case import Case, method_reason
from shared.domain.decisions import Create, Decision, Hold
from shared.domain.directory import DirectoryCustomer, customer_fields
from shared.domain.exports_due import first_exports
from shared.domain.locations import location_numbers, numbered, unnumbered
from shared.domain.normalise import MatchKeys
from shared.domain.places import new_addresses
from shared.domain.policy import GuestPolicy, Template
from shared.domain.templates import (
    choose_template,
    given_by_us,
    missing_location_values,
    missing_values,
    number_from_platform,
)


def create_or_stage(case: Case) -> Decision:
    """Create the customer by its template, or say what it waits for."""
    customer = case.customer
    if customer.is_guest and case.view.guests is GuestPolicy.LINK and not case.is_asked_for:
        return Hold(customer, "guest_unmatched", case.explanation)
    if not (case.view.processing_method.creates or case.instruction.processes):
        return case.staged(method_reason(case.view))
    template, tried = choose_template(customer, case.policy.templates)
    case.templates_tried = tried
    if template is None:
        return Hold(customer, "no_template", case.explanation)
    missing = missing_values(template, case.policy.required_values)
    if case.has_locations and customer.addresses:
        missing += missing_location_values(template, case.policy.required_location_values)
    if missing:
        case.note(f"template {template.name} lacks {', '.join(missing)}")
        return Hold(customer, "incomplete_template", case.explanation)
    return _create(case, template)


def _create(case: Case, template: Template) -> Decision:
    customer, new_id = case.customer, case.known.new_id
    if _would_lose_number(case, template):
        return Hold(customer, "has_number", case.explanation)
    number = case.instruction.number
    if number is None and template.number_from:
        number = number_from_platform(template, customer)
    if template.number_from and number is None:
        case.note(f"{template.number_from} is empty")
        return Hold(customer, "no_number", case.explanation)
    if number and case.known.is_taken(number):
        return Hold(customer, "number_taken", case.explanation)
    addresses = new_addresses(customer, new_id)
    located = unnumbered(customer, addresses) if case.has_locations else ()
    if located:
        locations = numbered(located, 0, template.location_values)
        by_id = {location.id: location for location in locations}
        addresses = tuple(by_id.get(address.id, address) for address in addresses)
    created = DirectoryCustomer(
        id=new_id(),
        number=number,
        fields=customer_fields(customer),
        keys=MatchKeys(number, *case.clues.keys[1:]),
        template=template.name,
        defaults=template.values,
        addresses=addresses,
        entity=customer.entity,
        locations=len(located),
    )
    told = location_numbers(customer, addresses) if case.tells_locations else {}
    return Create(
        customer=customer,
        created=created,
        template=template,
        exports=first_exports(created, case.policy, customer.source.channel, told),
        explanation=case.explained(template=template.name),
    )


def _would_lose_number(case: Case, template: Template) -> bool:
    """Whether the record carries a number of ours that would be written over with a new one.

    Somebody got that number from us, and nobody here knows of it: the database is older than the
    shop. `patron directory recover` finds out, or a person.
    """
    if case.instruction.number is not None or case.instruction.creates:
        return False
    number = case.clues.keys.customer_number
    return (
        number is not None
        and template.number_series is not None
        and bool(given_by_us(number, case.policy))
        and not case.known.is_taken(number)
    )
