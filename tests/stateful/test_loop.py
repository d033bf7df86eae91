"""The whole loop against the shop itself: the end is the same, and our own writes are no news."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis.stateful import run_state_machine_as_test

from shared.persistence.engine import create_engine
from shared.persistence.tables import metadata
from tests.stateful.loop_machine import LoopMachine
from tests.stateful.profiles import BRIEF, emptied


@pytest.fixture
def machine() -> Iterator[type[LoopMachine]]:
    """Give machines on a database in memory."""
    engine = create_engine("sqlite://")
    metadata.create_all(engine)

    class Machine(LoopMachine):
        open_engine = staticmethod(lambda: emptied(engine))

    with ThreadPoolExecutor(4) as Machine.threads:
        yield Machine
    engine.dispose()


def test_however_the_turns_are_taken_shop_and_directory_agree(
    machine: type[LoopMachine],
) -> None:
    """C365-20, NEW-8, ASK-1, ASK-2: edits, polls, sweeps and writes interleaved; then silence."""
    run_state_machine_as_test(machine, settings=BRIEF)
