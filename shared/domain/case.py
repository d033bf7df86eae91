"""A case: one customer that is to be decided, and everything the decision rests on."""

from dataclasses import replace
from typing import Any, NamedTuple

from shared.domain.customer import Customer, Entity
from shared.domain.decisions import Explanation, Instruction, Stage, StageReason
from shared.domain.directory import DirectoryCustomer
from shared.domain.evidence import Clues
from shared.domain.known import Known, Link
from shared.domain.matching import Match
from shared.domain.policy import Policy, StoreViewPolicy


class Case(NamedTuple):
    """A customer, the link that stands, what is known, and what is wanted."""

    customer: Customer
    clues: Clues
    view: StoreViewPolicy
    link: Link | None
    known: Known
    policy: Policy
    instruction: Instruction
    explanation: Explanation

    def explained(self, **facts: Any) -> "Case":
        """Return the case with these facts in its explanation."""
        return self._replace(explanation=replace(self.explanation, **facts))

    def noting(self, note: str) -> "Case":
        """Return the case with one more note in its explanation."""
        notes = (*self.explanation.notes, note)
        return self.explained(notes=notes)

    def tried(self, match: Match) -> "Case":
        """Return the case with the rules that were tried in its explanation."""
        return self.explained(rules=match.trail)

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
