"""Databases with and without a person in them."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from shared.persistence.engine import create_engine
from shared.persistence.tombstones import Tombstones
from shared.persistence.unit_of_work import UnitsOfWork
from tests.integration.importer.station import Station
from tests.integration.persistence.builders import SettableClock


@pytest.fixture
def clock() -> SettableClock:
    """Give the clock that the units of work go by."""
    return SettableClock()


@pytest.fixture
def engine(any_migrated_url: str) -> Iterator[sa.Engine]:
    """Give an engine on each dialect in turn, with all tables."""
    engine = create_engine(any_migrated_url)
    yield engine
    engine.dispose()


@pytest.fixture
def units(engine: sa.Engine, clock: SettableClock) -> UnitsOfWork:
    """Give units of work on each dialect in turn."""
    return UnitsOfWork(engine, clock)


@pytest.fixture
def station(engine: sa.Engine, clock: SettableClock) -> Station:
    """Give an importer on each dialect in turn."""
    return Station(engine, clock)


@pytest.fixture
def tombstones() -> Tombstones:
    """Give tombstones with a key."""
    return Tombstones(SecretStr("0123456789abcdef"))
