"""A shop, a database and workers in this process, for commands that look at both sides."""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import fields
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from prometheus_client import CollectorRegistry

from services.console.demo.configuration import demo_configuration
from services.exporter.effects import ChannelEffects
from services.importer.pages import StoreViewReader, take_page
from services.processor.worker import process_batch
from services.sandbox.magento import SandboxMagento
from shared.connectors.ports import Connector
from shared.domain.messages import Envelope, Parcel
from shared.messaging.codec import decode, to_wire
from shared.observability.metrics import create_metrics
from shared.persistence.engine import create_engine
from shared.persistence.tables import messages, metadata
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.installation import Installation, load_installation
from tests.unit.config.builders import a_file
from tests.unit.console.runner import Answer, Patron

CHANNEL = "shop"
FIELDS = ("erp_template", "erp_payment_terms")


class Floor:
    """The demo's configuration at work on a shop of well-behaved customers."""

    def __init__(
        self, patron: Patron, shop: SandboxMagento, units: UnitsOfWork, place: Path
    ) -> None:
        self.patron = patron
        self.shop = shop
        self.units = units
        self.place = place
        self._path = place / "patron.toml"
        self._threads = ThreadPoolExecutor(4)
        for code in FIELDS:
            shop.control.add_attribute(code)

    @property
    def installation(self) -> Installation:
        """The configuration as it is now."""
        return load_installation(self._path, {})

    def configure(self, *changes: tuple[str, str]) -> None:
        """Change the text of the configuration."""
        text = self._path.read_text(encoding="utf-8")
        for before, after in changes:
            assert before in text
            text = text.replace(before, after)
        a_file(self._path.parent, text)

    def import_all(self, *store_views: str) -> None:
        """Read every customer of the store views (none: of all), and work all of it off."""
        installation = self.installation
        with self._connected(installation) as connector:
            for view in installation.settings.channels[CHANNEL].store_views:
                if not store_views or view.code in store_views:
                    reader = StoreViewReader(CHANNEL, view.code, connector.reading)
                    for page in connector.reading.sweep(view.code, ""):
                        with self.units.begin() as work:
                            take_page(page.records, reader, work, "sweep")
        self.work_off()

    def work_off(self) -> int:
        """Let processor and exporter do all that is owed; return how many messages that were."""
        done, installation = 0, self.installation
        with self._connected(installation) as connector:
            effects = ChannelEffects(
                CHANNEL,
                connector.sink,
                self.units,
                self._threads,
                create_metrics(CollectorRegistry(), version="test"),
            )
            while owed := self.owed():
                done += len(owed)
                assert done < 10_000, "there is always more to do"
                self._handle(owed, effects, installation)
        return done

    def owed(self) -> list[Envelope[Any]]:
        """Return the messages that are not done, the oldest first."""
        names = ["id" if each.name == "message_id" else each.name for each in fields(Parcel)]
        with self.units.read() as work:
            query = sa.select(messages).order_by(messages.c.id)
            rows = work.connection.execute(query).mappings().all()
        return [decode(to_wire(Parcel(*(row[name] for name in names)))) for row in rows]

    def rows(self, table: sa.Table, *order: sa.ColumnElement[Any]) -> Sequence[sa.Row[Any]]:
        """Return a table's rows."""
        with self.units.read() as work:
            return work.connection.execute(sa.select(table).order_by(*order)).all()

    def change(self, statement: sa.Update | sa.Delete) -> None:
        """Change the database behind Patron's back."""
        with self.units.begin() as work:
            work.connection.execute(statement)

    def everything(self) -> dict[str, list[Any]]:
        """Return every row of every table."""
        return {
            name: sorted(map(repr, self.rows(table))) for name, table in metadata.tables.items()
        }

    def close(self) -> None:
        """Let go of the threads."""
        self._threads.shutdown()

    def _handle(
        self, owed: list[Envelope[Any]], effects: ChannelEffects, installation: Installation
    ) -> None:
        exports = [each for each in owed if each.type == "customer.export"]
        others = [each for each in owed if each.type != "customer.export"]
        if others:
            with self.units.begin() as work:
                work.store.claim([each.message_id for each in others])
                process_batch(others, work, installation.policy)
            return
        outcomes = effects.perform(exports, lambda: None)
        assert not [outcome.error for outcome in outcomes if outcome.error]
        with self.units.begin() as work:
            work.store.claim([each.message_id for each in exports])
            effects.record(list(zip(exports, outcomes, strict=True)), work)

    @contextmanager
    def _connected(self, installation: Installation) -> Iterator[Connector]:
        connector = installation.connect(CHANNEL)
        try:
            yield connector
        finally:
            connector.close()


@contextmanager
def a_floor(patron: Patron, place: Path, database_url: str, customers: int) -> Iterator[Floor]:
    """Give a floor; the sandbox itself must not have failed."""
    engine = create_engine(database_url)
    with SandboxMagento(customers=customers, seed=7, awkward=False) as shop:
        a_file(place, demo_configuration(shop.url, place))
        floor = Floor(patron, shop, UnitsOfWork(engine), place)
        yield floor
        floor.close()
        assert not shop.control.bugs()
    engine.dispose()


def in_json(answer: Answer) -> Any:
    """Return what a command that went well has printed as JSON."""
    assert answer.code in {0, 3}, answer.err
    return answer.json
