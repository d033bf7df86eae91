"""What the gauges of the state of things show, looked up in a real database."""

from collections.abc import Iterator
from datetime import timedelta

import pytest
import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from shared.observability.metrics import create_metrics
from shared.persistence import number_series, pauses
from shared.persistence.cursors import Cursors
from shared.persistence.engine import create_engine
from shared.persistence.tables import cursors, messages
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.state_gauges import StateGauges
from tests.integration.runtime.rig import a_parcel


@pytest.fixture
def engine(any_migrated_url: str) -> Iterator[sa.Engine]:
    """Give a migrated database of each kind."""
    engine = create_engine(any_migrated_url)
    yield engine
    engine.dispose()


class Wall:
    """The gauges over one database."""

    def __init__(self, engine: sa.Engine, **capacities: int) -> None:
        self.units = UnitsOfWork(engine)
        self._registry = CollectorRegistry()
        self._gauges = StateGauges(create_metrics(self._registry, version="test"), capacities)

    def look(self) -> None:
        """Measure once."""
        with self.units.read() as work:
            self._gauges.measure(work)

    def shows(self, name: str, **labels: str) -> float | None:
        """Return what a gauge shows."""
        return self._registry.get_sample_value(f"patron_{name}", labels)


def test_what_is_owed_is_shown_by_road(engine: sa.Engine) -> None:
    """How many messages and since when, wherever they are; a road that empties goes to nothing."""
    wall = Wall(engine)
    with wall.units.begin() as work:
        work.store.add([a_parcel("1"), a_parcel("2")])
        hour_ago = work.now - timedelta(hours=1)
        work.connection.execute(sa.update(messages).values(created_at=hour_ago))

    wall.look()
    before = wall.shows("messages_owed", routing_key="customer.deleted")
    age = wall.shows("message_owed_oldest_seconds", routing_key="customer.deleted")
    with wall.units.begin() as work:
        work.connection.execute(sa.delete(messages))
    wall.look()

    assert (before, age is not None and age >= 3600) == (2, True)
    assert wall.shows("messages_owed", routing_key="customer.deleted") == 0
    assert wall.shows("message_owed_oldest_seconds", routing_key="customer.deleted") == 0


def test_the_breaker_is_told_from_a_wrong_setup(engine: sa.Engine) -> None:
    """Both pause a channel; only the shop that is away comes back by itself."""
    wall = Wall(engine)
    with wall.units.begin() as work:
        for channel, reason in (("shop", "remote_unavailable"), ("outlet", "access_denied")):
            soon = work.now + timedelta(minutes=1)
            pauses.pause(work, channel, reason=reason, detail="-", retry_at=soon)

    wall.look()

    shown = {
        channel: (
            wall.shows("channel_paused", channel=channel),
            wall.shows("breaker_open", channel=channel),
        )
        for channel in ("shop", "outlet")
    }
    assert shown == {"shop": (1, 1), "outlet": (1, None)}


def test_the_age_of_a_store_view_begins_when_it_is_switched_on(engine: sa.Engine) -> None:
    """NEW-14: a view that was never read to its end grows old as well; one that is off does not."""
    wall = Wall(engine)
    with wall.units.begin() as work:
        Cursors(work).ensure([("shop", "de"), ("shop", "fr"), ("shop", "off")])
        ages = {"de": (3, 1), "fr": (2, None), "off": (None, None)}
        for view, (enabled, read) in ages.items():
            moments = {
                "enabled_at": work.now - timedelta(hours=enabled) if enabled else None,
                "last_success_at": work.now - timedelta(hours=read) if read else None,
            }
            where = cursors.c.store_view == view
            work.connection.execute(sa.update(cursors).where(where).values(**moments))

    wall.look()

    hours = {
        view: round(
            (wall.shows("import_cursor_age_seconds", channel="shop", store_view=view) or 0) / 3600
        )
        for view in ages
    }
    assert hours == {"de": 1, "fr": 2, "off": 0}


def test_a_number_series_shows_what_is_left_of_its_width(engine: sa.Engine) -> None:
    """Of three digits 1000 numbers; drawn ones are gone, and outgrown it shows none."""
    wall = Wall(engine, people=1000, firms=1000, unused=10)
    with wall.units.begin() as work:
        number_series.draw(work.connection, {"people": (40, 1), "firms": (1, 1005)})

    wall.look()

    left = {
        name: wall.shows("number_series_left", series=name)
        for name in ("people", "firms", "unused")
    }
    assert left == {"people": 959, "firms": 0, "unused": 10}
