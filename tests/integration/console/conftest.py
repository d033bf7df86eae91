"""The command line on a database that a real processor has filled."""

import os
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa

from services.processor.__main__ import build
from services.processor.worker import process_batch
from shared.domain.customer import Customer
from shared.domain.policy import Policy
from shared.persistence.engine import create_engine
from shared.persistence.unit_of_work import UnitsOfWork
from shared.runtime.foundation import open_foundation
from shared.runtime.installation import configuration_path, load_installation
from shared.runtime.lifecycle import Worker
from tests.builders import a_policy, imported
from tests.unit.config.builders import a_file
from tests.unit.console.runner import Patron, a_patron

DRAIN_SECONDS = 30.0


@pytest.fixture
def patron(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> Iterator[Patron]:
    """Give the command line in a directory with a configuration of one shop."""
    a_file(tmp_path)
    with a_patron(tmp_path, capsys, monkeypatch) as patron:
        yield patron


class Desk:
    """A database as it is during operation, and the command line that looks at it."""

    def __init__(self, patron: Patron, engine: sa.Engine) -> None:
        self.patron = patron
        self.units = UnitsOfWork(engine)

    def process(self, *customers: Customer, policy: Policy | None = None) -> None:
        """Have the processor decide about imported customers."""
        with self.units.begin() as work:
            messages = [imported(customer) for customer in customers]
            process_batch(messages, work, policy or a_policy())

    def rows(self, table: sa.Table) -> Sequence[sa.Row[Any]]:
        """Return a table, in the order of its primary key."""
        query = sa.select(table).order_by(*table.primary_key.columns)
        with self.units.read() as work:
            return work.connection.execute(query).all()

    @contextmanager
    def processor_running(self) -> Iterator[None]:
        """Run a processor beside the command line, as configured; it must not die."""
        path = configuration_path(None, os.environ)
        foundation = open_foundation(load_installation(path, os.environ), "processor")
        deaths: list[BaseException] = []
        workers = [
            build(foundation).worker,
            Worker("outbox", [], background=[foundation.outbox]),
        ]
        for worker in workers:
            worker.start(lambda _, error: deaths.append(error))
        try:
            yield
        finally:
            for worker in workers:
                worker.stop_intake()
            ended = [worker.wait(time.monotonic() + DRAIN_SECONDS) for worker in workers]
            for close in foundation.closers():
                close()
        assert deaths == []
        assert all(ended)


@pytest.fixture
def desk(patron: Patron, any_migrated_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """Give a desk on each kind of database."""
    monkeypatch.setenv("DATABASE_URL", any_migrated_url)
    engine = create_engine(any_migrated_url)
    yield Desk(patron, engine)
    engine.dispose()


@pytest.fixture
def sqlite_desk(
    patron: Patron, migrated_sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Desk]:
    """Give a desk on SQLite."""
    monkeypatch.setenv("DATABASE_URL", migrated_sqlite_url)
    engine = create_engine(migrated_sqlite_url)
    yield Desk(patron, engine)
    engine.dispose()
