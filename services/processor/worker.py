"""Processor: decide what becomes of each imported customer.

Gathers what the batch needs, decides in memory, applies everything in the consumer's
transaction. Nothing here talks to the network.
"""

from collections.abc import Sequence
from typing import Any

from services.processor.apply import apply
from services.processor.gather import gather
from services.processor.plan import Plan
from shared.domain.customer import replaced
from shared.domain.decide import decide
from shared.domain.errors import UnknownType
from shared.domain.messages import CustomerDeleted, CustomerImported, CustomerUnreadable, Envelope
from shared.domain.normalise import normalise_customer
from shared.domain.policy import Policy
from shared.persistence.unit_of_work import UnitOfWork


def process_batch(messages: Sequence[Envelope[Any]], work: UnitOfWork, policy: Policy) -> Plan:
    """Stage, create or update every customer of the batch, and announce it.

    Later messages see what earlier ones decided, so two changes to one customer may share a
    batch. Returns what was done. Raises `UnknownType` for a message that is not the processor's.
    """
    batch = [_accepted(message) for message in messages]
    known = gather(batch, work)
    plan = Plan(work.now, policy)
    for message in batch:
        match message.body:
            case CustomerImported(customer=customer):
                decision = decide(customer, known, policy)
                plan.add(message, decision, known)
                known.learn(decision)
            case CustomerUnreadable():
                plan.hold_unreadable(message, known)
            case CustomerDeleted():
                plan.remove(message, known)
    apply(plan, work)
    return plan


def _accepted(message: Envelope[Any]) -> Envelope[Any]:
    """Return the message with its customer in canonical form; refuse what is not for us."""
    body = message.body
    if not isinstance(body, CustomerImported | CustomerUnreadable | CustomerDeleted):
        raise UnknownType(f"the processor does not take {message.type}")
    if not isinstance(body, CustomerImported):
        return message
    # A stranger's message that had to be retried comes back as one of ours: still pushed.
    if message.is_foreign or body.origin == "push":
        customer = normalise_customer(body.customer)
        canonical: Envelope[Any] = replaced(message, body=replaced(body, customer=customer))
        return canonical
    return message
