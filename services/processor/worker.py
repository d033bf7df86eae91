"""Processor: decide what becomes of each imported customer.

Gathers what the batch needs, decides in memory, applies everything in the consumer's
transaction. Nothing here talks to the network.
"""

from collections.abc import Sequence
from typing import Any

from services.processor.apply import apply
from services.processor.gather import gather
from services.processor.plan import Plan
from shared.domain.decide import decide
from shared.domain.errors import UnknownType
from shared.domain.messages import CustomerDeleted, CustomerImported, CustomerUnreadable, Envelope
from shared.domain.policy import Policy
from shared.persistence.unit_of_work import UnitOfWork


def process_batch(messages: Sequence[Envelope[Any]], work: UnitOfWork, policy: Policy) -> Plan:
    """Stage, create or update every customer of the batch, and announce it.

    Later messages see what earlier ones decided, so two changes to one customer may share a
    batch. Returns what was done. Raises `UnknownType` for a message that is not the processor's.
    """
    known = gather(messages, work)
    plan = Plan(work.now, policy)
    for message in messages:
        match message.body:
            case CustomerImported(customer=customer):
                decision = decide(customer, known, policy)
                plan.add(message, decision, known)
                known.learn(decision)
            case CustomerUnreadable():
                plan.hold_unreadable(message, known)
            case CustomerDeleted(source=source):
                plan.unlink(message, known.link(source.key))
            case _:
                raise UnknownType(f"the processor does not take {message.type}")
    apply(plan, work)
    return plan
