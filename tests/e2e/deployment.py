"""A deployment to test: configuration, broker, database and worker processes, as operators run it.

The workers are `python -m services.<role>` with their own RabbitMQ user that has no `configure`
right, and log JSON to files that a failing test shows.
"""

import os
import secrets
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Final, Self
from urllib.parse import urlsplit, urlunsplit

import sqlalchemy as sa

from services.sandbox.magento.auth import (
    ACCESS_TOKEN,
    ACCESS_TOKEN_SECRET,
    CONSUMER_KEY,
    CONSUMER_SECRET,
)
from services.sandbox.magento.sandbox import SandboxMagento
from services.sandbox.magento.stores import STORE_VIEWS
from shared.messaging.provision import provision
from shared.messaging.topology import topology_for
from shared.persistence.engine import create_engine
from tests.services import RabbitManagement

ROLES: Final = ("importer", "processor", "exporter")
WRITE: Final = r"^(patron\.customers|amq\.default)$"
READ: Final = r"^patron\.(importer|processor|exporter\.(?!dead$).+)$"

CONFIGURATION: Final = """
[health]
importer_port = 0
processor_port = 0
exporter_port = 0
keeper_port = 0

[canary]                # the tests count messages
interval_seconds = 0

[importer]
idle_seconds = 0.1
lease_seconds = 2

[processor]
batch_size = 50

[exporter]
lease_seconds = 2

[recovery]
first_delay_seconds = 0.5

[lifecycle]
grace_seconds = 20

[number_series.debtors]
prefix = "D"
start = 10001

[[templates]]
name = "business"
when = 'kind == "business"'
number_series = "debtors"
values = {{ price_group = "WHOLESALE" }}

[[templates]]
name = "retail"
number_series = "debtors"
values = {{ price_group = "RETAIL" }}

[channels.shop]
platform = "magento"
additional_data = {{ erp_price_group = "values.price_group" }}

[channels.shop.connector]
base_url = "{shop}"
timeouts = {{ total_seconds = 10 }}

[channels.shop.connector.auth]
kind = "oauth1"
consumer_key = "{consumer_key}"
consumer_secret = "{consumer_secret}"
access_token = "{access_token}"
access_token_secret = "{access_token_secret}"
{views}
"""

STORE_VIEW: Final = """
[[channels.shop.store_views]]
code = "{code}"
poll_interval_seconds = {poll}
sweep_interval_seconds = 86400
remote = {{ store_id = {store_id}, website_id = {website_id} }}
"""


class Worker:
    """One worker process."""

    command: ClassVar[tuple[str, ...]] = (sys.executable, "-m")

    def __init__(self, role: str, environment: dict[str, str], log: Path) -> None:
        self.role = role
        self._log = log
        self._log_start = log.stat().st_size if log.exists() else 0
        with log.open("ab") as stream:
            self._process = subprocess.Popen(
                [*self.command, f"services.{role}"],
                env=environment,
                stdout=stream,
                stderr=stream,
            )

    @property
    def pid(self) -> int:
        """The process's id."""
        return self._process.pid

    @property
    def is_running(self) -> bool:
        """Whether the process is there."""
        return self._process.poll() is None

    @property
    def is_at_work(self) -> bool:
        """Whether the process has begun to consume."""
        with self._log.open("rb") as stream:
            stream.seek(self._log_start)
            return self.is_running and b'"consumer.active"' in stream.read()

    def kill(self) -> None:
        """End the process as a power cut would."""
        self._process.kill()
        self._process.wait()

    def freeze(self) -> None:
        """Make the process hang, as a machine without memory does."""
        self._process.send_signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let the process go on as if no time had passed."""
        self._process.send_signal(signal.SIGCONT)

    def ask_to_reload(self) -> None:
        """Have the process read its configuration again. Returns at once."""
        self._process.send_signal(signal.SIGHUP)

    def ask_to_stop(self) -> None:
        """Ask the process to drain. Returns at once."""
        self._process.send_signal(signal.SIGTERM)

    def wait(self, timeout_seconds: float = 30) -> int:
        """Wait for the process to end and return its exit code."""
        return self._process.wait(timeout_seconds)

    def stop(self, timeout_seconds: float = 30) -> int:
        """Ask the process to drain, and return its exit code."""
        self.ask_to_stop()
        return self.wait(timeout_seconds)


class Deployment:
    """Three workers on one broker and one database, and the shop they serve."""

    def __init__(
        self,
        folder: Path,
        *,
        amqp_url: str,
        management: RabbitManagement,
        database_url: str,
        shop: SandboxMagento,
        poll_seconds: float = 3600,
    ) -> None:
        self.folder = folder
        self.shop = shop
        self.amqp_url = amqp_url
        self._management = management
        self._user = f"worker-{secrets.token_hex(4)}"
        self._password = secrets.token_urlsafe(16)
        self.engine = create_engine(database_url)
        self.topology = topology_for(["shop"])
        self._configuration = folder / "patron.toml"
        self._configuration.write_text(_configuration(shop, poll_seconds), encoding="utf-8")
        self.environment = {
            **os.environ,
            "PATRON_CONFIG": str(self._configuration),
            "PATRON_DATABASE__URL": database_url,
            "PATRON_BROKER__URL": _as_user(amqp_url, self._user, self._password),
        }
        self.workers: dict[str, Worker] = {}

    def __enter__(self) -> Self:
        provision(self.amqp_url, self.topology, management_url=self._management.api_url)
        self.admit_workers()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for worker in self.workers.values():
            if worker.is_running:
                worker.kill()
        self._management.delete_user(self._user)
        self.engine.dispose()

    def start(self, *roles: str, name: str | None = None) -> None:
        """Start workers; `name` tells a second one of a role from the first."""
        for role in roles or ROLES:
            key = name or role
            self.workers[key] = Worker(role, self.environment, self.folder / f"{key}.log")

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the `patron` command in this deployment."""
        return subprocess.run(
            [sys.executable, "-m", "services.console.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def move_to(self, database_url: str) -> None:
        """Have what is started from now on use another database."""
        self.engine.dispose()
        self.engine = create_engine(database_url)
        self.environment["PATRON_DATABASE__URL"] = database_url

    def run_as_administrator(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run the `patron` command with the rights of the broker's administrator."""
        own = dict(self.environment)
        self.environment["PATRON_BROKER__URL"] = self.amqp_url
        self.environment["PATRON_BROKER__MANAGEMENT_URL"] = self._management.api_url
        try:
            return self.run(*arguments)
        finally:
            self.environment = own

    def admit_workers(self) -> None:
        """Give the workers' user its rights on the virtual host."""
        vhost = urlsplit(self.amqp_url).path.removeprefix("/") or "/"
        self._management.add_user(self._user, self._password)
        self._management.set_permissions(
            self._user, vhost=vhost, configure="", write=WRITE, read=READ
        )

    def rows(self, sql: str, **values: Any) -> list[tuple[Any, ...]]:
        """Return what a query finds."""
        with self.engine.connect() as connection:
            return [tuple(row) for row in connection.execute(sa.text(sql), values)]

    def value(self, sql: str, **values: Any) -> Any:
        """Return the single value that a query finds."""
        return self.rows(sql, **values)[0][0]

    def is_idle(self) -> bool:
        """Whether every store view was imported since the last request and nothing is owed."""
        return bool(
            self.value(
                "SELECT NOT EXISTS (SELECT 1 FROM messages)"
                " AND EXISTS (SELECT 1 FROM cursors)"
                " AND NOT EXISTS (SELECT 1 FROM cursors"
                "   WHERE last_success_at IS NULL OR lease_owner IS NOT NULL"
                "   OR poll_due_at <= now() OR sweep_due_at <= now()"
                "   OR sweep_key IS NOT NULL OR sweep_mode <> 'normal')"
            )
        )

    def until_idle(self, timeout_seconds: float = 180) -> None:
        """Wait until nothing is left to do; fail with what the workers said if that never comes."""
        self.until(self.is_idle, "the pipeline is idle", timeout_seconds)

    def until_at_rest(self, timeout_seconds: float = 120) -> None:
        """Read every store view from now on, and wait until nothing is owed.

        For views that are polled all the time: a poll that is under way may be past what is new,
        so that it takes one that was leased after the request. While it is, the view stays due.
        """
        since = self.request_import()
        self.until(
            lambda: self.value(
                "SELECT count(*) = 0 FROM cursors"
                " WHERE poll_due_at <= :since OR last_error IS NOT NULL"
                " OR sweep_key IS NOT NULL OR sweep_due_at <= now()",
                since=since,
            ),
            "every store view is read",
            timeout_seconds,
        )
        self.until_nothing_is_owed(timeout_seconds)

    def until_nothing_is_owed(self, timeout_seconds: float) -> None:
        """Wait until every message is done; polls that go on for ever may add to them."""
        self.until(
            lambda: self.value("SELECT count(*) FROM messages") == 0,
            "nothing is owed",
            timeout_seconds,
        )

    def is_swept(self, since: datetime) -> bool:
        """Whether every store view had a sweep, from its beginning to its end, since `since`."""
        return bool(
            self.value(
                "SELECT count(*) = 0 FROM cursors"
                " WHERE sweep_started_at IS NULL OR sweep_started_at < :since"
                " OR sweep_finished_at IS NULL OR sweep_finished_at < sweep_started_at",
                since=since,
            )
        )

    def until(self, is_so: Callable[[], bool], what: str, timeout_seconds: float = 60) -> None:
        """Wait until `is_so`; fail with the ends of the logs otherwise."""
        deadline = time.monotonic() + timeout_seconds
        while not is_so():
            if time.monotonic() > deadline:
                raise AssertionError(f"never true: {what}\n{self.report()}")
            time.sleep(0.1)

    def report(self) -> str:
        """Return what is owed, and the ends of the workers' logs."""
        owed = self.rows(
            "SELECT routing_key, published_at IS NULL, attempts, last_reason, count(*)"
            " FROM messages GROUP BY 1, 2, 3, 4"
        )
        cursors = self.rows(
            "SELECT store_view, last_success_at, lease_owner, last_error FROM cursors"
        )
        logs = [
            f"--- {log.name}\n" + "\n".join(log.read_text("utf-8").splitlines()[-15:])
            for log in sorted(self.folder.glob("*.log"))
        ]
        return "\n".join([f"owed: {owed}", f"cursors: {cursors}", *logs])

    def request_import(self, *, sweep: bool = False) -> datetime:
        """Make every store view due, as a request of an operator does; return when that was."""
        columns = ("sweep_due_at", "sweep_requested_at") if sweep else ("poll_due_at",)
        values = ", ".join(f"{column} = now()" for column in columns)
        with self.engine.begin() as connection:
            connection.execute(sa.text(f"UPDATE cursors SET {values}"))
            at: datetime = connection.execute(sa.text("SELECT now()")).scalar_one()
        return at


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """Give a folder for one deployment's files."""
    with tempfile.TemporaryDirectory(prefix="patron-e2e-") as folder:
        yield Path(folder)


def _configuration(shop: SandboxMagento, poll_seconds: float) -> str:
    views = "".join(
        STORE_VIEW.format(
            code=view.code, poll=poll_seconds, store_id=view.id, website_id=view.website_id
        )
        for view in STORE_VIEWS
    )
    return CONFIGURATION.format(
        shop=shop.url,
        consumer_key=CONSUMER_KEY,
        consumer_secret=CONSUMER_SECRET,
        access_token=ACCESS_TOKEN,
        access_token_secret=ACCESS_TOKEN_SECRET,
        views=views,
    )


def _as_user(url: str, user: str, password: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{user}:{password}@{host}"))
