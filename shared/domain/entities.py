"""Companies and those who act for them: where their records go, and what keeps them waiting.

What a platform keeps as a person's account stays one here, and a company a company; nothing turns
into the other without an operator (MYOB-5).
"""

from dataclasses import fields

from shared.domain.case import Case
from shared.domain.customer import Customer, CustomerKind, Entity, SourceKey, replaced
from shared.domain.decisions import AddressChanges, Decision, Hold, Ignore, Update
from shared.domain.directory import DirectoryCustomer
from shared.domain.exports_due import exports_of_update
from shared.domain.known import Known, Link
from shared.domain.merge import agreed
from shared.domain.policy import ContactPolicy, Policy, ProcessingMethod, StoreViewPolicy

JOINED = "acts for a company, and is tied to its customer"


def as_kept(customer: Customer, known: Known) -> Customer:
    """Return `customer` as its platform keeps it: unsaid means as before; a company is a firm."""
    if not customer.said("entity"):
        link = known.link(customer.source.key)
        if link is None or link.snapshot.entity is Entity.ACCOUNT:
            return customer
        customer = replaced(customer, entity=link.snapshot.entity)
    if customer.entity is Entity.COMPANY and customer.kind is not CustomerKind.BUSINESS:
        customer = replaced(customer, kind=CustomerKind.BUSINESS)
    return customer


def acts_for_company(
    customer: Customer, view: StoreViewPolicy, known: Known, link: Link | None
) -> bool:
    """Whether the account of somebody who acts for companies belongs to the company's customer.

    A source that does not speak of companies leaves it at that, and at what the companies say.
    """
    if view.company_contacts is not ContactPolicy.COMPANY or customer.entity is Entity.COMPANY:
        return False
    is_tied = link is not None and link.is_contact and not customer.said("companies")
    return is_tied or bool(_companies(customer, known))


def _companies(customer: Customer, known: Known) -> tuple[str, ...]:
    """Return the companies that an account acts for: as its source says, or else as they say."""
    return customer.companies if customer.said("companies") else known.acts_for(customer.source.key)


def may_act_for_company(customer: Customer, policy: Policy) -> bool:
    """Whether deciding about an account takes a look at the companies that it acts for."""
    if not policy.ties_contacts or customer.entity is not Entity.ACCOUNT:
        return False
    view = policy.store_view(customer.source.channel, customer.source.store_view)
    return view is not None and view.company_contacts is ContactPolicy.COMPANY


def not_enabled(case: Case) -> Hold:
    """Hold what is about companies while these are not taken in (MYOB-6)."""
    features = case.policy.features
    off = [each.name for each in fields(features) if not getattr(features, each.name)]
    case.note(f"off in [features]: {', '.join(off)}")
    existing = case.known.customer(case.link.customer_id) if case.link else None
    return Hold(case.customer, "business_not_enabled", case.explanation, existing)


def join_company(case: Case) -> Decision:
    """Tie an account to the customer that the company it acts for is, and take nothing over."""
    customer, link = case.customer, case.link
    existing = _company(case)
    if existing is None:
        companies = _companies(customer, case.known)
        case.note(f"acts for {', '.join(companies)}")
        return Hold(customer, "company_unknown", case.explanation)
    is_new = link is None or link.customer_id != existing.id
    exports = exports_of_update(existing, customer, None if is_new else link, case.policy)
    snapshot = link.snapshot if link else None
    if not (is_new or exports):
        return Ignore(agreed(customer, snapshot), "unchanged", case.explanation)
    case.note(JOINED)
    if case.view.processing_method is ProcessingMethod.NONE and not case.is_asked_for:
        # Not as one who is that customer: it is somebody who acts for it.
        return case.staged("method_none")
    return Update(
        customer=agreed(customer, snapshot),
        existing=existing,
        updated=existing,
        field_changes={},
        address_changes=AddressChanges(),
        is_new_link=is_new,
        exports=exports,
        explanation=case.explanation,
        joins=True,
    )


def has_turned(case: Case) -> bool:
    """Whether a linked record is kept as something else now, and no operator has looked at it."""
    link = case.link
    return bool(
        link
        and link.snapshot.entity is not case.customer.entity
        and not (case.is_asked_for or case.instruction.creates)
    )


def cut_off(case: Case) -> None:
    """Leave the case without its link where an operator wants a new customer for what it is now.

    Only of a record that turned from an account into a company, or back.
    """
    link = case.link
    if link and case.instruction.creates and link.snapshot.entity is not case.customer.entity:
        case.link = None


def entity_after(case: Case, existing: DirectoryCustomer) -> Entity | None:
    """Return what a customer counts as once the record is taken over.

    What it counts as already, unless nobody has said yet, or an operator let its record turn.
    """
    link = case.link
    if link and link.snapshot.entity is not case.customer.entity:
        return case.customer.entity
    return existing.entity or case.customer.entity


def _company(case: Case) -> DirectoryCustomer | None:
    """Return the customer of a company that the account acts for; that of its link, if it may be.

    A company that is gone in the shop is none any more.
    """
    customer, known, link = case.customer, case.known, case.link
    if link and not customer.said("companies"):
        return known.customer(link.customer_id)
    channel, companies = customer.source.channel, _companies(customer, known)
    keys = (SourceKey(channel, company) for company in companies)
    found = [existing for key in keys if (existing := known.customer_of(key))]
    own = (each for each in found if link and each.id == link.customer_id)
    return next(own, found[0] if found else None)
