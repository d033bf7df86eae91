"""Revision: what a record changes about the customer that it is, and what may keep it waiting."""

from dataclasses import replace
from typing import Final

from shared.domain.addresses import address_merge, addresses_after
from shared.domain.case import Case, method_reason
from shared.domain.customer import Contact, Entity
from shared.domain.decisions import AddressChanges, Decision, Hold, Ignore, Update
from shared.domain.directory import DirectoryAddress, DirectoryCustomer
from shared.domain.entities import entity_after
from shared.domain.exports_due import exports_of_update, first_exports
from shared.domain.locations import numbered, unnumbered, with_locations
from shared.domain.merge import agreed, field_merge
from shared.domain.templates import choose_template, missing_location_values
from shared.domain.updates import after_update


def update_or_stage(case: Case, existing: DirectoryCustomer) -> Decision:
    """Take over what the record changes about a known customer, or say what it waits for."""
    customer, link, repairs = case.customer, case.link, case.instruction.repairs
    snapshot = link.snapshot if link else None
    ownership = case.policy.ownership(customer.source.channel)
    fields = field_merge(customer, snapshot, existing, ownership, repairs=repairs)
    addresses = address_merge(
        customer, snapshot, existing, ownership, case.known.new_id, repairs=repairs
    )
    changes, located = addresses.changes, _NONE
    if case.has_locations and customer.addresses:
        located = unnumbered(customer, addresses_after(existing, changes))
        values = _location_values(case, existing) if located else {}
        if isinstance(values, Hold):
            return values
        located = numbered(located, existing.locations, values)
        changes = with_locations(existing, changes, located)
    conflicts = (*fields.conflicts, *addresses.conflicts)
    exports = exports_of_update(
        existing, customer, link, case.policy, _told(case, existing, changes)
    )
    contacts = contacts_due(case)
    if link and not (fields.changes or changes or conflicts or exports or contacts is not None):
        return Ignore(agreed(customer, snapshot), "unchanged", case.explanation)
    if not (case.view.processing_method.updates or case.is_asked_for):
        return case.staged(method_reason(case.view), existing)
    changed = {"addresses": bool(changes), "contacts": contacts is not None}
    names = (*fields.changes, *(name for name, is_changed in changed.items() if is_changed))
    updated = after_update(existing, customer, case.clues.keys, fields.changes, changes)
    return Update(
        customer=agreed(customer, snapshot),
        existing=existing,
        updated=_grown(updated, case, existing, len(located)),
        field_changes=fields.changes,
        address_changes=changes,
        is_new_link=link is None,
        exports=exports,
        explanation=case.explained(fields_changed=names, conflicts=conflicts),
        contacts=contacts,
    )


def tie(case: Case, existing: DirectoryCustomer) -> Update:
    """Tie the record to the customer that it is, and take no field over (XPR-9)."""
    addresses = existing.addresses if case.tells_locations else ()
    return replace(
        link_only(case, existing),
        updated=_grown(existing, case, existing, 0),
        exports=exports_of_update(existing, case.customer, None, case.policy, addresses),
        contacts=contacts_due(case),
    )


def link_only(case: Case, existing: DirectoryCustomer) -> Update:
    """Tie the record to a customer that others share, and leave that customer as it is."""
    return Update(
        customer=case.customer,
        existing=existing,
        updated=existing,
        field_changes={},
        address_changes=AddressChanges(),
        is_new_link=True,
        exports=first_exports(existing, case.policy, case.customer.source.channel),
        explanation=case.explanation,
    )


def contacts_due(case: Case) -> tuple[Contact, ...] | None:
    """Return the contacts of a company if they are to be written: whole, and as the shop says."""
    customer, link = case.customer, case.link
    if customer.entity is not Entity.COMPANY or not customer.said("contacts"):
        return None
    before = link.snapshot.contacts if link else ()
    are_new = customer.contacts != before or (case.instruction.repairs and customer.contacts)
    return customer.contacts if are_new else None


def _location_values(case: Case, existing: DirectoryCustomer) -> dict[str, str] | Hold:
    """Return what new locations of a known customer get: from its template, or one that fits."""
    templates = case.policy.templates
    template = next((each for each in templates if each.name == existing.template), None)
    template = template or choose_template(case.customer, templates)[0]
    required = case.policy.required_location_values
    if template is None:
        return Hold(case.customer, "no_template", case.explanation, existing) if required else {}
    if missing := missing_location_values(template, required):
        case.note(f"template {template.name} lacks {', '.join(missing)}")
        return Hold(case.customer, "incomplete_template", case.explanation, existing)
    return dict(template.location_values)


def _told(
    case: Case, existing: DirectoryCustomer, changes: AddressChanges
) -> tuple[DirectoryAddress, ...]:
    """Return the addresses among which the shop's locations have numbers to be told."""
    return addresses_after(existing, changes) if case.tells_locations else ()


def _grown(
    updated: DirectoryCustomer, case: Case, existing: DirectoryCustomer, located: int
) -> DirectoryCustomer:
    """Return the customer as it counts from now on, with so many more location numbers given."""
    entity = entity_after(case, existing)
    if entity is existing.entity and not located:
        return updated
    return replace(updated, entity=entity, locations=existing.locations + located)


_NONE: Final[tuple[DirectoryAddress, ...]] = ()
