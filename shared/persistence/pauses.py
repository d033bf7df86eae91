"""Channels that wait, because their set-up is wrong, until an operator or time has mended it."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import sqlalchemy as sa

from shared.persistence.tables import channel_pauses, messages
from shared.persistence.unit_of_work import UnitOfWork


@dataclass(frozen=True, slots=True)
class Pause:
    """Why a channel waits, since when, and when it is tried again. No personal data in it."""

    channel: str
    reason: str
    detail: str
    paused_at: datetime
    retry_at: datetime


def pause(work: UnitOfWork, channel: str, *, reason: str, detail: str, retry_at: datetime) -> None:
    """Pause `channel`, or go on pausing it for a newer reason."""
    row = {
        "channel": channel,
        "reason": reason,
        "detail": detail,
        "paused_at": work.now,
        "retry_at": retry_at,
    }
    # `paused_at` stays what it was: the moment from which the channel has waited.
    work.bulk.upsert(
        channel_pauses, [row], key=("channel",), update=("reason", "detail", "retry_at")
    )


def active(work: UnitOfWork) -> dict[str, Pause]:
    """Return all pauses by channel; one whose `retry_at` has passed awaits its trial."""
    rows = work.connection.execute(sa.select(channel_pauses))
    return {row.channel: Pause(**row._mapping) for row in rows}  # noqa: SLF001 - its public name


def lift(work: UnitOfWork, channels: Collection[str]) -> set[str]:
    """End the pauses of `channels`; return those that were paused."""
    over = (
        sa.delete(channel_pauses)
        .where(channel_pauses.c.channel.in_(sorted(channels)))
        .returning(channel_pauses.c.channel)
    )
    return set(work.connection.execute(over).scalars()) if channels else set()


def resume(work: UnitOfWork, channel: str) -> int:
    """End the pause of `channel`, and make due what waits for its shop; return how much that is."""
    lift(work, [channel])
    waiting = (
        sa.update(messages)
        .where(
            messages.c.channel == channel,
            messages.c.published_at.is_(None),
            messages.c.last_reason.in_(_WAITS_FOR_THE_SHOP),
        )
        .values(available_at=work.now)
    )
    return work.connection.execute(waiting).rowcount


_WAITS_FOR_THE_SHOP: Final = (
    "access_denied", "attribute_missing", "configuration",
    "remote_unavailable", "remote_throttled", "unreadable_answer",
)  # fmt: skip
