"""What a failure leaves in the database: a retry, a dead letter, or a paused channel.

The one place where a decision of `recoverability` is written down. Its promise: the evidence
holds classes, codes and our own texts, nothing about a customer; and a message that somebody else
has finished meanwhile is neither retried nor buried.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from hashlib import sha256
from uuid import NAMESPACE_OID, UUID, uuid5

import sqlalchemy as sa

from shared.domain.errors import PatronError
from shared.domain.messages import Parcel
from shared.messaging.broker import Delivery, WireMessage
from shared.messaging.codec import is_ours
from shared.messaging.salvage import salvage
from shared.observability.evidence import evidence
from shared.persistence import pauses
from shared.persistence.dead_letters import DeadLetter, of_parcel
from shared.persistence.store import Retry
from shared.persistence.tables import messages
from shared.persistence.unit_of_work import UnitOfWork
from shared.runtime.received import DUPLICATE, Received, Result, parcel_of
from shared.runtime.recoverability import POISON, GiveUp, PauseChannel, Recoverability, TryAgain


@dataclass(frozen=True, slots=True)
class Failure:
    """A message and what its handling failed with."""

    received: Received
    error: BaseException


class FailureRecorder:
    """Records the failures of one worker's messages."""

    def __init__(
        self,
        worker: str,
        recoverability: Recoverability,
        *,
        config_version: str | None = None,
        platforms: Mapping[str, str] | None = None,
    ) -> None:
        self._worker = worker
        self._recoverability = recoverability
        self._config_version = config_version
        self._platforms = platforms or {}

    def record(
        self, failures: Sequence[Failure], work: UnitOfWork, *, owner: str | None = None
    ) -> list[Result]:
        """Write down what becomes of each message. `owner` is who leased them, if anybody did."""
        counted = work.store.attempts(
            [each.received.message_id for each in failures if not each.received.is_foreign],
            [each.received.message_id for each in failures if each.received.is_foreign],
        )
        return [self._record(failure, counted, work, owner) for failure in failures]

    def _record(
        self, failure: Failure, counted: dict[UUID, int], work: UnitOfWork, owner: str | None
    ) -> Result:
        received, error = failure.received, failure.error
        if not received.is_foreign and received.message_id not in counted:
            return DUPLICATE
        before = counted.get(received.message_id, 0) - int(received.is_counted)
        match self._recoverability.decide(error, before, work.now):
            case GiveUp(reason):
                return self._bury(received, reason, before + 1, error, work)
            case PauseChannel(until, reason):
                channel, detail = received.envelope.channel, evidence(error).text
                pauses.pause(work, channel, reason=reason, detail=detail, retry_at=until)
                # Nothing is wrong with the message: an attempt that was counted is given back.
                retry = replace(_retry(received, until, reason, error), is_free=True)
                outcome = Result("paused", reason, error)
            case TryAgain(at, reason):
                retry = _retry(received, at, reason, error)
                outcome = Result("retried", reason, error)
        return outcome if work.store.retry([retry], owner=owner) else DUPLICATE

    def count_start(self, received: Received, most_starts: int, work: UnitOfWork) -> Result | None:
        """Count a start before it happens; give the message up if it had too many.

        A message that never failed in an orderly way has only killed its processes: that is
        bounded by `most_starts`. One that did fail may use all its attempts.
        """
        is_known = not received.is_foreign
        starts = work.store.count_start(received.message_id, is_ours=is_known)
        if starts == 0:
            return DUPLICATE
        if starts < most_starts or (
            starts <= self._recoverability.max_attempts
            and _has_failed_orderly(received.message_id, work)
        ):
            return None
        return self._bury(received, POISON, starts, None, work)

    def bury_undecodable(self, delivery: Delivery, error: PatronError, work: UnitOfWork) -> Result:
        """Bury a delivery that is no message of ours.

        One that only looks like ours has no row, and is buried as a stranger's: whatever cannot
        be read must be seen by somebody.
        """
        message = delivery.message
        facts = evidence(error)
        envelope = salvage(message)
        letter = DeadLetter(
            worker=self._worker,
            queue=delivery.queue,
            reason=error.reason,
            body=message.body,
            message_id=message.message_id or stand_in_id(message),
            is_ours=is_ours(message),
            error_class=facts.error_class,
            error=facts.text,
            frame=facts.frame,
            platform=self._platforms.get(envelope.channel or ""),
            config_version=self._config_version,
            **asdict(envelope),
        )
        is_buried = work.store.bury([letter]) or work.store.bury([replace(letter, is_ours=False)])
        return Result("dead", error.reason, error) if is_buried else DUPLICATE

    def bury_unsendable(self, parcel: Parcel, error: PatronError, work: UnitOfWork) -> None:
        """Bury a message that can never be published."""
        facts = evidence(error)
        letter = of_parcel(
            parcel,
            worker=self._worker,
            queue="",
            reason=error.reason,
            error_class=facts.error_class,
            error=facts.text,
            frame=facts.frame,
            platform=self._platforms.get(parcel.channel),
            config_version=self._config_version,
        )
        work.store.bury([letter])

    def _bury(
        self,
        received: Received,
        reason: str,
        attempts: int,
        error: BaseException | None,
        work: UnitOfWork,
    ) -> Result:
        facts = evidence(error) if error else None
        letter = of_parcel(
            parcel_of(received),
            worker=self._worker,
            queue=received.delivery.queue,
            reason=reason,
            is_ours=not received.is_foreign,
            attempts=attempts,
            error_class=facts.error_class if facts else None,
            error=facts.text if facts else f"started {attempts} times and never finished",
            frame=facts.frame if facts else None,
            platform=self._platforms.get(received.envelope.channel),
            config_version=self._config_version,
        )
        return Result("dead", reason, error) if work.store.bury([letter]) else DUPLICATE


def stand_in_id(message: WireMessage) -> UUID:
    """Return an id for a message without one, the same for the same bytes."""
    return uuid5(NAMESPACE_OID, sha256(message.body).hexdigest())


def _has_failed_orderly(message_id: UUID, work: UnitOfWork) -> bool:
    query = sa.select(messages.c.first_failed_at).where(messages.c.id == message_id)
    return work.connection.execute(query).scalar() is not None


def _retry(received: Received, at: datetime, reason: str, error: BaseException) -> Retry:
    return Retry(
        message_id=received.message_id,
        available_at=at,
        reason=reason,
        error=evidence(error).text,
        is_counted=received.is_counted,
        parcel=parcel_of(received) if received.is_foreign else None,
    )
