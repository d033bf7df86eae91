"""Exporters at a shop, on both dialects."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
import sqlalchemy as sa

from shared.persistence.engine import create_engine
from tests.integration.exporter.outpost import FIELDS, Outpost, Watched
from tests.integration.importer.shops import connected, running_shop
from tests.integration.importer.station import Station
from tests.integration.persistence.builders import SettableClock


@pytest.fixture
def engine(any_migrated_url: str) -> Iterator[sa.Engine]:
    """Give an engine on each dialect in turn, with all tables."""
    engine = create_engine(any_migrated_url)
    yield engine
    engine.dispose()


@pytest.fixture
def outpost(engine: sa.Engine) -> Iterator[Outpost]:
    """Give an outpost on each dialect in turn."""
    yield from _outpost(engine)


@pytest.fixture
def sqlite_outpost(migrated_sqlite_url: str) -> Iterator[Outpost]:
    """Give an outpost on SQLite, for what no database has a say in."""
    engine = create_engine(migrated_sqlite_url)
    yield from _outpost(engine)
    engine.dispose()


def _outpost(engine: sa.Engine) -> Iterator[Outpost]:
    transport = Watched()
    with (
        running_shop() as shop,
        connected(shop, *FIELDS, transport=transport) as connector,
        ThreadPoolExecutor(4) as threads,
    ):
        yield Outpost(Station(engine, SettableClock()), shop, connector, transport, threads)
