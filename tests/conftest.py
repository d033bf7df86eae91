"""Fixtures for every suite: real brokers and databases, fresh ones for each test.

RabbitMQ and PostgreSQL are started for the run when a test first asks for them, shared by
all its processes, and gone when it ends; `tests.services` says from where. A test that
kills a server asks for a `private_...` one.
"""

import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path

import httpx2
import pytest
from hypothesis import HealthCheck, settings

from tests.services import (
    Databases,
    PostgresCluster,
    RabbitManagement,
    RabbitNode,
    ServiceUnavailable,
    shared,
)
from tests.services.addresses import AMQP, DATABASE, MANAGEMENT, Addresses

_BOTH_DIALECTS = ["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)]
_AMQP_FIXTURES = {"amqp_url", "amqp_vhost", "rabbit_management", "private_rabbit"}
_POSTGRES_FIXTURES = {"databases", "private_postgres"}

# The suite says the same of the same code, however busy the machine; CONTRIBUTING.md has the other.
_REPEATABLE = settings(
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.register_profile("repeatable", _REPEATABLE)
settings.register_profile("explore", _REPEATABLE, derandomize=False, max_examples=2000)
settings.load_profile("repeatable")


def pytest_configure(config: pytest.Config) -> None:
    """Begin a run in its main process; xdist's workers join it."""
    if not hasattr(config, "workerinput"):
        _keep_bytecode()
        shared.begin_run()


def pytest_unconfigure(config: pytest.Config) -> None:
    """End the run's services when its main process is done, workers included."""
    if not hasattr(config, "workerinput"):
        shared.end_run()


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by the services they ask for, so that `-m 'not amqp'` means it."""
    for item in items:
        fixtures = set(getattr(item, "fixturenames", ()))
        if fixtures & _AMQP_FIXTURES:
            item.add_marker("amqp")
        if fixtures & _POSTGRES_FIXTURES:
            item.add_marker("postgres")


@pytest.fixture(scope="session")
def rabbit_management() -> RabbitManagement:
    """Give the shared broker's management: virtual hosts, users, permissions, policies."""
    addresses = _addresses_of("rabbitmq")
    management = RabbitManagement(addresses[AMQP], addresses.get(MANAGEMENT))
    try:
        management.ping()
    except httpx2.HTTPError as error:
        message = f"{error!r}: name the broker's management API in {MANAGEMENT}"
        raise pytest.fail.Exception(message, pytrace=False) from None
    return management


@pytest.fixture(scope="session")
def amqp_url(rabbit_management: RabbitManagement) -> str:
    """Give the shared broker's default virtual host, as administrator; leave nothing in it."""
    return rabbit_management.url()


@pytest.fixture
def amqp_vhost(rabbit_management: RabbitManagement) -> Iterator[str]:
    """Give the AMQP URL of a virtual host of the test's own, deleted afterwards."""
    with rabbit_management.temporary_vhost() as url:
        yield url


@pytest.fixture(scope="session")
def databases() -> Iterator[Databases]:
    """Give what creates databases on the shared PostgreSQL."""
    databases = Databases(_addresses_of("postgres")[DATABASE])
    yield databases
    databases.settle()


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """Give the URL of an empty PostgreSQL database of the test's own, dropped afterwards."""
    with databases.temporary() as url:
        yield url


@pytest.fixture
def sqlite_url(tmp_path: Path) -> str:
    """Give the URL of an SQLite database of the test's own; the file does not exist yet."""
    return _sqlite(tmp_path / "patron.db")


@pytest.fixture(params=_BOTH_DIALECTS)
def any_database_url(request: pytest.FixtureRequest) -> str:
    """Give each of `sqlite_url` and `database_url` in turn."""
    name = {"sqlite": "sqlite_url", "postgresql": "database_url"}[request.param]
    return str(request.getfixturevalue(name))


@pytest.fixture(scope="session")
def postgres_template(databases: Databases) -> Iterator[str]:
    """Give the URL of a PostgreSQL database at the newest revision, to be copied only."""
    with databases.temporary() as url:
        _upgrade(url)
        databases.let_be_copied(url)
        yield url


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an SQLite file at the newest revision, to be copied only."""
    path = tmp_path_factory.mktemp("template") / "patron.db"
    _upgrade(_sqlite(path))
    return path


@pytest.fixture
def migrated_database_url(databases: Databases, postgres_template: str) -> Iterator[str]:
    """Give the URL of a PostgreSQL database of the test's own with all our tables, empty."""
    with databases.temporary(template=postgres_template) as url:
        yield url


@pytest.fixture
def migrated_sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """Give the URL of an SQLite database of the test's own with all our tables, empty."""
    return _sqlite(Path(shutil.copy(sqlite_template, tmp_path / "patron.db")))


@pytest.fixture(params=_BOTH_DIALECTS)
def any_migrated_url(request: pytest.FixtureRequest) -> str:
    """Give each of `migrated_sqlite_url` and `migrated_database_url` in turn."""
    name = {"sqlite": "migrated_sqlite_url", "postgresql": "migrated_database_url"}[request.param]
    return str(request.getfixturevalue(name))


@pytest.fixture
def private_rabbit() -> Iterator[RabbitNode]:
    """Give a RabbitMQ node of the test's own, to be killed at will; it starts in seven seconds."""
    with _or_fail(), RabbitNode() as node:
        yield node


@pytest.fixture
def private_postgres() -> Iterator[PostgresCluster]:
    """Give a PostgreSQL cluster of the test's own, durable, to be killed at will."""
    with _or_fail(), PostgresCluster() as cluster:
        yield cluster


def _keep_bytecode() -> None:
    """Have modules compiled once, and not by every process of the run anew.

    Some machines forbid it by default. A run starts hundreds of workers and commands, each of
    which would compile all of our modules; and xdist's workers every test.
    """
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False


def _addresses_of(service: str) -> Addresses:
    with _or_fail():
        return shared.addresses_of(service)


@contextmanager
def _or_fail() -> Iterator[None]:
    """Fail, never skip, when a service is not to be had, and say what to do."""
    try:
        yield
    except ServiceUnavailable as error:
        raise pytest.fail.Exception(str(error), pytrace=False) from None


def _upgrade(url: str) -> None:
    """Bring a database to the newest revision; imported late, for tests without databases."""
    import_module("shared.persistence.migrate").upgrade(url)


def _sqlite(path: Path) -> str:
    return f"sqlite:///{path}"
