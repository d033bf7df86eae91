"""Engines and units of work on databases of the test's own."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from shared.persistence.engine import create_engine
from shared.persistence.unit_of_work import UnitsOfWork
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
def postgresql(migrated_database_url: str) -> Iterator[sa.Engine]:
    """Give an engine on PostgreSQL, with all tables, for tests that hold locks until they see."""
    session = {"lock_timeout": "60s"}
    engine = create_engine(migrated_database_url, pool_size=10, session=session)
    yield engine
    engine.dispose()


@pytest.fixture
def postgresql_units(postgresql: sa.Engine, clock: SettableClock) -> UnitsOfWork:
    """Give units of work on PostgreSQL."""
    return UnitsOfWork(postgresql, clock)
