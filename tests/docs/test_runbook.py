"""The runbook: every reason has its entry, and its procedures do what they say."""

import ast
import pkgutil
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from importlib import import_module
from typing import Final, get_args, get_type_hints

import pytest

import services
import shared
from services.console.keeper import reading
from shared.domain.decisions import Hold, Ignore, Stage
from shared.domain.errors import PatronError
from shared.domain.messages import ImportRequested, Parcel, parcel
from shared.messaging import broker
from shared.persistence import import_requests
from shared.persistence.engine import create_engine
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from shared.runtime.recoverability import BUG, POISON
from tests.docs.pages import DOCS, ROOT, block, headings

PAGE: Final = DOCS / "runbook.md"
_REASON: Final = re.compile(r"`([a-z_]+)`")
_BY_NAME: Final = {"reason", "last_reason"}


def reasons_described() -> list[str]:
    """Return the reasons that have a heading."""
    return [found[1] for title in headings(PAGE) if (found := _REASON.fullmatch(title))]


def reasons_in_code() -> set[str]:
    """Return every reason that the code can give."""
    decided = {
        reason
        for decision in (Ignore, Hold, Stage)
        for reason in get_args(get_type_hints(decision)["reason"])
    }
    refused = {broker.UNROUTABLE, broker.NACKED, broker.CONFIRM_TIMEOUT, broker.CONNECTION_LOST}
    asked = {*import_requests.REASONS, broker.FORBIDDEN}
    return {
        *_of_errors(),
        *decided,
        *refused,
        *asked,
        *_literals(),
        *reading.REASONS,
        "not_sent",
        BUG,
        POISON,
    }


def _of_errors() -> set[str]:
    for package in (shared, services):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if not re.search(r"sandbox|migrations|__main__", module.name):
                import_module(module.name)
    return {kind.reason for kind in _family(PatronError)}


def _family(kind: type[PatronError]) -> Iterator[type[PatronError]]:
    yield kind
    for child in kind.__subclasses__():
        yield from _family(child)


def _literals() -> set[str]:
    """Return the reasons that are written out where they are given, beside any error."""
    folders = (ROOT / "shared/runtime", ROOT / "services/processor")
    modules = [path for folder in folders for path in folder.glob("*.py")]
    modules.append(ROOT / "shared/persistence/staging_desk.py")
    nodes = [node for path in modules for node in ast.walk(ast.parse(path.read_text("utf-8")))]
    return {
        value.value
        for node in nodes
        for value in _given(node)
        if isinstance(value, ast.Constant) and isinstance(value.value, str)
    }


def _given(node: ast.AST) -> Iterator[ast.expr]:
    match node:
        case ast.keyword(arg=name, value=value) if name in _BY_NAME:
            yield value
        case ast.Dict(keys=keys, values=values):
            for key, value in zip(keys, values, strict=True):
                if isinstance(key, ast.Constant) and key.value in _BY_NAME:
                    yield value
        case ast.Call(func=ast.Attribute(attr="_discard"), args=[_, reason]):
            yield reason


def test_every_reason_has_one_entry() -> None:
    """An operator who meets a reason finds it; no entry is about one that is gone."""
    described = reasons_described()

    assert len(described) == len(set(described))
    assert set(described) == reasons_in_code()


@pytest.fixture
def units(migrated_database_url: str) -> Iterator[UnitsOfWork]:
    """Give units of work on a database of the test's own."""
    engine = create_engine(migrated_database_url)
    yield UnitsOfWork(engine)
    engine.dispose()


def carry_out(procedure: str, work: UnitOfWork, **names: str) -> None:
    """Run a procedure of the page as psql would, within the transaction of `work`."""
    sql = block(PAGE, f"sql {procedure}")
    for name, value in names.items():
        assert "'" not in value
        sql = sql.replace(f":'{name}'", f"'{value}'")
    assert not re.search(r":'\w+'", sql)
    lines = (line for line in sql.splitlines() if not line.startswith(("--", "BEGIN", "COMMIT")))
    for statement in "\n".join(lines).split(";"):
        if statement.strip():
            work.connection.exec_driver_sql(statement)


def a_parcel() -> Parcel:
    """Return some message."""
    at = datetime(2026, 11, 1, tzinfo=UTC)
    return parcel(ImportRequested(channel="shop"), channel="shop", subject="shop", at=at)
