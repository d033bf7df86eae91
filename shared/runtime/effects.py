"""Handling whose effects are outside the database: lease, act, then record the outcome.

For the exporter. Rows are leased in a transaction of their own before anything happens, so that
no two processes act on one customer at once; afterwards the claims, the outcomes and the retries
of what failed are one transaction. Its promise: an effect may be repeated after a crash, never
overlapped and never forgotten.
"""

import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Generic, Protocol, TypeVar
from uuid import UUID

from shared.domain.customer import Model
from shared.domain.errors import TransientError
from shared.domain.messages import Envelope, Parcel
from shared.persistence import pauses
from shared.persistence.tables import messages
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from shared.runtime.claiming import claim, without_copies
from shared.runtime.failures import Failure, FailureRecorder
from shared.runtime.loops import Beat
from shared.runtime.patience import Patience
from shared.runtime.received import DEFERRED, DONE, DUPLICATE, Received, Result, parcel_of
from shared.runtime.splitting import in_halves

# How long somebody else's write to the same customer is given before it is asked about again.
_OTHERS_TURN = timedelta(seconds=1)


class HasError(Protocol):
    """The outcome of an effect, as `shared.connectors.ports.Outcome` is one."""

    @property
    def error(self) -> Exception | None:
        """Why the effect did not happen, or None when it did."""
        ...


Effected = TypeVar("Effected", bound=HasError)


class Effects(Protocol[Effected]):
    """What an exporter does with messages, and how it remembers what came of it."""

    def perform(self, envelopes: Sequence[Envelope[Model]], beat: Beat) -> Sequence[Effected]:
        """Carry out the effects; one outcome for each message, in order.

        To be called again after a crash, so doing it twice is harmless. Failures are outcomes,
        not exceptions. Calls `beat` every few seconds.
        """
        ...

    def record(
        self, outcomes: Sequence[tuple[Envelope[Model], Effected]], work: UnitOfWork
    ) -> None:
        """Write down what came of the effects, good and bad, and send what follows from them.

        The messages themselves are taken care of: claimed, retried or buried.
        """
        ...


@dataclass(frozen=True, slots=True)
class _Leased:
    """What a batch came to: messages to act upon, and those that somebody else is at."""

    mine: list[Received]
    deferred: set[UUID]


class EffectHandler(Generic[Effected]):
    """Runs effects on what it could lease. `owner` names this process among all others."""

    def __init__(
        self,
        effects: Effects[Effected],
        units: UnitsOfWork,
        failures: FailureRecorder,
        offer: Callable[[Sequence[Parcel]], None],
        *,
        owner: str,
        lease_seconds: float = 300.0,
    ) -> None:
        self._effects = effects
        self._units = units
        self._failures = failures
        self._offer = offer
        self._owner = owner
        self._lease = timedelta(seconds=lease_seconds)

    def handle(self, batch: Sequence[Received], patience: Patience) -> Sequence[Result]:
        """Lease what can be leased, carry out the effects, record what came of them."""
        first = without_copies(batch)
        leased = patience.through(lambda: self._lease_rows(first))
        results = dict.fromkeys(leased.deferred, DEFERRED)
        if leased.mine:
            results |= self._act(leased.mine, patience)
        originals = {id(received) for received in first}
        return [
            results.get(received.message_id, DUPLICATE) if id(received) in originals else DUPLICATE
            for received in batch
        ]

    def _act(self, mine: Sequence[Received], patience: Patience) -> dict[UUID, Result]:
        beat = self._keeping_leases(mine, patience.beat)
        pairs = list(zip(mine, self._perform(mine, beat), strict=True))

        def fail(pair: tuple[Received, Effected | Exception], error: Exception) -> Result:
            return patience.through(lambda: self._record_failure(Failure(pair[0], error)))

        results = in_halves(pairs, lambda part: patience.through(lambda: self._record(part)), fail)
        return {each.message_id: result for each, result in zip(mine, results, strict=True)}

    def _lease_rows(self, batch: Sequence[Received]) -> _Leased:
        with self._units.begin() as work:
            self._adopt([received for received in batch if received.is_foreign], work)
            ids = [received.message_id for received in batch]
            leased = work.store.lease(ids, self._owner, work.now + self._lease)
            deferred = _defer([id_ for id_ in ids if id_ not in leased], work)
            # Not tried at all, so that a start that was counted is none.
            counted = [each.message_id for each in batch if each.is_counted]
            work.store.take_back_starts(set(counted) & deferred)
        # Whatever came from outside has a row now, as ours have.
        mine = [replace(each, is_foreign=False) for each in batch if each.message_id in leased]
        return _Leased(mine, deferred)

    def _keeping_leases(self, mine: Sequence[Received], beat: Beat) -> Beat:
        """Return a beat that prolongs the leases too, so that slow effects do not outlive them."""
        prolonged_at = time.monotonic()

        def keep() -> None:
            nonlocal prolonged_at
            beat()
            if time.monotonic() - prolonged_at < self._lease.total_seconds() / 3:
                return
            # Without the database the effects go on; what they did is recorded when it is back.
            with suppress(TransientError), self._units.begin() as work:
                ids = [received.message_id for received in mine]
                work.store.extend(ids, self._owner, work.now + self._lease)
            prolonged_at = time.monotonic()

        return keep

    def _adopt(self, foreign: Sequence[Received], work: UnitOfWork) -> None:
        """Give messages from outside a row of their own, once, to be leased like ours."""
        new = work.store.claim_foreign(received.message_id for received in foreign)
        work.store.add([parcel_of(each) for each in foreign if each.message_id in new])

    def _perform(self, mine: Sequence[Received], beat: Beat) -> Sequence[Effected | Exception]:
        try:
            return self._effects.perform([received.envelope for received in mine], beat)
        except Exception as error:  # noqa: BLE001 - recoverability decides about every failure
            return [error] * len(mine)

    def _record(self, pairs: Sequence[tuple[Received, Effected | Exception]]) -> list[Result]:
        failed = [
            Failure(received, error) for received, outcome in pairs if (error := _error(outcome))
        ]
        in_vain = {failure.received.message_id for failure in failed}
        with self._units.begin() as work:
            fine = claim([each for each, _ in pairs if each.message_id not in in_vain], work)
            results = {received.message_id: DONE for received in fine}
            recorded = self._failures.record(failed, work, owner=self._owner)
            results |= {f.received.message_id: x for f, x in zip(failed, recorded, strict=True)}
            # A message that is gone meanwhile, as of somebody who was erased, leaves no trace.
            mine = {id_ for id_, result in results.items() if result is not DUPLICATE}
            self._effects.record(
                [
                    (received.envelope, outcome)
                    for received, outcome in pairs
                    if not isinstance(outcome, Exception) and received.message_id in mine
                ],
                work,
            )
            paused = {
                failure.received.envelope.channel
                for failure, result in zip(failed, recorded, strict=True)
                if result.outcome == "paused"
            }
            # A channel that just worked need not wait any longer.
            pauses.lift(work, {received.envelope.channel for received in fine} - paused)
        self._offer(work.sent)
        return [results.get(received.message_id, DUPLICATE) for received, _ in pairs]

    def _record_failure(self, failure: Failure) -> Result:
        with self._units.begin() as work:
            return self._failures.record([failure], work, owner=self._owner)[0]


def _error(outcome: HasError | Exception) -> Exception | None:
    return outcome if isinstance(outcome, Exception) else outcome.error


def _defer(ids: Sequence[UUID], work: UnitOfWork) -> set[UUID]:
    """Have the relay bring messages again when their present holder must be done with them."""
    held = work.bulk.select((messages.c.id, messages.c.leased_until), messages.c.id, ids)
    soon = work.now + _OTHERS_TURN
    again = [
        {
            "id": row.id,
            "available_at": max(row.leased_until or soon, soon),
            "published_at": None,
            "last_reason": "leased_elsewhere",
        }
        for row in held
    ]
    work.bulk.update(messages, again, key=("id",))
    return {row.id for row in held}
