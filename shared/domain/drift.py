"""Drift: where a shop and the directory are not in step although they should be (NEW-9). Pure.

What the shop says now is decided once as the processor would, and once as a repair would: what the
first changes was not imported yet, what only the second changes went astray in the directory.
Its promise: what a repair has mended is no drift any more.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from typing import Final, Literal
from uuid import UUID

from shared.domain.customer import Customer, CustomValue
from shared.domain.decide import decide
from shared.domain.decisions import Decision, Ignore, Instruction, Update
from shared.domain.directory import DirectoryCustomer
from shared.domain.known import Known
from shared.domain.policy import Policy
from shared.domain.templates import additional_values

Kind = Literal[
    "missing", "changed", "fields", "address", "number", "defaults", "removed", "duplicates"
]
KINDS: Final[tuple[Kind, ...]] = (
    "missing", "changed", "fields", "address", "number", "defaults", "removed", "duplicates",
)  # fmt: skip
IMPORTED_ANEW: Final = frozenset({"missing", "changed", "fields", "address"})
"""What is mended by importing the record again."""

_REPAIR: Final = Instruction(repairs=True)
_GROUP: Final = "group_id"


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference: between a remote record and the directory, or within the directory.

    `fields` are named, never shown; `others` are the customers that a duplicate is like.
    """

    kind: Kind
    store_view: str | None = None
    external_id: str | None = None
    customer_id: UUID | None = None
    customer_number: str | None = None
    fields: tuple[str, ...] = ()
    others: tuple[str, ...] = ()


def drift_of(customer: Customer, known: Known, policy: Policy) -> list[Drift]:
    """Return how a record that is linked differs from the directory and from what was imported."""
    link = known.link(customer.source.key)
    existing = known.customer(link.customer_id) if link else None
    if link is None or existing is None:
        return [missing(customer)]
    found = [*_content(customer, known, policy, is_shared=link.is_collected or link.is_contact)]
    if _has_another_number(customer, existing):
        found.append(Drift("number", fields=("customer_number",)))
    if wrong := _other_defaults(customer, existing, policy):
        found.append(Drift("defaults", fields=wrong))
    source = customer.source
    return [
        replace(
            each,
            store_view=source.store_view,
            external_id=source.external_id,
            customer_id=existing.id,
            customer_number=existing.number,
        )
        for each in found
    ]


def missing(customer: Customer) -> Drift:
    """Return that a record of the shop is nobody here."""
    return Drift("missing", customer.source.store_view, customer.source.external_id)


def is_expected(customer: Customer, policy: Policy) -> bool:
    """Whether a record that is not linked should be: not from before the start date (C365-3)."""
    view = policy.store_view(customer.source.channel, customer.source.store_view)
    if view is None:
        return False
    registered, start = customer.registered_at, view.start_date
    return not (registered and start and registered < start)


def defaults_for(existing: DirectoryCustomer, policy: Policy, channel: str) -> dict[str, str]:
    """Return the additional data that a shop should have of a customer, by the shop's fields."""
    wanted = policy.additional_data(channel)
    return additional_values(existing.template, existing.defaults, wanted)


def _content(
    customer: Customer, known: Known, policy: Policy, *, is_shared: bool
) -> Iterator[Drift]:
    """Yield what was not imported yet, and what differs although it was."""
    now = decide(customer, known, policy)
    if not _is_in_step(now):
        yield Drift("changed", fields=_fields(now))
    if is_shared:
        return  # who all guests are has nobody's data, and a company not those of its buyers
    repaired = decide(customer, known, policy, _REPAIR)
    if not isinstance(repaired, Update):
        if _is_in_step(now) and not _is_in_step(repaired):
            yield Drift("fields")
        return
    before = now if isinstance(now, Update) else None
    astray = repaired.field_changes.keys() - (before.field_changes if before else {}).keys()
    if astray:
        yield Drift("fields", fields=tuple(sorted(astray)))
    if repaired.address_changes and not (before and before.address_changes):
        yield Drift("address", fields=("addresses",))


def _is_in_step(decision: Decision) -> bool:
    """Whether nothing of the customer changes; what is owed to the shop is told apart."""
    if isinstance(decision, Update):
        explanation = decision.explanation
        is_same = not (decision.field_changes or decision.address_changes)
        return is_same and not explanation.conflicts and not decision.is_new_link
    return isinstance(decision, Ignore)


def _fields(decision: Decision) -> tuple[str, ...]:
    """Return which fields changed in the shop."""
    explanation = decision.explanation
    conflicting = (conflict.field.partition(".")[0] for conflict in explanation.conflicts)
    return tuple(dict.fromkeys((*explanation.fields_changed, *conflicting)))


def _has_another_number(customer: Customer, existing: DirectoryCustomer) -> bool:
    return (
        existing.number is not None
        and customer.said("customer_number")
        and customer.customer_number != existing.number
    )


def _other_defaults(
    customer: Customer, existing: DirectoryCustomer, policy: Policy
) -> tuple[str, ...]:
    """Return the fields of additional data that the shop has not, or has differently."""
    if not customer.said("custom"):
        return ()
    custom = customer.custom
    there: dict[str, CustomValue] = {
        **custom.form_fields, **custom.metafields, **custom.attributes, _GROUP: customer.group,
    }  # fmt: skip
    wanted = defaults_for(existing, policy, customer.source.channel)
    return tuple(field for field, value in wanted.items() if not _is(there.get(field), value))


def _is(stored: CustomValue, wanted: str) -> bool:
    """Whether the shop stores `wanted`; a decimal attribute answers 5 with 5.0000."""
    text = str(int(stored)) if isinstance(stored, bool) else "" if stored is None else str(stored)
    if text == wanted:
        return True
    try:
        return Decimal(text) == Decimal(wanted)
    except InvalidOperation:
        return False
