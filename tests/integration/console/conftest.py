"""The command line on a database that a real processor has filled."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import sqlalchemy as sa

from services.processor.worker import process_batch
from shared.domain.customer import Customer
from shared.persistence.engine import create_engine
from shared.persistence.unit_of_work import UnitsOfWork
from tests.builders import a_policy, imported
from tests.unit.config.builders import a_file
from tests.unit.console.runner import Patron, a_patron


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

    def process(self, *customers: Customer) -> None:
        """Have the processor decide about imported customers."""
        with self.units.begin() as work:
            process_batch([imported(customer) for customer in customers], work, a_policy())


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
