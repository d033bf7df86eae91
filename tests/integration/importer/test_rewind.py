"""The last import date set back, over importer and processor: nothing twice, nobody too early."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from services.importer.schedule import ChannelSchedule
from services.importer.timetable import Every, Timetable
from shared.connectors.ports import RemoteRecord
from shared.domain.customer import Customer
from shared.domain.messages import Envelope
from shared.persistence.cursors import Cursors
from tests.builders import NOON, a_policy
from tests.integration.importer.shelf import Shelf, a_record
from tests.integration.importer.station import CHANNEL, POLL_SECONDS, SWEEP_SECONDS, Station
from tests.integration.processor.desk import Desk

START_DATE = NOON - timedelta(days=10)


class Registry(Shelf):
    """A shelf whose customers registered some `days` before noon."""

    def to_customer(self, record: RemoteRecord, store_view: str, read_at: datetime) -> Customer:
        """Translate a record."""
        customer = super().to_customer(record, store_view, read_at)
        registered_at = NOON - timedelta(days=record.payload["days"])
        return customer.model_copy(update={"registered_at": registered_at})


class Pipeline:
    """An importer and a processor, one behind the other."""

    def __init__(
        self, station: Station, shelf: Shelf, *, start_date: datetime | None = None
    ) -> None:
        timetable = Timetable(Every(POLL_SECONDS), Every(SWEEP_SECONDS), start_date=start_date)
        self.schedule: ChannelSchedule = station.schedule(shelf, timetable=timetable)
        self._station = station
        self.desk = Desk(station.engine, station.units, a_policy(start_date=start_date))
        self._taken = len(self._imported())

    def run(self) -> list[str]:
        """Import what is due and process it; return whom messages were sent about."""
        self._station.request("de")
        self._station.run_due(self.schedule)
        new = self._imported()[self._taken :]
        self._taken += len(new)
        if new:
            self.desk.take(*new)
        return [message.subject for message in new]

    def _imported(self) -> list[Envelope[Any]]:
        return [m for m in self._station.messages() if m.type == "customer.imported"]

    def rewind(self, at: datetime | None) -> None:
        """Set the last import date."""
        with self._station.units.begin() as work:
            assert Cursors(work).set_watermark(CHANNEL, "de", at)

    def state(self) -> dict[str, Any]:
        """Return everything that importing again must not add to."""
        return {
            "customers": self.desk.customers(),
            "addresses": self.desk.addresses(),
            "links": self.desk.links(),
            "staging": self.desk.staging(),
            "effects": [e.message_id for e in self.desk.exports() if e.type == "customer.export"],
            "events": self.desk.events(),
        }


@pytest.fixture
def shelf() -> Registry:
    """Give a shelf of three customers who registered long ago, a while ago and lately."""
    shelf = Registry()
    shelf.put(a_record(1, days=300), a_record(2, days=20, minutes=1), a_record(3, days=2))
    return shelf


@pytest.mark.parametrize("at", [None, NOON - timedelta(days=400), NOON])
def test_a_rewind_repeats_no_effects(
    station: Station, shelf: Registry, at: datetime | None
) -> None:
    """Read again, known again: no message, no number, no export, no line of history (C365-2)."""
    pipeline = Pipeline(station, shelf)
    pipeline.run()
    before = pipeline.state()
    shelf.asked.clear()

    pipeline.rewind(at)
    told = pipeline.run()

    assert shelf.asked == ["changes de"]
    assert (told, pipeline.state()) == ([], before)
    assert (len(before["links"]), len(before["effects"])) == (3, 6)


def test_a_rewind_brings_nobody_who_registered_before_the_start_date(
    station: Station, shelf: Registry
) -> None:
    """Unlinked ones stay out, changed or not; updates of a linked older one pass (C365-3)."""
    pipeline = Pipeline(station, shelf)
    old, between = shelf.records["1"], shelf.records.pop("2")
    pipeline.run()
    pipeline.desk.policy = a_policy(start_date=START_DATE)
    shelf.put(between)
    pipeline.run()
    before = pipeline.state()

    pipeline.rewind(None)
    untouched = pipeline.run()
    shelf.change(1, name="Berta", minutes=5)
    shelf.change(2, name="Berta", minutes=5)
    pipeline.rewind(NOON - timedelta(days=400))
    changed = pipeline.run()

    assert old.payload["days"] > between.payload["days"] > 10
    assert (untouched, sorted(changed)) == ([], ["1", "2"])
    assert pipeline.desk.links().keys() == before["links"].keys()
    assert {key.external_id for key in before["links"]} == {"1", "3"}
    names = {row.first_name for row in pipeline.desk.customers()}
    assert names == {"Ann", "Berta"}
    assert pipeline.state()["effects"] == before["effects"]


@pytest.mark.parametrize("earlier", [None, NOON - timedelta(days=100)])
def test_an_earlier_start_date_lets_those_in_who_were_left_out(
    station: Station, shelf: Registry, earlier: datetime | None
) -> None:
    """With the next sweep, and nobody else is read as news (C365-3)."""
    pipeline = Pipeline(station, shelf, start_date=START_DATE)
    pipeline.run()
    before = {key.external_id for key in pipeline.desk.links()}

    again = Pipeline(station, shelf, start_date=earlier)
    station.request(sweep=True)
    told = again.run()

    let_in = {"1", "2"} if earlier is None else {"2"}
    assert before == {"3"}
    assert {"3"} & set(told) == set()
    assert {key.external_id for key in again.desk.links()} == {"3"} | let_in
