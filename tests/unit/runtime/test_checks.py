"""What a process is asked about its health, put together."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
import sqlalchemy as sa

from shared.observability.health import Check
from shared.persistence import migrate
from shared.persistence.engine import create_engine
from shared.runtime.checks import checks_for
from shared.runtime.lifecycle import Process


class Part:
    """A consumer or a door that is as well as it is told to be."""

    def __init__(self, trouble: str | None = None) -> None:
        self.trouble = trouble

    def readiness(self) -> str | None:
        """Say what is wrong."""
        return self.trouble


@pytest.fixture
def url(tmp_path: Path) -> str:
    """Give an empty database."""
    return f"sqlite:///{tmp_path / 'patron.db'}"


@pytest.fixture
def engine(url: str) -> Iterator[sa.Engine]:
    """Give a way to it."""
    engine = create_engine(url)
    yield engine
    engine.dispose()


def started() -> Process:
    """Return a process that has begun."""
    process = Process([])
    process.is_started = True
    return process


def problems(checks: Sequence[Check]) -> list[str]:
    """Ask every check."""
    return [problem for check in checks if (problem := check())]


def test_a_worker_is_ready_when_it_consumes(engine: sa.Engine) -> None:
    """Without doors nothing but its work counts."""
    checks = checks_for(started(), engine, consumers=[Part("not consuming patron.processor")])

    assert problems(checks.readiness) == ["not consuming patron.processor"]
    assert problems(checks.remarks) == []


def test_a_door_is_open_though_nothing_is_consumed(engine: sa.Engine) -> None:
    """What comes in is stored: want of the broker is told and turns nobody away."""
    consumer = Part("not consuming patron.importer")

    checks = checks_for(started(), engine, consumers=[consumer], doors=[Part()])

    assert problems(checks.readiness) == []
    assert problems(checks.remarks) == ["not consuming patron.importer"]


def test_a_door_that_does_not_answer_is_not_open(engine: sa.Engine) -> None:
    """Nor is that of a process that is ending."""
    process = started()
    checks = checks_for(process, engine, doors=[Part("the intake does not answer")])
    process.is_draining = True

    assert problems(checks.readiness) == ["draining", "the intake does not answer"]


def test_a_start_is_over_when_the_workers_run_on_the_right_schema(
    engine: sa.Engine, url: str
) -> None:
    """A start-up probe fails until the database is migrated and the loops are started."""
    process = Process([])

    before = problems(checks_for(process, engine).startup)
    migrate.upgrade(url)
    migrated = problems(checks_for(process, engine).startup)
    process.is_started = True
    after = problems(checks_for(process, engine).startup)

    assert before == ["starting", f"database schema None, expected {migrate.expected()}"]
    assert (migrated, after) == (["starting"], [])
