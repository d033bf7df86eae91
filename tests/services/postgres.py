"""A PostgreSQL cluster of one's own, and databases for single tests on any server."""

import os
import pwd
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any, LiteralString, Self
from uuid import uuid4

import psycopg
from psycopg import sql
from sqlalchemy import URL, make_url

from tests.services import debian
from tests.services.errors import ServiceUnavailable
from tests.services.guarded import Account, GuardedProcess
from tests.services.ports import free_ports

_START_SECONDS = 60

_SETTINGS = {
    "listen_addresses": "'127.0.0.1'",
    "max_connections": "100",
    "shared_buffers": "'64MB'",
    "timezone": "'UTC'",
    "lc_messages": "'C'",
    # In the data directory, where a killed cluster leaves nothing behind.
    "dynamic_shared_memory_type": "mmap",
}
_FAST = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class Databases:
    """Creates and drops databases on the server of `admin_url`, whose user may do so."""

    def __init__(self, admin_url: str) -> None:
        self._admin = make_url(admin_url).set(drivername="postgresql+psycopg")
        self._threads = ThreadPoolExecutor(1, "drop-database")
        self._dropping: Future[None] | None = None

    def create(self, *, template: str | None = None) -> str:
        """Create a database, empty or as a copy of the template's, and return its URL."""
        name = f"patron_test_{uuid4().hex[:12]}"
        source: sql.SQL | sql.Identifier = sql.SQL("template0 ENCODING 'UTF8'")
        if template:
            source = sql.Identifier(str(make_url(template).database))
        statement = sql.SQL("CREATE DATABASE {} TEMPLATE {}")
        self._execute(statement.format(sql.Identifier(name), source))
        return _text(self._admin.set(database=name))

    def drop(self, url: str) -> None:
        """Drop a database, whoever is still connected to it."""
        name = sql.Identifier(str(make_url(url).database))
        self._execute(sql.SQL("DROP DATABASE IF EXISTS {} WITH (FORCE)").format(name))

    def dump(self, url: str, file: Path) -> None:
        """Write a backup of a database in PostgreSQL's custom format, as operators do."""
        self._run("pg_dump", "--format=custom", f"--file={file}", f"--dbname={_plain(url)}")

    def restore(self, file: Path, url: str) -> None:
        """Read a backup into an empty database."""
        self._run(
            "pg_restore", "--exit-on-error", "--single-transaction", "--no-owner",
            f"--dbname={_plain(url)}", str(file),
        )  # fmt: skip

    @staticmethod
    def _run(program: str, *arguments: str) -> None:
        path = debian.postgres_programs() / program
        done = subprocess.run([path, *arguments], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServiceUnavailable(f"{program} failed:\n{done.stderr}")

    def let_be_copied(self, url: str) -> None:
        """Have a migrated database forget where it is: its copies are meant, not restored."""
        with psycopg.connect(_plain(url), autocommit=True, connect_timeout=10) as connection:
            connection.execute("DELETE FROM database_home")

    @contextmanager
    def temporary(self, *, template: str | None = None) -> Iterator[str]:
        """Create a database for one test, yield its URL, and drop it while the next one runs."""
        url = self.create(template=template)
        try:
            yield url
        finally:
            before, self._dropping = self._dropping, self._threads.submit(self.drop, url)
            if before:
                before.result()

    def settle(self) -> None:
        """Wait until what was temporary is gone; raise what stood in the way."""
        if self._dropping:
            self._dropping.result()

    def execute(self, statement: LiteralString) -> list[tuple[Any, ...]]:
        """Run one statement on the maintenance database; return its rows, if it has any."""
        return self._execute(sql.SQL(statement))

    def _execute(self, statement: sql.SQL | sql.Composed) -> list[tuple[Any, ...]]:
        address = _text(self._admin.set(drivername="postgresql"))
        with psycopg.connect(address, autocommit=True, connect_timeout=10) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else []


class PostgresCluster:
    """A private cluster; it keeps its data across `stop`, `kill` and `start` until `close`.

    Durable as in production unless `durable` is false, which turns `fsync`,
    `synchronous_commit` and `full_page_writes` off: quick, and safe as long as the machine
    itself does not crash. `settings` are further lines of `postgresql.conf`. The cluster
    ends with the process `owner`, by default the one that makes it.
    """

    def __init__(
        self,
        *,
        durable: bool = True,
        settings: Mapping[str, str] | None = None,
        owner: int | None = None,
    ) -> None:
        self._programs = debian.postgres_programs()
        self._owner = owner or os.getpid()
        self._account = _account()
        self.directory = Path(tempfile.mkdtemp(prefix="patron-postgres-"))
        self._data = self.directory / "data"
        self._password = secrets.token_hex(12)
        (self.port,) = free_ports(1)
        self.databases = Databases(self.url())
        self._initialise({**_SETTINGS, **({} if durable else _FAST), **(settings or {})})
        self._process: GuardedProcess | None = None

    def __enter__(self) -> Self:
        """Start the cluster."""
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        """End the cluster and remove what it kept."""
        self.close()

    @property
    def is_running(self) -> bool:
        """Say whether the cluster's main process is up."""
        return self._process is not None and self._process.is_running

    def url(self, database: str = "postgres") -> str:
        """Return the administrator's SQLAlchemy URL of a database."""
        return _text(
            URL.create(
                "postgresql+psycopg", "patron", self._password, "127.0.0.1", self.port, database
            )
        )

    def create_database(self, *, template: str | None = None) -> str:
        """Create a database, empty or as a copy of the one at `template`; return its URL."""
        return self.databases.create(template=template)

    def start(self) -> None:
        """Start the cluster and return when it takes connections; under a second."""
        deadline = time.monotonic() + _START_SECONDS
        while not self._accepts_connections():
            if time.monotonic() > deadline:
                words = self._process.last_words() if self._process else ""
                raise ServiceUnavailable(f"PostgreSQL did not start:\n{words}")
            if not self.is_running:
                # Also after a failed try: backends of a killed cluster, which block its
                # shared memory, take a moment to notice that they are orphans.
                self._process = self._launch()
            time.sleep(0.05)

    def stop(self, *, immediate: bool = False) -> None:
        """Shut the cluster down; `immediate` aborts it, so that it must recover at start."""
        if self._process:
            self._process.stop(signal.SIGQUIT if immediate else signal.SIGINT)

    def kill(self) -> None:
        """End the cluster's main process as `kill -9` does; it can be started again."""
        if self._process:
            self._process.kill()

    def restart(self) -> None:
        """Stop the cluster in good order and start it again."""
        self.stop()
        self.start()

    def close(self) -> None:
        """End the cluster for good and remove its directory."""
        self.stop(immediate=True)
        shutil.rmtree(self.directory, ignore_errors=True)

    def _launch(self) -> GuardedProcess:
        return GuardedProcess(
            [str(self._programs / "postgres"), "-D", str(self._data)],
            directory=self.directory,
            owner=self._owner,
            account=self._account,
            farewell=signal.SIGQUIT,  # lets it give its shared memory back
        )

    def _initialise(self, settings: Mapping[str, str]) -> None:
        password_file = self.directory / "password"
        password_file.write_text(self._password)
        if self._account:
            for path in (self.directory, password_file):
                os.chown(path, self._account.user, self._account.group)
        self._initdb(password_file)
        password_file.unlink()
        lines = {"port": str(self.port), "unix_socket_directories": f"'{self.directory}'"}
        with (self._data / "postgresql.conf").open("a") as configuration:
            for key, value in {**lines, **settings}.items():
                configuration.write(f"{key} = {value}\n")

    def _initdb(self, password_file: Path) -> None:
        command = [str(self._programs / "initdb"), "--pgdata", str(self._data), "--no-sync"]
        command += ["--username", "patron", "--pwfile", str(password_file)]
        command += ["--auth", "scram-sha-256", "--encoding", "UTF8", "--locale", "C.UTF-8"]
        done = subprocess.run(
            command,
            cwd=self.directory,
            capture_output=True,
            text=True,
            check=False,
            user=self._account.user if self._account else None,
            group=self._account.group if self._account else None,
            extra_groups=[] if self._account else None,
        )
        if done.returncode:
            raise ServiceUnavailable(f"initdb failed:\n{done.stdout}{done.stderr}")

    def _accepts_connections(self) -> bool:
        try:
            self.databases.execute("SELECT 1")
        except psycopg.OperationalError:
            return False
        return True


def _account() -> Account | None:
    """Choose whom PostgreSQL runs as: ourselves, unless we are root, whom it refuses."""
    if os.geteuid() != 0:
        return None
    try:
        entry = pwd.getpwnam("postgres")
    except KeyError:
        entry = pwd.getpwnam("nobody")
    return Account(entry.pw_uid, entry.pw_gid)


def _plain(url: str) -> str:
    """Return the URL as PostgreSQL's own programs know it."""
    return _text(make_url(url).set(drivername="postgresql"))


def _text(url: URL) -> str:
    return url.render_as_string(hide_password=False)
