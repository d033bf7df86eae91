"""What a delivery from a dead queue is: a message, what the broker noted on it, or mere bytes.

For the keeper. Its promise: reading never fails for what a stranger wrote, and the ids that it
finds are those under which a worker would have buried the same bytes.
"""

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

from shared.domain.customer import Model, SourceKey
from shared.domain.errors import PatronError
from shared.domain.messages import Envelope
from shared.messaging.broker import Delivery, WireMessage
from shared.messaging.codec import decode, is_ours
from shared.messaging.deaths import Death, as_it_was_sent, last_death
from shared.messaging.salvage import legible, salvage
from shared.observability.evidence import evidence
from shared.persistence.dead_letter_intake import Find
from shared.persistence.dead_letters import BY_BROKER, DeadLetter
from shared.runtime.failures import stand_in_id

DELIVERY_LIMIT: Final = "delivery_limit"
_REJECTED: Final = "rejected"
_REASONS: Final[Mapping[str, str]] = {
    DELIVERY_LIMIT: DELIVERY_LIMIT,
    _REJECTED: "broker_rejected",
    "expired": "broker_expired",
    "maxlen": "broker_maxlen",
}
UNKNOWN: Final = "broker_unknown"
REASONS: Final = frozenset({*_REASONS.values(), UNKNOWN})
"""The reasons of letters that the broker gave up."""


class Reader:
    """Reads what lies in one worker's dead queue."""

    def __init__(
        self, worker: str, *, platforms: Mapping[str, str], config_version: str | None
    ) -> None:
        self._worker = worker
        self._platforms = platforms
        self._config_version = config_version

    def read(self, delivery: Delivery) -> Find:
        """Return what was found."""
        message, death = as_it_was_sent(delivery.message), last_death(delivery.message)
        try:
            envelope = decode(message)
        except PatronError as error:
            return self._unreadable(message, death, error)
        return self._readable(message, death, envelope)

    def _readable(
        self, message: WireMessage, death: Death | None, envelope: Envelope[Model]
    ) -> Find:
        ids = [envelope.message_id]
        if message.message_id is None:
            ids.append(stand_in_id(message))
        letter = DeadLetter(
            **self._given_up(message, death),
            message_id=envelope.message_id,
            routing_key=legible(message.routing_key),
            type=envelope.type,
            schema_version=envelope.schema_version,
            correlation_id=envelope.correlation_id,
            causation_id=envelope.causation_id,
            occurred_at=envelope.occurred_at,
            channel=envelope.channel,
            subject=envelope.subject,
            traceparent=envelope.traceparent,
            reply_to=envelope.reply_to,
            reply_id=envelope.reply_id,
            platform=self._platforms.get(envelope.channel),
            error=_said(death),
        )
        account = SourceKey(envelope.channel, envelope.subject)
        return _find(letter, ids, death, is_readable=True, account=account)

    def _unreadable(self, message: WireMessage, death: Death | None, error: PatronError) -> Find:
        facts, envelope = evidence(error), salvage(message)
        id_ = message.message_id or stand_in_id(message)
        letter = DeadLetter(
            **self._given_up(message, death),
            **asdict(envelope),
            message_id=id_,
            platform=self._platforms.get(envelope.channel or ""),
            error_class=facts.error_class,
            error=f"{_said(death)}; {error.reason}: {facts.text}",
            frame=facts.frame,
        )
        is_filed = envelope.channel and envelope.subject
        account = SourceKey(envelope.channel or "", envelope.subject or "") if is_filed else None
        return _find(letter, [id_], death, is_readable=False, account=account)

    def _given_up(self, message: WireMessage, death: Death | None) -> dict[str, Any]:
        return {
            "worker": self._worker,
            "queue": legible(death.queue) if death else f"patron.{self._worker}",
            "reason": _REASONS.get(death.reason, UNKNOWN) if death else UNKNOWN,
            "body": message.body,
            "is_ours": is_ours(message),
            "config_version": self._config_version,
            "origin": BY_BROKER,
            "broker_reason": legible(death.reason) if death else None,
        }


def _find(
    letter: DeadLetter,
    ids: list[Any],
    death: Death | None,
    *,
    is_readable: bool,
    account: SourceKey | None,
) -> Find:
    return Find(
        letter,
        tuple(ids),
        is_readable=is_readable,
        is_rejected=death is not None and death.reason == _REJECTED,
        died_at=death.died_at if death else None,
        account=account,
    )


def _said(death: Death | None) -> str:
    """Say what the broker did."""
    if death is None:
        return "found in the dead queue without a note of the broker"
    return f"the broker took it out of {legible(death.queue)}: {legible(death.reason)}"
