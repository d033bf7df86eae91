"""What may become of an imported customer, and the explanation each decision carries (NEW-2).

Decision
├── Ignore      nothing to do: superseded, unchanged, before the start date
├── Hold        cannot go on until something missing is there
├── Stage       waits for an operator, as the processing method says
├── Ambiguous   several customers may be meant; an operator chooses (NEW-3)
├── Create      a new customer
└── Update      a known customer, linked or matched just now
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from shared.domain.customer import Customer
from shared.domain.directory import DirectoryAddress, DirectoryCustomer, FieldValue
from shared.domain.messages import Effect
from shared.domain.policy import Template

TrialOutcome = Literal["matched", "no_evidence", "no_candidate", "ambiguous", "already_linked"]


@dataclass(frozen=True, slots=True)
class RuleTrial:
    """One matching rule that was tried: the normalised evidence, and whom it found."""

    rule: str
    outcome: TrialOutcome
    evidence: str | None = None
    candidates: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a decision came out as it did."""

    config_version: str
    rules: tuple[RuleTrial, ...] = ()
    template: str | None = None
    templates_tried: tuple[str, ...] = ()
    fields_changed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ExportIntent:
    """Something to be written back to the shop; the number is filled in when it is known."""

    effect: Effect
    values: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AddressChanges:
    """What an update does to a customer's addresses, each named by its directory id."""

    added: tuple[DirectoryAddress, ...] = ()
    changed: tuple[DirectoryAddress, ...] = ()
    removed: tuple[UUID, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


@dataclass(frozen=True, slots=True)
class Ignore:
    """Nothing is done. `unchanged` still moves the link's version on."""

    customer: Customer
    reason: Literal["superseded", "unchanged", "before_start_date"]
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Hold:
    """Waits, without failing, for what is missing (C365-6, NEW-13)."""

    customer: Customer
    reason: Literal["no_billing_address", "no_template", "unknown_store_view"]
    explanation: Explanation
    existing: DirectoryCustomer | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """Waits for an operator because the processing method says so."""

    customer: Customer
    reason: Literal["method_none", "method_update", "method_create"]
    explanation: Explanation
    existing: DirectoryCustomer | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """More than one customer, or one that is taken, may be meant; none is touched."""

    customer: Customer
    candidates: tuple[UUID, ...]
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Create:
    """A new customer with the template's defaults; the number comes from the template's series."""

    customer: Customer
    created: DirectoryCustomer
    template: Template
    exports: tuple[ExportIntent, ...]
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Update:
    """Changes to a known customer. `is_new_link` when it was matched just now."""

    customer: Customer
    existing: DirectoryCustomer
    updated: DirectoryCustomer
    field_changes: Mapping[str, FieldValue]
    address_changes: AddressChanges
    is_new_link: bool
    exports: tuple[ExportIntent, ...]
    explanation: Explanation


Decision = Ignore | Hold | Stage | Ambiguous | Create | Update
