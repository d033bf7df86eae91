"""When a channel's gate looks for a pause, and what it believes in between."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from shared.domain.errors import TransientError
from shared.persistence import pauses
from shared.persistence.engine import create_engine
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from shared.runtime.pauses import PauseGate


class Watched(UnitsOfWork):
    """Units of work that count how often they are read, and fail as often as told."""

    looks = 0
    failures = 0

    @contextmanager
    def read(self) -> Iterator[UnitOfWork]:
        """Fail, or give the unit; then do what comes in between."""
        self.looks += 1
        if self.failures:
            self.failures -= 1
            raise TransientError("away")
        with super().read() as work:
            yield work
        self.afterwards()

    def afterwards(self) -> None:
        """Nothing comes in between."""


@pytest.fixture
def units(migrated_sqlite_url: str) -> Iterator[Watched]:
    """Give units of work on an empty database."""
    engine = create_engine(migrated_sqlite_url)
    yield Watched(engine)
    engine.dispose()


def a_pause(units: UnitsOfWork) -> None:
    """Pause the channel for a minute."""
    with units.begin() as work:
        soon = work.now + timedelta(minutes=1)
        pauses.pause(work, "shop", reason="configuration", detail="a field", retry_at=soon)


def test_an_answer_holds_for_a_while(units: Watched) -> None:
    """Until the gate is told to look again; a pause then lasts until its moment has come."""
    now = 100.0
    gate = PauseGate("shop", units, look_every_seconds=3600, clock=lambda: now)
    before = gate.closed_for()
    a_pause(units)
    still = gate.closed_for()

    gate.look_again()
    paused = gate.closed_for()
    now += 50
    later = gate.closed_for()
    now += 50

    assert (before, still, units.looks) == (0.0, 0.0, 2)
    assert paused == pytest.approx(60, abs=5)
    assert later == pytest.approx(paused - 50)
    assert gate.closed_for() == 0.0


def test_a_gate_that_could_not_look_looks_again(units: Watched) -> None:
    """What was known before a failure is not taken for an answer."""
    gate = PauseGate("shop", units, look_every_seconds=3600)
    gate.closed_for()
    a_pause(units)
    gate.look_again()
    units.failures = 1

    with pytest.raises(TransientError):
        gate.closed_for()

    assert gate.closed_for() > 0


def test_what_is_told_while_it_looks_is_not_forgotten(
    units: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A pause that comes right after the look is seen at the next question."""
    gate = PauseGate("shop", units, look_every_seconds=3600)

    def pause_once() -> None:
        monkeypatch.undo()
        a_pause(units)
        gate.look_again()

    monkeypatch.setattr(units, "afterwards", pause_once)

    assert gate.closed_for() == 0.0
    assert gate.closed_for() > 0
