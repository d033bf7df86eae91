"""A case: one customer that is to be decided, and everything the decision rests on."""

from dataclasses import dataclass

from shared.domain.customer import Customer, Entity
from shared.domain.decisions import (
    Explanation,
    FieldConflict,
    Instruction,
    RuleTrial,
    Stage,
    StageReason,
)
from shared.domain.directory import DirectoryCustomer
from shared.domain.evidence import Clues
from shared.domain.known import Known, Link
from shared.domain.policy import Policy, StoreViewPolicy


@dataclass(slots=True)
class Case:
    """A customer, the link that stands, what is known, and what is wanted.

    It is open while it is decided: what turns out is noted in it, for the decision's explanation.
    """

    customer: Customer
    clues: Clues
    view: StoreViewPolicy
    link: Link | None
    known: Known
    policy: Policy
    instruction: Instruction
    rules: tuple[RuleTrial, ...] = ()
    templates_tried: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    def note(self, note: str) -> None:
        """Have one more note in the explanation."""
        self.notes += (note,)

    @property
    def explanation(self) -> Explanation:
        """What led to the decision so far."""
        return self.explained()

    def explained(
        self,
        *,
        template: str | None = None,
        fields_changed: tuple[str, ...] = (),
        conflicts: tuple[FieldConflict, ...] = (),
    ) -> Explanation:
        """Return what led to the decision, and these facts about it."""
        return Explanation(
            self.policy.version,
            self.rules,
            template,
            self.templates_tried,
            fields_changed,
            self.notes,
            conflicts,
        )

    @property
    def has_locations(self) -> bool:
        """Whether the addresses of the record are locations."""
        return self.policy.has_locations(self.customer.entity)

    @property
    def tells_locations(self) -> bool:
        """Whether the shop has a place for the numbers of locations: of companies alone."""
        return self.customer.entity is Entity.COMPANY and self.has_locations

    @property
    def is_asked_for(self) -> bool:
        """Whether an operator wants this very customer processed."""
        return self.instruction.processes or self.instruction.customer_id is not None

    def staged(self, reason: StageReason, existing: DirectoryCustomer | None = None) -> Stage:
        """Leave the customer to an operator."""
        return Stage(self.customer, reason, self.explanation, existing)


def method_reason(view: StoreViewPolicy) -> StageReason:
    """Return why the processing method leaves a customer to an operator."""
    method = view.processing_method
    if method.creates:
        return "method_create"
    return "method_update" if method.updates else "method_none"
