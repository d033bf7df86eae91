"""A case: one customer that is to be decided, and everything the decision rests on."""

from dataclasses import dataclass, replace

from shared.domain.customer import Customer, Entity
from shared.domain.decisions import Explanation, Instruction, Stage, StageReason
from shared.domain.directory import DirectoryCustomer
from shared.domain.known import Known, Link
from shared.domain.matching import Match
from shared.domain.normalise import MatchKeys
from shared.domain.policy import Policy, StoreViewPolicy


@dataclass(frozen=True, slots=True)
class Case:
    """A customer, the link that stands, what is known, and what is wanted."""

    customer: Customer
    keys: MatchKeys
    view: StoreViewPolicy
    link: Link | None
    known: Known
    policy: Policy
    instruction: Instruction
    explanation: Explanation

    def noting(self, note: str) -> "Case":
        """Return the case with one more note in its explanation."""
        notes = (*self.explanation.notes, note)
        return replace(self, explanation=replace(self.explanation, notes=notes))

    def tried(self, match: Match) -> "Case":
        """Return the case with the rules that were tried in its explanation."""
        return replace(self, explanation=replace(self.explanation, rules=match.trail))

    @property
    def has_locations(self) -> bool:
        """Whether the addresses of the record are locations."""
        return self.policy.has_locations(self.customer.entity)

    @property
    def tells_locations(self) -> bool:
        """Whether the shop has a place for the numbers of locations: of companies alone."""
        return self.has_locations and self.customer.entity is Entity.COMPANY

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
