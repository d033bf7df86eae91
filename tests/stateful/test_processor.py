"""The processor against its model: nothing older is applied, nobody is there twice."""

from collections.abc import Iterator

import pytest
import sqlalchemy as sa
from hypothesis.stateful import run_state_machine_as_test

from shared.persistence.engine import create_engine
from shared.persistence.tables import metadata
from tests.stateful.machine import ProcessorMachine
from tests.stateful.profiles import BRIEF, THOROUGH, emptied


@pytest.fixture
def in_memory() -> Iterator[type[ProcessorMachine]]:
    """Give machines on a database in memory."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)
    yield _on(engine)
    engine.dispose()


@pytest.fixture
def on_postgresql(migrated_database_url: str) -> Iterator[type[ProcessorMachine]]:
    """Give machines on a database of the server."""
    engine = create_engine(migrated_database_url)
    yield _on(engine)
    engine.dispose()


def _on(engine: sa.Engine) -> type[ProcessorMachine]:
    class Machine(ProcessorMachine):
        open_engine = staticmethod(lambda: emptied(engine))

    return Machine


def test_any_order_of_news_leads_to_the_newest_state(in_memory: type[ProcessorMachine]) -> None:
    """NEW-8, ASK-1, ASK-5: shuffled, doubled, replayed and after crashes, in memory."""
    run_state_machine_as_test(in_memory, settings=THOROUGH)


def test_any_order_of_news_leads_to_the_newest_state_on_postgresql(
    on_postgresql: type[ProcessorMachine],
) -> None:
    """NEW-8, ASK-5: the same, less of it, where installations keep their state."""
    run_state_machine_as_test(on_postgresql, settings=BRIEF)
