"""Carries out replay jobs: dead letters become messages again, no faster than asked for.

For the keeper. Its promise: every letter keeps its identity, so that a message that was handled
after all is not handled again; a crash at any instant only interrupts a job; and a job that mostly
fails stops by itself.
"""

import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import Any, Final
from uuid import UUID

import orjson
import structlog

from shared.domain.customer import Model
from shared.domain.errors import Oversized, PatronError
from shared.domain.messages import Envelope, Parcel
from shared.messaging.broker import WireMessage
from shared.messaging.codec import decode
from shared.observability.metrics import Metrics
from shared.persistence import history, replays
from shared.persistence.replays import ItemState, Job, Pending
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from shared.runtime.loops import Beat

# Short, for a keeper that was killed; nothing is sent twice should it lapse in the middle of work.
_LEASE: Final = timedelta(seconds=10)
_MOST_AT_ONCE: Final = 500
_FEW: Final = 10
"""So many outcomes must be known before the share of failures says anything."""
_log = structlog.get_logger()


class Replayer:
    """Works on the running jobs, a little at each call.

    `offer` is told what is due. Whoever has an outbox publishes it: the keeper needs no right to.
    """

    def __init__(
        self,
        units: UnitsOfWork,
        offer: Callable[[Sequence[Parcel]], None],
        metrics: Metrics,
        *,
        owner: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._units = units
        self._offer = offer
        self._metrics = metrics
        self._owner = owner
        self._clock = clock
        self._allowances: dict[UUID, _Allowance] = {}

    def advance(self, beat: Beat) -> None:
        """Send what may be sent of each job now, and note what became of what was."""
        # Mostly there is nothing to do, and SQLite lets but one transaction write.
        with self._units.read() as work:
            is_any, ended = replays.is_any_running(work), replays.unfinished(work)
        jobs = self._lease() if is_any else []
        for job in jobs:
            beat()
            self._advance(job)
        for job_id in ended:
            beat()
            with self._units.begin() as work:
                self._note_outcomes(job_id, work)
        known = self._allowances.items()
        self._allowances = {id_: each for id_, each in known if id_ in {job.id for job in jobs}}

    def _lease(self) -> list[Job]:
        with self._units.begin() as work:
            return replays.running(work, self._owner, work.now + _LEASE)

    def _advance(self, job: Job) -> None:
        allowance = self._allowances.setdefault(job.id, _Allowance(self._clock))
        many = min(allowance.take(job.rate_per_second), _MOST_AT_ONCE)
        with self._units.begin() as work:
            self._note_outcomes(job.id, work)
            state, detail = _verdict(job, replays.progress(work, job.id))
            if state:
                replays.end(work, job.id, state, detail)
                _log.info("replay.ended", job=str(job.id), state=state, detail=detail)
            sent = self._send(job, many, work) if many and not state else []
        if sent:
            self._offer(sent)

    def _send(self, job: Job, many: int, work: UnitOfWork) -> list[Parcel]:
        """Owe the next messages again, each under its own id, and due at once; return them."""
        letters = replays.pending(work, job.id, many)
        owed = replays.in_flight(work, [letter.message_id for letter in letters])
        states: dict[UUID, ItemState] = {}
        parcels: dict[UUID, Parcel] = {}
        for letter in letters:
            parcel = None if letter.message_id in owed else _parcel(letter)
            states[letter.dead_letter_id] = "sent" if parcel else "skipped"
            if parcel:
                parcels[letter.dead_letter_id] = parcel
        work.store.add(parcels.values(), available_in_seconds=0.0)
        replays.mark(work, job.id, states)
        history.append(work.connection, [_line(job, parcel, work) for parcel in parcels.values()])
        self._metrics.replays.labels("sent").inc(len(parcels))
        self._metrics.replays.labels("skipped").inc(len(states) - len(parcels))
        return list(parcels.values())

    def _note_outcomes(self, job_id: UUID, work: UnitOfWork) -> None:
        replays.pass_over_gone(work, job_id)
        known = replays.outcomes(work, job_id)
        replays.mark(work, job_id, known)
        for state, count in Counter(known.values()).items():
            self._metrics.replays.labels(state).inc(count)


def envelope_of(letter: Pending) -> Envelope[Model]:
    """Return the message that a letter is. Raises PatronError if it is not whole or readable."""
    if len(letter.body) != letter.body_size:
        raise Oversized("the body was too large to be kept")
    return decode(_on_wire(letter))


class _Allowance:
    """How many letters a job may send now: as many as its rate lets pass, and no more saved up."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._at = float("-inf")
        self._saved = 0.0

    def take(self, rate_per_second: float) -> int:
        now = self._clock()
        grown = self._saved + (now - self._at) * rate_per_second
        # At the most what a second lets pass, the first time as well.
        self._saved = min(grown, max(rate_per_second, 1.0))
        self._at = now
        whole = int(self._saved)
        self._saved -= whole
        return whole


def _verdict(job: Job, progress: Counter[ItemState]) -> tuple[replays.JobState | None, str | None]:
    """Say whether a job is over, and why if it did not come to its end."""
    failed, known = progress["failed"], progress["failed"] + progress["done"]
    if known >= _FEW and failed / known > job.failure_limit:
        return "stopped", f"{failed} of {known} failed again"
    if not (progress["pending"] or progress["sent"]):
        return "done", None
    return None, None


def _parcel(letter: Pending) -> Parcel | None:
    """Return the message as it was, or None if it is not whole or still cannot be read."""
    try:
        envelope = envelope_of(letter)
    except PatronError:
        return None
    return Parcel(
        message_id=letter.message_id,
        routing_key=letter.routing_key or envelope.type,
        type=envelope.type,
        schema_version=envelope.schema_version,
        correlation_id=letter.correlation_id or envelope.correlation_id,
        causation_id=letter.causation_id,
        occurred_at=letter.occurred_at or envelope.occurred_at,
        channel=letter.channel or envelope.channel,
        subject=letter.subject or envelope.subject,
        traceparent=letter.traceparent,
        body=letter.body,
        reply_to=letter.reply_to,
        reply_id=letter.reply_id,
    )


def _on_wire(letter: Pending) -> WireMessage:
    headers: dict[str, object] = {
        name: value
        for name, value in (
            ("schema_version", letter.schema_version),
            ("channel", letter.channel),
            ("subject", letter.subject),
        )
        if value is not None
    }
    return WireMessage(
        routing_key=letter.routing_key or "",
        body=letter.body,
        message_id=letter.message_id,
        type=letter.type or "",
        correlation_id=str(letter.correlation_id) if letter.correlation_id else None,
        timestamp=letter.occurred_at,
        content_type=None,
        headers=headers,
    )


def _line(job: Job, parcel: Parcel, work: UnitOfWork) -> dict[str, Any]:
    return history.line(
        at=work.now,
        correlation_id=parcel.correlation_id,
        message_id=parcel.message_id,
        channel=parcel.channel,
        external_id=parcel.subject,
        worker="keeper",
        event="message.replayed",
        detail=orjson.dumps({"job": str(job.id), "type": parcel.type}).decode(),
    )
