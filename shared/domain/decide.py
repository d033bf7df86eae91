"""The decision: what becomes of an imported customer, and why.

Pure: no clock, no I/O. The same function serves the processor, dry runs and "explain".
"""

from dataclasses import replace

from shared.domain.case import Case
from shared.domain.creation import create_or_stage
from shared.domain.customer import Customer, Entity, replaced
from shared.domain.decisions import (
    AUTOMATIC,
    Ambiguous,
    Decision,
    Explanation,
    Hold,
    Ignore,
    Instruction,
    RuleTrial,
)
from shared.domain.directory import (
    DirectoryCustomer,
)
from shared.domain.entities import (
    acts_for_company,
    as_kept,
    cut_off,
    has_turned,
    join_company,
    not_enabled,
)
from shared.domain.known import Known, Link
from shared.domain.match_rules import DirectoryKey
from shared.domain.matching import Match, find_match, linked
from shared.domain.policy import GuestPolicy, Policy, ProcessingMethod, StoreViewPolicy
from shared.domain.revision import link_only, tie, update_or_stage

FILLED_SHIPPING = "shipping address filled from billing"
COLLECTED = "a guest, collected in one customer"
CHOSEN = "chosen by an operator"


def decide(
    customer: Customer, known: Known, policy: Policy, instruction: Instruction = AUTOMATIC
) -> Decision:
    """Say what becomes of `customer`, by the policy and what somebody asked for beyond it."""
    customer = as_kept(customer, known)
    # Nothing older than what is known is ever applied (NEW-8).
    if known.is_ahead_of(customer.source):
        return Ignore(customer, "superseded", Explanation(policy.version))
    view = policy.store_view(customer.source.channel, customer.source.store_view)
    if view is None:
        return Hold(customer, "unknown_store_view", Explanation(policy.version))
    link = _standing_link(customer, view, known)
    if link is None and _is_before_start(customer, view):
        return Ignore(customer, "before_start_date", Explanation(policy.version))
    clues = known.clues_of(customer, policy)
    case = Case(customer, clues, view, link, known, policy, instruction)
    return _as_company(case) or _as_guest(case) or _identify(case)


def _as_company(case: Case) -> Decision | None:
    """Hold companies while they are not taken in; tie those who act for one to its customer."""
    acts_for_one = _may_share(case.link) and acts_for_company(
        case.customer, case.view, case.known, case.link
    )
    if not (acts_for_one or case.customer.entity is Entity.COMPANY):
        return None
    if not case.policy.takes_companies:
        return not_enabled(case)
    chosen = case.instruction.customer_id or case.instruction.creates
    return join_company(case) if acts_for_one and not chosen else None


def _as_guest(case: Case) -> Decision | None:
    """Tie a guest to the customer of all guests, or leave it to an operator (ASK-3)."""
    guests, link = case.view.guests, case.link
    if not case.customer.is_guest:
        return None
    if guests is GuestPolicy.COLLECT and _may_share(link):
        return _collect(case)
    if guests is GuestPolicy.HOLD and not (link or case.is_asked_for):
        return Hold(case.customer, "guest", case.explanation)
    return None


def _standing_link(customer: Customer, view: StoreViewPolicy, known: Known) -> Link | None:
    """Return the link that still holds.

    None for one whose customer is gone, and for somebody who was collected with all other guests
    and is a guest no longer, or was tied to a company and does not act for one any more: who that
    is has to be found out.
    """
    link = known.link(customer.source.key)
    if link is None or known.customer(link.customer_id) is None:
        return None
    if link.is_contact:
        return link if acts_for_company(customer, view, known, link) else None
    is_still_collected = customer.is_guest and view.guests is GuestPolicy.COLLECT
    return link if is_still_collected or not link.is_collected else None


def _is_before_start(customer: Customer, view: StoreViewPolicy) -> bool:
    """Unlinked customers from before the start date are never imported (C365-3)."""
    registered, start = customer.registered_at, view.start_date
    return bool(registered and start and registered < start)


def _may_share(link: Link | None) -> bool:
    """Whether a record has no customer of its own, and may be tied to one that others share."""
    return link is None or link.is_collected or link.is_contact


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
    case.note(COLLECTED)
    return replace(link_only(case, existing), collects=True)


def _identify(case: Case) -> Decision:
    """Find out who the customer is, and go on if that is clear and enough is known."""
    chosen_id = case.instruction.customer_id
    if chosen_id and case.known.customer(chosen_id) is None:
        return Hold(case.customer, "chosen_customer_gone", case.explanation)
    cut_off(case)
    if case.link and has_turned(case):
        linked_to = case.known.customer(case.link.customer_id)
        return Hold(case.customer, "entity_changed", case.explanation, linked_to)
    match = _match(case)
    case.rules = match.trail
    if match.is_ambiguous:
        return Ambiguous(case.customer, match.candidates, case.explanation)
    existing = case.known.customer(match.customer_id)
    if existing and case.link and case.link.customer_id != existing.id:
        # An operator ties the record to somebody else: what it said of the former is past.
        case.link = None
    if case.instruction.links_only and case.link is None:
        return tie(case, existing) if existing else case.staged("link_only")
    if _lacks_billing(case, existing):
        return Hold(case.customer, "no_billing_address", case.explanation, existing)
    _fill_shipping(case)
    return update_or_stage(case, existing) if existing else create_or_stage(case)


def _lacks_billing(case: Case, existing: DirectoryCustomer | None) -> bool:
    """Whether nobody says where bills go. Who was given a number before is not held up again."""
    if case.instruction.number is not None or case.customer.default_billing:
        return False
    return not _has_one_here(case.customer, existing)


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
    if case.instruction.creates or case.instruction.number is not None:
        return Match()
    return find_match(case.customer, case.clues.evidence, case.known, case.policy)


def _fill_shipping(case: Case) -> None:
    """Let the billing address take deliveries where no default shipping is said (C365-7)."""
    if case.customer.default_shipping or not case.customer.default_billing:
        return
    addresses = tuple(
        replaced(address, is_default_shipping=True) if address.is_default_billing else address
        for address in case.customer.addresses
    )
    case.customer = replaced(case.customer, addresses=addresses)
    case.note(FILLED_SHIPPING)
