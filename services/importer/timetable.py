"""When a store view is read, and from where on: intervals or cron expressions (C365-21).

Pure. Its promise: the next time lies after the one it is asked for, whatever the clocks of the
time zone do: a time that is skipped comes right after the gap, one that is repeated comes once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal, Protocol
from zoneinfo import ZoneInfo

from cronsim import CronSim

from shared.config.settings import StoreViewSettings
from shared.persistence.enabled_views import Terms

_NEVER: Final = timedelta(days=36_500)


class Rhythm(Protocol):
    """How often something is done."""

    def first(self, now: datetime) -> datetime:
        """Return when it is done first, if that begins now."""
        ...

    def after(self, now: datetime) -> datetime:
        """Return when it is done next, if it was done now."""
        ...


@dataclass(frozen=True, slots=True)
class Every:
    """At once, and then again and again after this many seconds."""

    seconds: float

    def first(self, now: datetime) -> datetime:
        """Return `now`."""
        return now

    def after(self, now: datetime) -> datetime:
        """Return the end of an interval that begins now."""
        return now + timedelta(seconds=self.seconds)


@dataclass(frozen=True, slots=True)
class Cron:
    """At the times of a cron expression in a time zone.

    Of an hour that is repeated in autumn, both are meant by an expression that begins with `*`:
    every ten minutes stays every ten minutes.
    """

    expression: str
    timezone: str = "UTC"

    def first(self, now: datetime) -> datetime:
        """Return the next time: a new store view waits for its hour, too."""
        return self.after(now)

    def after(self, now: datetime) -> datetime:
        """Return the first of the times that lies after `now`."""
        times = CronSim(self.expression, now.astimezone(ZoneInfo(self.timezone)))
        # In the second of two equal hours the library begins with the times of the first one.
        ahead = (utc for each in times if (utc := each.astimezone(UTC)) > now)
        return next(ahead, now + _NEVER)


@dataclass(frozen=True, slots=True)
class Timetable:
    """When a store view is polled and swept, and where it begins when it is first imported."""

    poll: Rhythm
    sweep: Rhythm
    import_from: Literal["beginning", "now"] | datetime = "beginning"
    start_date: datetime | None = None

    def terms(self, now: datetime) -> Terms:
        """Return what this means for a store view that is imported from `now` on."""
        begins = {"beginning": None, "now": now}
        return Terms(
            watermark_at=(
                begins[self.import_from] if isinstance(self.import_from, str) else self.import_from
            ),
            first_poll_at=self.poll.first(now),
            poll_by=self.poll.after(now),
            sweep_by=self.sweep.after(now),
            start_date=self.start_date,
        )


def timetable_of(view: StoreViewSettings, timezone: str) -> Timetable:
    """Return what is configured for a store view; a cron expression goes before an interval."""
    return Timetable(
        _rhythm(view.poll_cron, view.poll_interval_seconds, timezone),
        _rhythm(view.sweep_cron, view.sweep_interval_seconds, timezone),
        view.import_from,
        view.start_date,
    )


def _rhythm(cron: str | None, seconds: float, timezone: str) -> Rhythm:
    return Cron(cron, timezone) if cron else Every(seconds)
