"""Importers on both dialects, and a shop that they read."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from services.sandbox.magento import SandboxMagento
from shared.connectors.ports import Connector
from shared.persistence.engine import create_engine
from tests.integration.importer.shops import connected, running_shop
from tests.integration.importer.station import Station
from tests.integration.persistence.builders import SettableClock


@pytest.fixture
def clock() -> SettableClock:
    """Give the clock that the importers go by."""
    return SettableClock()


@pytest.fixture
def engine(any_migrated_url: str) -> Iterator[sa.Engine]:
    """Give an engine on each dialect in turn, with all tables."""
    engine = create_engine(any_migrated_url)
    yield engine
    engine.dispose()


@pytest.fixture
def station(engine: sa.Engine, clock: SettableClock) -> Station:
    """Give a station on each dialect in turn."""
    return Station(engine, clock)


@pytest.fixture
def shop() -> Iterator[SandboxMagento]:
    """Give a Magento shop."""
    with running_shop() as shop:
        yield shop


@pytest.fixture
def connector(shop: SandboxMagento) -> Iterator[Connector]:
    """Give the connector to the shop."""
    with connected(shop) as connector:
        yield connector
