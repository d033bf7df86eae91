"""A preview: what a decision would do, in plain values for a table or for JSON. Pure.

Its promise: it says what the decision says, with before and after of every field, and decides
nothing itself.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal
from uuid import UUID

from shared.domain.customer import Contact, Source
from shared.domain.decisions import (
    AddressChanges,
    Ambiguous,
    Create,
    Decision,
    Explanation,
    ExportIntent,
    FieldConflict,
    Hold,
    Ignore,
    Stage,
    Update,
)
from shared.domain.directory import DirectoryAddress, DirectoryCustomer, FieldValue
from shared.domain.known import Known
from shared.domain.places import in_one_line

What = Literal[
    "ambiguous", "hold", "create", "link", "update", "removed", "stage", "ignore", "unchanged"
]
BY_NEWS: Final[tuple[What, ...]] = (
    "ambiguous", "hold", "create", "link", "update", "removed", "stage", "ignore", "unchanged",
)  # fmt: skip
"""What may become of a record, the biggest news first."""


@dataclass(frozen=True, slots=True)
class Change:
    """A field of the directory, before and after."""

    field: str
    before: FieldValue
    after: FieldValue


@dataclass(frozen=True, slots=True)
class Preview:
    """What would become of one remote record.

    `customer` is who it is: a number, or the record that the new customer would be made of;
    `number` is where a new customer's number would come from: none is drawn. `found_by` is the
    matching rule that found somebody.
    """

    store_view: str
    external_id: str
    what: What
    reason: str | None = None
    customer: str | None = None
    template: str | None = None
    number: str | None = None
    found_by: str | None = None
    changes: tuple[Change, ...] = ()
    conflicts: tuple[FieldConflict, ...] = ()
    candidates: tuple[str, ...] = ()
    exports: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def preview(decision: Decision, known: Known) -> Preview:
    """Return what `decision` would do; `known` is what it was made by."""
    source, notes = decision.customer.source, decision.explanation.notes
    match decision:
        case Create():
            return _created(decision)
        case Update():
            return _updated(decision, known)
        case Ambiguous(candidates=candidates):
            names = tuple(_named(one, known) for one in candidates)
            rule = _found_by(decision.explanation)
            return _plain(source, "ambiguous", candidates=names, found_by=rule, notes=notes)
        case Hold(reason=reason, existing=existing) | Stage(reason=reason, existing=existing):
            what: What = "hold" if isinstance(decision, Hold) else "stage"
            who = _named(existing.id, known) if existing else None
            return _plain(source, what, reason=reason, customer=who, notes=notes)
        case Ignore(reason=reason):
            is_same = reason == "unchanged"
            return (
                _plain(source, "unchanged") if is_same else _plain(source, "ignore", reason=reason)
            )


def unreadable(source: Source, problems: tuple[str, ...]) -> Preview:
    """Return that a record would be held because it cannot be read."""
    return _plain(source, "hold", reason="unreadable", notes=problems)


def removed(store_view: str, external_id: str) -> Preview:
    """Return that a record is known and gone in the shop."""
    return Preview(store_view, external_id, "removed")


def _created(decision: Create) -> Preview:
    template, source = decision.template, decision.customer.source
    return Preview(
        source.store_view,
        source.external_id,
        "create",
        template=template.name,
        number=decision.created.number or f"the next of {template.number_series}",
        exports=_exports(decision.exports),
        notes=decision.explanation.notes,
    )


def _updated(decision: Update, known: Known) -> Preview:
    existing, source = decision.existing, decision.customer.source
    fields = (
        Change(name, existing.fields.get(name), value)
        for name, value in decision.field_changes.items()
    )
    return Preview(
        source.store_view,
        source.external_id,
        "link" if decision.is_new_link else "update",
        customer=_named(existing.id, known),
        found_by=_found_by(decision.explanation) if decision.is_new_link else None,
        changes=(
            *fields,
            *_of_addresses(existing, decision.address_changes),
            *_of_contacts(decision.contacts),
        ),
        conflicts=decision.explanation.conflicts,
        exports=_exports(decision.exports),
        notes=decision.explanation.notes,
    )


def _of_addresses(existing: DirectoryCustomer, changes: AddressChanges) -> Iterator[Change]:
    before = {address.id: address for address in existing.addresses}
    yield from (Change("addresses", None, _told(address)) for address in changes.added)
    for address in changes.changed:
        yield Change("addresses", _told(before[address.id]), _told(address))
    yield from (Change("addresses", _told(before[id_]), None) for id_ in changes.removed)


def _of_contacts(contacts: Sequence[Contact] | None) -> Iterator[Change]:
    """Yield whom a company names from now on; before that is not known here."""
    if contacts is not None:
        names = (" ".join(filter(None, (each.first_name, each.last_name))) for each in contacts)
        yield Change("contacts", None, ", ".join(filter(None, names)) or str(len(contacts)))


def _exports(intents: Iterable[ExportIntent]) -> tuple[str, ...]:
    """Return what would be written to the shop, with how many locations."""
    return tuple(
        f"{each.effect} (locations: {len(each.locations)})" if each.locations else each.effect
        for each in intents
    )


def _told(address: DirectoryAddress) -> str:
    flags = [
        name
        for name, is_set in (
            ("billing", address.is_default_billing),
            ("shipping", address.is_default_shipping),
        )
        if is_set
    ]
    place = in_one_line(address.fields)
    if address.location_number is not None:
        place = f"location {address.location_number:02d}: {place}"
    return f"{place} (default {' and '.join(flags)})" if flags else place


def _named(customer_id: UUID, known: Known) -> str:
    """Return a customer's number, or for one that is not there yet the record it comes from."""
    customer = known.customer(customer_id)
    if customer and customer.number:
        return customer.number
    first = next(iter(known.accounts(customer_id)), None)
    return f"new ({first})" if first else str(customer_id)


def _found_by(explanation: Explanation) -> str | None:
    """Return the rule that ended the search, and how."""
    last = explanation.rules[-1] if explanation.rules else None
    if last is None or not last.candidates:
        return None
    return last.rule if last.outcome == "matched" else f"{last.rule}, {last.outcome}"


def _plain(
    source: Source,
    what: What,
    *,
    reason: str | None = None,
    customer: str | None = None,
    candidates: tuple[str, ...] = (),
    found_by: str | None = None,
    notes: tuple[str, ...] = (),
) -> Preview:
    return Preview(
        source.store_view,
        source.external_id,
        what,
        reason=reason,
        customer=customer,
        candidates=candidates,
        found_by=found_by,
        notes=notes,
    )
