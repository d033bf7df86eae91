"""The decision: what becomes of an imported customer, and why.

Pure: no clock, no I/O. The same function serves the processor, dry runs and "explain".
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Literal

from shared.domain.changes import address_changes, addresses_after, field_changes, new_addresses
from shared.domain.customer import Customer, replaced
from shared.domain.decisions import (
    Ambiguous,
    Create,
    Decision,
    Explanation,
    ExportIntent,
    Hold,
    Ignore,
    Stage,
    Update,
)
from shared.domain.directory import DirectoryCustomer, FieldValue, customer_fields
from shared.domain.known import Known, Link
from shared.domain.matching import Match, find_match
from shared.domain.normalise import MatchKeys, match_keys
from shared.domain.policy import Policy, StoreViewPolicy
from shared.domain.templates import additional_values, choose_template

FILLED_SHIPPING = "shipping address filled from billing"


@dataclass(frozen=True, slots=True)
class _Case:
    """One customer that is to be decided, and what the decision rests on."""

    customer: Customer
    keys: MatchKeys
    view: StoreViewPolicy
    link: Link | None
    known: Known
    policy: Policy
    explanation: Explanation


def decide(customer: Customer, known: Known, policy: Policy) -> Decision:
    """Say what becomes of `customer`."""
    explanation = Explanation(config_version=policy.version)
    if _is_superseded(customer, known):
        return Ignore(customer, "superseded", explanation)
    view = policy.store_view(customer.source.channel, customer.source.store_view)
    if view is None:
        return Hold(customer, "unknown_store_view", explanation)
    link = known.link(customer.source.key)
    if link is None and _is_before_start(customer, view):
        return Ignore(customer, "before_start_date", explanation)
    keys = match_keys(customer)
    return _identify(_Case(customer, keys, view, link, known, policy, explanation))


def _identify(case: _Case) -> Decision:
    """Find out who the customer is, and go on if that is clear and enough is known."""
    match = _match(case)
    case = replace(case, explanation=replace(case.explanation, rules=match.trail))
    if match.is_ambiguous:
        return Ambiguous(case.customer, match.candidates, case.explanation)
    existing = case.known.customer(match.customer_id) if match.customer_id else None
    if case.customer.default_billing is None:
        return Hold(case.customer, "no_billing_address", case.explanation, existing)
    case = _with_shipping(case)
    return _update_or_stage(case, existing) if existing else _create_or_stage(case)


def _match(case: _Case) -> Match:
    if case.link:
        return Match(case.link.customer_id)
    return find_match(case.customer.source.key, case.keys, case.known, case.policy.matching)


def _is_superseded(customer: Customer, known: Known) -> bool:
    """Nothing older than what is linked or staged is ever applied (NEW-8)."""
    version = customer.source.version
    link = known.link(customer.source.key)
    staged = known.staging(customer.source.key)
    return bool(
        (link and version.is_older_than(link.version))
        or (staged and version.is_older_than(staged.version))
    )


def _is_before_start(customer: Customer, view: StoreViewPolicy) -> bool:
    """Unlinked customers from before the start date are never imported (C365-3)."""
    registered, start = customer.registered_at, view.start_date
    return bool(registered and start and registered < start)


def _with_shipping(case: _Case) -> _Case:
    """Let the billing address take deliveries where no default shipping is said (C365-7)."""
    if case.customer.default_shipping:
        return case
    addresses = tuple(
        replaced(address, is_default_shipping=True) if address.is_default_billing else address
        for address in case.customer.addresses
    )
    return replace(
        case,
        customer=replaced(case.customer, addresses=addresses),
        explanation=replace(case.explanation, notes=(FILLED_SHIPPING,)),
    )


def _create_or_stage(case: _Case) -> Decision:
    customer, new_id = case.customer, case.known.new_id
    if not case.view.processing_method.creates:
        return Stage(customer, _method_reason(case.view), case.explanation)
    template, tried = choose_template(customer, case.policy.templates)
    if template is None:
        explanation = replace(case.explanation, templates_tried=tried)
        return Hold(customer, "no_template", explanation)
    created = DirectoryCustomer(
        id=new_id(),
        number=None,
        fields=customer_fields(customer),
        keys=case.keys,
        template=template.name,
        defaults=template.values,
        addresses=new_addresses(customer, new_id),
    )
    return Create(
        customer=customer,
        created=created,
        template=template,
        exports=_first_exports(created, case),
        explanation=replace(case.explanation, templates_tried=tried, template=template.name),
    )


def _update_or_stage(case: _Case, existing: DirectoryCustomer) -> Decision:
    customer, link = case.customer, case.link
    snapshot = link.snapshot if link else None
    fields = field_changes(customer, snapshot, existing)
    addresses = address_changes(customer, snapshot, existing, case.known.new_id)
    exports = _exports_of_update(existing, case)
    if link and not (fields or addresses or exports):
        return Ignore(customer, "unchanged", case.explanation)
    if not case.view.processing_method.updates:
        return Stage(customer, _method_reason(case.view), case.explanation, existing)
    updated = replace(
        existing,
        fields={**existing.fields, **fields},
        keys=_merged_keys(existing, case.keys, fields),
        addresses=addresses_after(existing, addresses),
    )
    changed = (*fields, *(("addresses",) if addresses else ()))
    return Update(
        customer=customer,
        existing=existing,
        updated=updated,
        field_changes=fields,
        address_changes=addresses,
        is_new_link=link is None,
        exports=exports,
        explanation=replace(case.explanation, fields_changed=changed),
    )


def _merged_keys(
    existing: DirectoryCustomer, said: MatchKeys, changes: Mapping[str, FieldValue]
) -> MatchKeys:
    """Return the keys after an update: a changed field's new key, and keys that were missing."""
    taken = {
        name: key
        for name in ("email", "phone", "tax_id")
        if (key := getattr(said, name)) and (name in changes or not getattr(existing.keys, name))
    }
    return existing.keys._replace(**taken)


def _first_exports(directory: DirectoryCustomer, case: _Case) -> tuple[ExportIntent, ...]:
    """Return the two exports that a newly linked customer gets (C365-17)."""
    number = ExportIntent("customer_number")
    wanted = case.policy.additional_data(case.customer.source.channel)
    values = additional_values(directory.template, directory.defaults, wanted)
    return (number, ExportIntent("additional_data", values)) if values else (number,)


def _exports_of_update(existing: DirectoryCustomer, case: _Case) -> tuple[ExportIntent, ...]:
    """Return what the shop lacks: everything on a first link, the number if it was lost there."""
    link, customer = case.link, case.customer
    if link is None:
        return _first_exports(existing, case)
    was_written = link.exported_number is not None and link.exported_number == existing.number
    is_lost = customer.said("customer_number") and customer.customer_number != existing.number
    return (ExportIntent("customer_number"),) if was_written and is_lost else ()


def _method_reason(
    view: StoreViewPolicy,
) -> Literal["method_none", "method_update", "method_create"]:
    method = view.processing_method
    if method.creates:
        return "method_create"
    return "method_update" if method.updates else "method_none"
