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
from typing import Final, Literal
from uuid import UUID

from shared.domain.customer import Contact, Customer
from shared.domain.directory import DirectoryAddress, DirectoryCustomer, FieldValue
from shared.domain.messages import Effect
from shared.domain.policy import Template
from shared.domain.values import value

TrialOutcome = Literal[
    "matched",
    "no_evidence",
    "no_candidate",
    "ambiguous",
    "already_linked",
    "suggested",
    "other_entity",
]
HoldReason = Literal[
    "no_billing_address",
    "no_template",
    "incomplete_template",
    "no_number",
    "number_taken",
    "has_number",
    "unknown_store_view",
    "guest",
    "guest_unmatched",
    "no_guest_customer",
    "chosen_customer_gone",
    "business_not_enabled",
    "company_unknown",
    "entity_changed",
]
StageReason = Literal["method_none", "method_update", "method_create", "link_only"]


@dataclass(frozen=True, slots=True)
class Instruction:
    """What somebody asks a decision for, beyond what the policy does by itself.

    `processes` takes a customer whom the processing method would leave staged; `creates` makes a
    new customer whoever else is like it; `customer_id` is the customer that an operator chose;
    `links_only` links who is known and creates and changes nothing; `repairs` brings the
    directory back to what the shop says; `number` is a number of ours that the record carries in
    the shop, and keeps.
    """

    processes: bool = False
    creates: bool = False
    customer_id: UUID | None = None
    links_only: bool = False
    repairs: bool = False
    number: str | None = None


AUTOMATIC: Final = Instruction()


@value(slots=False)
class RuleTrial:
    """One matching rule that was tried: the normalised evidence, and whom it found."""

    rule: str
    outcome: TrialOutcome
    evidence: str | None = None
    candidates: tuple[UUID, ...] = ()


@dataclass(frozen=True, slots=True)
class FieldConflict:
    """A field whose value in the shop and in the directory differed: both, and who won by what.

    `rule` is the owner of the field's rule; `winner` whose value stands now.
    """

    field: str
    platform: FieldValue
    erp: FieldValue
    rule: str
    winner: Literal["platform", "erp"]


@value(slots=False)
class Explanation:
    """Why a decision came out as it did."""

    config_version: str
    rules: tuple[RuleTrial, ...] = ()
    template: str | None = None
    templates_tried: tuple[str, ...] = ()
    fields_changed: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    conflicts: tuple[FieldConflict, ...] = ()


@value
class ExportIntent:
    """Something to be written back to the shop; the number is filled in when it is known.

    `locations` are the numbers of locations within the customer, by the remote ids of addresses.
    """

    effect: Effect
    values: Mapping[str, str] = field(default_factory=dict)
    locations: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class AddressChanges:
    """What an update does to a customer's addresses, each named by its directory id."""

    added: tuple[DirectoryAddress, ...] = ()
    changed: tuple[DirectoryAddress, ...] = ()
    removed: tuple[UUID, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.added or self.changed or self.removed)


@value
class Ignore:
    """Nothing is done. `unchanged` still moves the link's version on."""

    customer: Customer
    reason: Literal["superseded", "unchanged", "before_start_date", "erased"]
    explanation: Explanation


@dataclass(frozen=True, slots=True)
class Hold:
    """Waits, without failing, for what is missing (C365-6, NEW-13)."""

    customer: Customer
    reason: HoldReason
    explanation: Explanation
    existing: DirectoryCustomer | None = None


@dataclass(frozen=True, slots=True)
class Stage:
    """Waits for an operator because the processing method, or a link-only import, says so."""

    customer: Customer
    reason: StageReason
    explanation: Explanation
    existing: DirectoryCustomer | None = None


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """More than one customer, or one that is taken, may be meant; none is touched."""

    customer: Customer
    candidates: tuple[UUID, ...]
    explanation: Explanation


@value
class Create:
    """A new customer with the template's defaults.

    The number comes from the template's series, unless `created` has one already.
    """

    customer: Customer
    created: DirectoryCustomer
    template: Template
    exports: tuple[ExportIntent, ...]
    explanation: Explanation


@value
class Update:
    """Changes to a known customer.

    `is_new_link` when it was matched just now; `collects` when it is a guest who shares the
    customer with all others; `joins` when it is an account that acts for the company which the
    customer is. `contacts` replace those that the record named before; None leaves them.
    """

    customer: Customer
    existing: DirectoryCustomer
    updated: DirectoryCustomer
    field_changes: Mapping[str, FieldValue]
    address_changes: AddressChanges
    is_new_link: bool
    exports: tuple[ExportIntent, ...]
    explanation: Explanation
    collects: bool = False
    joins: bool = False
    contacts: tuple[Contact, ...] | None = None


Decision = Ignore | Hold | Stage | Ambiguous | Create | Update
