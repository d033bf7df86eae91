"""compose.yaml: who starts with which profile, and sees which credentials."""

import runpy
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from uuid import uuid4

import psycopg
import pytest
import yaml
from psycopg import sql

from shared.messaging.rights import USERS
from tests.docs.pages import ROOT
from tests.services import Databases, RabbitManagement

COMPOSE: Final = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
SERVICES: Final[dict[str, Any]] = COMPOSE["services"]
SCRIPTS: Final = ROOT / "deploy" / "compose"
WORKERS: Final = ("importer", "processor", "exporter", "keeper")
PATRON: Final = {*WORKERS, "migrate", "provision", "broker-users", "operator"}
ROLES: Final = ("migrator", *WORKERS, "operator")


def mounted(service: str) -> dict[str, str]:
    """Return the secrets of a service, by the name of the file that it sees."""
    given = SERVICES[service].get("secrets", [])
    return {
        each["target"]: each["source"]
        for each in ({"source": each, "target": each} if isinstance(each, str) else each
                     for each in given)
    }  # fmt: skip


def started_by(*profiles: str) -> set[str]:
    """Return the services that start with these profiles."""
    return {
        name
        for name, service in SERVICES.items()
        if not service.get("profiles") or {*service["profiles"]} & {*profiles}
    }


def test_every_profile_starts_what_it_is_for() -> None:
    """Without one only the servers; `demo` is `full` and a simulated shop; others add to them."""
    full = {*WORKERS, "database-roles", "migrate", "database-rights", "broker-users", "provision"}

    assert started_by() == {"rabbitmq", "postgres"}
    assert started_by("full") - started_by() == full
    assert started_by("demo") - started_by("full") == {"sandbox"}
    assert started_by("observability") - started_by() == {"prometheus", "grafana"}
    assert started_by("operator") - started_by() == {"operator"}


@pytest.mark.parametrize("worker", WORKERS)
def test_a_worker_sees_its_own_credentials_and_no_others(worker: str) -> None:
    """Its database role, its RabbitMQ user; the tombstones' key, where somebody may be erased."""
    own = {"database_url": f"database_{worker}", "broker_url": f"broker_{worker}"}
    key = {} if worker == "exporter" else {"privacy_key": "privacy_key"}

    assert mounted(worker) == own | key


def test_jobs_and_operators_see_theirs() -> None:
    """The administrators' passwords reach the jobs that make roles and users, and nobody else."""
    administrators = {"database_admin", "broker_admin", "postgres_password", "broker_admin_conf"}
    seen = {name: administrators & {*mounted(name).values()} for name in SERVICES}

    assert {name for name, secrets in seen.items() if secrets} == {
        "postgres", "rabbitmq", "database-roles", "database-rights", "broker-users",
    }  # fmt: skip
    assert {*mounted("migrate").values()} == {"database_migrator"}
    assert {*mounted("provision").values()} == {"broker_provisioner", "broker_management"}
    assert {*mounted("operator").values()} == {"database_operator", "broker_watcher", "privacy_key"}


@pytest.mark.parametrize("service", sorted(SERVICES))
def test_what_the_environment_names_is_mounted(service: str) -> None:
    """Every variable that names a secret's file names one that the service sees."""
    named = {
        value.removeprefix("/run/secrets/")
        for value in SERVICES[service].get("environment", {}).values()
        if value.startswith("/run/secrets/")
    }

    assert named <= mounted(service).keys()


@pytest.mark.parametrize("service", sorted(PATRON))
def test_processes_of_ours_are_confined(service: str) -> None:
    """Nothing may be written but /tmp, there is no capability, and none can be had."""
    made = SERVICES[service]

    assert made["read_only"]
    assert made["cap_drop"] == ["ALL"]
    assert made["security_opt"] == ["no-new-privileges:true"]


def test_only_those_who_talk_to_shops_have_a_way_out() -> None:
    """The processor and the keeper see broker and database; those have no way out at all."""
    outward = {name for name, made in SERVICES.items() if {*made["networks"]} - {"backend"}}

    assert COMPOSE["networks"]["backend"] == {"internal": True}
    assert outward == {"importer", "exporter", "operator", "sandbox", "grafana"}
    assert all(
        port.startswith("127.0.0.1:")
        for made in SERVICES.values()
        for port in made.get("ports", [])
    )


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give the credentials that new-secrets.sh makes up."""
    folder = tmp_path_factory.mktemp("compose") / "secrets"
    subprocess.run(["sh", SCRIPTS / "new-secrets.sh", folder], check=True)
    return folder


def test_every_secret_is_made_up(secrets: Path) -> None:
    """Each that compose.yaml names, and none besides; no two processes share a password."""
    named = {Path(made["file"]).name for made in COMPOSE["secrets"].values()}
    users = [f"database_{role}" for role in ROLES]
    users += [f"broker_{user.name}" for user in USERS if user.name != "publisher"]
    passwords = [urlsplit((secrets / name).read_text()).password for name in users]

    assert {path.name for path in secrets.iterdir() if path.is_file()} == named
    assert len({*passwords, (secrets / "postgres_password").read_text()}) == len(users) + 1
    assert (secrets / "channels").is_dir()
    assert secrets.stat().st_mode & 0o077 == 0


def test_credentials_are_never_made_up_twice(secrets: Path) -> None:
    """Whoever runs the script again keeps what there is: the database knows these passwords."""
    before = {path: path.read_bytes() for path in secrets.iterdir() if path.is_file()}

    again = subprocess.run(
        ["sh", SCRIPTS / "new-secrets.sh", secrets], check=False, capture_output=True
    )

    assert again.returncode == 1
    assert {path: path.read_bytes() for path in secrets.iterdir() if path.is_file()} == before


def test_the_roles_get_the_passwords_of_their_addresses(
    secrets: Path, databases: Databases
) -> None:
    """What the roles' job runs leaves each role able to log in as its address says."""
    if not (psql := shutil.which("psql")):
        pytest.skip("there is no psql here")
    prefix = f"patron{uuid4().hex[:8]}"
    job = SERVICES["database-roles"]
    mounts = {
        "/run/secrets/role_passwords.sql": secrets / "role_passwords.sql",
        "/etc/patron/roles.sql": ROOT / "deploy" / "postgresql" / "roles.sql",
    }

    with _without_roles_afterwards(databases, prefix), databases.temporary() as url:
        where = urlsplit(url.replace("+psycopg", ""))
        words = [f"--file={mounts[word.removeprefix('--file=')]}" for word in job["command"]]
        subprocess.run(
            [psql, *job["entrypoint"][1:], f"--set=prefix={prefix}",
             "--dbname", where.geturl(), *words],
            check=True, capture_output=True,
        )  # fmt: skip
        for role in ROLES:
            own = urlsplit((secrets / f"database_{role}").read_text())
            assert own.username == f"patron_{role}"
            account = f"{prefix}_{role}:{own.password}"
            host = where.netloc.rpartition("@")[2]
            with psycopg.connect(where._replace(netloc=f"{account}@{host}").geturl()) as connection:
                assert connection.info.user == f"{prefix}_{role}"
        with psycopg.connect(where.geturl()) as connection:
            protected = connection.execute(
                "SELECT rolname FROM pg_authid WHERE rolname LIKE %s AND rolpassword IS NOT NULL",
                [f"{prefix}\\_%"],
            ).fetchall()

    assert {name for (name,) in protected} == {f"{prefix}_{role}" for role in ROLES}


def test_the_users_get_the_rights_of_least_privilege(
    secrets: Path, rabbit_management: RabbitManagement, tmp_path: Path
) -> None:
    """What the users' job makes are users of `patron broker users`: password, rights, tags."""
    prefix = f"patron{uuid4().hex[:8]}"
    names = {path.name: path.read_text() for path in secrets.glob("broker_*") if not path.suffix}
    users = {user.name: user for user in USERS if f"broker_{user.name}" in names}

    with rabbit_management.temporary_vhost() as url:
        vhost = urlsplit(url).path.removeprefix("/")
        for user in users:
            own = urlsplit(names[f"broker_{user}"])
            address = f"amqp://{prefix}-{user}:{own.password}@rabbitmq:5672/{vhost}"
            (tmp_path / f"broker_{user}").write_text(address)
        api = urlsplit(rabbit_management.api_url)
        account = urlsplit(url).netloc.rpartition("@")[0]
        (tmp_path / "broker_admin").write_text(
            api._replace(netloc=f"{account}@{api.netloc}").geturl()
        )
        try:
            for _ in range(2):
                runpy.run_path(str(SCRIPTS / "broker_users.py"))["main"](tmp_path)
            made = {
                each["user"].removeprefix(f"{prefix}-"): each
                for each in rabbit_management.call("GET", "permissions")
                if each["user"].startswith(f"{prefix}-")
            }
            tags = {
                name: rabbit_management.call("GET", "users", f"{prefix}-{name}")["tags"]
                for name in users
            }
        finally:
            for name in users:
                rabbit_management.delete_user(f"{prefix}-{name}")

    assert {*users} == {"provisioner", *WORKERS, "watcher"}
    for name, asked in users.items():
        assert {right: made[name][right] for right in asked.rights} == asked.rights
        assert made[name]["vhost"] == vhost
        assert tags[name] == ([asked.tags] if asked.tags else [])


@contextmanager
def _without_roles_afterwards(databases: Databases, prefix: str) -> Iterator[None]:
    """Drop the roles in the end, when nothing is left that is theirs."""
    try:
        yield
    finally:
        databases.settle()
        for role in (*ROLES, "reader"):
            databases._execute(
                sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(f"{prefix}_{role}"))
            )
