"""The decision: what becomes of an imported customer, and why.

Pure: no clock, no I/O. The same function serves the processor, dry runs and "explain".
"""

from dataclasses import replace

from shared.domain.addresses import address_merge
from shared.domain.case import Case, method_reason
from shared.domain.creation import create_or_stage
from shared.domain.customer import Customer, replaced
from shared.domain.decisions import (
    AUTOMATIC,
    AddressChanges,
    Ambiguous,
    Decision,
    Explanation,
    Hold,
    Ignore,
    Instruction,
    RuleTrial,
    Update,
)
from shared.domain.directory import (
    DirectoryCustomer,
)
from shared.domain.evidence import evidence_of
from shared.domain.exports_due import exports_of_update, first_exports
from shared.domain.known import Known, Link
from shared.domain.matching import Match, find_match, linked
from shared.domain.merge import agreed, field_merge
from shared.domain.normalise import match_keys
from shared.domain.policy import (
    DirectoryKey,
    GuestPolicy,
    Policy,
    ProcessingMethod,
    StoreViewPolicy,
)
from shared.domain.updates import after_update

FILLED_SHIPPING = "shipping address filled from billing"
COLLECTED = "a guest, collected in one customer"
CHOSEN = "chosen by an operator"


def decide(
    customer: Customer, known: Known, policy: Policy, instruction: Instruction = AUTOMATIC
) -> Decision:
    """Say what becomes of `customer`, by the policy and what somebody asked for beyond it."""
    explanation = Explanation(config_version=policy.version)
    # Nothing older than what is known is ever applied (NEW-8).
    if known.is_ahead_of(customer.source):
        return Ignore(customer, "superseded", explanation)
    view = policy.store_view(customer.source.channel, customer.source.store_view)
    if view is None:
        return Hold(customer, "unknown_store_view", explanation)
    link = _standing_link(customer, view, known)
    if link is None and _is_before_start(customer, view):
        return Ignore(customer, "before_start_date", explanation)
    keys = match_keys(customer)
    case = Case(customer, keys, view, link, known, policy, instruction, explanation)
    if customer.is_guest and view.guests is GuestPolicy.COLLECT and _may_be_collected(link):
        return _collect(case)
    if customer.is_guest and view.guests is GuestPolicy.HOLD and not (link or case.is_asked_for):
        return Hold(customer, "guest", explanation)
    return _identify(case)


def _standing_link(customer: Customer, view: StoreViewPolicy, known: Known) -> Link | None:
    """Return the link that still holds.

    None for one whose customer is gone, and for somebody who was collected with all other guests
    and is a guest no longer: who that is has to be found out.
    """
    link = known.link(customer.source.key)
    if link is None or known.customer(link.customer_id) is None:
        return None
    is_still_collected = customer.is_guest and view.guests is GuestPolicy.COLLECT
    return link if is_still_collected or not link.is_collected else None


def _is_before_start(customer: Customer, view: StoreViewPolicy) -> bool:
    """Unlinked customers from before the start date are never imported (C365-3)."""
    registered, start = customer.registered_at, view.start_date
    return bool(registered and start and registered < start)


def _may_be_collected(link: Link | None) -> bool:
    """Whether a guest has no customer of its own."""
    return link is None or link.is_collected


def _collect(case: Case) -> Decision:
    """Tie a guest to the customer that all guests of the store view are (ASK-3)."""
    customer = case.customer
    found = case.known.candidates(DirectoryKey.CUSTOMER_NUMBER, case.view.guest_customer or "")
    existing = case.known.customer(found[0]) if found else None
    if existing is None:
        return Hold(customer, "no_guest_customer", case.explanation)
    if case.link and case.link.customer_id == existing.id:
        return Ignore(customer, "unchanged", case.explanation)
    if case.view.processing_method is ProcessingMethod.NONE and not case.is_asked_for:
        return case.staged("method_none", existing)
    return replace(_link_only(case.noting(COLLECTED), existing), collects=True)


def _identify(case: Case) -> Decision:
    """Find out who the customer is, and go on if that is clear and enough is known."""
    chosen_id = case.instruction.customer_id
    if chosen_id and case.known.customer(chosen_id) is None:
        return Hold(case.customer, "chosen_customer_gone", case.explanation)
    match = _match(case)
    case = case.tried(match)
    if match.is_ambiguous:
        return Ambiguous(case.customer, match.candidates, case.explanation)
    existing = case.known.customer(match.customer_id)
    if existing and case.link and case.link.customer_id != existing.id:
        # An operator ties the record to somebody else: what it said of the former is past.
        case = replace(case, link=None)
    if case.instruction.links_only and case.link is None:
        return _link_only(case, existing) if existing else case.staged("link_only")
    if case.customer.default_billing is None and not _has_one_here(case.customer, existing):
        return Hold(case.customer, "no_billing_address", case.explanation, existing)
    case = _with_shipping(case)
    return _update_or_stage(case, existing) if existing else create_or_stage(case)


def _has_one_here(customer: Customer, existing: DirectoryCustomer | None) -> bool:
    """Whether the source did not speak of addresses and the directory knows where bills go."""
    return (
        existing is not None
        and not customer.said("addresses")
        and any(address.is_default_billing for address in existing.addresses)
    )


def _match(case: Case) -> Match:
    chosen = case.known.customer(case.instruction.customer_id)
    if chosen:
        return Match(chosen.id, trail=(RuleTrial(CHOSEN, "matched", None, (chosen.id,)),))
    if case.link:
        return linked(case.link.source, case.link.customer_id)
    if case.instruction.creates:
        return Match()
    source = case.customer.source
    rules = case.policy.rules_for(source.channel, case.customer.kind)
    return find_match(source, evidence_of(case.customer, case.keys, rules), case.known, case.policy)


def _with_shipping(case: Case) -> Case:
    """Let the billing address take deliveries where no default shipping is said (C365-7)."""
    if case.customer.default_shipping or not case.customer.default_billing:
        return case
    addresses = tuple(
        replaced(address, is_default_shipping=True) if address.is_default_billing else address
        for address in case.customer.addresses
    )
    customer = replaced(case.customer, addresses=addresses)
    return replace(case, customer=customer).noting(FILLED_SHIPPING)


def _link_only(case: Case, existing: DirectoryCustomer) -> Update:
    """Tie the record to a customer and leave that customer as it is (XPR-9)."""
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


def _update_or_stage(case: Case, existing: DirectoryCustomer) -> Decision:
    customer, link, repairs = case.customer, case.link, case.instruction.repairs
    snapshot = link.snapshot if link else None
    ownership = case.policy.ownership(customer.source.channel)
    fields = field_merge(customer, snapshot, existing, ownership, repairs=repairs)
    addresses = address_merge(
        customer, snapshot, existing, ownership, case.known.new_id, repairs=repairs
    )
    conflicts = (*fields.conflicts, *addresses.conflicts)
    exports = exports_of_update(existing, customer, link, case.policy)
    changes = fields.changes, addresses.changes
    if link and not (any(changes) or conflicts or exports):
        return Ignore(agreed(customer, snapshot), "unchanged", case.explanation)
    if not (case.view.processing_method.updates or case.is_asked_for):
        return case.staged(method_reason(case.view), existing)
    changed = (*fields.changes, *(("addresses",) if addresses.changes else ()))
    return Update(
        customer=agreed(customer, snapshot),
        existing=existing,
        updated=after_update(existing, customer, case.keys, fields.changes, addresses.changes),
        field_changes=fields.changes,
        address_changes=addresses.changes,
        is_new_link=link is None,
        exports=exports,
        explanation=replace(case.explanation, fields_changed=changed, conflicts=conflicts),
    )
