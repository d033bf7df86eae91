"""Desks on both dialects, and on PostgreSQL for what only it can show."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa

from shared.persistence.engine import create_engine
from shared.persistence.unit_of_work import UnitsOfWork
from tests.integration.persistence.builders import SettableClock
from tests.integration.processor.desk import Desk


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
def desk(engine: sa.Engine, clock: SettableClock) -> Desk:
    """Give a desk on each dialect in turn."""
    return Desk(engine, UnitsOfWork(engine, clock))


@pytest.fixture
def postgresql_desk(migrated_database_url: str) -> Iterator[Desk]:
    """Give a desk on PostgreSQL, for several processors at once; nobody gives up waiting."""
    session = {"lock_timeout": "60s"}
    engine = create_engine(migrated_database_url, pool_size=10, session=session)
    yield Desk(engine, UnitsOfWork(engine))
    engine.dispose()
