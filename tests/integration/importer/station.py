"""An importer on a real database, for tests: time is moved by hand, what was sent is read back."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import Any

import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from services.importer.pages import StoreViewReader
from services.importer.schedule import ChannelSchedule
from services.importer.tasks import Tasks
from services.importer.timetable import Every, Timetable
from shared.connectors.ports import CustomerSource
from shared.domain.messages import Envelope, Parcel
from shared.messaging.codec import decode, to_wire
from shared.observability.metrics import create_metrics
from shared.persistence.cursors import Cursor, Cursors
from shared.persistence.tables import messages, source_records
from shared.persistence.unit_of_work import UnitsOfWork
from tests.integration.persistence.builders import SettableClock

CHANNEL = "shop"
POLL_SECONDS, SWEEP_SECONDS = 60.0, 86_400.0
LEASE_SECONDS, OVERLAP_SECONDS = 30.0, 300.0


def no_beat() -> None:
    """Show no sign of life; nobody watches."""


@dataclass
class Station:
    """Schedules of one channel on one database."""

    engine: sa.Engine
    clock: SettableClock
    sent: list[Parcel] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Build what every schedule shares."""
        self.units = UnitsOfWork(self.engine, self.clock)
        self.registry = CollectorRegistry()
        self.metrics = create_metrics(self.registry, version="test")

    def schedule(
        self, source: CustomerSource, *views: str, owner: str = "one", **changes: Any
    ) -> ChannelSchedule:
        """Return a schedule of these store views (`de` unless told otherwise), prepared."""
        tasks: Mapping[str, Any] = changes.pop("tasks", {})
        readers: Mapping[str, Any] = changes.pop("readers", {})
        timetable = changes.pop("timetable", Timetable(Every(POLL_SECONDS), Every(SWEEP_SECONDS)))
        codes, clock = views or ("de",), self.clock
        schedule = ChannelSchedule(
            CHANNEL,
            {code: StoreViewReader(CHANNEL, code, source, **readers) for code in codes},
            dict.fromkeys(codes, timetable),
            Tasks(
                self.units,
                self.sent.extend,
                self.metrics,
                LEASE_SECONDS,
                OVERLAP_SECONDS,
                **tasks,
            ),
            units=self.units,
            metrics=self.metrics,
            owner=owner,
            timer=lambda: clock.now.timestamp(),  # noqa: PLW0108 - the clock is set anew
            **changes,
        )
        schedule.prepare()
        return schedule

    def run_due(self, schedule: ChannelSchedule) -> int:
        """Perform all tasks that are due; return how many there were."""
        performed = 0
        while schedule.run_next(no_beat):
            performed += 1
            assert performed < 100, "there is always more to do"
        return performed

    def poll_again(self, schedule: ChannelSchedule) -> None:
        """Let a poll interval pass, and do what is due then."""
        self.clock.advance(POLL_SECONDS)
        assert self.run_due(schedule)

    def sweep(self, schedule: ChannelSchedule, *views: str) -> None:
        """Make the sweeps of the store views due, and perform them."""
        self.request(*views, sweep=True)
        assert self.run_due(schedule)

    def request(self, *views: str, sweep: bool = False, link_only: bool = False) -> None:
        """Make store views due at once."""
        with self.units.begin() as work:
            for view in views or ("de",):
                Cursors(work).request_now(CHANNEL, view, sweep=sweep, link_only=link_only)

    def cursor(self, view: str = "de") -> Cursor:
        """Return how far a store view is imported."""
        with self.units.read() as work:
            [cursor] = [each for each in Cursors(work).all() if each.store_view == view]
        return cursor

    def messages(self) -> list[Envelope[Any]]:
        """Return everything that was ever sent, in order, as a processor decodes it."""
        names = ["id" if each.name == "message_id" else each.name for each in fields(Parcel)]
        with self.units.read() as work:
            query = sa.select(messages).order_by(messages.c.id)
            rows = work.connection.execute(query).mappings().all()
        return [decode(to_wire(Parcel(*(row[name] for name in names)))) for row in rows]

    def subjects(self, kind: str = "customer.imported") -> list[str]:
        """Return whom messages of a kind were sent about, in order."""
        return [message.subject for message in self.messages() if message.type == kind]

    def new_subjects(self) -> list[str]:
        """Return whom messages were offered about since this was last asked."""
        subjects = [parcel.subject for parcel in self.sent]
        self.sent.clear()
        return subjects

    def seen(self) -> Sequence[sa.Row[Any]]:
        """Return what is remembered of remote records."""
        with self.units.read() as work:
            query = sa.select(source_records).order_by(source_records.c.scan_key)
            return work.connection.execute(query).all()
