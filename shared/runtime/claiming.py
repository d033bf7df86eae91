"""Idempotent receiving: which messages of a batch are still to be handled."""

from collections.abc import Sequence
from uuid import UUID

from shared.persistence.unit_of_work import UnitOfWork
from shared.runtime.received import Received


def claim(batch: Sequence[Received], work: UnitOfWork) -> list[Received]:
    """Take the batch's messages off the store; return those this transaction got, in order.

    What is missing was handled before. Of two copies in one batch only the first is returned.
    """
    first = without_copies(batch)
    claimed = work.store.claim(
        [received.message_id for received in first if not received.is_foreign],
        [received.message_id for received in first if received.is_foreign],
    )
    return [received for received in first if received.message_id in claimed]


def without_copies(batch: Sequence[Received]) -> list[Received]:
    """Return the batch with the first copy of each message only."""
    first: dict[UUID, Received] = {}
    for received in batch:
        first.setdefault(received.message_id, received)
    return list(first.values())
