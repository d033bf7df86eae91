"""An installation in which every process has its own database role and its own RabbitMQ user."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote, unquote, urlsplit, urlunsplit
from uuid import uuid4

import psycopg
import pytest
from psycopg import sql

from shared.persistence import migrate
from tests.docs.pages import ROOT
from tests.services import Databases, RabbitManagement

ROLES_SQL: Final = ROOT / "deploy" / "postgresql" / "roles.sql"
ROLES: Final = (
    "migrator",
    "importer",
    "processor",
    "exporter",
    "keeper",
    "operator",
    "reader",
)
PASSWORD: Final = "sesame"


@dataclass(frozen=True)
class House:
    """Where the database and the broker are, and what its roles and users begin with."""

    prefix: str
    admin_database_url: str
    admin_amqp_url: str

    def database_url(self, role: str) -> str:
        """Return the address of the database for a role."""
        return _as_user(self.admin_database_url, f"{self.prefix}_{role}")

    def broker_url(self, user: str) -> str:
        """Return the address of the broker for a user."""
        return _as_user(self.admin_amqp_url, f"{self.prefix}-{user}")


@contextmanager
def open_house(databases: Databases, management: RabbitManagement) -> Iterator[House]:
    """Set roles and users up as operations.md says, and take them away afterwards."""
    prefix = f"patron{uuid4().hex[:8]}"
    with databases.temporary() as database_url, management.temporary_vhost() as amqp_url:
        house = House(prefix, database_url.replace("+psycopg", ""), amqp_url)
        try:
            run_roles_sql(house)
            migrate.upgrade(house.database_url("migrator"))
            run_roles_sql(house)
            for call in _calls(house):
                _carry_out(call, management)
            yield house
        finally:
            for each in management.call("GET", "users"):
                if each["name"].startswith(f"{prefix}-"):
                    management.delete_user(each["name"])
            _drop_roles(house)


def run_roles_sql(house: House) -> str:
    """Run deploy/postgresql/roles.sql, and return what psql said."""
    if not (psql := shutil.which("psql")):
        pytest.skip("there is no psql here")
    passwords = [f"--set={role}_password={PASSWORD}" for role in ROLES]
    done = subprocess.run(
        [psql, "--no-psqlrc", "--set=ON_ERROR_STOP=1", f"--set=prefix={house.prefix}", *passwords,
         "--dbname", house.admin_database_url, "--file", ROLES_SQL],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def _calls(house: House) -> list[dict[str, Any]]:
    """Return what `patron broker users` tells an administrator to do."""
    done = subprocess.run(
        [sys.executable, "-m", "services.console.cli", "broker", "users", "--output", "json",
         "--prefix", house.prefix],
        env={"PATRON_BROKER__URL": house.admin_amqp_url},
        cwd=Path(__file__).parent, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    calls: list[dict[str, Any]] = json.loads(done.stdout)
    return calls


def _carry_out(call: dict[str, Any], management: RabbitManagement) -> None:
    """Make one of these calls."""
    path = [unquote(part) for part in call["path"].removeprefix("/api/").split("/")]
    is_user = path[0] == "users"
    body = {**call["body"], "password": PASSWORD} if is_user else call["body"]
    management.call(call["method"], *path, json=body)


def _drop_roles(house: House) -> None:
    with psycopg.connect(house.admin_database_url) as connection:
        for role in ROLES:
            name = sql.Identifier(f"{house.prefix}_{role}")
            found = connection.execute(
                "SELECT FROM pg_roles WHERE rolname = %s", [f"{house.prefix}_{role}"]
            )
            if found.rowcount:
                connection.execute(sql.SQL("DROP OWNED BY {} CASCADE").format(name))
                connection.execute(sql.SQL("DROP ROLE {}").format(name))


def _as_user(url: str, user: str) -> str:
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2]
    return urlunsplit(parts._replace(netloc=f"{quote(user)}:{PASSWORD}@{host}"))
