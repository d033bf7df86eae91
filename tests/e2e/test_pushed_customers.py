"""A marketing system pushes its customers to Patron as one process, and is told their numbers."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Final, Self

import pytest
import sqlalchemy as sa

from services.sandbox.push import SandboxPush
from services.sandbox.push.payload import MAPPING, RECORDS, external_id
from services.sandbox.push.sandbox import API_KEY, CALLBACK_SECRET
from shared.persistence.engine import create_engine
from shared.persistence.tables import customers
from tests.services.ports import free_ports

pytestmark = pytest.mark.timeout(300)

CUSTOMERS: Final = 60
CONFIGURATION: Final = """
[database]
url = "{database}"

[health]
importer_port = 0
processor_port = 0
exporter_port = 0
keeper_port = 0

[importer]
idle_seconds = 0.1

[intake]
enabled = true
port = {port}

[number_series.customers]
prefix = "C"

[[templates]]
name = "standard"
number_series = "customers"

[channels.crm]
platform = "push"
store_views = [{{ code = "crm" }}]

[channels.crm.connector]
api_keys = ["{api_key}"]
signing_keys = ["{signing_key}"]
records = "{records}"
callback = {{ url = "{callback}", secret = "{secret}" }}

[channels.crm.connector.mapping]
{mapping}
"""
SIGNING_KEY: Final = "e2e-signing-key-0123456789-0123456789"


class Patron:
    """`patron up`, to be killed and started again."""

    def __init__(self, folder: Path, crm: SandboxPush, port: int) -> None:
        self.url = f"sqlite:///{folder / 'patron.db'}"
        self._log = folder / "patron.log"
        self._port = port
        mapping = "\n".join(f'"{field}" = "{path}"' for field, path in MAPPING.items())
        self._configuration = folder / "patron.toml"
        self._configuration.write_text(
            CONFIGURATION.format(
                database=self.url, port=port, api_key=API_KEY, signing_key=SIGNING_KEY,
                records=RECORDS, callback=crm.callback_url, secret=CALLBACK_SECRET,
                mapping=mapping,
            ),
            encoding="utf-8",
        )  # fmt: skip
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it; whoever pushes waits for it."""
        command = [sys.executable, "-m", "services.console.cli", "up"]
        environment = {**os.environ, "PATRON_CONFIG": str(self._configuration)}
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()

    def kill(self) -> None:
        """End it as a power cut would."""
        assert self._process
        self._process.kill()
        self._process.wait()

    def stop(self) -> int:
        """Ask it to drain; return its exit code."""
        assert self._process
        self._process.send_signal(signal.SIGTERM)
        return self._process.wait(60)

    def count(self, table: sa.Table) -> int:
        """Count a table's rows."""
        engine = create_engine(self.url)
        with engine.connect() as connection:
            query = sa.select(sa.func.count()).select_from(table)
            many: int = connection.execute(query).scalar_one()
        engine.dispose()
        return many

    @property
    def log(self) -> str:
        """What it has logged."""
        return self._log.read_text("utf-8")


@contextmanager
def a_crm(port: int, **changes: Any) -> Iterator[SandboxPush]:
    """Give a marketing system of ordinary customers that pushes to that port."""
    target = f"http://127.0.0.1:{port}"
    with SandboxPush(target, CUSTOMERS, awkward=False, speaks_own_shape=True, **changes) as crm:
        yield crm


@pytest.mark.parametrize("keys", [{}, {"signing_key": SIGNING_KEY}], ids=["api key", "signed"])
def test_who_is_pushed_gets_a_number_and_tells_it(tmp_path: Path, keys: dict[str, str]) -> None:
    """Through losses, doubles, garbage and a kill: each has one number (D365-2, D365-3, D365-4)."""
    (port,) = free_ports(1)
    with a_crm(port, **keys) as crm, Patron(tmp_path, crm, port) as patron:
        crm.control.lose_answers(2)
        crm.control.double(2)
        first = crm.control.push(range(1, 31), batch=10)
        garbage = crm.control.send_garbage()
        patron.kill()
        patron.start()
        crm.control.fail_next("unavailable", 2)
        second = crm.control.push(range(21, CUSTOMERS + 1), batch=10)

        assert crm.control.wait_until(
            lambda: crm.control.stats()["numbered"] == CUSTOMERS, timeout_seconds=120
        ), patron.log[-5000:]
        told = crm.control.status(7)
        code = patron.stop()

    assert {answer.status for answer in (*first, *second)} == {202}
    assert not [status for status in garbage if status not in {400, 422, 401}]
    assert told == {
        "external_id": external_id(7), "state": "numbered",
        "customer_number": crm.control.number_of(7),
    }  # fmt: skip
    assert crm.control.stats()["forged_callbacks"] == 0
    assert len(set(crm.control.callbacks()[0])) == 5
    assert (patron.count(customers), code) == (CUSTOMERS, 0)
    assert crm.control.customer(1)["email"] not in patron.log
