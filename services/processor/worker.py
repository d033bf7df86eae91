"""Processor: decide what becomes of each imported customer.

Gathers what the batch needs, decides in memory, applies everything in the consumer's
transaction. Nothing here talks to the network.
"""

from collections.abc import Sequence
from typing import Any, Final

from services.processor.answers import answer_requests
from services.processor.apply import apply
from services.processor.cases import Case, cases_of
from services.processor.contacts import without_erased
from services.processor.gather import gather
from services.processor.plan import Plan
from shared.domain.contacts import accounts_of
from shared.domain.decide import decide
from shared.domain.known import Known
from shared.domain.messages import CustomerDeleted, CustomerUnreadable, Envelope
from shared.domain.policy import Policy
from shared.persistence.tombstones import Tombstones
from shared.persistence.unit_of_work import UnitOfWork

_NO_KEY: Final = Tombstones()


def process_batch(
    messages: Sequence[Envelope[Any]],
    work: UnitOfWork,
    policy: Policy,
    tombstones: Tombstones = _NO_KEY,
) -> Plan:
    """Stage, create or update every customer of the batch, and announce it.

    Later messages see what earlier ones decided, so two changes to one customer may share a
    batch. Whoever was erased is dropped, wherever the message comes from (NEW-11). Returns what
    was done. Raises `UnknownType` for a message that is not the processor's.
    """
    cases = cases_of(messages, work)
    known = gather(cases, work, policy)
    plan = Plan(work.now, policy)
    # Asked now that the identities are locked: whoever is not erased yet waits for our end.
    named = {account for case in cases for account in accounts_of(case.customer)}
    erased = tombstones.erased(work, named | {case.source for case in cases})
    for case in cases:
        if case.source in erased:
            plan.drop_erased(case.message, case.source.channel)
        else:
            _take(without_erased(case, erased) if erased else case, known, plan)
    apply(plan, work)
    answer_requests(messages, plan, work)
    return plan


def _take(case: Case, known: Known, plan: Plan) -> None:
    """Decide one case, and let plan and knowledge take it in."""
    if is_closed(case, known):
        plan.outcomes["staging.closed"] += 1
    elif case.customer:
        decision = decide(case.customer, known, plan.policy, case.instruction)
        plan.add(case.message, decision, known)
        known.learn(decision)
    elif isinstance(case.message.body, CustomerUnreadable):
        plan.hold_unreadable(case.message, known)
    elif isinstance(case.message.body, CustomerDeleted):
        plan.remove(case.message, known)


def is_closed(case: Case, known: Known) -> bool:
    """Whether an operator meant a record that does not wait any more: asking twice is harmless."""
    if case.staging_id is None:
        return False
    waiting = known.staging(case.source)
    return case.customer is None or waiting is None or waiting.id != case.staging_id
