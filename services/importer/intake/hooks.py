"""Webhooks: verified, remembered, and turned into a wish to fetch whom they are about.

A webhook is a hint; what is true is read from the shop (D365-2). Several about one customer within
a moment lead to one fetch. Its promise: once it is answered, a hint is recorded durably, and one
that is told again, or by somebody else than the shop, has no effect.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import Final
from uuid import UUID, uuid5

from pydantic import TypeAdapter, ValidationError

from services.importer.intake.problems import Problem, not_found, unauthorized
from shared.connectors.ports import Notice, NoticeReader
from shared.domain.customer import Identifier
from shared.domain.errors import NoticeRefused, UnreadableRecord
from shared.domain.ids import new_id
from shared.persistence import import_requests, webhook_events
from shared.persistence.import_requests import ImportRequest
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork

# A poll finds a change later in any case; a deletion waits for the next sweep.
_KEPT: Final = timedelta(days=1)
_NAMESPACE: Final = UUID("6b0e5f0c-6f7c-5d0d-9a55-6d2f9c3c1f0a")
_IDS: Final = TypeAdapter(list[Identifier])
_LONGEST_ID: Final = 255


@dataclass(frozen=True, slots=True)
class Hook:
    """How a channel's webhooks are read, and by which keys."""

    read: NoticeReader
    keys: Sequence[str] = field(repr=False)


class Hooks:
    """Takes the webhooks of all channels in; threads may share it."""

    def __init__(
        self,
        hooks: Mapping[str, Hook],
        units: UnitsOfWork,
        wake: Callable[[str], None],
        debounce_seconds: float,
        clock: Callable[[], datetime],
    ) -> None:
        self._hooks = hooks
        self._units = units
        self._wake = wake
        self._debounce_seconds = debounce_seconds
        self._clock = clock

    def has(self, channel: str) -> bool:
        """Whether the channel takes webhooks."""
        return channel in self._hooks

    def take(self, channel: str, headers: Mapping[str, str], body: bytes) -> bool:
        """Record a webhook durably; whether it told anything new. Raises `Problem`."""
        hook = self._hooks.get(channel)
        if hook is None:
            raise not_found("no such channel takes webhooks")
        notice = _notice(hook, headers, body, self._clock())
        with self._units.begin() as work:
            is_news = webhook_events.is_news(work, channel, _event_id(notice))
            if is_news:
                import_requests.add(work, self._wishes(channel, notice, work))
        if is_news:
            self._wake(channel)
        return is_news

    def _wishes(self, channel: str, notice: Notice, work: UnitOfWork) -> list[ImportRequest]:
        wanted = dict.fromkeys(notice.external_ids)
        return [self._wish(channel, external_id, work.now) for external_id in wanted]

    def _wish(self, channel: str, external_id: str, now: datetime) -> ImportRequest:
        """Return the wish to fetch a customer: the same one for all hints of a moment.

        It is fetched when the moment is over, so that no hint of it comes after the fetch.
        """
        id_, due_at = new_id(), now
        if moment := self._debounce_seconds:
            number = int(now.timestamp() // moment)
            id_ = uuid5(_NAMESPACE, f"{channel}\0{external_id}\0{moment}\0{number}")
            due_at = datetime.fromtimestamp((number + 1) * moment, UTC)
        return ImportRequest(
            id=id_,
            correlation_id=id_,
            channel=channel,
            external_id=external_id,
            reply_to=None,
            reply_id=None,
            requested_at=now,
            answer_by=now + _KEPT,
            due_at=due_at,
            is_hint=True,
        )


def _notice(hook: Hook, headers: Mapping[str, str], body: bytes, at: datetime) -> Notice:
    try:
        notice = hook.read(headers, body, hook.keys, at)
        _IDS.validate_python(list(notice.external_ids))
    except NoticeRefused:
        raise unauthorized() from None
    except UnreadableRecord as error:
        errors = [(f"/{name}", text) for name, text in error.problems]
        raise Problem(422, "invalid", "this is no webhook of the channel", errors) from None
    except ValidationError:
        raise Problem(422, "invalid", "this names no customer that there could be") from None
    return notice


def _event_id(notice: Notice) -> str:
    """Return what the event is remembered by, whatever the platform writes there."""
    plain = notice.event_id.isprintable() and 0 < len(notice.event_id) <= _LONGEST_ID
    return notice.event_id if plain else sha256(notice.event_id.encode()).hexdigest()
