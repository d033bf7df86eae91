"""What every command starts from: the configuration, and the database opened for a moment."""

import getpass
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import sqlalchemy as sa
import typer

from services.console.cli.failures import EXIT_TEMPORARY, EXIT_USAGE, Refused
from services.console.redacted import redacted_url
from shared.config.sources import Given, read
from shared.domain.errors import ConfigurationError
from shared.persistence import migrate
from shared.persistence.engine import create_engine, reading
from shared.persistence.failures import DatabaseUnavailable, translated
from shared.persistence.unit_of_work import UnitOfWork, UnitsOfWork
from shared.runtime.installation import Installation, configuration_path, load_installation


@dataclass(frozen=True)
class Invocation:
    """One call of the command line."""

    path: Path | None
    environment: Mapping[str, str]

    @cached_property
    def installation(self) -> Installation:
        """The configuration. Raises `ConfigurationInvalid` with every problem."""
        return self.load()

    def load(self) -> Installation:
        """Read the configuration as it is now. Raises `ConfigurationInvalid`."""
        return load_installation(self.path, self.environment)

    @cached_property
    def given(self) -> Given:
        """What file and environment say, before anything is made of it."""
        return read(self.path, self.environment)

    @property
    def origin(self) -> str:
        """Where the configuration comes from, in words."""
        return str(self.path) if self.path else "defaults and environment (there is no patron.toml)"

    @property
    def database_url(self) -> str:
        """The URL of the database, secrets included."""
        return self.installation.settings.database.url.get_secret_value()

    @property
    def broker_url(self) -> str:
        """The URL of the broker, secrets included."""
        return self.installation.settings.broker.url.get_secret_value()

    def with_environment(self, **changes: str | None) -> "Invocation":
        """Return this call with flags laid over the environment; None leaves it as it is."""
        said = {name: value for name, value in changes.items() if value is not None}
        return Invocation(self.path, {**self.environment, **said})

    @contextmanager
    def opened(self) -> Iterator[UnitsOfWork]:
        """Give the database, migrated to what this version expects."""
        with self.engine() as engine:
            current, expected = migrate.current(reading(engine)), migrate.expected()
            if current != expected:
                raise Refused(
                    f"the database is at revision {current or 'none'}; needed is {expected}",
                    "Run `patron db upgrade`.",
                    exit_code=EXIT_USAGE,
                )
            yield UnitsOfWork(engine)

    @contextmanager
    def reading(self) -> Iterator[UnitOfWork]:
        """Give a transaction that only reads."""
        with self.opened() as units, units.read() as work:
            yield work

    @contextmanager
    def engine(self) -> Iterator[sa.Engine]:
        """Give the database as it is, for as long as the block lasts."""
        address = _address(self.database_url)
        _refuse_missing_file(address)
        engine = create_engine(self.database_url, application_name="patron-cli", pool_size=1)
        try:
            with translated():
                yield engine
        except DatabaseUnavailable as error:
            where = redacted_url(self.database_url)
            text = f"the database {where} cannot be used now ({error})"
            raise Refused(text, "Try again in a while.", exit_code=EXIT_TEMPORARY) from None
        finally:
            engine.dispose()


def invocation(context: typer.Context) -> Invocation:
    """Return what the root command has put together."""
    found = context.find_object(Invocation)
    if found is None:
        raise LookupError("the root command has not run")
    return found


def from_process(path: Path | None) -> Invocation:
    """Return the call of this process; `path` is what `--config` says."""
    return Invocation(configuration_path(path, os.environ), dict(os.environ))


def operator() -> str:
    """Return who is at the keyboard, for the audit log."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return f"uid {os.getuid()}"


def _address(url: str) -> sa.URL:
    try:
        return sa.make_url(url)
    except sa.exc.ArgumentError:
        raise ConfigurationError("database.url: cannot be read as a URL") from None


def _refuse_missing_file(address: sa.URL) -> None:
    """Say so instead of creating an empty database in passing."""
    if address.get_backend_name() != "sqlite" or address.database in {None, "", ":memory:"}:
        return
    if not Path(str(address.database)).exists():
        raise Refused(
            f"there is no database yet at {address.database}",
            "`patron up` creates it, and so does `patron db upgrade`.",
        )
