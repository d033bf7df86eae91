"""Hands canaries on: messages about nobody that only show that messages pass."""

from collections.abc import Sequence
from typing import Any

from shared.domain.messages import CANARY, CanaryPassed, CanarySent, Envelope, parcel
from shared.persistence.unit_of_work import UnitOfWork


def pass_on(messages: Sequence[Envelope[Any]], work: UnitOfWork) -> list[Envelope[Any]]:
    """Send the canaries of a batch on, and return the other messages."""
    canaries = [each for each in messages if isinstance(each.body, CanarySent)]
    if not canaries:
        return list(messages)
    work.send(
        [
            parcel(
                CanaryPassed(sent_at=each.body.sent_at),
                channel=CANARY,
                subject=CANARY,
                at=work.now,
                cause=each,
            )
            for each in canaries
        ]
    )
    return [each for each in messages if not isinstance(each.body, CanarySent)]
